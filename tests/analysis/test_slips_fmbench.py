"""FMBench's slips of 2024 in rates, times and samples, each beside ours: what its rule says of a run, and what was so.

Its other slips are in test_slips_fmbench_choices.py. Slips that an equal test shows already:

| slip | test |
|---|---|
| retries that no figure shows | test_calls.py: calls_by_hand, first_attempt_and_user_perceived_stand_side_by_side |
| two tokenizers, one table | test_recommend.py: targets_that_answer_at_unlike_length_or_count_tokens_differently |
"""

import itertools
import statistics

import numpy as np
import pytest

from analysis.advice.analyse import analyse
from analysis.cost.transaction_cost import usd_per_transaction_hourly
from locustfiles.common.prompts.payloads import Draws, Prompt
from tests.helpers.flat import steps
from tests.helpers.made_run import made_run, record, steady, streamed, window


def one_row(path, records, stage, **keys):
    return steps(analyse([made_run(path, records, [stage], **keys)])).iloc[0]


def batches(latencies: list[list[float]], at: float = 10.0, failed=lambda n: False):
    """A client that sends a batch at once and the next when all of it is answered: its records, and its end."""
    records = []
    for batch in latencies:
        for user, latency in enumerate(batch):
            n = len(records)
            spot = {"users": len(batch), "user": user, "prompt_id": str(n), "error": "server" if failed(n) else None}
            records.append(record(at, latency, **spot))
        at += max(batch)
    return records, at


#: of the rows "concurrency 10" that it recommends: transactions/min, mean latency s
NINE = [
    (921, 0.36),
    (1016, 0.34),
    (410, 0.80),
    (322, 1.10),
    (382, 0.79),
    (442, 0.63),
    (219, 1.40),
    (165, 1.90),
    (190, 1.48),
]


def test_its_concurrency_of_10_was_5_in_flight(tmp_path):
    # Little: 165 / 60 x 1.9 = 5.23; at most 322 / 60 x 1.1 = 5.90, at least 442 / 60 x 0.63 = 4.64
    implied = [per_minute / 60 * mean_s for per_minute, mean_s in NINE]
    assert (round(min(implied), 1), round(max(implied), 1)) == (4.6, 5.9)
    # such a client: ten latencies of mean 1.48 s as in its best row, each batch waits for its slowest, 2.96 s
    batch = [0.52, 0.76, 1.00, 1.24, 1.28, 1.40, 1.52, 1.92, 2.20, 2.96]
    assert statistics.fmean(batch) == pytest.approx(1.48)
    records, end = batches([batch] * 20)
    theirs = len(batch)  # the size of the batch
    row = one_row(tmp_path / "r", records, window(1, 10, end, users=10))
    # 14.8 s of requests in each 2.96 s
    assert row["in_flight_mean"] == pytest.approx(5.0)
    assert theirs / row["in_flight_mean"] == pytest.approx(2.0)
    assert row["verdict"] == "SUSPECT"
    assert "5.00 requests in flight where 10.0 were due" in row["reasons"]
    # ten users that wait for nobody: 10 / 1.48 s is twice the rate of that client
    assert row["transactions_per_minute"] == pytest.approx(60 * 10 / 2.96)
    free = one_row(tmp_path / "free", steady(1, 10, 70, 10, 1.48, lead=2), window(1, 10, 70, users=10))
    assert free["in_flight_mean"] == pytest.approx(10.0)
    assert free["transactions_per_minute"] == pytest.approx(60 * 10 / 1.48, rel=0.01)


def test_a_mean_of_rates_was_94_percent_above_the_rate(tmp_path):
    # one user, answers of 0.85 s and 4.75 s in turn: 2 per 5.6 s
    latencies = [0.85, 4.75] * 20
    records, end = batches([[latency] for latency in latencies])
    row = one_row(tmp_path / "r", records, window(1, 10, end), prices={"p4d": {"usd_per_hour": 1.515}})
    # theirs: of each batch successes / its seconds to two digits, x 60, and the mean of these:
    # (round(1 / 0.85, 2) + round(1 / 4.75, 2)) / 2 x 60 = (1.18 + 0.21) / 2 x 60 = 41.7
    theirs = statistics.fmean(round(1 / latency, 2) * 60 for latency in latencies)
    assert theirs == pytest.approx(41.7)
    assert row["transactions_per_minute"] == pytest.approx(60 * 2 / 5.6)  # 21.43
    assert theirs / row["transactions_per_minute"] == pytest.approx(1.946)
    # no user alone does more than 60 / 2.8 s a minute
    assert row["transactions_per_minute"] <= 60 / row["latency_mean_s"] * (1 + 1e-9)
    assert theirs > 60 / row["latency_mean_s"]
    # and so its price is half: 1.515 / 60 / 41 x 10,000 = 6.16, not 1.515 / 60 / 21.43 x 10,000
    assert round(10_000 * usd_per_transaction_hourly(1.515, int(theirs)), 2) == 6.16
    assert row["usd_per_10k_transactions"] == pytest.approx(11.783, abs=1e-3)


