"""The bill of a table of calls is that of `charge`, call by call: steps, one-hour writes, units, guardrails."""

import decimal
import math
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cost.bill import bill, usd_by_tokens
from analysis.cost.call_usd import counts_of, exact_charge
from locustfiles.contract.prices.charge import Usage, charge, usage_of
from locustfiles.contract.prices.price import Step, TokenPrice

COLUMNS = (
    "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "billed_units",
)  # fmt: skip
HAIKU = TokenPrice(
    input=0.0001, output=0.0005, cache_read=0.00001, cache_write=0.000125, cache_write_1h=0.0002,
    steps=(Step(above=100_000, input=0.0005, output=0.0025, cache_read=0.00005, cache_write=0.000625, cache_write_1h=0.001),),
)  # fmt: skip
PER_1K = st.integers(0, 200_000).map(lambda n: n / 1e6)
MAYBE = st.none() | PER_1K
RATES = {"input": PER_1K, "output": PER_1K, "cache_read": MAYBE, "cache_write": MAYBE, "cache_write_1h": MAYBE}
PRICES = st.builds(
    lambda base, steps, units, guardrail: TokenPrice.model_validate(
        base
        | {"steps": tuple(Step(above=1000 * n, **step) for n, step in enumerate(steps, 1))}
        | {"units": units, "guardrail": guardrail}
    ),
    st.fixed_dictionaries(RATES),
    st.lists(st.fixed_dictionaries(RATES), max_size=2),
    st.dictionaries(st.sampled_from(["query", "image"]), PER_1K, max_size=2),
    st.dictionaries(st.sampled_from(["contentPolicyUnits", "topicPolicyUnits"]), PER_1K, max_size=2),
)


@st.composite
def calls(draw):
    tokens = st.none() | st.integers(0, 3000)
    written = draw(tokens)
    values = {name: draw(tokens) for name in COLUMNS[:3]} | {"cache_write_tokens": written}
    values["cache_write_1h_tokens"] = draw(st.none() | st.integers(0, written or 0))
    values["billed_units"] = draw(st.none() | st.integers(0, 9000).map(lambda n: n / 1000))
    policies = ["contentPolicyUnits=2", "topicPolicyUnits=3 contentPolicyUnits=1", "topicPolicyUnits=0"]
    return values | {"guardrail_units": draw(st.none() | st.sampled_from(policies))}


def frame(rows):
    """As requests.csv is read."""
    kinds = dict.fromkeys(COLUMNS, "float64") | {"guardrail_units": "str"}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def successes(rows, **other):
    columns = {"error": None, "ttft_ms": np.nan, "payload": "p", "prompt_id": "1"} | other
    return frame(rows).assign(**columns)


def one(values, price):
    return charge(usage_of(types.SimpleNamespace(**values)), price)


@settings(max_examples=100)
@given(rows=st.lists(calls(), min_size=1, max_size=8), price=PRICES)
def test_a_table_is_billed_as_its_calls_are(rows, price):
    expected = [one(values, price).usd for values in rows]
    found = usd_by_tokens(frame(rows), price)
    assert found == pytest.approx([math.nan if usd is None else float(usd) for usd in expected], nan_ok=True, rel=1e-12)
    known = np.array([usd is not None for usd in expected])
    parts = exact_charge(counts_of(frame(rows), price), known)
    # to the last digit, whatever the order and the steps
    assert sum((p.part.usd for p in parts), decimal.Decimal(0)) == sum(
        (usd for usd in expected if usd is not None), decimal.Decimal(0)
    )


@settings(max_examples=30)
@given(rows=st.lists(calls(), min_size=2, max_size=8), price=PRICES, cut=st.integers(1, 7), seed=st.randoms())
def test_a_bill_is_additive_and_does_not_depend_on_the_order(rows, price, cut, seed):
    known = [values for values in rows if one(values, price).usd is not None]
    whole = bill(successes(known), price, 100)
    parts = [bill(successes(some), price, 100) for some in (known[:cut], known[cut:])]
    # low and high differ where it is not known how long a cache keeps what was written to it
    assert whole.low == pytest.approx(sum(part.low for part in parts), rel=1e-12)
    assert whole.high == pytest.approx(sum(part.high for part in parts), rel=1e-12)
    assert whole.low <= whole.high
    mixed = list(known)
    seed.shuffle(mixed)
    shuffled = bill(successes(mixed), price, 100)
    assert shuffled.low == whole.low  # the very same float
    assert shuffled.high == pytest.approx(whole.high, rel=1e-12)


@given(st.integers(1, 100_000), st.integers(0, 5000), st.integers(1, 50))
def test_within_a_step_a_charge_is_linear(prompt, output, times):
    rates = HAIKU.rates(prompt)
    single, many = (charge(Usage(prompt * n, output * n), HAIKU, calls=n, rates=rates).usd for n in (1, times))
    assert many == times * single


