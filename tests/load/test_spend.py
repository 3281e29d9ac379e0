"""What the budget's guard counts: every kind of call, spells by the hour, and what is still to come, by hand.

Tokens cost $0.1 in and $0.5 out per 1,000, read from a cache $0.01, written to it $0.125; a call asks for at most 500: a
prompt of 1,000 is $0.1, 400 tokens out are $0.2, 500 are $0.25. Endpoints cost 2 x $36 an hour, $0.02 a second.
"""

import pathlib

import pandas as pd
import pytest

from analysis.cost.bill import bill
from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.recording.hour_spend import LATE_S
from locustfiles.common.recording.spend import Spend
from locustfiles.common.recording.token_spend import RECENT
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.record import KINDS, RequestRecord
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.run_parts import arrived

CACHED = TokenPrice(input=0.1, output=0.5, cache_read=0.01, cache_write=0.125)
PLAIN = TokenPrice(input=0.1, output=0.5)
HOURLY = HourlyPrice(usd_per_hour=36.0, instance_count=2)
TOKENS = {"name": "tokens", "service": "bedrock", "model_id": "m", "parameters": {"max_tokens": 500}}
ENDPOINTS = [
    {"name": name, "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.x"}
    for name in ("hours", "more")
]


class HandClock(Clock):
    """Stands until it is set."""

    at_s = 1000.0

    def now(self) -> float:
        return self.at_s


def spend(price=CACHED, limit: int | None = 500, asked: int | None = None, clock: Clock | None = None) -> Spend:
    """asked: what the payload's second line asks for itself."""
    tokens = TOKENS | {"parameters": {"max_tokens": limit} if limit else {}}
    scenario = {
        "name": "s",
        "targets": [tokens, *ENDPOINTS],
        "region": "us-east-1",
        "payloads": ["a.jsonl"],
        "pricing": "b.yaml",
    }
    scenario = Scenario.model_validate(scenario | {"load": {"users": [1], "measure_s": 10}})
    prompts = [Prompt("1", "x", None), Prompt("2", "x", None, parameters={"max_tokens": asked} if asked else {})]
    prices = {"tokens": price, "hours": HOURLY, "more": HourlyPrice(usd_per_hour=3600.0)}
    return Spend(Inputs(scenario, pathlib.Path("s.yaml"), {"a": prompts}, {}, prices, {}, ""), clock or HandClock())


def record(error: str | None = None, latency_s: float = 2.0, **more) -> RequestRecord:
    """An answer of 1,000 + 400 tokens, not streamed."""
    values = {
        "started_at": 1.7e9, "worker": "w", "user": 1, "target": "tokens", "service": "bedrock", "operation": "Converse", "payload": "a",
        "prompt_id": "1", "stage": 1, "repeat": 1, "users": 1, "phase": "measure", "call": 1, "latency_ms": 1000 * latency_s,
        "prompt_tokens": 1000, "completion_tokens": 400, "prompt_token_source": "service", "token_source": "service",
        "response_bytes": 0, "in_flight": 1, "lag_ms": 0.0, "error": error,
    }  # fmt: skip
    return RequestRecord(**(values | more))


