"""`python -m analysis check`: what it says of a scenario before its run, and that it sends one call of each target, or none."""

import csv
import re
import signal
import subprocess
import sys

import pytest

from locustfiles.contract.record import FIELDS
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import environment, free_port
from tests.helpers.patience import LONGEST_S, until

LOAD = {"users": [1, 4], "settle_s": 1, "measure_s": 29}


def check(scenario, *more: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "analysis", "check", str(scenario), *map(str, more)]
    run = subprocess.run(command, cwd=ROOT, env=env or environment(), capture_output=True, text=True, timeout=LONGEST_S)
    assert "Traceback" not in run.stdout + run.stderr
    for key in (EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY):
        assert key not in run.stdout + run.stderr
    return run


def value(text: str, name: str) -> list[str]:
    """The cells beside `name`, one of each target's table."""
    return [found.strip() for found in re.findall(rf"^ {re.escape(name)} +(.*)$", text, re.MULTILINE)]


def test_one_call_of_each_target_is_shown_with_its_tokens_price_and_cost(endpoint, tmp_path):
    """By the hour: 2 stages of 1 + 29 s and some answers of 0.065 s at $0.001 a second: $0.06; at most 60 s of
    settling, 29 s, 10 s for the last answer, twice, and 12 s of drain: $0.21. By the token: a call has n tokens
    in (the endpoint's log knows n) and 10 out at $0.001 and $0.002 per 1,000; 1 and 4 users at one call each 65 ms for 30 s are
    some 460 and 1,850 calls."""
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("quick"), folders.bedrock("quick-model")], LOAD
    )
    run = check(scenario, "--record", tmp_path / "check.csv")
    assert (run.returncode, run.stderr) == (0, "")
    assert endpoint.stats()["requests"] - before == 2
    with open(tmp_path / "check.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == FIELDS
    hourly, by_token = (dict(zip(FIELDS, row, strict=True)) for row in rows)
    truth = folders.truth_of(endpoint, {hourly["request_id"], by_token["request_id"]})
    assert value(run.stdout, "request id") == [hourly["request_id"], by_token["request_id"]] and len(truth) == 2
    assert value(run.stdout, "endpoint") == [endpoint.url] * 2
    assert value(run.stdout, "model") == ["quick", "quick-model"]
    assert value(run.stdout, "credentials") == ["environment variables"] * 2
    assert value(run.stdout, "price") == ["$3.6 per hour", "$0.001 in, $0.002 out per 1,000 tokens"]
    n = truth[by_token["request_id"]]["prompt_tokens"]
    assert value(run.stdout, "prompt tokens") == ["– (not known)", f"{n} (service)"]
    assert value(run.stdout, "completion tokens") == ["10 (service)"] * 2
    per_call, by_hour = value(run.stdout, "cost of this call")[1], value(run.stdout, "cost of this call")[0]
    assert by_hour == "none of its own: paid by the hour"
    assert float(per_call.removeprefix("$")) == pytest.approx((n * 0.001 + 10 * 0.002) / 1000, rel=1e-3)
    for name, low, high in (("latency", 60, 1000), ("TTFT", 18, 900)):
        assert all(low < float(shown.removesuffix(" ms")) < high for shown in value(run.stdout, name))
    assert re.search(r"on-quick +prompts +1 +users 1, 4 +30\.0 s", run.stdout)
    ahead = re.search(
        r"Ahead: about (\d) min, ([\d,]+) requests and \$([\d.]+) .*; at most (\d) min, ([\d,]+) requests and \$([\d.]+) ",
        run.stdout,
    )
    latencies = [float(r["latency_ms"]) / 1000 for r in (hourly, by_token)]
    # the seconds of every user: ramps of 0.01 and 0.03 s, settling for 1 s until all have begun and two calls, 29 s, the last answer
    users_s = [30.01 + 4 * 30.03 + 5 * 3 * s for s in latencies]
    most_users_s = 99.01 + 4 * 99.03
    assert (int(ahead[1]), int(ahead[4])) == (
        3,
        8,
    )  # four stages of half a minute and a little, rounded up; twice 210.04 s
    assert int(ahead[2].replace(",", "")) == pytest.approx(
        sum(u / s for u, s in zip(users_s, latencies, strict=True)), abs=1
    )
    assert int(ahead[5].replace(",", "")) == pytest.approx(sum(2 * most_users_s / s + 5 for s in latencies), abs=1)
    call_usd = (n * 0.001 + 0.02) / 1000  # prompts of 31 and 32 characters: within 4 %
    usd = (60.04 + 7 * latencies[0]) * 0.001 + users_s[1] / latencies[1] * call_usd
    assert float(ahead[3]) == pytest.approx(usd, rel=0.04, abs=0.006)
    assert float(ahead[6]) == pytest.approx(
        0.21004 + (2 * most_users_s / latencies[1] + 5) * call_usd, rel=0.04, abs=0.006
    )
    assert "No confirmation is needed (confirm_above_usd: $10.00)." in run.stdout
    again = check(scenario, "--record", tmp_path / "check.csv")
    assert again.returncode == 0
    assert len((tmp_path / "check.csv").read_text().splitlines()) == 1 + 2 + 2


def test_without_a_call_nothing_is_sent_and_the_plan_is_told(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    target = folders.bedrock("quick-model")
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], LOAD | {"repeat": 2}, budget_usd=3)
    run = check(scenario, "--no-call")
    assert (run.returncode, run.stderr) == (0, "")
    assert endpoint.stats()["requests"] == before
    assert len(re.findall(r"by-quick-model +prompts +[12] +users 1, 4 +30\.0 s", run.stdout)) == 2
    assert "Budget: the run stops itself before it spends $3.00." in run.stdout
    assert "request id" not in run.stdout