def test_above_a_step_the_whole_call_is_billed_by_it_cached_tokens_counted():
    # 60,000 fresh and 40,000 read are 100,000, at the step and not above it: 60 x 0.0001 + 40 x 0.00001 + 1 x 0.0005 = 0.0069
    # one token more: 60.001 x 0.0005 + 40 x 0.00005 + 1 x 0.0025 = 0.0345005, five times as much
    at = {"prompt_tokens": 60_000, "cache_read_tokens": 40_000, "completion_tokens": 1000}
    above = at | {"prompt_tokens": 60_001}
    found = bill(successes([at, above]), HAIKU, None)
    assert usd_by_tokens(frame([at, above]), HAIKU) == pytest.approx([0.0069, 0.0345005])
    assert found.low == found.high == 0.0414005
    assert {p.above for p in found.parts} == {None, 100_000}


def test_one_hour_writes_have_their_own_price_and_five_minute_writes_are_the_rest():
    # 100 x 0.0001 + 3000 x 0.000125 + 5000 x 0.0002, each / 1000: 0.00001 + 0.000375 + 0.001
    call = {"prompt_tokens": 100, "completion_tokens": 0, "cache_write_tokens": 8000, "cache_write_1h_tokens": 5000}
    assert bill(successes([call]), HAIKU, None).low == 0.001385
    unpriced = HAIKU.model_copy(update={"cache_write_1h": None, "steps": ()})
    found = bill(successes([call]), unpriced, None)
    assert (found.low, found.high) == (None, None)
    assert found.reason == "1 of 1 successes used cache_write_1h tokens, for which there is no `cache_write_1h` price"


def test_queries_need_no_token_counts_and_other_units_need_a_count():
    rerank, nothing = TokenPrice.model_validate({"units": {"query": 0.002}}), {}
    # two of no count are one query each, one says that it was 3: 5 x 0.002
    assert bill(successes([nothing, nothing, {"billed_units": 3}]), rerank, None).low == 0.01
    images = TokenPrice.model_validate({"units": {"image": 0.04}})
    assert bill(successes([{"billed_units": 2}]), images, None).low == 0.08
    assert "without a count of what they are billed by (image)" in bill(successes([nothing]), images, None).reason


def test_by_a_price_of_two_units_nothing_is_known_for_a_call_has_one_count():
    """As earlier runs may have in their manifest."""
    both = TokenPrice.model_validate({"units": {"query": 0.002, "image": 0.04}})
    told = "`units` has query and image, and an answer has one count, which is not of both"
    assert charge(Usage(0, 0, units=2), both) == ([], told)
    found = bill(successes([{"billed_units": 2}]), both, None)
    assert (found.low, found.high, found.reason) == (None, None, f"the price's {told}")


def test_a_guardrails_units_are_in_the_bill_where_they_have_a_price():
    price = TokenPrice(input=0.001, output=0.0, guardrail={"contentPolicyUnits": 0.00015})
    call = {"prompt_tokens": 1000, "completion_tokens": 5, "guardrail_units": "contentPolicyUnits=2"}
    # 0.001 + 2 x 0.00015
    assert bill(successes([call, call]), price, None).low == 0.0026
    found = bill(successes([call | {"guardrail_units": "contentPolicyUnits=2 topicPolicyUnits=1"}]), price, None)
    assert found.reason == "1 of 1 successes had a guardrail's topicPolicyUnits, for which there is no price"


def failed(values, known):
    """One success, and one failure of unknown tokens."""
    rows = successes([known, values]).assign(error=[None, "read_timeout"])
    return rows.assign(prompt_id=["1", "2"])


def test_a_failure_of_an_unknown_prompt_is_bounded_by_the_dearest_step():
    success = {"prompt_tokens": 50_000, "completion_tokens": 0}  # 50 x 0.0001 = 0.005
    found = bill(failed({}, success), HAIKU, 1000)
    assert found.low == 0.005
    # its prompt may be as long as any known, and in the dearest step: 50 x 0.0005 + 1 x 0.0025 = 0.0275
    assert found.high == pytest.approx(0.005 + 0.0275)
    same = failed({}, success).assign(prompt_id="1")
    # the same prompt is in the first step: 50 x 0.0001 + 1 x 0.0005 = 0.0055
    assert bill(same, HAIKU, 1000).high == pytest.approx(0.005 + 0.0055)


def test_a_failed_query_costs_nothing_or_one():
    rerank = TokenPrice.model_validate({"units": {"query": 0.002}})
    found = bill(failed({}, {}), rerank, None)
    assert (found.low, found.high) == (0.002, pytest.approx(0.004))


def test_a_failure_with_a_guardrail_may_cost_as_much_of_it_as_any_call():
    price = TokenPrice(input=0.001, output=0.001, guardrail={"contentPolicyUnits": 0.1})
    known = {"prompt_tokens": 1000, "completion_tokens": 0, "guardrail_units": "contentPolicyUnits=2"}
    found = bill(failed({}, known), price, 1000)
    # success 0.001 + 0.2; failure at most its prompt 0.001, 1,000 output tokens 0.001 and as many units 0.2
    assert (found.low, found.high) == (0.201, pytest.approx(0.201 + 0.202))
