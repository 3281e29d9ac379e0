"""What keeps a run from costing more than was meant: the estimate, the question, and the budget."""

import contextlib
import os
import pty
import re
import subprocess
import time

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import LOCUST, cluster, environment, one_locust
from tests.helpers.patience import LONGEST_S

#: $3.6 an hour is $0.001 a second. Two levels of 0.2 s and two calls of 0.065 s, 1 s, a last call each and a drain are 0.29 cents; at
#: most 1 s and then, for the first level's calls, 10 s of settling, 1 s, 10 s and 10 + 2 s of drain, 45 s, are 4.5 cents
LOAD = {"users": [1, 2], "settle_s": 0.2, "settle_at_most_s": 1, "measure_s": 1}
AHEAD = r"about 1 min, (\d+) requests and \$0\.00\d\d? with calls like the first; at most 1 min, ([\d,]+) requests and \$0\.045 even .*"


def hourly(folder, endpoint, load=LOAD, **more):
    return folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], load, **more)


def refused(process, endpoint, before: int, run) -> str:
    """Its one line; only one call of the target was sent, and it is in the run's folder."""
    assert process.wait() == 1, process.text
    assert len(process.errors) == 1 and "Traceback" not in process.text, process.text
    (row,) = folders.rows(run)
    assert endpoint.stats()["requests"] - before == 1 and row.phase == "warmup"
    assert (folders.manifest(run)["status"], folders.manifest(run)["stages"]) == ("failed", [])
    return process.errors[0]


