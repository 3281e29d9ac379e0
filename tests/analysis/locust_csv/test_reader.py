"""Steps from Locust's history: of real runs against what their server counted, and of files written by hand."""

import csv
from pathlib import Path

import pytest

from analysis.locust_csv.counts import BadLocustCsv
from tests.helpers.locust_csv import RUNS, read_steps, write_history

REAL = ["local", "full", "distributed"]


# ---- real runs ----


def answers(name, step, path=None, status=200):
    """How many answers the server itself counted in the step's window."""
    with open(RUNS / f"{name}_truth.csv", newline="") as file:
        return sum(
            step.start_at + 0.5 <= float(row["answered_at"]) < step.start_at + 0.5 + step.seconds
            and int(row["status"]) == status
            and path in (None, row["path"])
            for row in csv.DictReader(file)
        )


@pytest.mark.parametrize("name", REAL)
def test_a_real_run_gives_its_three_steps_with_the_level_visited_twice_kept_apart(name):
    steps, notes = read_steps(RUNS / name)
    total = steps[steps["name"] == "Aggregated"]
    assert list(total["step"]) == [1, 2, 3]
    assert list(total["users"]) == [2, 6, 2]
    # 25 s a step, 5 s left out at its start, the rest cut to a multiple of 3 s.
    assert all(seconds in (15, 18) for seconds in total["seconds"].round())
    assert "the first 5 s of every step are left out" in notes


@pytest.mark.parametrize("name", REAL)
def test_a_steps_throughput_is_what_the_server_counted(name):
    steps, _ = read_steps(RUNS / name)
    for step in steps[steps["name"] == "Aggregated"].itertuples():
        # Rows are stamped in whole seconds, so the server's window may lie half a second off; its rate is steady.
        assert step.successes_per_s == pytest.approx(answers(name, step) / step.seconds, rel=0.02)
        failures = answers(name, step, status=500)
        assert abs(step.failures - failures) <= 4
        assert step.error_rate == pytest.approx(failures / (failures + answers(name, step)), abs=0.01)


@pytest.mark.parametrize("name", REAL)
def test_a_steps_mean_latency_is_its_own_and_not_the_runs(name):
    steps, _ = read_steps(RUNS / name)
    means = list(steps[steps["name"] == "Aggregated"]["latency_mean_s"])
    # 4 slots of 100 ms: 2 users wait for nobody (0.100 s), 6 users take 6 / 4 x 100 ms = 0.150 s; the run's is 0.126.
    assert means == pytest.approx([0.100, 0.150, 0.100], abs=0.004)


@pytest.mark.parametrize("name", ["full", "distributed"])
def test_with_full_history_every_request_name_has_its_own_steps(name):
    total, _ = read_steps(RUNS / name)
    sums = [0, 0, 0]
    for path in ("/chat", "/login"):
        steps, _ = read_steps(RUNS / name, name=path)
        for i, step in enumerate(steps.itertuples()):
            counted = answers(name, step, path=path)
            assert step.type == "GET" and abs(step.successes - counted) <= 0.02 * counted + 4
            sums[i] += step.successes
    # windows may lie a report of 3 s apart, in which at most 120 answers come
    assert all(abs(whole - parts) <= 120 for whole, parts in zip(total["successes"], sums, strict=True))


def test_only_a_full_history_gives_step_percentiles():
    local, _ = read_steps(RUNS / "local")
    full, _ = read_steps(RUNS / "full")
    every = ["p50_s", "p90_s", "p95_s", "p99_s", "p99_9_s"]
    assert local[every].isna().all(axis=None)
    known = full[every].dropna()
    assert len(known) and all(row == sorted(row) for row in known.to_numpy().tolist())
    total = full[full["name"] == "Aggregated"]
    assert list(total["p50_s"]) == [
        0.1,
        0.15,
        0.1,
    ]  # rounded to two digits: the third step's are its own, not the run's


def test_without_a_history_the_whole_run_is_one_row(tmp_path):
    (tmp_path / "x_stats.csv").write_bytes((RUNS / "full_stats.csv").read_bytes())
    steps, notes = read_steps(tmp_path / "x")
    row = steps[steps["name"] == "Aggregated"].iloc[0]
    with open(RUNS / "full_truth.csv", newline="") as file:
        statuses = [line["status"] for line in csv.DictReader(file)]
    assert row["basis"] == "whole run" and row["users"] is None
    # Users stopped at the end take up to 6 answers with them that Locust no longer counts.
    assert statuses.count("200") - 6 <= row["successes"] <= statuses.count("200")
    assert row["successes_per_s"] == pytest.approx(statuses.count("200") / 75, rel=0.02)
    assert notes[0] == "no x_stats_history.csv: one row over the whole run, start and end included"


# ---- steps, by hand ----


def test_a_step_is_the_difference_of_the_cumulative_columns(tmp_path):
    # 3 requests a second at 200 ms for 20 s, then 8 a second, 2 of them failing, at 500 ms.
    first = [(second, 1, 3 * second, 0, 200) for second in range(20)]
    second_step = []
    for second in range(20, 41):
        late = second - 19
        requests = 57 + 8 * late
        second_step.append((second, 4, requests, 2 * late, (57 * 200 + 8 * late * 500) / requests))
    steps, _ = read_steps(write_history(tmp_path, first + second_step))
    slow, busy = steps.iloc[0], steps.iloc[1]
    # rows 0..19, first 5 left out: 5..19 is 14 s, cut to 12: 36 requests
    assert (slow["users"], slow["seconds"], slow["successes"], slow["failures"]) == (1, 12, 36, 0)
    # rows 20..40, first 5 left out: 25..40 is 15 s: 120 requests, 30 of them failures
    assert (busy["seconds"], busy["successes"], busy["failures"], busy["error_rate"]) == (15, 90, 30, 0.25)
    assert (busy["successes_per_s"], busy["failures_per_s"]) == (6, 2)
    assert slow["latency_mean_s"] == pytest.approx(0.2) and busy["latency_mean_s"] == pytest.approx(0.5)


