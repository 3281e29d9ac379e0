"""Steps to costs and a recommendation, by hand: by the hour, by the token, within limits."""

import pytest

from analysis.locust_csv.counts import Counts
from analysis.locust_csv.recommendation import Limits, recommend
from tests.helpers.locust_csv import cost_cells, cost_rows, one_step

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
    row = cost_cells(
        one_step(successes_per_s=tokens_per_s / 50), usd_per_hour=hourly, completion=50
    )  # 50 tokens a call
    assert row["minutes_per_1m_output_tokens"] == pytest.approx(minutes, abs=0.006)
    assert row["cost_per_1m_output_tokens"] == pytest.approx(dollars, abs=0.006)


def test_a_transaction_by_the_hour_costs_the_hour_shared_by_its_successes():
    row = cost_cells(one_step(successes_per_s=2.5, failures=4000), usd_per_hour=75.376)
    # 75.376 / (2.5 x 3600) = 75.376 / 9000 = 0.0083751; failures share nothing
    assert row["cost_per_transaction"] == pytest.approx(0.00837511, abs=1e-8)
    assert row["cost_per_10k_transactions"] == pytest.approx(83.7511, abs=1e-4)
    assert row["cost_per_1m_output_tokens"] is None and row["minutes_per_1m_output_tokens"] is None


def test_a_transaction_by_the_token_costs_its_mean_tokens():
    prices = {"input_usd_per_1k": 0.00075, "output_usd_per_1k": 0.001}
    row = cost_cells(one_step(successes_per_s=2.0, latency_mean_s=1.2), **prices, prompt=2923, completion=24)
    # 2.923 x 0.00075 + 0.024 x 0.001 = 0.00219225 + 0.000024 = 0.00221625
    assert row["cost_per_transaction"] == pytest.approx(0.00221625, abs=1e-12)
    assert row["cost_per_10k_transactions"] == pytest.approx(22.1625, abs=1e-8)
    # 0.00221625 / 24 x 1e6 = 92.34; 1e6 / (2 x 24) / 60 = 347.22 min; 1,200 ms / 24 = 50 ms a token
    assert row["cost_per_1m_output_tokens"] == pytest.approx(92.34375)
    assert row["minutes_per_1m_output_tokens"] == pytest.approx(347.222, abs=1e-3)
    assert row["ms_per_output_token"] == pytest.approx(50)


def test_unknown_token_means_leave_a_token_cost_empty_and_not_zero():
    row = cost_cells(one_step(), input_usd_per_1k=0.001, output_usd_per_1k=0.001, prompt=10)
    assert row["cost_per_transaction"] is None and row["ms_per_output_token"] is None


# ---- recommendation ----


def three_steps(**prices):
    steps = [
        one_step(step=1, users=1, successes_per_s=1.0, latency_mean_s=1.0),
        one_step(step=2, users=5, successes_per_s=4.0, latency_mean_s=1.25),
        one_step(step=3, users=20, successes_per_s=5.0, latency_mean_s=4.0, error_rate=0.02),
    ]
    return cost_rows(steps, **(prices or {"usd_per_hour": 3.6}))


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
    table = three_steps(input_usd_per_1k=0.001, output_usd_per_1k=0.001, prompt=100, completion=100)
    # 4 against 5 a second is 20 % fewer
    sentence = recommend(table)
    assert "20 users" in sentence and sentence.endswith("5 users, costs the same with 20 % fewer transactions.")


def test_a_step_whose_cost_is_not_known_is_not_recommended():
    # priced by token, and only the second has token means: 100 x 0.001 / 1000 twice
    prices = {"input_usd_per_1k": 0.001, "output_usd_per_1k": 0.001}
    unknown = cost_rows([one_step()], **prices)
    assert recommend(unknown) == "No recommendation: no step passes; a known cost failed in 1 of 1."
    both = unknown + cost_rows([one_step(step=2, users=9)], **prices, prompt=100, completion=100)
    assert "9 users, at $0.0002 per transaction" in recommend(both)


def test_a_margin_below_what_counts_can_tell_is_called_a_tie():
    steps = [
        one_step(users=1, successes=400, successes_per_s=1.0),
        one_step(step=2, users=2, successes=400, successes_per_s=1.02),
    ]
    # 2 / sqrt(400) = 10 % either way, the margin is 2 %
    sentence = recommend(cost_rows(steps, usd_per_hour=1.0))
    assert "costs 2 % more, a tie: their rates are known to 10 % and 10 % only" in sentence


def test_a_step_of_two_answers_does_not_beat_one_of_thirty_three():
    steps = [
        one_step(users=10, successes=2, seconds=5.0),  # 0.4 a second, known to 2 / sqrt(2) = 141 %
        one_step(step=2, users=20, successes=33, seconds=100.0),  # 0.33 a second, known to 35 %
    ]
    sentence = recommend(cost_rows(steps, usd_per_hour=3.6))
    assert sentence.startswith("No comparison: only one step has enough answers: 20 users, at $0.00303")
    assert sentence.endswith("Not compared: 10 users (2 successes only).")


def test_of_a_tie_the_step_with_most_answers_is_taken():
    steps = [
        one_step(users=10, successes=6, seconds=15.0),  # 0.4 a second, known to 82 %
        one_step(step=2, users=20, successes=33, seconds=100.0),  # 0.33: 0.4 / 0.33 = 21 % dearer
    ]
    sentence = recommend(cost_rows(steps, usd_per_hour=3.6))
    # 1 - 0.33 / 0.4 = 17.5 % less
    assert sentence.startswith("Chosen of 2 steps: 20 users")
    assert "10 users, costs 17.5 % less, a tie: their rates are known to 35 % and 82 % only" in sentence


def test_a_window_shorter_than_a_call_is_not_compared():
    steps = [one_step(users=1, latency_mean_s=61.0), one_step(step=2, users=2)]
    assert "Not compared: 1 user (its window is shorter than a mean call)." in recommend(
        cost_rows(steps, usd_per_hour=1.0)
    )


def test_no_request_and_only_failures_are_said_as_that():
    nothing = cost_rows([one_step(successes=0, latency_mean_s=None)], usd_per_hour=1.0)
    assert recommend(nothing).startswith("No recommendation: no request ended in any of these steps")
    failed = cost_rows([one_step(successes=0, failures=120)], usd_per_hour=1.0)
    assert recommend(failed) == "No recommendation: all 120 requests failed."


def test_failures_that_ended_just_after_a_step_count_for_its_limit():
    # 0 of 90 failed in it, 10 when its users were gone: 10 / 100
    table = cost_rows([one_step(successes=90, after=Counts(10, 10))], usd_per_hour=1.0)
    assert "error rate ≤ 5 % failed in 1 of 1" in recommend(table, Limits(error_rate=0.05))
    assert recommend(table, Limits(error_rate=0.1)).startswith("Only step")
