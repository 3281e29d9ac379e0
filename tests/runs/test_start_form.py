"""The start form in one process: another scenario between two runs, what is refused, and a start without any scenario."""

import json
import pathlib
import shutil
import signal
import urllib.request

import pytest
import yaml

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.contract.bad_input import BadInput
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_page import await_idle, await_page, post, refused, scenario, sent
from tests.helpers.locust_process import PATIENT, free_port, locust, one_locust
from tests.helpers.patience import until

SERVICES = ("bedrock", "sagemaker", "openai")
LOAD = {"users": [1, 2], "settle_s": 0, "measure_s": 0.4}
HOSTILE = "<img src=x onerror=alert(1)>.yaml"


@pytest.fixture
def configs(endpoint, tmp_path) -> pathlib.Path:
    """first.yaml on SageMaker and below/second.yaml on Bedrock, with other prompts; one is misspelt, one has a hostile name."""
    folder = tmp_path / "configs"
    first = folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], LOAD, name="first")
    second = folders.make_scenario(
        folder / "below", endpoint.url, [folders.bedrock("quick-model")], LOAD, prompts=3, name="second"
    )
    first.rename(folder / "first.yaml")
    second.rename(folder / "below/second.yaml")
    shutil.copy(folder / "first.yaml", folder / HOSTILE)
    text = (folder / "first.yaml").read_text()
    (folder / "broken.yaml").write_text(text.replace("request_timeout_s", "request_timeouts"))
    (folder / "notes.yaml").write_text("# targets: none\nname: notes\nload: {heavy: true}\n")
    (folder / "in-braces.json").write_text(json.dumps(yaml.safe_load(text)))
    return folder


def await_status(run: pathlib.Path, status: str) -> dict:
    file = run / "manifest.json"
    until(lambda: file.exists() and folders.manifest(run)["status"] == status, f"{run} is {status}")
    return folders.manifest(run)


