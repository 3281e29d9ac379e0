"""Records that do not tell how their client kept up, as imported files do not: read, judged, counted and priced."""

import dataclasses
import json

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.runs.run_reader import load_run
from locustfiles.contract.manifest import WorkerLoad
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, made_run, record, steady, window
from tests.helpers.peer_files import DATA, imported
from tests.helpers.verdicts import healthy, verdict

NOTHING = {"lag_ms": None, "in_flight": None, "response_bytes": None, "reconnect": None}
WHY = "nothing is known of the client (its event-loop lag, its CPU)"
IN_FULL = f"{WHY}, so times may be too long and rates too low: see that it had CPU to spare"


def test_a_stage_of_whose_client_nothing_is_known_is_suspect_and_says_so(tmp_path):
    assert verdict(tmp_path, healthy(**NOTHING), workers=[]) == ("SUSPECT", WHY)


@pytest.mark.parametrize("known", ["lag_ms", "stamp_delay_ms"])
def test_what_the_records_tell_of_it_is_enough(tmp_path, known):
    assert verdict(tmp_path, healthy(**(NOTHING | {known: 0.1})), workers=[]) == ("VALID", "")


def test_what_the_stage_tells_of_its_workers_is_enough(tmp_path):
    stage = window(1, 10, 40, users=2, workers=[WorkerLoad("local", 0.2, 1.0)])
    assert verdict(tmp_path, healthy(**NOTHING), stage, workers=[]) == ("VALID", "")


def test_empty_cells_are_read_as_not_known_and_never_as_0(tmp_path):
    run = made_run(tmp_path / "run", healthy(**NOTHING), [window(1, 10, 40, users=2)], workers=[])
    assert load_run(run).records[list(NOTHING)].isna().all(axis=None)
    row = steps(analyse([run])).iloc[0]
    # 2 users, 0.5 s each, back to back: the spans tell how many were in flight
    assert (row["in_flight_mean"], row["throughput_per_s"]) == (pytest.approx(2.0), pytest.approx(4.0))
    assert row[["lag_ms_max", "worker_cpu_max", "worker_lag_ms_max", "reconnects"]].isna().all()
    out = tmp_path / "out"
    assert main(["report", str(run), "--out", str(out)]) == 0
    assert "NaN" not in (out / "summary.json").read_text()
    assert IN_FULL in (out / "report.md").read_text()


def test_an_open_loop_of_which_the_most_in_flight_is_not_known_reached_no_limit(tmp_path):
    of_rate = {"users": None, "rate": 4.0, "schedule_delay_ms": 0.0}
    records = [dataclasses.replace(r, **of_rate) for r in healthy(**NOTHING)]
    state, why = verdict(tmp_path, records, window(1, 10, 40, users=None, rate=4.0), workers=[])
    assert (state, why) == ("SUSPECT", WHY)


def test_an_unknown_failure_counts_in_the_error_rate_and_is_priced_as_an_interval(tmp_path):
    good = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 1000, "completion_tokens": 100} | NOTHING
    failed = {"target": "bedrock", "service": "bedrock", "error": "unknown", "http_status": None} | NOTHING
    # one user, 1 s each: 30 in the window, of which the last 3 failed
    sound = [r for r in steady(1, 10, 40, 1, 1.0, **good) if r.started_at < 1_700_000_037]
    records = sound + [record(37.0 + i, 1.0, prompt_id=f"bad{i}", **failed) for i in range(3)]
    run = made_run(
        tmp_path,
        records,
        [window(1, 10, 40, target="bedrock")],
        targets=[BEDROCK],
        workers=[],
        most_tokens={"bedrock": 100},
    )
    row = steps(analyse([run])).iloc[0]
    assert (row["requests"], row["errors"], row["error_rate"]) == (30, "unknown 3", pytest.approx(0.1))
    # a success: 1,000 x $0.00075 / 1,000 + 100 x $0.001 / 1,000 = $0.00085; a failure from nothing to the same
    assert row["usd_per_transaction_low"] == pytest.approx(0.00085)
    assert row["usd_per_transaction"] == pytest.approx(0.00085 * 30 / 27)


#: what its own files do not tell
TOLD = {"fmbench": ("--region", "us-east-1"), "llmeter": ("--users", "4")}


@pytest.mark.parametrize("tool", sorted(path.name for path in DATA.iterdir() if path.is_dir()))
def test_what_any_tool_wrote_is_suspect_for_it(tool, tmp_path):
    run = imported(tool, DATA / tool, tmp_path / "run", *TOLD.get(tool, ()))
    found = steps(analyse([tmp_path / "run"]))
    assert run.manifest.workers == []
    assert (found["verdict"] != "VALID").all()
    for verdict_, why in zip(found["verdict"], found["reasons"], strict=True):
        assert verdict_ == "INVALID" or "nothing is known of the client" in why


def test_the_summary_of_an_imported_run_is_json_without_a_nan(tmp_path):
    imported("guidellm", DATA / "guidellm", tmp_path / "run")
    assert main(["report", str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    json.loads((tmp_path / "out" / "summary.json").read_text(), parse_constant=refuse)