def test_rows_of_a_ramp_are_no_steps(tmp_path):
    ramp = [(second, second // 2, 5 * second, 0, 100) for second in range(12)]  # 1, 2, 3, 4, 5 users for 2 s each
    held = [(second, 6, 5 * second, 0, 100) for second in range(12, 33)]
    steps, notes = read_steps(write_history(tmp_path, ramp + held))
    assert list(steps["users"]) == [6]
    levels = "1 user (2 s), 2 users (2 s), 3 users (2 s), 4 users (2 s), 5 users (2 s)"
    assert f"left out, held for less than 5 s: {levels}" in notes


def test_of_a_long_ramp_the_longest_held_levels_are_named_and_the_rest_counted(tmp_path):
    ramp = [(second, 1 + second // 2, 5 * second, 0, 100) for second in range(24)]  # 1 to 12 users for 2 s each
    held = [(second, 20, 5 * second, 0, 100) for second in range(24, 40)]
    _, notes = read_steps(write_history(tmp_path, ramp + held))
    note = next(note for note in notes if note.startswith("left out"))
    assert note.startswith("left out, held for less than 5 s: 1 user (2 s), 2 users (2 s), ")
    assert note.endswith("8 users (2 s) and 4 more")


@pytest.mark.parametrize("held", [5, 6, 7])
def test_a_level_held_for_five_to_seven_seconds_is_measured_over_about_its_second_half(tmp_path, held):
    # 2 requests a second at 1 user for `held` s, then 8 a second at 4 users for 30 s
    short = [(second, 1, 2 * second, 0, 100) for second in range(held)]
    long = [(second, 4, 2 * (held - 1) + 8 * (second - held + 1), 0, 100) for second in range(held, held + 30)]
    steps, notes = read_steps(write_history(tmp_path, short + long))
    assert list(steps["users"]) == [1, 4]
    # `held` rows lie held - 1 s apart, half of which (rounded down) is left out
    skipped = (held - 1) // 2
    assert steps["seconds"][0] == held - 1 - skipped and steps["successes_per_s"][0] == 2
    said = f"1 user ({held} s, its first {skipped} s left out)"
    assert f"too short to leave out 5 s, so measured over about their second half: {said}" in notes


def test_a_step_too_short_to_lose_five_seconds_loses_half_and_says_so(tmp_path):
    steps, notes = read_steps(write_history(tmp_path, [(second, 2, 4 * second, 0, 100) for second in range(9)]))
    # 9 rows are 8 s apart, under 2 x 5 s; the last 4 s have 16 requests
    assert (steps["seconds"].item(), steps["successes"].item()) == (4, 16)
    half = "too short to leave out 5 s, so measured over about their second half"
    assert f"{half}: 2 users (9 s, its first 4 s left out)" in notes


def test_counters_that_went_back_begin_a_new_step(tmp_path):
    before = [(second, 2, 10 * second, 0, 100) for second in range(20)]
    after = [(second, 2, 10 * (second - 20), 0, 100) for second in range(20, 40)]  # reset at 20, same users
    steps, _ = read_steps(write_history(tmp_path, before + after))
    assert list(steps["successes_per_s"]) == [10, 10]


def test_the_writers_stall_counts_by_its_timestamps(tmp_path):
    # 15 rows a second apart, then a gap of 10 s in which 40 more were answered, then 4 rows.
    rows = [(second, 2, 4 * second, 0, 100) for second in [*range(15), *range(24, 28)]]
    steps, _ = read_steps(write_history(tmp_path, rows))
    # 5 rows left out, and one more for a multiple of 3: from second 6 to second 27 are 21 s and 84 requests
    assert (steps["seconds"].item(), steps["successes"].item(), steps["successes_per_s"].item()) == (21, 84, 4)


def test_percentiles_of_a_step_under_twenty_seconds_are_left_empty(tmp_path):
    # Locust's percentiles look back up to 19 s, so those of a short step would describe the level before as well.
    short = [(second, 2, 4 * second, 0, 100) for second in range(19)]
    assert read_steps(write_history(tmp_path, short, names=["/chat"]))[0]["p95_s"].isna().all()
    long = [(second, 2, 4 * second, 0, 100) for second in range(26)]
    assert list(read_steps(write_history(tmp_path, long, "long", names=["/chat"]))[0]["p95_s"]) == [0.68]


def test_a_step_without_an_answer_has_no_latency_and_no_error_rate(tmp_path):
    steps, _ = read_steps(write_history(tmp_path, [(second, 2, 0, 0, 0) for second in range(20)]))
    assert steps["successes"].item() == 0
    assert steps["latency_mean_s"].item() is None and steps["error_rate"].item() is None


def test_a_torn_last_line_is_passed_over_and_a_torn_line_inside_is_refused(tmp_path):
    prefix = write_history(tmp_path, [(second, 2, 4 * second, 0, 100) for second in range(20)])
    path = Path(f"{prefix}_stats_history.csv")
    whole, _ = read_steps(prefix)
    text = path.read_text()
    path.write_text(text + "1700000020,2,,Aggr")
    assert read_steps(prefix)[0].equals(whole)
    path.write_text(text + "1700000020,2,,Aggr\n" + text.splitlines()[-1] + "\n")
    with pytest.raises(BadLocustCsv, match=r"run_stats_history.csv:22: fewer cells"):
        read_steps(prefix)