def offered(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/swarmledger/scenarios", timeout=60) as answer:
        return json.load(answer)


def test_another_scenario_is_chosen_between_two_runs_and_neither_has_a_request_of_the_other(
    endpoint, configs, tmp_path
):
    before, port = endpoint.stats()["requests"], free_port()
    url, second = f"http://127.0.0.1:{port}", str(configs / "below/second.yaml")
    with one_locust(configs / "first.yaml", tmp_path / "runs/one", "--web-port", port, headless=False) as process:
        await_page(url)
        assert post(url, "/swarm", user_count=1, spawn_rate=1)["success"]
        assert await_status(tmp_path / "runs/one", "complete")["name"] == "first"
        await_idle(url)
        shown = scenario(url, second)
        assert shown["error"] is None and shown["stages_planned"] == 2
        # two levels of 0.4 s
        assert (shown["planned_s"], shown["planned"]) == (0.8, "at least 0.8 s")
        assert [(t["target"], t["price"]) for t in shown["targets"]] == [
            ("by-quick-model", "$0.001 per 1,000 prompt tokens, $0.002 per 1,000 of the answer")
        ]
        assert sent(url, "/swarmledger/start", file=second, name="two") == (
            200,
            {"error": None, "folder": str(tmp_path / "runs/two"), "scenario": second},
        )
        assert await_status(tmp_path / "runs/two", "complete")["name"] == "second"
        await_idle(url)
        older = {"user_count": 9, "spawn_rate": 9, "host": "scenario://first"}  # what an older page sends
        assert post(url, "/swarm", run_dir=tmp_path / "elsewhere", overwrite="true", **older)["success"]
        until(lambda: len(list((tmp_path / "runs").glob("*-second/manifest.json"))) == 1, "a third run, of the second")
        (third,) = (tmp_path / "runs").glob("*-second")
        await_status(third, "complete")
        process.send(signal.SIGTERM)
        assert process.wait() == 0, process.text
    one, two, three = (folders.rows(tmp_path / "runs" / name) for name in ("one", "two", third.name))
    assert {r.target for r in one} == {"on-quick"} and {r.target for r in two + three} == {"by-quick-model"}
    assert {r.prompt_id for r in two + three} <= {
        "p0",
        "p1",
        "p2",
    }  # those of its own file, whose name is that of the first's
    assert len(one) + len(two) + len(three) == endpoint.stats()["requests"] - before
    assert sorted(r.call for r in one + two + three) == list(range(1, len(one + two + three) + 1))  # counted on
    for run in ("one", "two"):
        assert folders.manifest(tmp_path / "runs" / run)["problems"] == []
    assert "Traceback" not in process.text and not (tmp_path / "elsewhere").exists()


def test_scenarios_alone_are_offered_each_mistake_is_told_in_the_command_lines_words_and_starts_nothing(
    endpoint, configs, tmp_path
):
    before, port = endpoint.stats()["requests"], free_port()
    url, broken = f"http://127.0.0.1:{port}", str(configs / "broken.yaml")
    (tmp_path / "outside").mkdir()
    with one_locust(configs / "first.yaml", tmp_path / "runs/one", "--web-port", port, headless=False) as process:
        await_page(url)
        names = ("below/second.yaml", "broken.yaml", "first.yaml", HOSTILE, "in-braces.json")
        assert sorted(offered(url)["scenarios"]) == sorted(str(configs / name) for name in names)
        with pytest.raises(BadInput) as e:
            load_inputs(broken, SERVICES)
        assert scenario(url, broken)["error"] == str(e.value)
        assert sent(url, "/swarmledger/start", file=broken, name="x") == (409, {"error": str(e.value)})
        assert offered(url)["chosen"] == str(configs / "first.yaml")  # as before
        used = tmp_path / "runs/used"
        used.mkdir(parents=True)
        (used / "requests.csv").write_text("whatever")
        (tmp_path / "runs/link").symlink_to(tmp_path / "outside")
        good = str(configs / "first.yaml")
        assert sent(url, "/swarmledger/start", file=good, name="used") == (
            409,
            {"error": f"{used}: already holds a run; choose another --run-dir, or add --resume or --overwrite"},
        )
        for name in ("../outside", "a/b", "..", ".", "a\\b", "a\nb", "\x1b[2J", "x" * 201, "link"):
            status, told = sent(url, "/swarmledger/start", file=good, name=name)
            assert status == 409 and told["error"].startswith(("run name: ", str(tmp_path / "runs/link"))), name
        for file in ("/etc/passwd", str(configs / "notes.yaml"), str(configs / "../configs/first.yaml"), ""):
            assert "is not among those offered" in sent(url, "/swarmledger/start", file=file)[1]["error"]
            assert "is not among those offered" in scenario(url, file)["error"]
        assert endpoint.stats()["requests"] == before and not list((tmp_path / "outside").iterdir())
        process.send(signal.SIGTERM)
        assert process.wait() == 0, process.text


def test_the_web_ui_opens_without_a_scenario_and_starts_none_until_one_is_chosen(endpoint, configs, tmp_path):
    port, before = free_port(), endpoint.stats()["requests"]
    url = f"http://127.0.0.1:{port}"
    options = ["-f", f"{PATIENT},{ROOT}/locustfiles/sweep.py", "--web-host", "127.0.0.1", "--web-port", port]
    with locust(*options, output=tmp_path / "locust.log", cwd=tmp_path) as process:
        await_page(url)
        assert offered(url)["chosen"] is None
        post(url, "/swarm", user_count=1, spawn_rate=1)
        until(lambda: refused(url), "refused")
        assert (
            refused(url)
            == "scenario: none is chosen; choose one in the start form (/swarmledger), or give --scenario FILE"
        )
        await_idle(url)
        assert sent(url, "/swarmledger/start", file="configs/below/second.yaml", begin=0)[1]["error"] is None
        assert endpoint.stats()["requests"] == before  # chosen alone
        post(url, "/swarm", user_count=1, spawn_rate=1)
        until(lambda: list((tmp_path / "runs").glob("*-second/manifest.json")), "a run of it")
        (run,) = (tmp_path / "runs").glob("*")
        assert await_status(run, "complete")["scenario_file"] == "configs/below/second.yaml"
        process.send(signal.SIGTERM)
        assert process.wait() == 1, process.text  # one start was refused
    assert len(folders.rows(run)) == endpoint.stats()["requests"] - before


def test_what_begins_by_itself_needs_a_scenario(tmp_path):
    options = ["--autostart", "--web-host", "127.0.0.1", "--web-port", free_port()]
    with locust("-f", ROOT / "locustfiles/sweep.py", *options, output=tmp_path / "log", cwd=tmp_path) as process:
        assert process.wait() == 1
    assert process.errors[0].startswith("error: --scenario: missing; give the scenario file")
