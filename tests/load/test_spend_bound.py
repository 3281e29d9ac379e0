"""The budget's guard never counts less than the report bills: random calls by prices with steps, an hour's cache and units."""

import math
import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cost.bill import bill
from locustfiles.common.recording.token_spend import PlainSum
from locustfiles.contract.prices.charge import Usage, charge, usage_of
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.record import KINDS, RequestRecord
from tests.helpers.run_parts import arrived
from tests.load.test_spend import BEGAN, NO_COUNTS, record, spend

STEPPED = TokenPrice.model_validate(
    {
        "input": 0.1, "output": 0.5, "cache_read": 0.01, "cache_write": 0.125, "cache_write_1h": 0.2,
        "steps": [
            {"above": 2000, "input": 0.5, "output": 2.5, "cache_read": 0.05, "cache_write": 0.625, "cache_write_1h": 1.0},
            {"above": 4000, "input": 0.6, "output": 2.6, "cache_read": 0.05, "cache_write": 0.7, "cache_write_1h": 1.1},
        ],
    }
)  # fmt: skip
BY_QUERY = TokenPrice.model_validate({"units": {"query": 0.002}})
BY_IMAGE = TokenPrice.model_validate({"input": 0.1, "output": 0.5, "units": {"image": 0.04}})
GUARDED = STEPPED.model_copy(update={"guardrail": {"contentPolicyUnits": 0.15, "topicPolicyUnits": 0.1}})


def drawn(draw: random.Random) -> RequestRecord:
    """A call of any kind, with its counts or without."""
    more: dict = {"prompt_id": str(draw.randint(1, 5)), "prompt_tokens": draw.choice([0, 900, 2001, 5000])}
    more |= {"completion_tokens": draw.choice([1, 400, 500]), "billed_units": draw.choice([None, 1.0, 3.0])}
    written = draw.choice([None, 0, 1500])
    more |= {"cache_read_tokens": draw.choice([None, 0, 3000]), "cache_write_tokens": written}
    more["cache_write_1h_tokens"] = draw.choice([None, 0, written])
    more["guardrail_units"] = draw.choice([None, "contentPolicyUnits=2 topicPolicyUnits=1", "contentPolicyUnits=5"])
    error = draw.choice([None] * 6 + ["throttled", "server", "cancelled", "stream_broken"])
    if error:
        more |= draw.choice([NO_COUNTS, {}]) | draw.choice([BEGAN, {}])
    return record(error, **more)


def billed(calls: list[RequestRecord], price: TokenPrice) -> tuple[float | None, float]:
    """What the report bills at most, and the sum of what is known of the successes."""
    rows = pd.DataFrame([{field: getattr(call, field) for field in KINDS} for call in calls])
    rows = rows.astype({field: float for field, kind in KINDS.items() if kind is not str})
    known = [charge(usage_of(call), price).usd for call in calls if call.error is None]
    return bill(rows, price, 500).high, float(sum(usd for usd in known if usd is not None))


@pytest.mark.parametrize(
    "price", [STEPPED, BY_QUERY, BY_IMAGE, GUARDED], ids=["steps", "queries", "images", "guardrail"]
)
def test_no_mix_of_calls_is_billed_at_more_than_was_counted(price):
    draw, bounded = random.Random(11), 0
    for _ in range(200):
        calls = [drawn(draw) for _ in range(draw.randint(1, 12))]
        found = spend(price)
        for call in calls:
            found.take(arrived(call))
        high, sure = billed(calls, price)
        assert found.usd() >= sure - 1e-9
        assert high is None or found.usd() >= high - 1e-9, calls
        bounded += high is not None
    assert bounded > 5


def of(price: TokenPrice, *calls: RequestRecord) -> float:
    found = spend(price)
    for call in calls:
        found.take(arrived(call))
    return found.usd()


def test_a_long_prompt_has_the_price_of_its_step_cached_tokens_counted():
    assert of(STEPPED, record(prompt_tokens=2000)) == pytest.approx(0.2 + 0.2)  # not above 2,000
    # 2,001 in all: 1 x 0.0005, 2,000 read at 0.05 per 1,000, 400 out at 2.5
    assert of(STEPPED, record(prompt_tokens=1, cache_read_tokens=2000)) == pytest.approx(0.0005 + 0.1 + 1.0)


def test_a_prompt_of_unknown_length_may_be_of_the_dearest_step():
    lost = record("server", **NO_COUNTS)
    # none is known: no tokens of it, and 500 out at the dearest step
    assert of(STEPPED, lost) == pytest.approx(500 * 0.0026)
    # as the longest, written for an hour: 3,000 x 1.1 / 1,000 and 500 x 2.6 / 1,000, beside 3,000 x 0.5 and 400 x 2.5
    assert of(STEPPED, record(prompt_tokens=3000), lost) == pytest.approx((1.5 + 1.0) + (3.3 + 1.3))


def test_written_tokens_count_for_an_hour_where_it_is_not_said_for_how_long():
    def wrote(hour):
        return record(prompt_tokens=0, cache_write_tokens=1000, cache_write_1h_tokens=hour, completion_tokens=0)

    assert [of(STEPPED, wrote(n)) for n in (0, 1000, 400, None)] == pytest.approx([0.125, 0.2, 0.075 + 0.08, 0.2])


def test_units_that_are_not_known_count_as_the_most_that_a_call_had():
    queries = [record(billed_units=n, prompt_tokens=None, completion_tokens=0) for n in (None, 3.0)]
    assert of(BY_QUERY, queries[0]) == pytest.approx(0.002)  # one at least
    assert of(BY_QUERY, *queries) == pytest.approx(2 * 3 * 0.002)
    assert math.isclose(spend(BY_QUERY).usd(), 0.0)


def test_a_target_whose_units_no_answer_counts_is_known_to_be_unguarded():
    guard = spend(BY_IMAGE)
    guard.take(record("read_timeout", billed_units=None))
    assert guard.blind is None  # a call that failed may have been billed none
    guard.take(record(billed_units=None))
    assert guard.blind == "tokens"
    guard.take(record(billed_units=3.0))
    assert guard.blind is None  # now there is a most
    queries = spend(BY_QUERY)
    queries.take(record(billed_units=None))
    assert queries.blind is None  # one a call


@given(
    rates=st.tuples(*[st.floats(0, 1e3, allow_subnormal=False) | st.sampled_from([0, 1, 0.1, 1e-05, 0.00035])] * 2),
    counts=st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)), min_size=1),
)
def test_calls_by_prompt_and_output_alone_are_summed_as_if_each_were_charged_for_itself(rates, counts):
    price = TokenPrice(input=rates[0], output=rates[1])
    plain, each = PlainSum(price), [charge(Usage(*count), price).usd for count in counts]
    for count in counts:
        plain.add(*count)
    assert float(plain.dearest_usd) == float(max(each))
    assert float(plain.usd) == pytest.approx(float(sum(each)), rel=1e-15)
