import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.locust_csv.cost_table import Limits, cost_table, recommend
from analysis.locust_csv.reader import HISTORY_COLUMNS, BadLocustCsv, read_run
from locustfiles.contract.scenario.price_book import load_price_book

ROOT = Path(__file__).resolve().parent.parent
RUNS = Path(__file__).parent / "data" / "locust_csv"  # real Locust runs; make.py beside them made them
REAL = ["local", "full", "distributed"]


def write_history(folder, rows, name="run", names=()):
    """rows: (second, users, requests, failures, mean ms); `names` adds the same counts under those request names."""
    with open(folder / f"{name}_stats_history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for second, users, requests, failures, mean_ms in rows:
            for kind, label in [*(("GET", label) for label in names), ("", "Aggregated")]:
                cells = [1_700_000_000 + second, users, kind, label, 310, 680, 990, requests, failures, mean_ms]
                writer.writerow(dict(zip(HISTORY_COLUMNS, cells)))
    return folder / name


def read_steps(prefix):
    run = read_run(prefix)
    return run.steps, run.notes


def one_step(**figures):
    row = {"run": "a", "step": 1, "users": 5, "type": "", "name": "Aggregated", "seconds": 60.0, "successes": 100}
    row |= {"failures": 0, "error_rate": 0.0, "successes_per_s": 1.0, "latency_mean_s": 1.0, **figures}
    return row


def run_cost(*options):
    return main(["cost", *map(str, options)])


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
    steps, _ = read_steps(RUNS / name)
    for step in steps[steps["name"] != "Aggregated"].itertuples():
        counted = answers(name, step, path=step.name)
        assert step.type == "GET" and abs(step.successes - counted) <= 0.02 * counted + 4
    for _, group in steps.groupby("step"):
        total, named = group[group["name"] == "Aggregated"], group[group["name"] != "Aggregated"]
        assert total["successes"].item() == named["successes"].sum() and len(named) == 2


def test_only_a_full_history_gives_step_percentiles():
    local, _ = read_steps(RUNS / "local")
    full, _ = read_steps(RUNS / "full")
    assert local[["p50_s", "p95_s", "p99_s"]].isna().all(axis=None)
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
    assert row["basis"] == "whole run" and math.isnan(row["users"])
    # Users stopped at the end take up to 6 answers with them that Locust no longer counts.
    assert statuses.count("200") - 6 <= row["successes"] <= statuses.count("200")
    assert row["successes_per_s"] == pytest.approx(statuses.count("200") / 75, rel=0.02)
    assert notes == ["no x_stats_history.csv: one row over the whole run, start and end included"]


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
    assert notes[-1].startswith("left out, held for less than 5 s: 1 user (2 s), 2 users (2 s), ")
    assert notes[-1].endswith("8 users (2 s) and 4 more")


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
    assert notes == [f"{half}: 2 users (9 s, its first 4 s left out)"]


def test_counters_that_went_back_begin_a_new_step(tmp_path):
    before = [(second, 2, 10 * second, 0, 100) for second in range(20)]
    after = [(second, 2, 10 * (second - 20), 0, 100) for second in range(20, 40)]  # reset at 20, same users
    steps, _ = read_steps(write_history(tmp_path, before + after))
    assert list(steps["successes_per_s"]) == [10, 10]


def test_the_writers_stall_counts_by_its_timestamps(tmp_path):
    # 15 rows a second apart, then a gap of 10 s in which 40 more were answered, then 4 rows.
    rows = [(second, 2, 4 * second, 0, 100) for second in [*range(15), *range(24, 28)]]
    steps, _ = read_steps(write_history(tmp_path, rows))
    # mean interval 27 / 18 = 1.5 s; 4 rows (6 s) left out: from second 4 to second 27 are 23 s and 92 requests
    assert (steps["seconds"].item(), steps["successes"].item(), steps["successes_per_s"].item()) == (23, 92, 4)


def test_percentiles_of_a_step_under_twenty_seconds_are_left_empty(tmp_path):
    # Locust's percentiles look back up to 19 s, so those of a short step would describe the level before as well.
    short = [(second, 2, 4 * second, 0, 100) for second in range(19)]
    assert read_steps(write_history(tmp_path, short, names=["/chat"]))[0]["p95_s"].isna().all()
    long = [(second, 2, 4 * second, 0, 100) for second in range(26)]
    assert list(read_steps(write_history(tmp_path, long, "long", names=["/chat"]))[0]["p95_s"]) == [0.68, 0.68]


def test_a_step_without_an_answer_has_no_latency_and_no_error_rate(tmp_path):
    steps, _ = read_steps(write_history(tmp_path, [(second, 2, 0, 0, 0) for second in range(20)]))
    assert steps["successes"].item() == 0
    assert math.isnan(steps["latency_mean_s"].item()) and math.isnan(steps["error_rate"].item())
    assert math.isnan(cost_table(steps, usd_per_hour=1.0)["cost_per_transaction"].item())


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


# ---- cost, by hand ----


@pytest.mark.parametrize(
    ("tokens_per_s", "hourly", "minutes", "dollars"),
    [
        (120.0942, 1.515, 138.78, 3.504),  # 1e6 / 120.0942 / 60 = 138.780 min; / 60 x 1.515 = 3.5042
        (71.7056, 1.515, 232.43, 5.869),  # 1e6 / 71.7056 / 60 = 232.431 min; x 1.515 / 60 = 5.8689
        (33.3337, 7.09, 499.99, 59.082),  # 1e6 / 33.3337 / 60 = 499.994 min; x 7.09 / 60 = 59.0827
        (449.9423, 7.09, 37.04, 4.377),
        (61.4573, 7.09, 271.19, 32.046),
        (47.1574, 7.09, 353.43, 41.763),
        (24.5143, 37.688, 679.88, 427.05),
        # Published as 18.72 min and $2.21, and as 16.61 min and $10.43: hours of a single stream, not minutes.
        (295.6378, 7.09, 56.38, 6.66),  # 1e6 / 295.6378 / 60 = 56.375 min; / 60 x 7.09 = 6.6617
        (321.5369, 37.688, 51.83, 32.56),  # 1e6 / 321.5369 / 60 = 51.834 min; / 60 x 37.688 = 32.559
    ],
)
def test_minutes_and_dollars_per_million_output_tokens_follow_from_the_throughput(
    tokens_per_s, hourly, minutes, dollars
):
    steps = pd.DataFrame([one_step(successes_per_s=tokens_per_s / 50)])  # 50 output tokens a call
    row = cost_table(steps, usd_per_hour=hourly, completion_tokens_mean=50).iloc[0]
    assert row["minutes_per_1m_output_tokens"] == pytest.approx(minutes, abs=0.006)
    assert row["cost_per_1m_output_tokens"] == pytest.approx(dollars, abs=0.006)


def test_a_transaction_by_the_hour_costs_the_hour_shared_by_its_successes():
    steps = pd.DataFrame([one_step(successes_per_s=2.5, failures_per_s=1.0)])
    row = cost_table(steps, usd_per_hour=37.688, instance_count=2).iloc[0]
    # 2 x 37.688 / (2.5 x 3600) = 75.376 / 9000 = 0.0083751; failures share nothing
    assert row["cost_per_transaction"] == pytest.approx(0.00837511, abs=1e-8)
    assert row["cost_per_10k_transactions"] == pytest.approx(83.7511, abs=1e-4)
    assert math.isnan(row["cost_per_1m_output_tokens"]) and math.isnan(row["minutes_per_1m_output_tokens"])


def test_a_transaction_by_the_token_costs_its_mean_tokens():
    steps = pd.DataFrame([one_step(successes_per_s=2.0)])
    prices = {"input_usd_per_1k": 0.00075, "output_usd_per_1k": 0.001}
    row = cost_table(steps, **prices, prompt_tokens_mean=2923, completion_tokens_mean=24).iloc[0]
    # 2.923 x 0.00075 + 0.024 x 0.001 = 0.00219225 + 0.000024 = 0.00221625
    assert row["cost_per_transaction"] == pytest.approx(0.00221625, abs=1e-12)
    assert row["cost_per_10k_transactions"] == pytest.approx(22.1625, abs=1e-8)
    # 0.00221625 / 24 x 1e6 = 92.34; 1e6 / (2 x 24) / 60 = 347.22 min
    assert row["cost_per_1m_output_tokens"] == pytest.approx(92.34375)
    assert row["minutes_per_1m_output_tokens"] == pytest.approx(347.222, abs=1e-3)


def test_unknown_token_means_leave_a_token_cost_empty_and_not_zero():
    row = cost_table(
        pd.DataFrame([one_step()]), input_usd_per_1k=0.001, output_usd_per_1k=0.001, prompt_tokens_mean=10
    ).iloc[0]
    assert math.isnan(row["cost_per_transaction"])


@pytest.mark.parametrize("prices", [{}, {"usd_per_hour": 1.0, "input_usd_per_1k": 0.1, "output_usd_per_1k": 0.1}])
def test_no_price_and_both_kinds_of_price_are_refused(prices):
    with pytest.raises(ValueError):
        cost_table(pd.DataFrame([one_step()]), **prices)


# ---- recommendation ----


def three_steps(**prices):
    steps = [
        one_step(step=1, users=1, successes_per_s=1.0, latency_mean_s=1.0),
        one_step(step=2, users=5, successes_per_s=4.0, latency_mean_s=1.25),
        one_step(step=3, users=20, successes_per_s=5.0, latency_mean_s=4.0, error_rate=0.02),
    ]
    return cost_table(pd.DataFrame(steps), **(prices or {"usd_per_hour": 3.6}))


def test_the_cheapest_step_within_the_limits_is_recommended_with_its_margin():
    # $3.6 / 3600 s: 0.001, 0.00025 and 0.0002 a transaction; the third is too slow. 0.001 / 0.00025 - 1 = 300 %.
    sentence = recommend(three_steps(), Limits(latency_mean_s=2.0))
    assert sentence.startswith(
        "Cheapest of 2 steps that keep every limit: 5 users, at $0.00025 per transaction or $2.50 per 10k"
    )
    assert sentence.endswith("; the runner-up, 1 user, costs 300 % more.")


def test_without_limits_the_cheapest_of_all_is_recommended():
    assert recommend(three_steps()).startswith("Cheapest of 3 steps: 20 users")


def test_a_limit_is_inclusive():
    assert "20 users" in recommend(three_steps(), Limits(error_rate=0.02, latency_mean_s=4.0))


def test_no_step_within_the_limits_names_the_limit_that_failed_most():
    sentence = recommend(three_steps(), Limits(latency_mean_s=0.5, error_rate=0.01))
    failed = "mean latency ≤ 0.500 s failed in 3 of 3, error rate ≤ 1 % failed in 1 of 3"
    assert sentence == f"No recommendation: no step passes; {failed}."


def test_token_prices_that_cost_the_same_everywhere_rank_by_throughput():
    table = three_steps(
        input_usd_per_1k=0.001, output_usd_per_1k=0.001, prompt_tokens_mean=100, completion_tokens_mean=100
    )
    # 4 against 5 a second is 20 % fewer
    sentence = recommend(table)
    assert "20 users" in sentence and sentence.endswith("5 users, costs the same with 20 % fewer transactions.")


def test_a_step_whose_cost_is_not_known_is_not_recommended():
    # priced by token, and only the second has token means: 100 x 0.001 / 1000 twice
    steps = [one_step(), one_step(step=2, users=9, prompt_tokens_mean=100.0, completion_tokens_mean=100.0)]
    prices = {"input_usd_per_1k": 0.001, "output_usd_per_1k": 0.001}
    unknown = cost_table(pd.DataFrame(steps[:1]), **prices)
    assert recommend(unknown) == "No recommendation: no step passes; a known cost failed in 1 of 1."
    assert recommend(cost_table(pd.DataFrame(steps), **prices)).startswith(
        "Only step: 9 users, at $0.0002 per transaction"
    )


def test_a_margin_below_what_the_rows_can_tell_is_called_a_tie():
    steps = [one_step(users=1, successes_per_s=1.0), one_step(step=2, users=2, successes_per_s=1.02)]
    # a second in 60 at either step: 1 / 60 + 1 / 60 = 3.33 %, the margin is 2 %
    assert "costs 2 % more, a tie: rows a second apart tell them apart to 3.33 % only" in recommend(
        cost_table(pd.DataFrame(steps), usd_per_hour=1.0)
    )


# ---- the command ----


def test_the_command_prints_a_table_and_writes_it(tmp_path, capsys):
    code = run_cost(
        "--locust-csv", RUNS / "full", "--instance", "ml.g5.12xlarge", "--completion-tokens", 50, "--out", tmp_path
    )
    printed = capsys.readouterr().out
    assert code == 0
    assert (tmp_path / "cost.md").read_text(encoding="utf-8") == printed
    table = pd.read_csv(tmp_path / "cost.csv")
    assert list(table["users"]) == [2, 6, 2]
    hourly = 7.09 / 3600 / table["successes_per_s"]
    assert list(table["cost_per_transaction"]) == pytest.approx(list(hourly))
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3 and len({line.count("|") for line in lines}) == 1
    assert "p95 (rounded)" in lines[0] and "rounded to two digits by Locust, over its last ~10 s" in printed
    assert "1 × ml.g5.12xlarge at $7.09 an hour" in printed and "Mean latency covers failures" in printed
    assert "**Cheapest of 3 steps: 6 users" in printed


def test_several_runs_stand_in_one_table(capsys):
    assert run_cost("--locust-csv", RUNS / "local", RUNS / "distributed", "--usd-per-hour", 1) == 0
    printed = capsys.readouterr().out
    assert printed.count("local |") == 3 and printed.count("distributed |") == 3


def test_token_means_by_users_are_used_step_by_step(tmp_path, capsys):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("users,prompt_tokens_mean,completion_tokens_mean\n2,1000,100\n6,2000,50\n")
    options = ["--model", "meta.llama2-13b-chat-v1", "--tokens", tokens, "--out", tmp_path]
    assert run_cost("--locust-csv", RUNS / "local", *options) == 0
    costs = list(pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"])
    # 1 x 0.00075 + 0.1 x 0.001 = 0.00085; 2 x 0.00075 + 0.05 x 0.001 = 0.00155
    assert costs == pytest.approx([0.00085, 0.00155, 0.00085])


def test_token_means_by_name_are_weighted_by_the_successes_of_each_name(tmp_path, capsys):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("name,prompt_tokens_mean,completion_tokens_mean\n/chat,1000,100\n/login,0,0\n")
    options = ["--input-usd-per-1k", 0.001, "--output-usd-per-1k", 0.001, "--tokens", tokens, "--out", tmp_path]
    assert run_cost("--locust-csv", RUNS / "full", *options) == 0
    table, steps = pd.read_csv(tmp_path / "cost.csv"), read_steps(RUNS / "full")[0]
    for number in (1, 2, 3):
        step = steps[steps["step"] == number].set_index("name")["successes"]
        # a /chat costs 1.1 x 0.001, a /login nothing
        expected = 0.0011 * step["/chat"] / (step["/chat"] + step["/login"])
        assert table[table["step"] == number]["cost_per_transaction"].item() == pytest.approx(expected)


def test_a_name_can_be_costed_alone(tmp_path, capsys):
    assert run_cost("--locust-csv", RUNS / "full", "--usd-per-hour", 3.6, "--name", "/chat", "--out", tmp_path) == 0
    assert "The whole hourly price is charged to /chat; other requests ran as well: /login." in capsys.readouterr().out
    steps = read_steps(RUNS / "full")[0]
    rates = steps[steps["name"] == "/chat"]["successes_per_s"]
    assert list(pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"]) == pytest.approx(list(0.001 / rates))


def test_a_run_slower_than_what_is_left_out_says_so(tmp_path, capsys):
    prefix = write_history(tmp_path, [(second, 2, second, 0, 8000) for second in range(40)])
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1) == 0
    assert "In 1 of 1 steps the mean latency is above the 5 s left out at the start" in capsys.readouterr().out


def ramp_and_step(tmp_path, names=()):
    """1, 2 and 3 users for 4 s each with requests named in `names`, then 6 users for 30 s."""
    ramp = [(second, 1 + second // 4, 5 * second, 0, 100) for second in range(12)]
    return write_history(tmp_path, ramp + [(second, 6, 5 * second, 0, 100) for second in range(12, 42)], names=names)


def test_a_step_left_alone_by_a_ramp_is_called_no_comparison(tmp_path, capsys):
    assert run_cost("--locust-csv", ramp_and_step(tmp_path), "--usd-per-hour", 3.6) == 0
    printed = capsys.readouterr().out
    assert (
        "**No comparison: one step was measured, 3 levels were held too briefly to be: 6 users, at $0.0002" in printed
    )
    assert "Only step" not in printed
    assert "left out, held for less than 5 s: 1 user (4 s), 2 users (4 s), 3 users (4 s)." in printed


def test_a_name_whose_requests_fell_into_a_ramp_is_not_denied(tmp_path, capsys):
    prefix = ramp_and_step(tmp_path)
    path = Path(f"{prefix}_stats_history.csv")
    # /login is called during the ramp only: its count stays at 5 from second 1 on
    with open(path, newline="") as file:
        cells = list(csv.DictReader(file))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for i, row in enumerate(cells):
            if i:
                counts = {"Total Request Count": 5, "Total Failure Count": 0, "Total Average Response Time": 100}
                writer.writerow(row | {"Type": "GET", "Name": "/login"} | counts)
            writer.writerow(row)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--name", "/login") == 1
    error = capsys.readouterr().err
    assert f"--name /login: is in {prefix}_stats_history.csv, but only outside its steps" in error
    assert (
        "held for less than 5 s: 1 user (4 s), 2 users (4 s), 3 users (4 s)); hold each level for 5 s or longer"
        in error
    )
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--name", "/none") == 1
    assert "--name /none: no such request; give a name of these files: /login" in capsys.readouterr().err


def test_a_name_that_only_the_totals_file_has_gets_its_own_remedy(capsys):
    assert run_cost("--locust-csv", RUNS / "local", "--usd-per-hour", 1, "--name", "/chat") == 1
    error = capsys.readouterr().err
    assert "local_stats.csv, but the history has sums only; run Locust with --csv-full-history" in error


def test_prices_are_printed_with_every_digit_and_no_exponent(tmp_path, capsys):
    assert run_cost("--locust-csv", RUNS / "full", "--usd-per-hour", 1234.5678) == 0
    assert "at $1234.5678 an hour" in capsys.readouterr().out
    tokens = ["--model", "amazon.nova-lite-v1:0", "--prompt-tokens", 100, "--completion-tokens", 10]
    assert run_cost("--locust-csv", RUNS / "full", *tokens) == 0
    assert "at $0.00006 in, $0.00024 out per 1,000" in capsys.readouterr().out


BAD_TOKENS = "users,prompt_tokens_mean,completion_tokens_mean\n2,1000,\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--locust-csv", "nowhere/x", "--usd-per-hour", 1], "nowhere/x_stats.csv: no such file"),
        (["--locust-csv", "{here}/other", "--usd-per-hour", 1], "other_stats.csv:1: not written by Locust"),
        (["--locust-csv", "{here}", "--usd-per-hour", 1], "is a folder; give the PREFIX of its files, such as"),
        (["--locust-csv", "{run}"], "no price; give one of --instance"),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--model", "x"], "more than one price; give one of"),
        (
            ["--locust-csv", "{run}", "--usd-per-hour", 1, "--input-usd-per-1k", 0.1, "--output-usd-per-1k", 0.1],
            "more than one price",
        ),
        (["--locust-csv", "{run}", "--instance", "ml.p4d.24xlarg"], "did you mean ml.p4d.24xlarge?"),
        (
            ["--locust-csv", "{run}", "--model", "no.such", "--prompt-tokens", 1, "--completion-tokens", 1],
            "no price for model no.such",
        ),
        (["--locust-csv", "{run}", "--model", "meta.llama2-13b-chat-v1"], "a token price needs token means"),
        (["--locust-csv", "{run}", "--input-usd-per-1k", 3, "--output-usd-per-1k", 0.1], "above $1 per 1,000 tokens"),
        (
            ["--locust-csv", "{run}", "--input-usd-per-1k", 0.1, "--prompt-tokens", 1, "--completion-tokens", 1],
            "half a token price",
        ),
        (["--locust-csv", "{run}", "--usd-per-hour", 0], "--usd-per-hour 0: not above 0"),
        (["--locust-csv", "{run}", "--usd-per-hour", "nan"], "--usd-per-hour nan: not above 0"),
        (
            ["--locust-csv", "{run}", "--usd-per-hour", 1, "--error-rate", 5],
            "--error-rate 5: above 1, all requests; for 5 % give 0.05",
        ),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--name", "/none"], "--name /none: no such request"),
        (["--locust-csv", "{run}", "--instance", "x", "--pricing", "no.yaml"], "no.yaml: cannot be read"),
        (
            ["--locust-csv", "{run}", "--usd-per-hour", 1, "--tokens", "{here}/tokens.csv"],
            "tokens.csv:2: completion_tokens_mean is no number",
        ),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--tokens", "no.csv"], "no.csv: cannot be read"),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--out", "{here}/other_stats.csv"], "cannot be written"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_1(options, message, tmp_path, capsys):
    (tmp_path / "other_stats.csv").write_text("a,b\n1,2\n")
    (tmp_path / "tokens.csv").write_text(BAD_TOKENS)
    places = {"here": tmp_path, "run": RUNS / "local"}
    assert run_cost(*[str(option).format(**places) for option in options]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and error.startswith("error: ") and message in error


def test_reading_locusts_files_needs_neither_gevent_nor_locust_nor_boto3():
    code = "import sys, analysis.commands.cost; print(sorted({'gevent', 'locust', 'boto3', 'botocore'} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "[]\n"


# ---- the price books ----


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_a_price_book_holds_what_both_studies_and_the_models_need(region):
    book = load_price_book(ROOT / "configs" / "pricing" / f"{region}.yaml")
    hourly = {"ml.g5.2xlarge": 1.515, "ml.g5.12xlarge": 7.09, "ml.g5.48xlarge": 20.36, "ml.p4d.24xlarge": 37.688}
    assert book.region == region and book.instances == hourly
    assert (book.models["meta.llama2-13b-chat-v1"].input, book.models["meta.llama2-13b-chat-v1"].output) == (
        0.00075,
        0.001,
    )
    for model in book.models.values():
        assert 0 < model.input <= model.output < 0.1
    families = {name.split("-v")[0].split("-2024")[0] for name in book.models}
    assert {
        "anthropic.claude-3-haiku",
        "anthropic.claude-3-5-sonnet",
        "amazon.nova-pro",
        "meta.llama3-70b-instruct",
    } <= families


def test_the_demos_price_book_says_that_its_prices_are_made_up():
    path = ROOT / "configs" / "pricing" / "local-demo.yaml"
    book = load_price_book(path)
    assert "ml.local-cpu" in book.instances and "local.smollm2-135m-instruct-v1:0" in book.models
    assert "made up" in book.source


# ---- one target of a Swarmledger run ----


STAGES = [("p4d", 2), ("p4d", 4), ("bedrock", 2), ("bedrock", 4)]


def two_targets(folder, stages=STAGES):
    """20 s a stage, 1 request a second and user; no user between the targets. At 4 users p4d's last call of 2 users ends late."""
    total, counts, second = 0, {}, 0
    with open(folder / "locust_stats_history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()

        def row(users, name, kind, requests):
            cells = [1_700_000_000 + second, users, kind, name, 310, 680, 990, requests, 0, 500]
            writer.writerow(dict(zip(HISTORY_COLUMNS, cells)))

        for i, (target, users) in enumerate(stages):
            for held in range(21 if i != 2 else 22):
                idle = i == 2 and held == 0
                late = (target, users) == ("p4d", 4) and held == 12
                if not idle:
                    counts[f"{target} en @{users}"] = counts.get(f"{target} en @{users}", 0) + users
                    counts["p4d en @2"] = counts.get("p4d en @2", 0) + late
                    total += users + late
                for name, requests in counts.items():
                    row(0 if idle else users, name, "POST", requests)
                row(0 if idle else users, "Aggregated", "", total)
                second += 1
    targets = [{"target": target, "users": users} for target, users in stages]
    (folder / "manifest.json").write_text(json.dumps({"stages": targets}))
    return folder / "locust"


def test_a_run_of_several_targets_is_not_costed_at_one_price(tmp_path, capsys):
    prefix = two_targets(tmp_path)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6) == 1
    error = capsys.readouterr().err
    assert f"{prefix}: holds 2 targets (p4d, bedrock), which one price does not fit" in error
    assert f"use `python -m analysis report {tmp_path}`, or --target NAME" in error and len(error.splitlines()) == 1


def test_one_target_of_a_run_is_costed_by_its_own_stages(tmp_path, capsys):
    prefix = two_targets(tmp_path)
    for target in ("p4d", "bedrock"):
        out = tmp_path / target
        assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--target", target, "--out", out) == 0
        table = pd.read_csv(out / "cost.csv")
        assert table["name"].tolist() == [f"{target} en @2", f"{target} en @4"]  # without the late one at 4 users
        # 2/s and 4/s at $3.6/h: 3.6 / 7,200 and 3.6 / 14,400
        assert table["cost_per_transaction"].tolist() == pytest.approx([0.0005, 0.00025])
    assert "taken together" not in capsys.readouterr().out


def test_a_target_that_is_not_in_the_run_is_refused_with_those_that_are(tmp_path, capsys):
    assert run_cost("--locust-csv", two_targets(tmp_path), "--usd-per-hour", 1, "--target", "p5") == 1
    assert "--target p5: no such target; give one of p4d, bedrock" in capsys.readouterr().err
    assert run_cost("--locust-csv", RUNS / "full", "--usd-per-hour", 1, "--target", "p5") == 1
    assert "no such target; no manifest.json of a run is beside it" in capsys.readouterr().err


def test_stages_that_the_seconds_do_not_tell_apart_are_not_costed(tmp_path, capsys):
    prefix = two_targets(tmp_path, [("p4d", 2), ("bedrock", 2)])  # no user less between them: one step
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--target", "p4d") == 1
    assert "its step 1 holds several stages" in capsys.readouterr().err


def test_by_the_hour_a_target_is_not_costed_from_sums_over_the_whole_run(tmp_path, capsys):
    (tmp_path / "manifest.json").write_text(json.dumps({"stages": [{"target": t} for t in ("p4d", "bedrock")]}))
    stats = (RUNS / "full_stats.csv").read_text().replace("/chat", "p4d en @2").replace("/login", "bedrock en @2")
    (tmp_path / "locust_stats.csv").write_text(stats)
    prefix = tmp_path / "locust"
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--target", "p4d") == 1
    assert "only sums over the whole run are known, and other stages' seconds are in them" in capsys.readouterr().err
    tokens = [
        "--input-usd-per-1k",
        0.001,
        "--output-usd-per-1k",
        0.002,
        "--prompt-tokens",
        1000,
        "--completion-tokens",
        50,
    ]
    assert run_cost("--locust-csv", prefix, "--target", "p4d", *tokens, "--out", tmp_path) == 0
    table = pd.read_csv(tmp_path / "cost.csv")
    # 1,000 x 0.001 / 1,000 + 50 x 0.002 / 1,000
    assert (table["users"].tolist(), table["cost_per_transaction"].tolist()) == ([2], [pytest.approx(0.0011)])