def test_at_its_concurrency_of_1_every_percentile_was_the_mean(tmp_path):
    # 18 answers of 0.5 s, two of 2.6 s: (9 + 5.2) / 20 = 0.71
    latencies = [0.5] * 9 + [2.6] + [0.5] * 9 + [2.6]
    records, end = batches([[latency] for latency in latencies])
    row = one_row(tmp_path / "r", records, window(1, 10, end))
    theirs = {q: statistics.fmean(float(np.percentile([latency], q)) for latency in latencies) for q in (50, 95, 99)}
    assert theirs == pytest.approx({50: 0.71, 95: 0.71, 99: 0.71})  # as one of its reports prints: "0.71, 0.71, 0.71"
    # position 0.95 x 19 = 18.05 of the ascending ones: the 19th and 20th are 2.6
    assert (row["latency_p50_s"], row["latency_p95_s"], row["latency_p99_s"]) == (
        0.5,
        pytest.approx(2.6),
        pytest.approx(2.6),
    )


def test_its_p99_was_a_mean_of_percentiles_of_ten(tmp_path):
    # every second batch is slow: half of the answers take 3 s, half 1 s
    records, end = batches([[1.0] * 10, [3.0] * 10] * 20)
    theirs = statistics.fmean([float(np.percentile([1.0] * 10, 99)), float(np.percentile([3.0] * 10, 99))] * 20)
    assert theirs == 2.0  # inside a limit of 2 s
    slo = {"latency_s": {"p99": 2.0}}
    row = one_row(tmp_path / "r", records, window(1, 10, end, users=10), slo=slo)
    assert (row["latency_n"], row["latency_p99_s"]) == (400, pytest.approx(3.0))
    assert (row["latency_p99_low_s"], row["latency_p99_high_s"]) == (3.0, 3.0)
    assert row["slo"] == "missed"


def test_its_p99_of_forty_answers_is_one_answer_and_ours_says_wide(tmp_path):
    # its 48 prompts a level, the second study's 21 to 43: the largest of 43 bounds p95 with only 1 - 0.95^43 = 89 %
    records, end = batches([[1.0 + i / 100] for i in range(43)])
    row = one_row(tmp_path / "r", records, window(1, 10, end), slo={"latency_s": {"p95": 60.0}})
    assert (
        row["latency_p95_s"] is not None and np.isnan(row["latency_p95_high_s"]) and np.isnan(row["latency_p99_high_s"])
    )
    assert row["slo"] == "undecided"  # though not one of them came near the limit
    assert "too few samples: 43, 0 of them above" in row["slo_open"]


def test_its_winner_passes_on_the_mean_what_it_misses_on_p95(tmp_path):
    # its winning row: mean 1.48 s, p95 2.51 s of a budget of 2 s. Here 104 of 1.22 s, 26 of 2.52 s: mean 1.48
    latencies = [1.22, 1.22, 1.22, 1.22, 2.52] * 26
    assert statistics.fmean(latencies) == pytest.approx(1.48)
    records, end = batches([[latency] for latency in latencies])
    both = {"latency_s": {"mean": 2.0, "p95": 2.0}}
    row = one_row(tmp_path / "r", records, window(1, 10, end), slo=both)
    # a fifth is above where a twentieth may be
    assert (row["slo"], row["slo_failed"]) == ("missed", "latency_p95")
    assert row["latency_p95_s"] == pytest.approx(2.52)