def test_a_run_above_the_limit_is_refused_without_yes_and_runs_with_it(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = hourly(tmp_path, endpoint, confirm_above_usd=0.001)
    with one_locust(scenario, tmp_path / "run") as process:
        line = refused(process, endpoint, before, tmp_path / "run")
        (ahead,) = re.findall(r"Ahead: (.*)", process.text)
    assert re.fullmatch(
        r"error: confirm_above_usd: the run may cost \$0\.045, above \$0\.001; add --yes, or set a budget_usd or a "
        "higher confirm_above_usd in the scenario",
        line,
    )
    # users 1 and 2, 0.33 + 1.075 s long, a call each 0.065 s: 22 and 43; at most 12 and 21 s, a call each 0.0325 s: 370 and 1,296;
    # fewer where a busy machine made the first call longer
    found = re.fullmatch(AHEAD, ahead)
    assert found and 10 <= int(found[1]) <= 70 and 40 <= int(found[2].replace(",", "")) <= 1700
    # the same folder goes on where nothing has been measured yet
    with one_locust(scenario, tmp_path / "run", "--resume", "--yes") as process:
        assert process.wait() == 0, process.text
    manifest = folders.manifest(tmp_path / "run")
    assert manifest["status"] == "complete" and [s["users"] for s in manifest["stages"]] == [1, 2]


def test_a_budget_below_the_limit_is_an_answer_already(endpoint, tmp_path):
    # one long level, so that the budget ends in it: between two levels, no stage is there to be ended by it
    scenario = hourly(
        tmp_path, endpoint, load={**LOAD, "users": [1], "measure_s": 8}, confirm_above_usd=0.004, budget_usd=0.003
    )
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 3, process.text  # it begins, and ends at its budget
    assert folders.manifest(tmp_path / "run")["stages"][-1]["ended_by"] == "budget"


@contextlib.contextmanager
def on_a_terminal(scenario, run):
    """Locust with a terminal for stdin, stdout and stderr: (process, the terminal's other end)."""
    ours, theirs = pty.openpty()
    command = [LOCUST, "-f", "locustfiles/sweep.py", "--scenario", str(scenario), "--run-dir", str(run), "--headless"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def shown(terminal: int, until: str | None) -> str:
    """What the terminal shows, up to a text or (None) to the end."""
    text, over = b"", time.monotonic() + LONGEST_S
    os.set_blocking(terminal, False)
    while until is None or until.encode() not in text:
        assert time.monotonic() < over, text.decode(errors="replace")
        try:
            piece = os.read(terminal, 65536)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        text += piece
    return text.decode(errors="replace")


@pytest.mark.parametrize(
    ("typed", "goes_on"), [("y", True), ("nx\x7f", False), ("", False)], ids=["yes", "no, mistyped first", "empty"]
)
def test_on_a_terminal_it_asks_and_takes_no_for_an_answer(endpoint, tmp_path, typed, goes_on):
    before = endpoint.stats()["requests"]
    scenario = hourly(tmp_path, endpoint, confirm_above_usd=0.001)
    with on_a_terminal(scenario, tmp_path / "run") as (process, terminal):
        asked = shown(terminal, "Go on? [y/N]")
        assert re.search(
            rf"This run takes {AHEAD}\. Go on\?", " ".join(asked.split())
        )  # the terminal has broken the line
        time.sleep(0.7)  # Locust looks for its own keys five times a second
        assert endpoint.stats()["requests"] - before == 1
        os.write(terminal, typed.encode() + b"\n")
        rest = shown(terminal, None)
        assert process.wait() == (0 if goes_on else 1), asked + rest
    assert "Traceback" not in asked + rest
    if goes_on:
        assert folders.manifest(tmp_path / "run")["status"] == "complete"
        assert len(folders.rows(tmp_path / "run")) == endpoint.stats()["requests"] - before
    else:
        assert (
            rest.count(
                "error: confirm_above_usd: not confirmed, nothing but first calls was sent; answer y, or add --yes"
            )
            == 1
        )
        assert endpoint.stats()["requests"] - before == 1


def test_ctrl_c_at_the_question_ends_the_run(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    with on_a_terminal(hourly(tmp_path, endpoint, confirm_above_usd=0.001), tmp_path / "run") as (process, terminal):
        asked = shown(terminal, "Go on? [y/N]")
        process.send_signal(2)
        rest = shown(terminal, None)
        assert process.wait() == 4, asked + rest
    assert "Traceback" not in rest
    assert endpoint.stats()["requests"] - before == 1
    assert folders.manifest(tmp_path / "run")["status"] == "stopped"


LOADS = {
    "closed loop": {"users": [3], "settle_s": 0, "measure_s": 30},
    "open loop": {"rate": [30], "max_users": 20, "settle_s": 0, "measure_s": 30},
}


def assert_kept(run, endpoint, before: int, budget_usd: float, at_least_usd: float) -> None:
    """The endpoint's own counts, of every request that it has received, cost no more than the budget, and not much less."""
    found, manifest = folders.rows(run), folders.manifest(run)
    truth = folders.truth_of(endpoint, {r.request_id for r in found}).values()
    assert len(found) == len(truth) == endpoint.stats()["requests"] - before
    usd = sum(t["prompt_tokens"] * 0.001 / 1000 + t["completion_tokens"] * 0.5 / 1000 for t in truth)
    assert at_least_usd <= usd <= budget_usd
    assert (manifest["status"], manifest["problems"]) == ("stopped", [])
    assert manifest["stages"][-1]["ended_by"] == "budget"
    assert not any(r.error for r in found)  # those in flight ended well


@pytest.mark.parametrize("kind", LOADS)
def test_a_run_ends_at_its_budget_and_never_spends_more(endpoint, tmp_path, kind):
    """A call is half a cent (10 tokens out at $0.5 per 1,000): $0.5 are 99 calls. In the closed loop three users make 46 a second:
    stopping leaves 3 and those of a quarter of a second, 12, unspent; in the open loop 30 a second."""
    before = endpoint.stats()["requests"]
    target = folders.bedrock("quick-model", price={"input": 0.001, "output": 0.5})
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], LOADS[kind], budget_usd=0.5)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 3, process.text
    assert len(re.findall(r"Budget: \$0\.[34]\d+ spent, up to \$0\.\d+ under way, of \$0\.5000", process.text)) == 1
    assert_kept(tmp_path / "run", endpoint, before, 0.5, 0.3)


def test_a_run_with_workers_never_spends_more_either(endpoint, tmp_path):
    """Workers report once a second: up to 1.5 s of calls, 46 a second, 35 cents, are under way unseen."""
    before = endpoint.stats()["requests"]
    target = folders.bedrock("quick-model", price={"input": 0.001, "output": 0.5})
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], LOADS["closed loop"], budget_usd=1)
    with cluster(scenario, tmp_path / "run") as crew:
        assert crew.wait()[0] == 3, crew.text()
    assert_kept(tmp_path / "run", endpoint, before, 1, 0.4)


def test_a_budget_that_the_next_level_alone_would_pass_stops_before_it(endpoint, tmp_path):
    """Eight users at once are 8 half cents, of a budget of 4 cents after the first call: none of them sends."""
    before = endpoint.stats()["requests"]
    target = folders.bedrock("quick-model", price={"input": 0.001, "output": 0.5})
    load = {"users": [8], "settle_s": 0, "measure_s": 5}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], load, budget_usd=0.04)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 3, process.text
    assert endpoint.stats()["requests"] - before <= 7  # 8 at 0.5 cents are the budget
    assert folders.manifest(tmp_path / "run")["stages"][0]["ended_by"] == "budget"
