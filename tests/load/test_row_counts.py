"""Rows that the manifest counts against those of the file: what is gone is told stage by stage."""

import dataclasses

from locustfiles.contract.manifest import Part, StageWindow
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.row_counts import NO_STAGE, rows_by_stage, rows_gone
from tests.helpers.run_parts import manifest, record


def stages(*records: int | None) -> list[StageWindow]:
    return [StageWindow(n, 1, "t", "p", 1, None, 1.0, whole=True, records=count) for n, count in enumerate(records, 1)]


def parts(*rows: int | None, ended: float | None = 9.0) -> list[Part]:
    return [Part(f"r{n}", 1.0, ended, "complete", rows=count) for n, count in enumerate(rows)]


def gone(made, by_stage) -> list[tuple[int, list[int] | None]]:
    """(how many, stages) of each sentence."""
    numbers = ((int(word) for word in p.text.split() if word.isdigit()) for p in rows_gone(made, by_stage))
    return [(next(n), p.stages) for n, p in zip(numbers, rows_gone(made, by_stage), strict=True)]


def test_lines_are_counted_by_stage_commas_in_quotes_and_damage_included(tmp_path):
    path = tmp_path / "requests.csv"
    file = RequestsFile(path)
    for number, stage in enumerate((1, 1, 2), start=1):
        file.add(dataclasses.replace(record(number), stage=stage, prompt_id='a "b", c' if number == 2 else "a"))
    file.close()
    with open(path, "a") as more:
        more.write("damaged,line\n17000.1,torn")
    assert rows_by_stage(path) == {1: 2, 2: 1, NO_STAGE: 1}
    assert rows_by_stage(tmp_path / "none.csv") == {}


def test_a_whole_file_has_nothing_to_say_and_a_resumed_run_is_counted_over_all_its_parts():
    """Two parts of 30 and 12 rows: 41 of two stages and one warm-up call."""
    made = manifest(stages=stages(25, 16), parts=parts(30, 12))
    assert rows_gone(made, {0: 1, 1: 25, 2: 16}) == []
    # each part alone has fewer rows than the file; together they have 42, and the file 41
    assert gone(made, {0: 1, 1: 25, 2: 15}) == [(1, [2])]
    assert gone(made, {1: 25, 2: 16}) == [(1, [])]  # the warm-up call: no stage is concerned
    assert gone(made, {1: 20, 2: 10}) == [(5, [1]), (6, [2]), (1, [])]


def test_rows_that_the_run_did_not_write_make_all_of_it_untrustworthy_unless_it_was_killed():
    assert gone(manifest(stages=stages(25), parts=parts(25)), {1: 27}) == [(2, None)]
    assert (
        rows_gone(manifest(stages=stages(25), parts=parts(25, ended=None)), {1: 27}) == []
    )  # written after the last save


def test_a_damaged_line_is_told_as_that_and_not_as_gone_from_another_stage():
    assert gone(manifest(stages=stages(25), parts=parts(25)), {1: 24, NO_STAGE: 1}) == [(1, [1])]


def test_manifests_from_before_these_counts_are_not_compared():
    assert rows_gone(manifest(stages=stages(None), parts=parts(None)), {1: 3}) == []
    assert rows_gone(manifest(stages=stages(None), parts=[]), {1: 3}) == []
