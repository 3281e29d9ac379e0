"""Whether the limits of a search are kept, from what has been measured so far."""

import dataclasses
import time

import pytest

from locustfiles.common.recording.stage_tally import Tally
from locustfiles.contract.scenario.slo import Limits, Slo
from tests.helpers.made_run import record
from tests.helpers.run_parts import arrived, measured

P95 = Slo(latency_s=Limits(p95=2.0))


@pytest.mark.parametrize(
    ("within", "above", "failed", "state"),
    [
        (71, 0, 0, "undecided"),  # 0.95^71 = 0.0262
        (72, 0, 0, "met"),  # 0.95^72 = 0.0249
        (108, 1, 0, "undecided"),  # 0.95^109 + 109 x 0.05 x 0.95^108 = 0.00373 + 0.02140
        (109, 1, 0, "met"),  # 0.95^110 + 110 x 0.05 x 0.95^109 = 0.00354 + 0.02052
        (108, 0, 1, "undecided"),  # a failure is above every limit
        (109, 0, 1, "met"),
        (8, 2, 0, "undecided"),  # P(2 or more of 10) = 0.0861
        (7, 3, 0, "missed"),  # P(3 or more of 10) = 0.0115
        (7, 0, 3, "missed"),
        (7, 1, 2, "missed"),
        (0, 0, 2, "missed"),  # 0.05^2 = 0.0025
        (0, 0, 1, "undecided"),  # 0.05
    ],
)
def test_a_limit_on_p95_is_decided_by_the_binomial_test(within, above, failed, state):
    assert measured([2.0] * within + [2.001] * above, failed).keeps(P95) == state  # limits are inclusive


def test_a_limit_on_p99_needs_368_and_one_on_the_median_6():
    # 0.99^367 = 0.02501, 0.99^368 = 0.02476; 0.5^5 = 0.031, 0.5^6 = 0.0156
    assert measured([1.0] * 367).keeps(Slo(latency_s=Limits(p99=2.0))) == "undecided"
    assert measured([1.0] * 368).keeps(Slo(latency_s=Limits(p99=2.0))) == "met"
    assert measured([1.0] * 5).keeps(Slo(latency_s=Limits(p50=2.0))) == "undecided"
    assert measured([1.0] * 6).keeps(Slo(latency_s=Limits(p50=2.0))) == "met"


def test_bad_stop_reasons_are_a_share_of_the_successes():
    tally = Tally()
    for reason in ["end_turn"] * 97 + ["malformed_tool_use", "CONTENT_FILTERED", "refusal"]:
        tally.take(arrived(record(11, 1, phase="measure", stop_reason=reason)))
    tally.take(arrived(record(11, 1, phase="measure", stop_reason="refusal", error="empty")))
    # 3 of 100; the empty one is a failure
    assert tally.keeps(Slo(bad_stop_share=0.03)) == "met"
    assert tally.keeps(Slo(bad_stop_share=0.029)) == "missed"


def test_means_and_error_rates_are_compared_as_they_are():
    mean, errors = Slo(latency_s=Limits(mean=1.5)), Slo(error_rate=0.01)
    assert measured([1.0, 2.0]).keeps(mean) == "met"
    assert measured([1.0, 2.001]).keeps(mean) == "missed"
    assert measured([1.0] * 99, failed=1).keeps(errors) == "met"
    assert measured([1.0] * 98, failed=1).keeps(errors) == "missed"  # 1 / 99
    assert measured([], failed=3).keeps(mean) != "met"


def test_a_limit_on_ttft_is_of_ttfts_and_failures():
    ttft = Slo(ttft_s=Limits(p95=0.5))
    assert measured([9.0] * 72, ttfts=[0.5] * 72).keeps(ttft) == "met"
    assert measured([9.0] * 70, failed=2, ttfts=[0.5] * 70).keeps(ttft) == "undecided"
    assert measured([0.1] * 7, failed=3, ttfts=[0.1] * 7).keeps(ttft) == "missed"
    assert measured([0.1] * 500).keeps(ttft) == "undecided"  # nothing is streamed: it cannot be told


def test_all_limits_together_are_the_worst_of_them():
    slo = Slo(latency_s=Limits(mean=1.5, p95=2.0), error_rate=0.0)
    assert measured([1.0] * 72).keeps(slo) == "met"
    assert measured([1.0] * 71).keeps(slo) == "undecided"
    assert measured([1.6] * 71).keeps(slo) == "missed"  # by the mean, whatever is open of p95
    assert measured([1.0] * 200, failed=1).keeps(slo) == "missed"
    assert measured([1.0]).keeps(Slo()) == "met"


def test_three_limits_on_a_million_requests_are_looked_at_in_no_time():
    """The loop that looks may be the one that sends."""
    tally = Tally()
    for latency in (1.0, 3.0):
        tally.take(arrived(record(1, latency)))
    tally.requests = 1_000_000
    tally.latencies *= 500_000
    took = []
    for _ in range(5):
        began = time.process_time()
        assert (
            tally.keeps(Slo(latency_s=Limits(p50=2.9, p95=3.0, p99=3.0))) == "undecided"
        )  # half of them are above 2.9
        took.append(time.process_time() - began)
    assert min(took) < 0.03  # counted one by one: 0.1 s and more


def test_without_a_measured_request_nothing_is_decided():
    for slo in (P95, Slo(error_rate=0.0), Slo(latency_s=Limits(mean=1.0))):
        assert Tally().keeps(slo) == "undecided"


def test_in_the_open_loop_a_time_runs_from_when_the_request_was_due():
    found = Tally()
    row = dataclasses.replace(
        record(0, 1),
        phase="measure",
        users=None,
        rate=2.0,
        latency_ms=500.0,
        ttft_ms=100.0,
        last_token_ms=400.0,
        schedule_delay_ms=4000.0,
    )
    found.take(arrived(row))
    assert (list(found.latencies), list(found.ttfts)) == (
        [4.5],
        [4.1],
    )  # 0.5 and 0.1 s after the send, which was 4 s late
