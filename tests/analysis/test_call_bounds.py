"""What each call was billed, at least and at most, is in sum what the bill has; and a failed turn was at most as long as its conversation."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cost.bill import bill, call_bounds
from analysis.runs.run_reader import load_run
from locustfiles.contract.prices.price import TokenPrice
from tests.helpers.conversations import talk, turn
from tests.helpers.made_run import BEDROCK, made_run, window
from tests.helpers.plain_records import Setup
from tests.helpers.random_runs import BOUNDED, CACHED, WISHES, records_of

PRICE = TokenPrice(**CACHED, cache_write_1h=0.002)


def read(path, records):
    """Its records as the analysis has them."""
    records = [dataclasses.replace(r, target="bedrock", worker="local") for r in records]
    stages = [window(stage, 10, 20, target="bedrock") for stage in (1, 2)]
    return load_run(made_run(path, records, stages, targets=[BEDROCK])).records


@BOUNDED
@given(wishes=WISHES, max_tokens=st.sampled_from([None, 100]))
def test_they_are_in_sum_those_of_the_bill(tmp_path_factory, wishes, max_tokens):
    asked = Setup(CACHED, max_tokens, False, {}, False)
    records = read(tmp_path_factory.mktemp("runs") / "r", records_of(wishes, asked, crowd=True))
    # what has no counts the bill takes at the mean, in sum with that of its cache's longer time
    records = records[records["error"].notna() | records["completion_tokens"].notna()].reset_index(drop=True)
    whole, each = bill(records, PRICE, max_tokens), call_bounds(records, PRICE, max_tokens)
    low, high = each
    assert low.sum() == pytest.approx(whole.low)
    assert (high is None) == (whole.high is None)
    assert high is None or (high.sum() == pytest.approx(whole.high) and (high >= low).all())


def test_too_many_successes_without_counts_leave_none(tmp_path):
    records = read(tmp_path / "r", [turn("a", 1, 1, 11, 1), turn("b", 1, 1, 12, 1, completion_tokens=None)])
    assert call_bounds(records, PRICE, 100) is None and bill(records, PRICE, 100).low is None


def test_a_turn_that_failed_may_have_cost_what_the_same_turn_of_the_same_conversation_did(tmp_path):
    """And not what its own earlier turns did, whose prompts are shorter."""
    unknown = {"error": "read_timeout", "prompt_tokens": None, "completion_tokens": None}
    whole = talk("one", 11, [1, 1, 1], prompt_id="1")
    again = [turn("two", 1, 3, 12, 1, prompt_id="1"), turn("two", 2, 3, 14, 1, prompt_id="1", **unknown)]
    records = read(tmp_path / "r", whole + again)
    low, high = call_bounds(records, PRICE, 100)
    # (200 x 0.00075 + 100 x 0.001) / 1000
    assert (low[-1], high[-1]) == (0.0, pytest.approx(0.00025))
    assert np.flatnonzero(high > low).tolist() == [4]
