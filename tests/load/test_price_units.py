"""Prices in a wrong unit: refused by comparison with known prices, with what to write instead."""

import datetime

import pytest

from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.prices.sourced import Source, Sourced
from locustfiles.contract.prices.units import Known, WrongUnit, unit_caution

DAY = datetime.date(2026, 11, 28)
#: Nova Micro, USD per 1,000 tokens
MICRO = TokenPrice(input=0.000035, output=0.00014, cache_read=0.00000875)
STEPPED = TokenPrice.model_validate(
    {"input": 0.0001, "output": 0.0005, "steps": ({"above": 100_000, "input": 0.0005, "output": 0.0025},)}
)


def caution(price: TokenPrice, model_id: str | None = "vendor.new-model-v1:0", known: TokenPrice | None = None):
    found = known and Sourced(known, Source(origin="library", name="genai-prices 1", entry="the-entry"))
    return unit_caution(price, Known(found, model_id, DAY))


def refusal(*args, **kwargs) -> str:
    with pytest.raises(WrongUnit) as e:
        caution(*args, **kwargs)
    assert "\n" not in str(e.value)
    return str(e.value)


@pytest.mark.parametrize(
    ("price", "unit"),
    [
        ({"input": 0.035, "output": 0.14}, "USD per million tokens"),  # each 1,000 times
        ({"input": 3.5e-08, "output": 1.4e-07}, "USD per token"),  # each a thousandth
        ({"input": 35.0, "output": 140.0}, "USD per billion tokens"),  # each a million times
    ],
)
def test_a_known_models_price_in_another_unit_is_refused_with_the_right_figures(price, unit):
    assert refusal(TokenPrice(**price), "amazon.nova-micro-v1:0", MICRO).endswith(
        f"looks like {unit}: genai-prices 1 has $0.000035 in, $0.00014 out per 1,000 tokens of `the-entry`; "
        "write {input: 0.000035, output: 0.00014}, in USD per 1,000 tokens"
    )


def test_a_rounded_price_per_token_is_still_one_per_token():
    """3e-8 and 1e-7 are 1/1,167 and 1/1,400 of Nova Micro's."""
    told = refusal(TokenPrice(input=3e-08, output=1e-07), "amazon.nova-micro-v1:0", MICRO)
    assert "input 0.00000003, output 0.0000001 looks like USD per token" in told
    assert "write {input: 0.00003, output: 0.0001}" in told


@pytest.mark.parametrize(
    ("price", "model_id", "unit", "right"),
    [
        # Sonnet's $3 and $15 per million, Nova Lite's $0.06 and $0.24 per million, of ids that nobody knows
        ({"input": 3e-06, "output": 1.5e-05}, "a.per-token", "USD per token", "{input: 0.003, output: 0.015}"),
        (
            {"input": 0.06, "output": 0.24},
            "a.per-million",
            "USD per million tokens",
            "{input: 0.00006, output: 0.00024}",
        ),
        ({"input": 3.0, "output": 15.0}, None, "USD per million tokens", "{input: 0.003, output: 0.015}"),
        ({"input": 3e-06, "output": 1.5e-05}, None, "USD per token", "{input: 0.003, output: 0.015}"),
        ({"input": 2e-08, "output": 0.0}, "a.embedding", "USD per token", "{input: 0.00002}"),
    ],
)
def test_an_unknown_models_price_is_held_against_the_range_of_all_that_are_known(price, model_id, unit, right):
    told = refusal(TokenPrice(**price), model_id)
    assert f"looks like {unit}: known prices of " in told and f"; write {right}, in USD" in told


@pytest.mark.parametrize(
    "price",
    [
        {"input": 0.00002, "output": 0.0},  # Titan's embeddings
        {"input": 0.000035, "output": 0.00014},  # Nova Micro
        {"input": 0.015, "output": 0.075},  # Claude Opus 4
        {"input": 0.0003, "output": 0.0006, "cache_read": 0.0, "cache_write": 0.0},
    ],
)
def test_true_prices_pass_without_a_word(price):
    assert caution(TokenPrice(**price)) is None


def test_dearer_and_cheaper_than_all_that_is_sold_is_told():
    assert "output 0.15 per 1,000 tokens is above all that Bedrock sells" in caution(
        TokenPrice(input=0.015, output=0.15)
    )
    assert "input 0.00002 per 1,000 tokens is below all" in caution(TokenPrice(input=0.00002, output=0.0001))
    assert "input 0.1 per 1,000 tokens is above all" in caution(TokenPrice(input=0.1, output=0.1), None)


def test_ten_times_another_sources_price_is_told():
    """0.0005 / 0.000035 = 14.3 and 0.002 / 0.00014 = 14.3."""
    told = caution(TokenPrice(input=0.0005, output=0.002), known=MICRO)
    assert told.startswith(
        "$0.0005 in, $0.002 out per 1,000 tokens is 14 times what is known: genai-prices 1 has $0.000035 in"
    )
    assert caution(TokenPrice(input=0.0003, output=0.0012), known=MICRO) is None  # 8.6 times


def test_a_step_and_a_cache_are_looked_at_too():
    slipped = STEPPED.model_copy(update={"steps": (STEPPED.steps[0].times(1000),)})
    told = refusal(slipped, "vendor.model", STEPPED)
    assert told.startswith("steps[0]: input 0.5, output 2.5 looks like USD per million tokens")
    assert "has $0.0005 in, $0.0025 out" in told  # the step's, not the first rates
    assert caution(STEPPED, "vendor.model", STEPPED) is None
    told = refusal(TokenPrice(input=0.003, output=0.015, cache_read=3e-7))
    assert told == "cache_read 0.0000003 cannot be in the same unit as input 0.003; write both in USD per 1,000 tokens"


def test_a_model_of_ones_own_costs_what_one_says():
    assert caution(TokenPrice(input=1e-7, output=5.0), "local.smollm2-135m-instruct-v1:0") is None
