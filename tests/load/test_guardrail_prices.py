"""What counting tokens and guarding texts is billed: nothing, or text units by policy; what fails may have been billed as well."""

import datetime

import pytest

from analysis.cost.bill import bill
from analysis.cost.pricing import price_text
from analysis.runs.run_reader import load_run
from locustfiles.common.recording.token_spend import Seen, TokenSpend
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.prices.charge import charge, usage_of
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.scenario.scenario import load_scenario
from locustfiles.contract.scenario.target_prices import prices_of
from tests.helpers.made_run import made_run, record, window
from tests.helpers.scenario_text import BEDROCK, BOOK, GOOD, write

TODAY = datetime.date(2026, 11, 28)
APPLY = '  - {name: a, service: bedrock, api: apply-guardrail, guardrail: {id: gr1, version: "1"}}\n'
COUNT = "  - {name: a, service: bedrock, api: count-tokens, model_id: anthropic.claude-3-haiku-20240307-v1:0}\n"
UNITS = "{contentPolicyUnits: 0.00015, topicPolicyUnits: 0.0001}"
PRICE = TokenPrice(input=0.0, output=0.0, guardrail={"contentPolicyUnits": 0.00015, "topicPolicyUnits": 0.0001})


def sourced(tmp_path, target: str, book: str = BOOK):
    assert BEDROCK in GOOD
    path = write(tmp_path, GOOD.replace(BEDROCK, target))
    (tmp_path / "book.yaml").write_text(book)
    return prices_of(load_scenario(path), path, TODAY)[1]["a"]


def test_a_guardrail_is_billed_by_its_targets_own_price_else_by_the_books_units(tmp_path):
    own = APPLY.replace("}}", f"}}, price: {{guardrail: {UNITS}}}}}")
    found = sourced(tmp_path, own)
    assert (found.price, found.source.origin) == (PRICE, "scenario")
    found = sourced(tmp_path, APPLY, f"{BOOK}guardrail: {UNITS}\n")
    assert (found.price, found.source.origin, found.source.entry) == (PRICE, "book", "guardrail")
    assert price_text(found.price) == "$0.00015 per unit of contentPolicyUnits; $0.0001 per unit of topicPolicyUnits"
    shipped = sourced(tmp_path, APPLY)
    assert (shipped.source.name, shipped.price.guardrail["contextualGroundingPolicyUnits"]) == (
        "configs/pricing/every-region.yaml",
        0.0001,
    )


def test_checks_need_a_price_of_their_own_units(tmp_path):
    asked = "  - {name: a, service: bedrock, api: guardrail-checks, parameters: {checks: {contentFilter: [HATE]}}}\n"
    with pytest.raises(
        BadScenario, match="no price of the units of checks; add `guardrail: {contentFilter: USD, …}` to the price book"
    ):
        sourced(tmp_path, asked)
    assert sourced(tmp_path, asked, f"{BOOK}guardrail: {{contentFilter: 0.0002}}\n").price.guardrail == {
        "contentFilter": 0.0002
    }


def test_counting_tokens_is_free_whatever_the_model_costs(tmp_path):
    found = sourced(tmp_path, COUNT)
    assert (found.price, found.source.name) == (TokenPrice(input=0.0, output=0.0), "CountTokens is free of charge")


def call(units: str | None, **more):
    values = {"operation": "ApplyGuardrail", "prompt_tokens": None, "completion_tokens": None, "chunks": None}
    times = {"ttft_ms": None, "ttft_visible_ms": None, "last_token_ms": None}
    return record(11, 0.5, **(values | times | {"guardrail_units": units} | more))


def test_calls_cost_their_units_and_a_failure_as_many_as_the_dearest(tmp_path):
    """Three calls: 2 x 0.00015 + 0.0001 = 0.0004, 0.00015, and one that timed out: nothing to 0.0004."""
    calls = [
        call("contentPolicyUnits=2 topicPolicyUnits=1"),
        call("contentPolicyUnits=1"),
        call(None, error="read_timeout"),
    ]
    assert float(charge(usage_of(calls[0]), PRICE).usd) == 0.0004
    made_run(tmp_path / "run", calls, [window(1, 10, 30)])
    found = bill(load_run(str(tmp_path / "run")).records, PRICE, None)
    assert (found.low, found.high) == (pytest.approx(0.00055), pytest.approx(0.00095))
    spent = TokenSpend(PRICE, 0, Seen())
    for one in calls:
        spent.take(one)
    assert spent.usd() == pytest.approx(0.00095)  # the budget goes by the most


def test_a_policy_without_a_price_leaves_the_cost_unknown():
    assert charge(usage_of(call("contentPolicyUnits=1 wordPolicyUnits=1")), PRICE).usd is None
