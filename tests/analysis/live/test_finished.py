"""Finished stages of a run that goes on: the report's figures of them, to the last digit."""

import random

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.advice.analyse import analyse
from analysis.live.figures import Watched
from analysis.live.stage_rows import SHOWN, row
from locustfiles.contract.manifest import Problem, WorkerEntry
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, steady, streamed, window
from tests.helpers.random_runs import ASKED, BOUNDED, WISHES, records_of, run_of
from tests.helpers.replayed import Replay
from tests.helpers.watching import rewritten, seen, settled


def of_report(folder):
    """stage -> what its report says of it."""
    return {r.figures.identity.stage: row(r) for r in analyse([folder]).results}


def some_run(path):
    """Three stages of two targets and two workers whose clocks are off; streams, failures, and requests that reach into the next stage."""
    rng, records = random.Random(5), []
    for stage, (a, b, target) in enumerate([(5, 15, "p4d"), (17, 27, "bedrock"), (40, 50, "p4d")], start=1):
        for worker, off_s in (("w1", 0.25), ("w2", -0.5)):
            at = a - 4.0
            while at < b + 4:  # those of the first stage go on in the window of the second
                phase = "settle" if at < a else "measure" if at < b else "hold"
                latency = rng.uniform(0.3, 12.0 if rng.random() < 0.02 else 1.0)
                spot = {
                    "stage": stage,
                    "worker": worker,
                    "phase": phase,
                    "target": target,
                    "prompt_id": str(len(records)),
                }
                if rng.random() < 0.1:
                    records.append(record(at + off_s, latency, error="throttled", http_status=429, **spot))
                else:
                    counts = {"prompt_tokens": rng.randrange(5, 900), "cache_read_tokens": rng.choice([None, 0, 40])}
                    records.append(streamed(at + off_s, latency, latency / 3, rng.randrange(2, 90), **(counts | spot)))
                at += latency
    records.sort(key=lambda r: r.started_at + r.latency_ms / 1000)
    stages = [window(1, 5, 15, users=2), window(2, 17, 27, users=2, target="bedrock"), window(3, 40, 50, users=2)]
    workers = [WorkerEntry(w, "host", off, None, 0, 0) for w, off in (("w1", 250.0), ("w2", -500.0))]
    return made_run(path, records, stages, targets=[P4D, BEDROCK], workers=workers, slo={"latency_s": {"p95": 0.9}})


def test_each_stage_has_the_figures_of_the_report_from_when_it_has_ended(tmp_path):
    whole = some_run(tmp_path / "whole")
    replay, t = Replay(whole, tmp_path / "again"), 0.0
    watched, told = Watched(str(replay.folder.path), clock=lambda: replay.whole.started_at + t), {}
    expected = of_report(whole)
    assert "of the load came from other stages' requests" in expected[2]["reasons"]
    while t < replay.length_s:
        t += 4.0
        replay.until(t)
        figures = settled(watched, replay.load(t))
        for each in figures["stages"]:
            assert each == expected[each["stage"]]
            told.setdefault(each["stage"], t)
        assert figures["ended"] is None
    assert sorted(told) == [1, 2, 3]
    assert told[1] < told[2] < told[3]  # each at its end, not with the last one
    watched.close()


def test_the_columns_are_those_of_the_steps_table(tmp_path):
    folder = some_run(tmp_path / "r")
    (first, *_), table = seen(folder)["stages"], steps(analyse([folder]))
    assert list(first) == [column.name for column in SHOWN]
    for name, value in first.items():
        cell = table[name].iloc[0]
        assert (value is None) == bool(pd.isna(cell))
        assert value is None or value == cell


@settings(parent=BOUNDED, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wishes=WISHES, asked=ASKED, crowd=st.booleans())
def test_stages_of_any_shape_have_the_figures_of_the_report(tmp_path_factory, wishes, asked, crowd):
    folder = tmp_path_factory.mktemp("any") / "run"
    run_of(folder, records_of(wishes, asked, crowd), asked)
    expected = of_report(folder)
    assert {each["stage"]: each for each in seen(folder)["stages"]} == expected


def test_a_problem_that_comes_to_concern_a_stage_is_said_of_it(tmp_path):
    folder = made_run(tmp_path / "r", steady(1, 10, 40, 2, 0.5, lead=2), [window(1, 10, 40, users=2)])
    watched = Watched(str(folder))
    (before,) = settled(watched)["stages"]
    assert before["verdict"] == "VALID"
    rewritten(folder, lambda m: m.problems.append(Problem("worker w1 went away", [1])))
    (after,) = settled(watched)["stages"]
    assert (after["verdict"], after) == ("INVALID", of_report(folder)[1])
    rewritten(folder, lambda m: m.problems.append(Problem("worker w2 went away", [2])))  # of another stage
    assert settled(watched)["stages"] == [after]
    watched.close()


def test_a_damaged_line_makes_every_stage_what_the_report_makes_of_it(tmp_path):
    records = steady(1, 10, 20, 2, 0.5) + steady(2, 30, 40, 3, 0.5)
    folder = made_run(tmp_path / "r", records, [window(1, 10, 20, users=2), window(2, 30, 40, users=3)])
    lines = (folder / "requests.csv").read_bytes().splitlines(keepends=True)
    lines[3], lines[7] = b"torn,in,the,middle\n", lines[7].replace(b",en,", b",en,,", 1)
    (folder / "requests.csv").write_bytes(b"".join(lines))
    rows = {each["stage"]: each for each in seen(folder)["stages"]}
    assert rows == of_report(folder)
    assert "line 4: 4 cells instead of" in rows[2]["reasons"]


def test_records_that_are_gone_from_the_file_are_missed(tmp_path):
    records = steady(1, 10, 20, 2, 0.5)
    stage = window(1, 10, 20, users=2, records=len(records) + 3)
    folder = made_run(tmp_path / "r", records, [stage])
    (found,) = seen(folder)["stages"]
    assert found == of_report(folder)[1]
    assert found["reasons"].startswith("3 of the stage's")
