"""What was written to a cache for a time that no answer tells: the cost is told from five minutes to an hour, never as one of them."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.advice.answer_notes import answer_notes
from analysis.report.verdict_summary import total
from analysis.runs.run_reader import load_run
from locustfiles.contract.prices.price import TokenPrice
from tests.analysis.test_cost import call
from tests.helpers.flat import steps, table
from tests.helpers.made_run import BEDROCK, made_run, window

PRICE = {"input": 0.003, "output": 0.015, "cache_read": 0.0003, "cache_write": 0.00375, "cache_write_1h": 0.006}
#: 100 x 0.003 + 20 x 0.015, each / 1000: 0.0006 $ beside the 2,000 written tokens: for five minutes 0.0075, for an hour 0.012
WROTE = {"prompt_tokens": 100, "cache_write_tokens": 2000, "completion_tokens": 20}


def run_of(tmp_path, *hours: int | None, price=PRICE, **more):
    """A call each for the tokens of it that were written for an hour."""
    calls = [call(11 + i, cache_write_1h_tokens=n, prompt_id=str(i), **WROTE | more) for i, n in enumerate(hours)]
    keys = {"targets": [BEDROCK], "prices": {"bedrock": price}}
    return made_run(tmp_path / "r", calls, [window(1, 10, 20, target="bedrock")], **keys)


@pytest.mark.parametrize(
    ("hours", "low", "high"),
    [
        ((0, 0), 0.0081, 0.0081),
        ((2000, 2000), 0.0126, 0.0126),
        ((None, None), 0.0081, 0.0126),
        ((0, None), 0.0081, 0.01035),  # (0.0081 + 0.0126) / 2
        ((500, None), 0.0086625, 0.0109125),  # 500 at an hour cost 0.001125 more
    ],
)
def test_a_transaction_costs_what_its_cache_writes_may_have(tmp_path, hours, low, high):
    report = analyse([run_of(tmp_path, *hours)])
    (row,) = steps(report).to_dict("records")
    assert row["usd_per_transaction_low"] == pytest.approx(low, rel=1e-12)
    assert row["usd_per_transaction_high"] == row["usd_per_transaction"] == pytest.approx(high, rel=1e-12)
    (cost,) = table(report, "run_cost").to_dict("records")
    assert (cost["usd_low"], cost["usd_high"]) == (pytest.approx(2 * low), pytest.approx(2 * high))
    assert sum(part.usd for part in report.run_cost[0].parts) == pytest.approx(2 * high)
    assert ("how long a cache keeps what was written is not known" in total(report)) == (None in hours)
    assert "failures" not in total(report)


def test_a_failure_that_wrote_for_an_unknown_time_is_between_the_same_bounds(tmp_path):
    # a failure before any output, of which all counts came: 0.0081 to 0.0126, as the success beside it
    records = [call(11, **WROTE), call(12, **WROTE | {"error": "bad_response", "prompt_id": "1"})]
    records = [dataclasses.replace(r, ttft_ms=None, last_token_ms=None, chunks=None) for r in records]
    keys = {"targets": [BEDROCK], "prices": {"bedrock": PRICE}}
    path = made_run(tmp_path / "f", records, [window(1, 10, 20, target="bedrock")], **keys)
    (cost,) = table(analyse([path]), "run_cost").to_dict("records")
    assert (cost["usd_low"], cost["usd_high"]) == (pytest.approx(0.0162), pytest.approx(0.0252))


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (PRICE, "to all at that of an hour."),
        ({k: v for k, v in PRICE.items() if k != "cache_write_1h"}, "add `cache_write_1h:` to the price."),
        (PRICE | {"cache_write_1h": 0.00375}, None),  # one price of both
    ],
)
def test_a_run_is_told_to_have_writes_of_an_unknown_time(tmp_path, price, told):
    run = load_run(run_of(tmp_path, 0, None, price=price))
    notes = [n for n in answer_notes(run, {"bedrock": TokenPrice(**price)}) if "wrote to a cache" in n]
    assert len(notes) == (told is not None)
    assert not notes or (notes[0].endswith(told) and "1 of 2 successes wrote to a cache" in notes[0])
