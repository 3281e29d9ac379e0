"""What the manifest says of records that are not there, and that no remedy is named that would be refused."""

import types

import pytest

from locustfiles.common.recording.bookkeeping import book, kept_elsewhere, lacking
from locustfiles.common.recording.delivery import Account
from locustfiles.common.recording.resume import Complete, check_resumable
from locustfiles.contract.manifest import Kept, Part, Problem, StageWindow
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.run_parts import ONE, inputs, manifest

KEPT = [Kept("w", 5, "/tmp/swarmledger-spool-r-w-kept.csv"), Kept("x", 4, "/tmp/swarmledger-spool-r-x-kept.csv")]


def made(*whole: bool, **more):
    windows = [
        StageWindow(n, 1, "one", "a", n, None, 1.0, whole=is_so, hold_until=9.0) for n, is_so in enumerate(whole, 1)
    ]
    return manifest(stages=windows, parts=[Part("r", 1.0, None, "running")], **more)


def files(kept: list[Kept], pending: dict[str, list[int]], rows: int = 9):
    """pending: worker -> stages of its records that requests.csv does not have."""
    counts = {stage: 0 for stages in pending.values() for stage in stages}
    for stages in pending.values():
        for stage in stages:
            counts[stage] += 1
    requests = types.SimpleNamespace(pending=lambda: {w: [[]] * len(s) for w, s in pending.items()}, rows=rows)
    return types.SimpleNamespace(
        folder=RunFolder("runs/x"), kept=kept, requests=requests, unwritten=lambda: counts, doubted=set()
    )


@pytest.mark.parametrize(
    ("produced", "said"), [(None, "never handed in its last records"), (9, "4 records of worker w were lost")]
)
def test_a_resume_is_advised_only_where_there_is_a_stage_to_measure_again(produced, said):
    accounts = {"w": Account(received=5, produced=produced), "x": Account(received=3, produced=3)}
    (problem,) = lacking(made(True, False), accounts, files([], {}))
    assert (
        said in problem.text and problem.text.endswith("--resume measures their stages again") and problem.stages == [2]
    )
    (problem,) = lacking(made(True, True), accounts, files([], {}))
    assert "--resume" not in problem.text and problem.stages == []
    assert (
        "if it has left swarmledger-spool-r-w.csv: python -m analysis merge runs/x swarmledger-spool-r-w.csv"
        in problem.text
    )
    complete = made(
        True, True, status="complete", problems=[problem], scenario=inputs(ONE).scenario.model_dump(mode="json")
    )
    with pytest.raises(Complete):  # as it would be refused
        check_resumable(complete, inputs(ONE))


def test_what_is_kept_elsewhere_is_one_sentence_however_many_workers_there_are():
    problem = kept_elsewhere(made(True, False), files(KEPT, {"w": [2, 2], "x": [2]}))
    command = "python -m analysis merge runs/x /tmp/swarmledger-spool-r-*-kept.csv, or --resume, which adds them too"
    assert problem == Problem(
        f"3 records are not in runs/x/requests.csv but in /tmp/swarmledger-spool-r-*-kept.csv; once it can be written again: {command}",
        [2],
        kept_of="r",
    )
    alone = kept_elsewhere(made(True, True), files(KEPT[:1], {"w": [1]}))
    assert KEPT[0].file in alone.text and "--resume" not in alone.text
    assert kept_elsewhere(made(True), files([], {})) is None


def test_a_stage_is_not_whole_while_its_records_are_not_in_the_file_and_is_again_when_they_are():
    """Of 9 records 5 are w's; two of these, of stage 2, are not written."""
    run, accounts, members = made(True, True), {"w": Account(5, 5), "x": Account(4, 4)}, {}
    before = files(KEPT, {"w": [2, 2]})
    book(run, members, accounts, before, {1: 4, 2: 5})
    assert [(s.whole, s.records) for s in run.stages] == [(True, 4), (False, 3)]
    assert (run.parts[0].produced, run.parts[0].received, run.parts[0].rows) == (9, 9, 7)
    assert [(w.id, w.received, w.run_id) for w in members.values()] == [("w", 3, "r"), ("x", 4, "r")]
    after = files([], {})
    after.doubted = before.doubted
    book(run, members, accounts, after, {1: 4, 2: 5})
    assert [(s.whole, s.records) for s in run.stages] == [(True, 4), (True, 5)] and run.parts[0].rows == 9


def test_a_part_of_which_one_worker_was_killed_does_not_know_how_many_records_were_made():
    run = made(True)
    book(run, {}, {"w": Account(5, 5), "x": Account(4, None)}, files([], {}), {1: 9})
    assert (run.parts[0].produced, run.parts[0].received) == (None, 9)
