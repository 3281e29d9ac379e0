"""What a user's mistake gets: one line on stderr that begins with `error:` and names the remedy, exit code 1, nothing sent."""

import json
import socket

import pytest
import yaml

from locustfiles.contract.run_folder import RunFolder
from scripts.emulator.config import EXAMPLE_SECRET_KEY
from tests.helpers import folders
from tests.helpers.locust_process import cluster, environment, free_port, locust, one_locust
from tests.helpers.patience import LONGEST_S

LOAD = {"users": [1], "settle_s": 0, "measure_s": 0.5}


def change(path, **changes):
    """Set keys of the YAML file at `path`; None removes a key."""
    data = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        data.pop(key, None)
        if value is not None:
            data[key] = value
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def payload(folder, *lines: str) -> None:
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n")


GOOD = json.dumps({"prompt": "Hello"})
MISTAKES = {
    "misspelt key": (
        lambda d: change(d / "scenario.yaml", lod={"users": [1]}),
        "scenario.yaml:{line}: lod: unknown key `lod`; did you mean `load`?",
        "lod:",
    ),
    "missing payload file": (
        lambda d: change(d / "scenario.yaml", payloads=["payloads/none.jsonl"]),
        "scenario.yaml:{line}: file `payloads/none.jsonl` not found; give its path from the working folder",
        "payloads/none.jsonl",
    ),
    "malformed JSON line": (
        lambda d: payload(d, GOOD, GOOD, '{"prompt": "Hel'),
        "prompts.jsonl:3: not valid JSON (Unterminated string starting at); one JSON object on each line",
        None,
    ),
    "prompt without text": (
        lambda d: payload(d, GOOD, '{"id": "x"}'),
        'prompts.jsonl:2: no prompt text; add `"prompt": "…"`',
        None,
    ),
    "empty payload file": (
        lambda d: payload(d, ""),
        'prompts.jsonl: no prompt in it; add lines like {{"prompt": "…"}}',
        None,
    ),
    "price missing": (
        lambda d: change(d / "scenario.yaml", targets=[folders.bedrock("quick-modle")]),
        "scenario.yaml:{line}: target `by-quick-modle`: no price for model `quick-modle`; did you mean `quick-model`? "
        "Else add it to the price book or give the target its own `price:` ({folder}/book.yaml)",
        "model_id: quick-modle",
    ),
    "unknown instance type": (
        lambda d: change(d / "scenario.yaml", targets=[folders.sagemaker("quick", instance_type="ml.none")]),
        "scenario.yaml:{line}: target `on-quick`: no price for instance type `ml.none`; add it to the price book "
        "(`python -m analysis prices update --region us-east-1` asks AWS) or give the target its own `price:` ({folder}/book.yaml)",
        "instance_type: ml.none",
    ),
    "price per million": (
        lambda d: change(d / "book.yaml", models={"quick-model": {"input": 3.0, "output": 0.1}}),
        "scenario.yaml:{line}: target `by-quick-model`: {folder}/book.yaml:8: models.quick-model: input 3, output 0.1 looks like USD "
        "per million tokens: known prices of input are 0.00000688 to 0.15 per 1,000 tokens; write {{input: 0.003, output: 0.0001}}, in USD "
        "per 1,000 tokens ({folder}/book.yaml)",
        "model_id: quick-model",
    ),
    "levels that do not ascend": (
        lambda d: change(d / "scenario.yaml", load={"users": [3, 1], "measure_s": 1}),
        "scenario.yaml:{line}: load: `users` must ascend, each level once; mend it",
        "load:",
    ),
    "service of another locustfile": (
        lambda d: change(d / "scenario.yaml", targets=[folders.sagemaker("quick")]),
        "scenario.yaml:{line}: target `on-quick` is of service sagemaker, this locustfile sends to bedrock only; use locustfiles/sweep.py",
        "name: on-quick",
    ),
}