def test_errors_below_half_a_percent_were_rounded_away(tmp_path):
    # one of 250
    records, end = batches([[0.5]] * 250, failed=lambda n: n == 100)
    theirs = round(1 / 250, 2)
    assert theirs == 0.0  # and so "error rate 0"
    row = one_row(tmp_path / "r", records, window(1, 10, end), slo={"error_rate": 0.0})
    assert row["error_rate"] == 0.004
    assert (row["errors"], row["slo"], row["slo_failed"]) == ("server 1", "missed", "error_rate")


def test_failed_prompts_were_counted_and_divided_by_successes_alone(tmp_path):
    # 100 prompts of 3,454 tokens, of which 78 failed; its own data shows 16,106 for such a 3,454
    records = [
        record(10 + i / 10, 0.05, prompt_tokens=3454, prompt_id=str(i), error="server" if i >= 22 else None)
        for i in range(100)
    ]
    theirs = sum(r.prompt_tokens for r in records) / sum(r.error is None for r in records)
    assert theirs == pytest.approx(15_700)  # 345,400 / 22
    row = one_row(tmp_path / "r", records, window(1, 10, 20))
    assert row["prompt_tokens_mean"] == 3454


def test_the_gap_between_chunks_was_called_the_time_per_token(tmp_path):
    # 101 tokens in 11 deltas, the first at 0.5 s, the last at 2.5 s
    records = [streamed(10 + 3 * i, 2.5, ttft=0.5, tokens=101, chunks=11, prompt_id=str(i)) for i in range(20)]
    theirs = statistics.fmean((r.last_token_ms - r.ttft_ms) / (r.chunks - 1) for r in records)
    assert theirs == 200.0
    # 2000 ms / 100
    assert one_row(tmp_path / "r", records, window(1, 10, 70))["tpot_mean_ms"] == pytest.approx(20.0)


def test_its_shortest_prompts_were_one_prompt_sent_ten_times(tmp_path):
    # its bucket 1-500 held one prompt: the first answer takes 2 s, the nine after it come from a cache in 0.2 s
    records = [record(10 + 3 * n, 2.0 if n == 0 else 0.2, user=n, users=10) for n in range(10)]
    theirs = {"requests": len(records), "latency_mean": statistics.fmean(r.latency_ms for r in records) / 1000}
    assert theirs == {"requests": 10, "latency_mean": pytest.approx(0.38)}  # (2 + 9 x 0.2) / 10, of "payload_en_1-500"
    row = one_row(tmp_path / "r", records, window(1, 10, 40, users=10))
    assert (row["requests"], row["prompts_distinct"], row["prompt_repeat_share"]) == (10, 1, pytest.approx(0.9))
    assert row["verdict"] == "SUSPECT" and "90 % of the prompts were repeats (1 different prompt)" in row["reasons"]


def test_its_last_batch_was_filled_up_with_prompts_of_the_first(tmp_path):
    # 15 prompts of 100, 200 … 1,500 tokens, ten at a time: the second batch is the last five, and the first five again
    prompts = [Prompt(str(n), "x", None, prompt_tokens=100 * n) for n in range(1, 16)]
    padded = prompts + prompts[:5]
    theirs = statistics.fmean(p.prompt_tokens for p in padded)
    assert theirs == 675.0  # (12,000 + 1,500) / 20 of prompts whose mean is 12,000 / 15 = 800
    drawn = list(itertools.islice(Draws(prompts, "7/local/1"), 15))
    records = [record(10 + n, 0.5, prompt_id=p.id, prompt_tokens=p.prompt_tokens) for n, p in enumerate(drawn)]
    row = one_row(tmp_path / "r", records, window(1, 10, 30))
    assert (row["prompts_distinct"], row["prompt_repeat_share"], row["prompt_tokens_mean"]) == (15, 0.0, 800.0)


def test_the_time_until_a_stream_opens_was_called_its_latency(tmp_path):
    # opened at 0.3 s or before, read to its end at 2.5 s: no user has the answer within the budget of 2 s
    records = [streamed(10 + 3 * n, 2.5, ttft=0.3, tokens=50, prompt_id=str(n)) for n in range(40)]
    theirs = statistics.fmean(r.ttft_ms for r in records) / 1000
    assert theirs == pytest.approx(0.3)  # inside the budget
    row = one_row(tmp_path / "r", records, window(1, 10, 130), slo={"latency_s": {"mean": 2.0}})
    assert (row["latency_mean_s"], row["ttft_mean_s"], row["slo"]) == (pytest.approx(2.5), pytest.approx(0.3), "missed")
