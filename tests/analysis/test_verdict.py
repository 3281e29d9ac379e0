"""What makes a stage VALID, SUSPECT or INVALID."""

from analysis.advice.analyse import analyse
from analysis.verdicts.thresholds import THRESHOLDS
from locustfiles.contract.manifest import FAILED_INSIDE, WorkerEntry
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, START, made_run, record, steady, window
from tests.helpers.verdicts import healthy, verdict


def test_a_healthy_stage_is_valid(tmp_path):
    assert verdict(tmp_path, healthy()) == ("VALID", "")


def test_an_internal_error_in_any_phase_makes_it_invalid(tmp_path):
    records = [*healthy(), record(9, 0.1, phase="settle", error="internal")]
    assert verdict(tmp_path, records) == (
        "INVALID",
        "1 request ended by a fault of the load generator itself (class internal)",
    )


def test_what_the_load_side_found_wrong_makes_it_invalid(tmp_path):
    found = verdict(tmp_path, healthy(), problems=["A worker is missing."])
    assert found == ("INVALID", "A worker is missing")


def test_few_successes_make_it_suspect(tmp_path):
    records = steady(1, 10, 40, 1, 2.0, lead=2)
    assert verdict(tmp_path, records, window(1, 10, 40)) == ("SUSPECT", "only 15 successes")


def test_repeated_prompts_make_it_suspect(tmp_path):
    repeated = [
        record(r.started_at - START, 0.5, prompt_id=str(i % 50), phase=r.phase) for i, r in enumerate(healthy())
    ]
    n = sum(r.phase == "measure" for r in repeated)
    state, why = verdict(tmp_path, repeated)
    assert state == "SUSPECT"
    assert n > 100 and "of the prompts were repeats (50 different prompts)" in why


def test_prompts_read_from_a_cache_make_it_suspect(tmp_path):
    records = healthy(target="bedrock", prompt_tokens=800, completion_tokens=5, cache_read_tokens=200)
    # 200 of 1000
    prices = {"bedrock": {"input": 0.001, "output": 0.001, "cache_read": 0.0001}}
    found = verdict(tmp_path, records, window(1, 10, 40, users=2, target="bedrock"), targets=[BEDROCK], prices=prices)
    assert found == ("SUSPECT", "20 % of the prompt tokens were read from a cache")


def test_reconnects_make_it_suspect(tmp_path):
    n = sum(r.phase == "measure" for r in healthy())
    assert verdict(tmp_path, healthy(reconnect=1)) == ("SUSPECT", f"100 % of {n} requests had to open a connection")


def test_a_run_that_was_never_closed_is_suspect_and_its_last_stage_invalid(tmp_path):
    records = healthy() + steady(2, 60, 90, 2, 0.5, lead=2)
    stages = [window(1, 10, 40, users=2), window(2, 60, 90, users=2, started_at=START + 58)]
    workers = [WorkerEntry("local", "h", 0.0, None, len(records), None)]
    report = analyse([made_run(tmp_path / "r", records, stages, status="running", ended_at=None, workers=workers)])
    assert steps(report)["verdict"].tolist() == ["SUSPECT", "INVALID"]
    assert any(
        text.startswith("Run r was never closed: it was killed, its disk was full, or it is still running.")
        for text in report.cut
    )


def test_a_window_that_a_kill_left_open_says_so_with_the_requests_so_far(tmp_path):
    records = [record(11 + i, 0.5, prompt_id=str(i)) for i in range(7)]
    stage = window(1, 10, None, ended_by=None)
    report = analyse([made_run(tmp_path / "r", records, [stage], status="running", ended_at=None)])
    why = (
        "the run was killed, its disk was full, or it is still running, during its measured window, which so has no end "
        "(7 requests were measured so far)"
    )
    assert steps(report)["reasons"][0] == f"{why}: run the stage again (`--resume`)"
    assert f"No cost for stage 1 (`p4d`, `en`, 1 user): {why}." in report.notes
    assert "never got its measured window" not in " ".join(report.notes)


def test_every_threshold_says_why():
    assert all(t.why.endswith(".") and t.limit > 0 for t in THRESHOLDS.values())


def test_a_window_shorter_than_its_calls_says_what_to_raise(tmp_path):
    # a call of 30 s each before and after the window of 12 s
    records = [record(5, 30, phase="settle"), record(36, 31, phase="hold", prompt_id="2")]
    report = analyse([made_run(tmp_path / "r", records, [window(1, 10, 22)])])
    why = "no request began in its window of 12.0 s, for its longest call took 31.0 s: raise `measure_s` above that"
    assert (steps(report)["verdict"][0], steps(report)["reasons"][0]) == ("INVALID", why)


def test_errors_of_class_internal_are_told_once_though_the_run_says_so_itself(tmp_path):
    records = [*healthy(), record(9, 0.1, phase="settle", error="internal")]
    told = verdict(tmp_path / "a", records, problems=[FAILED_INSIDE])
    assert told == ("INVALID", "1 request ended by a fault of the load generator itself (class internal)")
    # where their records are gone, what the run says is all there is
    assert verdict(tmp_path / "b", healthy(), problems=[FAILED_INSIDE]) == ("INVALID", FAILED_INSIDE)
