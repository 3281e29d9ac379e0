"""What a step cannot tell by what ended in it: hung calls, failures at its end, silence, short levels of workers."""

import pandas as pd
import pytest

from analysis.locust_csv import windows
from tests.helpers.locust_csv import read_steps, run_cost, write_history


def cost(prefix, tmp_path, *options):
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--out", tmp_path, *options) == 0
    return pd.read_csv(tmp_path / "cost.csv").iloc[0]


@pytest.mark.parametrize("rows", [69, 70, 71, 72])
def test_failures_in_a_levels_last_rows_are_in_its_step_whatever_its_length(tmp_path, capsys, rows):
    # 10 answers a second for 8 s, then silence; all ten users fail after 60 s, in the last two rows
    history = []
    for second in range(rows + 5):
        n, failed = 10 * min(second, 8), 10 if second >= rows - 2 else 0
        mean = (n * 100 + failed * 60_000) / (n + failed) if n + failed else 0
        history.append((second, 10 if second < rows else 0, n + failed, failed, mean))
    row = cost(write_history(tmp_path, history), tmp_path)
    assert row["failures"] == 10
    # from second 8 on nothing ended until second rows - 2
    said = capsys.readouterr().out
    assert f"at 10 users nothing ended for {rows - 10} s of {rows - 1} s" in said


def test_calls_that_hang_to_the_end_are_said_and_lower_the_rate(tmp_path, capsys):
    # 10 a second for 20 s, then nothing for 40 s
    row = cost(write_history(tmp_path, [(s, 10, 10 * min(s, 20), 0, 100) for s in range(60)]), tmp_path)
    # from second 5 to 59: 150 answers in 54 s
    assert row["successes_per_s"] == pytest.approx(150 / 54, rel=0.05)
    said = capsys.readouterr().out
    assert "Silence while users were on: at 10 users nothing ended for 39 s of 59 s" in said
    assert "account for less than half of the users (Little's law) at 10 users" in said


def test_failures_after_the_last_users_are_said_and_count_for_a_limit(tmp_path, capsys):
    held = [(s, 10, 10 * s, 0, 100) for s in range(30)]
    prefix = write_history(tmp_path, held + [(s, 0, 390, 100, 100) for s in range(30, 33)])
    row = cost(prefix, tmp_path, "--error-rate", 0.01)
    assert row["failures"] == 0
    said = capsys.readouterr().out
    assert "100 of 100 failures ended outside every step: 100 after steps' ends" in said
    assert "No recommendation: no step passes; error rate ≤ 1 % failed in 1 of 1." in said


def test_users_that_wait_alike_at_every_level_are_no_doubt(tmp_path, capsys):
    # each user: 0.1 s in a call, 0.9 s waiting: as many calls a second as users
    rows, n = [], 0
    for level, users in enumerate((2, 6)):
        for second in range(30):
            n += users
            rows.append((30 * level + second, users, n, 0, 100))
    cost(write_history(tmp_path, rows), tmp_path)
    said = capsys.readouterr().out
    assert "Users waited about 0.900 s between calls (Little's law)" in said and "did not end" not in said


def test_more_users_than_there_are_come_of_calls_that_began_before(tmp_path, capsys):
    # 1 call a second of 5 s each would take 5 users, and there are 2
    cost(write_history(tmp_path, [(s, 2, s, 0, 5000) for s in range(400)]), tmp_path)
    assert "At 2 users completions × latency make 5.00 users (Little's law)" in capsys.readouterr().out


def reports(levels, per_s=60, every=3):
    """A row a second; the counts of all workers come every 3 s, 1 s after a level began."""
    rows, second = [], 0
    for users, held in levels:
        for _ in range(held):
            counted = max(second - 1, 0) // every * every
            rows.append((second, users, per_s * counted, 0, 100))
            second += 1
    return rows


