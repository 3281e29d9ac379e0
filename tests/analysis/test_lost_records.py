"""Records that are not there: told by part, by stage and by worker, with what brings them back."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.runs.run_reader import load_run
from locustfiles.contract.manifest import Kept, Part, Problem, WorkerEntry
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.flat import steps
from tests.helpers.made_run import START, made_run, steady, window

FIRST, SECOND = Part("r1", START, START + 50, "stopped"), Part("r2", START + 60, START + 99, "complete")


def resumed(tmp_path, missing: int, **keys):
    """Two parts of one process: stage 1 with 20 records of 0.5 s in the first, stage 2 with as many in the second."""
    records = [r for s in (1, 2) for r in steady(s, 10 * s, 10 * s + 9.5, 1, 0.5)[:20]]
    made = [dataclasses.replace(r, call=n) for n, r in enumerate(records, start=1)]
    workers = [WorkerEntry("local", "h", 0.0, 20, 20, 0, run) for run in keys.pop("runs", ("r1", "r2"))]
    stages = [window(s, 10 * s, 10 * s + 9, whole=True, **keys) for s in (1, 2)]
    return made_run(tmp_path / "r", made[missing:], stages, workers=workers, parts=keys.get("parts") or PARTS)


PARTS = [dataclasses.replace(FIRST, rows=20), dataclasses.replace(SECOND, rows=20)]


def test_rows_of_a_first_part_that_are_gone_are_noticed_though_each_part_has_fewer_than_the_file(tmp_path):
    """40 were written, 33 are there: more than the 20 of either part."""
    path = resumed(tmp_path, missing=7, records=20)
    found = steps(analyse([path]))
    assert found["verdict"][0] == "INVALID" and found["verdict"][1] != "INVALID"
    assert "7 of the stage's 20 records that were written are gone from requests.csv" in found["reasons"][0]


@pytest.mark.parametrize("runs", [("", ""), ("r1", "r2")])
def test_a_manifest_without_counts_of_stages_and_parts_is_compared_by_worker_over_all_its_parts(tmp_path, runs):
    records = steady(1, 10, 19.5, 1, 0.5)[:20] + steady(2, 20, 29.5, 1, 0.5)[:20]
    path = made_run(
        tmp_path / "r",
        [dataclasses.replace(r, call=n) for n, r in enumerate(records, start=1)][7:],
        [window(s, 10 * s, 10 * s + 9, whole=True) for s in (1, 2)],
        workers=[WorkerEntry("local", "h", 0.0, 20, 20, 0, run) for run in runs],
        parts=[FIRST, SECOND],
    )
    assert load_run(path).lost == ["7 records of worker local were received but are not in requests.csv."]


def test_a_whole_resumed_run_has_nothing_missing(tmp_path):
    run = load_run(resumed(tmp_path, missing=0, records=20))
    assert run.lost == run.lost_at_workers == run.manifest.problems == []


def test_a_worker_that_is_gone_names_the_file_that_it_may_have_left(tmp_path):
    workers = [WorkerEntry("w", "h", 0.0, None, 20, None, "r1")]
    path = made_run(
        tmp_path / "r", steady(1, 10, 19.5, 1, 0.5, worker="w")[:20], [window(1, 10, 19, whole=False)], workers=workers
    )
    reason = steps(analyse([path]))["reasons"][0]
    assert "never handed in its last count" in reason
    assert (
        "if it has left swarmledger-spool-r1-w.csv in its working folder, add that with `python -m analysis merge`"
        in reason
    )


def test_records_that_are_kept_elsewhere_are_told_once_and_not_as_lost(tmp_path):
    part = dataclasses.replace(FIRST, rows=20, kept=[Kept("local", 25, "/tmp/kept.csv")])
    path = made_run(
        tmp_path / "r",
        steady(1, 10, 19.5, 1, 0.5)[:20],
        [window(1, 10, 19, records=20, whole=False)],
        workers=[WorkerEntry("local", "h", 0.0, 25, 20, 5, "r1")],
        parts=[part],
        run_id="r1",
    )
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    manifest.problems = [Problem("5 records are not in it but in /tmp/kept.csv", [1], kept_of="r1")]
    folder.write_manifest(manifest)
    assert steps(analyse([path]))["reasons"].tolist() == [
        "5 records are not in it but in /tmp/kept.csv: run the stage again (`--resume`)"
    ]
    manifest.parts[0].kept = []
    folder.write_manifest(manifest)
    assert "5 records of worker local on h were lost" in steps(analyse([path]))["reasons"][0]
