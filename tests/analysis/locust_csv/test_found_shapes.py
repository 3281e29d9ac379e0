"""Shapes that runs leave in the wild: ramps alone, no request, an empty file, clocks that jump, short runs of workers."""

import pytest

from analysis.locust_csv.counts import BadLocustCsv
from analysis.locust_csv.run import read_run
from tests.helpers.locust_csv import read_steps, write_history
from tests.helpers.locust_files import Names, write_files, write_stats

RAMP = [(users, 1) for users in range(1, 13)]


def test_a_ramp_is_one_row_of_which_no_level_is_left_out_and_no_failure_outside(tmp_path):
    run = read_run(write_files(tmp_path / "a", [("POST", "/chat", 1, 900, 0.5)], RAMP))
    # 1 + 2 + ... + 12 = 78 calls
    assert [(step.basis, step.requests) for step in run.steps] == [("whole run", 78)] and run.dropped == []
    said = " ".join(run.notes)
    assert "levels of users were held for less than 5 s: 1 user (1 s)" in said
    assert "left out" not in said and "outside" not in said


def test_a_ramp_without_sums_is_refused_with_what_ended_in_it(tmp_path):
    rows = [(second, second + 1, 10 * second, 10 * second, 900) for second in range(12)]
    with pytest.raises(BadLocustCsv) as error:
        read_run(write_history(tmp_path, rows))
    assert "110 requests ended, 110 of them failed; hold levels longer, or give run_stats.csv, too" in str(error.value)


def test_a_history_in_which_nobody_ever_called_is_said_as_that(tmp_path):
    with pytest.raises(BadLocustCsv, match="no request ended in this run, nothing was measured; run it again"):
        read_run(write_history(tmp_path, [(second, 0, 0, 0, 0) for second in range(30)]))


def test_sums_without_a_row_are_no_sums(tmp_path):
    prefix = write_history(tmp_path, [(second, 4, 8 * second, 0, 400) for second in range(30)])
    with open(f"{prefix}_stats.csv", "w") as file:
        file.write("Type,Name,Request Count,Failure Count,Average Response Time,Requests/s\n")
    steps, _ = read_steps(prefix)
    assert steps["successes_per_s"].tolist() == [8]


def test_a_history_whose_totals_were_taken_out_is_not_called_empty(tmp_path):
    prefix = write_history(tmp_path, [(second, 4, 8 * second, 0, 400) for second in range(30)], names=["/chat"])
    path = tmp_path / "run_stats_history.csv"
    path.write_text("".join(line for line in path.open() if "Aggregated" not in line))
    with pytest.raises(BadLocustCsv, match="has no row of Aggregated; give the file as Locust wrote it"):
        read_run(str(prefix))


def jumping(seconds_ahead, at=20):
    """4 users, 8 calls a second for 40 s, and a clock that is set."""
    return [(s + (seconds_ahead if s >= at else 0), 4, 8 * s, 0, 400) for s in range(40)]


def test_a_clock_that_is_set_ahead_widens_what_is_known(tmp_path):
    steps, notes = read_steps(write_history(tmp_path, jumping(30)))
    row = read_run(str(tmp_path / "run")).steps[0]
    # 33 s by rows, and 63 by timestamps: 8 a second, or 8 x 33 / 63 = 4.2
    assert steps["successes_per_s"].tolist() == pytest.approx([8], rel=0.02)
    assert row.rate_error == pytest.approx(30 / 63, abs=0.02)
    assert any(note.startswith("Timestamps jump at 4 users (30 s)") for note in notes)


@pytest.mark.parametrize("back", [1, 30, 3600])
def test_a_clock_that_is_set_back_begins_no_level(tmp_path, back):
    steps, _ = read_steps(write_history(tmp_path, jumping(-back)))
    assert steps["successes_per_s"].tolist() == pytest.approx([8], rel=0.03)


def test_a_writer_that_stands_still_while_calls_end_is_no_jump(tmp_path):
    rows = [(s, 4, 8 * s, 0, 400) for s in range(80) if not 30 < s < 50]
    steps, notes = read_steps(write_history(tmp_path, rows))
    assert steps["successes_per_s"].tolist() == pytest.approx([8], rel=0.02)
    assert not any("jump" in note for note in notes)


def test_a_first_row_out_of_step_does_not_shorten_the_others(tmp_path):
    # Locust 1.0: a row every 2 s, after a first one that came 1 s before the second
    rows = [(0, 3, 0, 0, 0)] + [(1 + 2 * i, 3, 30 * (i + 1), 0, 200) for i in range(8)]
    assert read_steps(write_history(tmp_path, rows))[0]["successes_per_s"].tolist() == pytest.approx([15])


@pytest.mark.parametrize("rows", [9, 10, 11])
def test_too_few_rows_to_know_workers_by_are_known_to_three_seconds(tmp_path, rows):
    # two workers of 5 calls a second each, whose reports come at seconds 1 and 2 of three, and then both at the third
    gains = [0, 15, 15, 0, 0, 30, 0, 15, 15, 0, 15][:rows]
    history = [(s, 2, sum(gains[: s + 1]), 0, 200) for s in range(rows)]
    run = read_run(write_history(tmp_path, history))
    assert [abs(step.successes_per_s / 10 - 1) <= step.rate_error for step in run.steps] == [True]
    assert any("too short to tell whether counts come with workers' reports, every 3 s" in note for note in run.notes)


def test_levels_too_short_for_two_reports_are_left_out_for_that(tmp_path):
    # reports every 3 s; the second level is held for 5 s, in which one comes
    rows, counted = [], 0
    for second in range(45):
        counted = 60 * (second // 3 * 3)
        rows.append((second, 7 if 22 <= second < 27 else 6, counted, 0, 100))
    run = read_run(write_history(tmp_path, rows))
    assert [step.successes_per_s for step in run.steps] == pytest.approx([60, 60])
    assert any("held for less than 5 s or two reports of the workers: 7 users (5 s)" in note for note in run.notes)


def test_counts_of_names_are_told_most_first(tmp_path):
    prefix = str(tmp_path / "a")
    write_stats(prefix, Names({("GET", "/a"): [10, 0, 1.0], ("POST", "/b"): [1200, 0, 1.0]}), 60, ["50%"])
    assert "Requests of 2 names count alike as transactions; --name costs one of them: POST /b 1,200, GET /a 10" in (
        read_run(prefix).notes
    )
