"""Peers of the bench: what each recorded is read from its own files by request id, and environments are made once."""

import json
import pathlib

import pytest

from scripts.bench import venvs
from scripts.bench.client import Answer, Load
from scripts.bench.clients import CLIENTS, before
from scripts.bench.measure import answer_to

DATA = pathlib.Path(__file__).parent / "data/peers"


@pytest.fixture
def load(tmp_path):
    return Load(2, True, 4.0, tmp_path)


def test_guidellms_answers_are_found_by_the_endpoints_id_in_theirs(load):
    """Its own file of two levels, 12 requests each; the endpoint's log of the same requests says which went well."""
    (load.folder / "guidellm.json").write_text((DATA / "guidellm/benchmarks.json").read_text())
    answers = CLIENTS["guidellm"].read(load)
    truth = [json.loads(line) for line in (DATA / "guidellm/truth.jsonl").read_text().splitlines()]
    good = {row["request_id"]: row for row in truth if row["fault"] is None}
    assert good and set(answers) == set(good)
    for name, answer in answers.items():
        assert 0 < answer.ttft_ms - good[name]["first_token_ms"] < 10
        assert 0 < answer.latency_ms - good[name]["last_byte_ms"] < 10


def aiperf_row(name: str, **more) -> dict:
    metrics = {"time_to_first_token": {"value": 102.5, "unit": "ms"}, "request_latency": {"value": 593.0, "unit": "ms"}}
    return {"metadata": {"x_request_id": name, "was_cancelled": False, **more}, "metrics": metrics}


def test_aiperfs_answers_are_found_by_the_id_that_it_sent(load):
    folder = load.folder / "aiperf/run"
    folder.mkdir(parents=True)
    rows = [
        aiperf_row("a"),
        aiperf_row("cancelled", was_cancelled=True),
        aiperf_row("failed") | {"error": {"code": 429}},
    ]
    lines = [json.dumps(row) for row in rows]
    (folder / "profile_export.jsonl").write_text("\n".join([*lines, '{"metadata": {"x_req']))
    answers = CLIENTS["aiperf"].read(load)
    assert answers == {"a": Answer(102.5, 593.0)}
    assert answer_to({"request_id": "endpoint's", "client_request_id": "a"}, answers) == answers["a"]
    assert answer_to({"request_id": "endpoint's", "client_request_id": None}, answers) is None


@pytest.mark.parametrize("peer", ["guidellm", "aiperf"])
def test_a_peer_is_run_by_its_own_command_with_the_level_and_the_tokens_asked_for(peer, load, monkeypatch):
    monkeypatch.setattr("scripts.bench.peers.python_of", lambda name: pathlib.Path(f"/of/{name}/bin/python"))
    command = CLIENTS[peer].command(load, "http://127.0.0.1:1")
    assert command[0].startswith(f"/of/{peer}/bin/")
    if peer == "guidellm":
        assert command[1] == "run" and "kind=concurrent,streams=2" in command
        rows = [json.loads(line) for line in (load.folder / "prompts.jsonl").read_text().splitlines()]
        # 2 users at 0.59 s an answer ask 13.6 times in 4 s
        assert len(rows) > 14 and {row["output_tokens_count"] for row in rows} == {50}
    else:
        assert command[2] == "scripts.bench.aiperf_run"
        assert command[command.index("--users") + 1] == "2" and command[command.index("--tokens") + 1] == "50"


def made_so_far(monkeypatch, tmp_path) -> list[list[str]]:
    """Commands that would make environments; none is run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    commands = []

    def note(command):
        commands.append([str(part) for part in command])
        if "venv" in command:
            pathlib.Path(command[-1]).mkdir(parents=True)

    monkeypatch.setattr(venvs, "_run", note)
    return commands


def checkout(folder: pathlib.Path, pins: str) -> pathlib.Path:
    folder.mkdir()
    (folder / "requirements.txt").write_text(pins)
    (folder / "constraints.txt").write_text("numpy==2.4.6\n")
    return folder


def test_another_build_has_an_environment_of_what_its_own_files_name_made_once(tmp_path, monkeypatch):
    commands = made_so_far(monkeypatch, tmp_path)
    one = checkout(tmp_path / "one", "locust==2.47.0\n")
    python = venvs.python_of_checkout(one)
    assert len(commands) == 2
    assert commands[1][-4:] == ["-r", str(one / "requirements.txt"), "-c", str(one / "constraints.txt")]
    assert venvs.python_of_checkout(one) == python and len(commands) == 2
    assert venvs.python_of_checkout(checkout(tmp_path / "same", "locust==2.47.0\n")) == python and len(commands) == 2
    assert venvs.python_of_checkout(checkout(tmp_path / "other", "locust==2.46.0\n")) != python and len(commands) == 4
    client = before(one)
    assert client.root == one and "with the libraries that it requires" in client.words
    assert client.command(Load(1, True, 1.0, tmp_path), "http://127.0.0.1:1")[0] == str(python.parent / "locust")


def test_a_build_that_names_no_libraries_runs_with_ours_and_says_so(tmp_path):
    (tmp_path / "old").mkdir()
    words = before(tmp_path / "old").words
    assert words == "Swarmledger as in old, with this environment's libraries (old has no requirements.txt)"