@pytest.mark.parametrize("held", [6, 7, 8, 9, 10, 11])
def test_short_levels_of_workers_are_measured_from_report_to_report(tmp_path, held):
    steps, notes = read_steps(write_history(tmp_path, reports([(6, held), (7, held), (6, held), (7, held)])))
    assert len(steps) and steps["successes_per_s"].tolist() == pytest.approx([60] * len(steps))
    assert "counts come with workers' reports, every 3 s, to which windows are aligned" in notes


def test_no_request_at_all_is_said_as_that(tmp_path, capsys):
    row = cost(write_history(tmp_path, [(s, 2, 0, 0, 0) for s in range(30)]), tmp_path)
    assert pd.isna(row["cost_per_transaction"]) and pd.isna(row["error_rate"])
    assert "No recommendation: no request ended in any of these steps" in capsys.readouterr().out


def test_notes_that_hold_for_all_prefixes_are_printed_once(tmp_path, capsys):
    rows = [(s, 2, 4 * s, 0, 400) for s in range(40)]
    runs = [write_history(tmp_path, rows, name) for name in ("a", "b", "c")]
    assert run_cost("--locust-csv", f"{runs[0]}:1.212", f"{runs[1]}:ml.g5.12xlarge", runs[2], "--usd-per-hour", 2) == 0
    said = capsys.readouterr().out
    assert said.count("The first 5 s of every step are left out.") == 1
    assert "| $1.212/h |" in said and "| ml.g5.12xlarge |" in said and "| $2/h |" in said


def test_each_run_is_priced_by_its_own_price(tmp_path):
    rows = [(s, 2, 4 * s, 0, 400) for s in range(40)]
    a, b = (write_history(tmp_path, rows, name) for name in ("a", "b:2"))
    tokens = ["--completion-tokens", 20, "--out", tmp_path]
    assert run_cost("--locust-csv", f"{a}:3.6", f"{b}:7.2", *tokens) == 0
    table = pd.read_csv(tmp_path / "cost.csv")
    # 4 a second: 3.6 / 14,400 and twice that; 400 ms / 20 tokens
    assert table["cost_per_transaction"].tolist() == pytest.approx([0.00025, 0.0005])
    assert table["ms_per_output_token"].tolist() == [20, 20]


def test_a_model_id_with_a_colon_is_a_price(tmp_path):
    a = write_history(tmp_path, [(s, 2, 4 * s, 0, 400) for s in range(40)], "a")
    tokens = ["--prompt-tokens", 1000, "--completion-tokens", 100, "--out", tmp_path]
    assert run_cost("--locust-csv", f"{a}:amazon.nova-lite-v1:0", *tokens) == 0
    # $0.00006 in and $0.00024 out per 1,000: 0.00006 + 0.1 x 0.00024
    assert pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"].tolist() == pytest.approx([0.000084])


@pytest.mark.parametrize(
    ("pairs", "options", "told"),
    [
        (["{a}:1", "{a}"], [], "a: no price; give one of --instance"),
        (["{a}:1"], ["--usd-per-hour", 1], "more than one price; give PREFIX:PRICE, or one price for all"),
        (["{a}:0"], [], "a price of 0; give USD per hour above 0"),
        (["{a}:no.such-model"], [], "no price for model `no.such-model`"),
        (["{a}:ml.g5.none"], [], "no price for instance type ml.g5.none"),
    ],
)
def test_pairs_that_cannot_be_priced_get_one_line(tmp_path, capsys, pairs, options, told):
    a = write_history(tmp_path, [(s, 2, 4 * s, 0, 400) for s in range(40)], "a")
    assert run_cost("--locust-csv", *[pair.format(a=a) for pair in pairs], *options) == 1
    error = capsys.readouterr().err
    assert told in error and len(error.splitlines()) == 1


def test_reports_that_slip_by_a_row_bring_a_workers_three_seconds_more_or_fewer():
    """Two workers at the second and third row of every three; then both at the third: the second's counts are in it twice."""
    assert windows._in_step([2, 3, 5, 6], 0, 6)
    assert not windows._in_step([2, 3, 6], 0, 6)