def line_of(folder, start: str | None) -> int | None:
    for name in ("scenario.yaml", "book.yaml"):
        for number, line in enumerate((folder / name).read_text().splitlines(), 1):
            if start and start in line:
                return number
    return None


def assert_refused(process, code: int, endpoint, before: int) -> str:
    assert code == 1, process.text
    assert len(process.errors) == 1, process.text
    assert "Traceback" not in process.text
    assert endpoint.stats()["requests"] == before
    return process.errors[0]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_line_with_place_and_remedy_and_nothing_is_sent(endpoint, tmp_path, name):
    make, expected, start = MISTAKES[name]
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD)
    make(tmp_path)
    locustfile = "bedrock.py" if "locustfile" in name else "sweep.py"
    with one_locust(scenario, tmp_path / "run", locustfile=locustfile) as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line == f"error: {tmp_path}/" + expected.format(line=line_of(tmp_path, start), folder=tmp_path)
    assert not (tmp_path / "run").exists()


def test_a_missing_scenario_is_named_with_an_example(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    with one_locust(tmp_path / "none.yaml", tmp_path / "run") as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line == f"error: {tmp_path}/none.yaml: cannot be read (No such file or directory); check the path"
    with locust("-f", "locustfiles/sweep.py", "--headless", output=tmp_path / "log") as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line.startswith(
        "error: --scenario: missing; give the scenario file, as in: locust -f locustfiles/sweep.py --scenario configs/demo.yaml"
    )


def test_a_misspelt_option_is_an_error_of_the_input(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    with one_locust(scenario, None, "--rundir", tmp_path / "run") as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert "--rundir" in line


def test_without_credentials_nothing_is_sent(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    env = environment(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    with one_locust(scenario, tmp_path / "run", env=env) as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line == (
        "error: AWS credentials: none found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or sign in with `aws sso login`"
    )


NO_KEYS = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


def profile(folder, *lines: str) -> dict[str, str | None]:
    (folder / "aws").write_text("\n".join(["[default]", *lines]) + "\n")
    return NO_KEYS | {"AWS_CONFIG_FILE": str(folder / "aws")}


UNUSABLE = {
    "a credential_process that is not there": (
        lambda d: profile(d, f"credential_process = {d}/none"),
        "AWS credentials: cannot be used: [Errno 2] No such file or directory: '{folder}/none'; check AWS_PROFILE",
    ),
    "a credential_process that says no JSON": (
        lambda d: profile(d, "credential_process = echo hello"),
        "AWS credentials: cannot be used: Expecting value: line 1 column 1 (char 0); check AWS_PROFILE",
    ),
    "a CA bundle that is not there": (
        lambda d: {"AWS_CA_BUNDLE": f"{d}/none.pem"},
        "{folder}/none.pem: no certificates can be read from it (No such file or directory); check AWS_CA_BUNDLE",
    ),
    "a CA bundle that is none": (
        lambda d: {"AWS_CA_BUNDLE": f"{d}/book.yaml"},
        "{folder}/book.yaml: no certificates can be read from it (",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_environment_that_cannot_be_used_is_named_and_nothing_is_sent(endpoint, tmp_path, name):
    make, expected = UNUSABLE[name]
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    with one_locust(scenario, tmp_path / "run", env=environment(**make(tmp_path))) as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line.startswith("error: " + expected.format(folder=tmp_path)), line


@pytest.mark.parametrize("workers", [0, 1])
def test_a_token_file_that_is_not_there_ends_the_run_as_a_fault_of_credentials(endpoint, tmp_path, workers):
    before, token = endpoint.stats()["requests"], str(tmp_path / "token")
    role = {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
        "AWS_WEB_IDENTITY_TOKEN_FILE": token,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    env = environment(**NO_KEYS, **role)
    with (
        cluster(scenario, tmp_path / "run", workers=1, env=env)
        if workers
        else one_locust(scenario, tmp_path / "run", env=env) as started
    ):
        process = started.master if workers else started
        line = assert_refused(process, process.wait(), endpoint, before)
    assert f"FileNotFoundError: [Errno 2] No such file or directory: '{token}'; check the credentials" in line, line
    assert {(r.phase, r.error) for r in folders.rows(tmp_path / "run")} == {("warmup", "auth")}


def test_an_endpoint_that_accepts_no_connection_is_found_before_anything_is_sent(endpoint, tmp_path):
    port = free_port()
    scenario = folders.make_scenario(tmp_path, f"http://127.0.0.1:{port}", [folders.sagemaker("quick")], LOAD)
    with one_locust(scenario, tmp_path / "run") as process:
        line = assert_refused(process, process.wait(), endpoint, endpoint.stats()["requests"])
    assert line == (
        f"error: http://127.0.0.1:{port} (on-quick): accepts no connection: Connection refused; "
        "check the region, `endpoint_url` and AWS_ENDPOINT_URL_*, and that the endpoint is up"
    )
    assert not (tmp_path / "run").exists()


def test_checking_an_endpoint_sends_nothing(tmp_path):
    """Its only connection is closed without a byte: a scenario that then turns out to be too slow to answer never began."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LONGEST_S)
        scenario = folders.make_scenario(
            tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}", [folders.sagemaker("quick")], LOAD
        )
        port = free_port()
        with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process:
            connection, _ = listener.accept()
            process.until("Starting web interface")
            connection.settimeout(1)
            with pytest.raises(TimeoutError):
                connection.recv(1)


@pytest.mark.parametrize(
    ("changes", "target", "said"),
    [
        (
            {"AWS_SECRET_ACCESS_KEY": "x" + EXAMPLE_SECRET_KEY[1:]},
            folders.bedrock("quick-model"),
            "target `by-quick-model`: InvalidSignatureException: The request signature we calculated does not match",
        ),
        (
            {},
            folders.sagemaker("no-such-endpoint"),
            "target `on-no-such-endpoint`: ValidationError: Endpoint no-such-endpoint of account",
        ),
    ],
    ids=["wrong secret", "unknown endpoint"],
)
def test_what_only_the_service_can_know_ends_the_sweep_after_the_first_calls(endpoint, tmp_path, changes, target, said):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], LOAD)
    with one_locust(scenario, tmp_path / "run", env=environment(**changes)) as process:
        assert process.wait() == 1, process.text
    (line,) = process.errors
    assert line.startswith(f"error: {said}") and "; check " in line, line
    assert process.text.rstrip().splitlines()[-1] == line  # after Locust's tables
    assert "Traceback" not in process.text
    assert EXAMPLE_SECRET_KEY[1:] not in process.text
    found, manifest = folders.rows(tmp_path / "run"), folders.manifest(tmp_path / "run")
    assert len(found) == endpoint.stats()["requests"] - before == 3
    assert {r.phase for r in found} == {"warmup"}
    assert (manifest["status"], manifest["stages"]) == ("failed", [])


def test_a_used_run_folder_is_refused_unless_overwritten(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    run = tmp_path / "run"
    with one_locust(scenario, run) as process:
        assert process.wait() == 0, process.text
    first, before = folders.manifest(run)["run_id"], endpoint.stats()["requests"]
    with one_locust(scenario, run) as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line == f"error: {run}: already holds a run; choose another --run-dir, or add --resume or --overwrite"
    assert RunFolder(run).read_manifest().run_id == first
    with one_locust(scenario, run, "--overwrite") as process:
        assert process.wait() == 0, process.text
    assert RunFolder(run).read_manifest().run_id != first
    assert len(folders.rows(run)) == endpoint.stats()["requests"] - before


def test_a_run_folder_that_cannot_be_made_is_an_error_of_the_input(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    (tmp_path / "file").write_text("")
    with one_locust(scenario, tmp_path / "file" / "run") as process:
        line = assert_refused(process, process.wait(), endpoint, before)
    assert line == f"error: {tmp_path}/file/run: cannot be written (Not a directory); choose another --run-dir"