def test_a_run_above_the_limit_is_announced_as_one_that_needs_yes(endpoint, tmp_path):
    """Two stages of at most 99 s and 12 s of drain at $0.001 a second: $0.21, above 5 cents; a budget of 4 cents is below, and asks nothing."""
    for budget, said in (
        (None, "It may cost $0.21, above confirm_above_usd ($0.05): it asks first, or needs --yes."),
        (0.04, "No confirmation is needed (confirm_above_usd: $0.05)."),
    ):
        scenario = folders.make_scenario(
            tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD, confirm_above_usd=0.05, budget_usd=budget
        )
        run = check(scenario)
        assert (run.returncode, run.stderr) == (0, "")
        assert said in run.stdout


def test_all_targets_are_tried_before_the_failures_are_told_one_line_each(endpoint, tmp_path):
    away = f"http://127.0.0.1:{free_port()}"
    targets = [
        folders.sagemaker("no-such-endpoint"),
        folders.sagemaker("quick", name="away", endpoint_url=away),
        folders.sagemaker("failing"),
        folders.bedrock("quick-model"),
    ]
    before = endpoint.stats()["requests"]
    retry = {"attempts": 3, "base_s": 0.01}
    run = check(folders.make_scenario(tmp_path, endpoint.url, targets, LOAD, retry=retry))
    assert run.returncode == 1
    assert endpoint.stats()["requests"] - before == 3  # one of each that is there: a check does not retry
    lines = run.stderr.splitlines()
    assert len(lines) == 3, run.stderr
    assert lines[0] == (
        f"error: {away} (away): accepts no connection: Connection refused; check the region, `endpoint_url` and "
        "AWS_ENDPOINT_URL_*, and that the endpoint is up"
    )
    assert lines[1].startswith(
        "error: target `on-no-such-endpoint`: ValidationError: Endpoint no-such-endpoint of account"
    )
    assert lines[1].endswith("; check endpoint or model id, region, parameters and the length of the prompts")
    assert (
        lines[2].startswith("error: target `on-failing`: ") and "; see whether the endpoint is in service" in lines[2]
    )
    assert value(run.stdout, "answer")[3] == "well"
    assert "Ahead: about " in run.stdout
    assert "without on-no-such-endpoint, away, on-failing, whose first call failed" in " ".join(run.stdout.split())


def test_refused_credentials_are_one_line_with_the_remedy(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD)
    run = check(scenario, env=environment(AWS_SECRET_ACCESS_KEY="x" * 40))
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: target `by-quick-model`: InvalidSignatureException: ")
    assert line.endswith(
        "; check the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, session token, clock; of an OpenAI route the key in `api_key_env`) and the permissions"
    )
    before = endpoint.stats()["requests"]
    none = check(scenario, env=environment(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None))
    assert none.returncode == 1 and endpoint.stats()["requests"] == before
    assert none.stderr == (
        "error: AWS credentials: none found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`\n"
    )


def test_a_profile_is_named_and_its_keys_are_not(endpoint, tmp_path):
    (tmp_path / "credentials").write_text(
        f"[bench]\naws_access_key_id = {EXAMPLE_ACCESS_KEY}\naws_secret_access_key = {EXAMPLE_SECRET_KEY}\n"
    )
    (tmp_path / "config").write_text("[profile bench]\nregion = us-east-1\n")
    env = environment(
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
        AWS_PROFILE="bench",
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"),
        AWS_CONFIG_FILE=str(tmp_path / "config"),
    )
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD)
    run = check(scenario, env=env)
    assert (run.returncode, run.stderr) == (0, "")
    assert value(run.stdout, "credentials") == ["the shared credentials file, profile bench"]


@pytest.mark.parametrize("transport", ["fast", "boto3"])
def test_ctrl_c_ends_it_in_mid_call_without_a_traceback(endpoint, tmp_path, transport):
    """The slow endpoint answers after 2 s; the signal comes when its first call is under way."""
    targets = [folders.sagemaker("slow"), folders.bedrock("slow-model")]
    scenario = folders.make_scenario(tmp_path, endpoint.url, targets, LOAD, transport=transport)
    command = [sys.executable, "-m", "analysis", "check", str(scenario)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: endpoint.stats()["in_flight"], "a call in flight", every_s=0.02)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
    assert (process.returncode, errors) == (1, f"error: {scenario}: interrupted; nothing more was sent, check again\n")
    assert out == ""


def test_a_bad_scenario_and_a_bad_record_file_send_nothing(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    run = check(scenario, "--record", tmp_path / "notes.csv")
    assert (run.returncode, run.stderr) == (
        1,
        f"error: {tmp_path}/notes.csv: its header is not that of requests.csv; choose another --record file\n",
    )
    assert (tmp_path / "notes.csv").read_text() == "a,b\n1,2\n"
    run = check(tmp_path / "none.yaml")
    assert (run.returncode, run.stderr) == (
        1,
        f"error: {tmp_path}/none.yaml: cannot be read (No such file or directory); check the path\n",
    )
    assert endpoint.stats()["requests"] == before


def test_a_timeout_below_that_of_an_inference_router_is_told(endpoint, tmp_path):
    target = folders.sagemaker("quick") | {"inference_router": "r", "routing_target": "t", "stream": False}
    del target["endpoint"]
    for seconds, said in ((30, True), (170, False)):
        (tmp_path / str(seconds)).mkdir()
        keys = {"request_timeout_s": seconds}
        scenario = folders.make_scenario(tmp_path / str(seconds), endpoint.url, [target], LOAD, **keys)
        run = check(scenario, "--no-call")
        assert (run.returncode, run.stderr) == (0, "")
        assert ("at least 170 s" in " ".join(run.stdout.split())) == said