NO_COUNTS = {"prompt_tokens": None, "completion_tokens": None}
BEGAN = {"ttft_ms": 100.0}
#: what came, after one answer of 1,000 + 400 tokens -> USD of it alone
CALLS = {
    "a success": (record(), 0.30),  # 0.1 + 0.2
    "a streamed success": (record(**BEGAN), 0.30),  # its count is its end's
    "a success without a count": (record(completion_tokens=None), 0.35),  # the limit: 0.1 + 0.25
    "read from and written to a cache": (record(cache_read_tokens=2000, cache_write_tokens=400), 0.37),  # 0.1 + 0.02 + 0.05 + 0.2
    "all of it read from a cache": (record(prompt_tokens=0, cache_read_tokens=2000), 0.22),  # 0.02 + 0.2
    "the same without a count": (record(prompt_tokens=0, cache_read_tokens=2000, completion_tokens=None), 0.27),
    "refused": (record("throttled", **NO_COUNTS), 0.0),
    "refused, though tokens were counted": (record("unavailable"), 0.0),
    "throttled in mid-stream": (record("throttled", **BEGAN), 0.35),  # 400 had come, 500 may: 0.1 + 0.25
    "throttled in mid-stream without a count": (record("throttled", **BEGAN, **NO_COUNTS), 0.375),  # 1,000 x 0.125 / 1,000 + 0.25
    "a stream broken after two tokens": (record("stream_broken", **BEGAN, completion_tokens=2), 0.35),
    "a stream broken above the limit": (record("stream_broken", **BEGAN, completion_tokens=600), 0.40),  # 0.1 + 0.3
    "a failure that counted": (record("model_error"), 0.30),
    "a failure that did not": (record("server", **NO_COUNTS), 0.375),
    "our own stop": (record("cancelled", **NO_COUNTS), 0.375),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_counts_as_the_most_that_the_report_may_bill_it_at(name):
    call, usd = CALLS[name]
    found = spend()
    found.take(arrived(record()))
    assert found.usd() == pytest.approx(0.30)
    found.take(arrived(call))
    assert found.usd() == pytest.approx(0.30 + usd)
    rows = pd.DataFrame([{field: getattr(r, field) for field in KINDS} for r in (record(), call)])
    rows = rows.astype({field: float for field, kind in KINDS.items() if kind is not str})
    high = bill(rows, CACHED, 500).high
    assert (high is None) == ("without a count" in name and call.error is None)  # half of the successes have no bill
    assert high is None or high <= found.usd() + 1e-9


def test_cached_tokens_without_a_price_count_as_the_others():
    found = spend(PLAIN)
    found.take(arrived(record(cache_read_tokens=2000)))
    assert found.usd() == pytest.approx(0.3 + 0.2)  # 3,000 x 0.1 / 1,000 + 0.2


def test_a_prompt_of_unknown_length_counts_as_the_longest_so_far_cached_tokens_included():
    found = spend()
    found.take(arrived(record(cache_read_tokens=2000, cache_write_tokens=400)))
    found.take(arrived(record("server", **NO_COUNTS)))
    assert found.usd() == pytest.approx(0.37 + 0.425 + 0.25)  # 3,400 x 0.125 / 1,000


def test_a_prompt_of_unknown_length_counts_as_the_longest_that_comes_after_it_too():
    found = spend()
    found.take(arrived(record("server", **NO_COUNTS)))
    assert found.usd() == pytest.approx(0.25)  # no prompt is known
    found.take(arrived(record(cache_read_tokens=2000, cache_write_tokens=400)))
    assert found.usd() == pytest.approx(0.37 + 0.425 + 0.25)


def test_a_line_of_the_payload_may_ask_for_more_than_the_target():
    found = spend(asked=800)
    found.take(arrived(record(completion_tokens=None)))
    assert found.usd() == pytest.approx(0.1 + 0.4)


def test_an_unlimited_answer_counts_as_the_longest_so_far():
    found = spend(limit=None)
    found.take(arrived(record(completion_tokens=None)))
    assert found.usd() == pytest.approx(0.1)  # none was seen yet
    found.take(arrived(record(completion_tokens=900)))
    found.take(arrived(record("stream_broken", **BEGAN, completion_tokens=2)))
    assert found.usd() == pytest.approx(0.1 + 0.55 + 0.55)
    # a limit on one of two lines is none on the target
    found = spend(limit=None, asked=800)
    found.take(arrived(record(completion_tokens=900)))
    found.take(arrived(record(completion_tokens=None)))
    assert found.usd() == pytest.approx(0.55 + 0.55)


def test_an_endpoint_costs_while_it_is_under_load_whatever_it_answers():
    clock = HandClock()
    found = spend(clock=clock)
    assert found.usd() == 0.0
    found.load_begins(("hours", None))
    clock.at_s += 10
    found.take(arrived(record(target="hours")))
    assert found.usd() == pytest.approx(0.2)  # a spell that goes on counts: 10 x 0.02
    found.load_ends()
    clock.at_s += 100  # nothing, or another target, is under load
    assert found.usd() == pytest.approx(0.2)
    found.load_begins(("more", None))
    clock.at_s += 3
    assert found.usd() == pytest.approx(3.2)  # $1 a second
    found.load_ends()
    found.load_ends()  # ends once
    found.load_begins(("hours", None))
    clock.at_s += 5
    assert found.usd() == pytest.approx(3.3)
    found.load_ends()
    found.take(arrived(record()))
    assert found.usd() == pytest.approx(3.6)  # both kinds add up


def test_an_endpoints_time_counts_from_its_first_call_however_long_its_load_is_waited_for():
    """As the report counts it: $0.02 and $1 a second."""
    clock = HandClock()
    found = spend(clock=clock)
    found.take(arrived(record(target="hours", started_at=998.0)))  # 2 s, over now
    assert found.usd() == pytest.approx(0.04)
    clock.at_s += 60  # somebody is asked whether it may cost so much
    found.load_begins(("hours", None))
    clock.at_s += 10
    assert found.usd() == pytest.approx(72 * 0.02)
    found.load_ends()
    found.take(arrived(record(target="more", started_at=clock.at_s - 2.0)))
    found.take(arrived(record(target="hours", started_at=clock.at_s - 2.5)))  # late, of the turn before: 72 s hold it
    clock.at_s += 100
    found.load_begins(("hours", None))  # another turn
    clock.at_s += 1
    assert found.usd() == pytest.approx(72 * 0.02 + 2 + 0.02)


def test_a_workers_clock_that_is_off_costs_no_hours():
    found = spend()
    found.take(arrived(record(target="more", started_at=0.0, latency_s=1.0)))  # 999 s ago, by its clock
    assert found.usd() == pytest.approx(1.0)
    found.take(arrived(record(target="more", started_at=5000.0, latency_s=1.0)))
    assert found.usd() <= 1 + LATE_S


def loaded(*records: RequestRecord) -> Spend:
    found = spend()
    found.load_begins(("tokens", None))
    for each in records:
        found.take(arrived(each))
    return found


def test_users_may_have_a_call_each_under_way_and_those_of_the_time_not_yet_seen():
    found = loaded(record(latency_s=0.5, completion_tokens=500), record(latency_s=1.5))
    # the dearest is 0.1 + 0.25; 4 users of 1 s make 4 calls a second, 2 in half a second: 6
    assert found.to_come_usd(4, None, 0.5) == pytest.approx(6 * 0.35)
    assert found.to_come_usd(0, None, 0.5) == 0.0
    assert loaded().to_come_usd(4, None, 0.5) == 0.0  # nothing is known before the first call


def test_only_what_may_be_billed_tells_the_rate_and_only_the_last_of_it():
    refused = [record("throttled", latency_s=0.01, **NO_COUNTS)] * 5
    found = loaded(*[record(latency_s=9.0)] * 3, *[record(latency_s=0.5)] * RECENT, *refused)
    # 2 users of 0.5 s: 4 a second, of the last second 4 and 2 in flight
    assert found.to_come_usd(2, None, 1.0) == pytest.approx(6 * 0.30)


def test_in_the_open_loop_twice_what_is_due_may_be_under_way_and_no_more_than_users_can_send():
    found = loaded(record(latency_s=2.0))
    # at 3 a second 1 + 2 x 3 x 2 s = 13 in flight, and 2 x 3 of the second not yet seen
    assert found.to_come_usd(200, 3.0, 1.0) == pytest.approx((13 + 6) * 0.30)
    # 8 users: 8 in flight, and 8 / 2 s = 4 a second
    assert found.to_come_usd(8, 3.0, 1.0) == pytest.approx((8 + 4) * 0.30)


def test_stopping_costs_an_endpoints_time_for_the_longest_call():
    found = spend()
    found.load_begins(("hours", None))
    found.take(arrived(record(target="hours", latency_s=4.0)))
    found.take(arrived(record(target="tokens", latency_s=1.0)))
    assert found.to_come_usd(50, None, 1.0) == pytest.approx(4 * 0.02)
