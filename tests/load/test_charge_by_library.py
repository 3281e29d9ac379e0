"""A call's dollars are those that genai-prices calculates, or a named rule says why they are not."""

import datetime
import decimal
import random

import pytest
from genai_prices import calc_price
from genai_prices.types import Usage as LibraryUsage

from locustfiles.contract.prices.charge import Usage, charge
from locustfiles.contract.prices.find_price import Asked, model_price
from locustfiles.contract.prices.price import exact

TODAY = datetime.date(2026, 11, 28)
NOON = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
MODELS = """
global.anthropic.claude-sonnet-5-5 us.anthropic.claude-sonnet-5-5 us.anthropic.claude-opus-5-5 global.anthropic.claude-haiku-5-5
us.anthropic.claude-haiku-5-5 global.anthropic.claude-sonnet-4-6 us.anthropic.claude-sonnet-4-5-20250929-v1:0
us.anthropic.claude-haiku-4-5-20251001-v1:0 us.anthropic.claude-opus-4-1-20250805-v1:0 anthropic.claude-3-haiku-20240307-v1:0
us.anthropic.claude-fable-5-2 amazon.nova-micro-v1:0 us.amazon.nova-lite-v1:0 amazon.nova-pro-v1:0 global.amazon.nova-2-lite-v1:0
us.amazon.nova-2-lite-v1:0 meta.llama3-1-8b-instruct-v1:0 us.meta.llama4-scout-17b-instruct-v1:0 mistral.mistral-large-3-675b-instruct
openai.gpt-oss-120b-1:0 global.openai.gpt-5.6-luna us.openai.gpt-5.6-sol global.openai.gpt-6-sol us.openai.gpt-6.1-terra
global.moonshotai.kimi-k3 global.zai.glm-5.3 us.deepseek.r1-v1:0 qwen.qwen3-32b-v1:0 nvidia.nemotron-super-3-120b writer.palmyra-x5-v1:0
""".split()


def usage(dice: random.Random) -> Usage:
    """Of short and long prompts, on both sides of the steps at 100,000 and 272,000 tokens."""
    most = dice.choice([1_000, 50_000, 150_000, 400_000, 800_000])
    written = dice.choice([0, dice.randrange(most)])
    return Usage(
        prompt_tokens=dice.randrange(most),
        completion_tokens=dice.randrange(4_000),
        cache_read_tokens=dice.choice([0, dice.randrange(most)]),
        cache_write_tokens=written,
        cache_write_1h_tokens=dice.choice([0, dice.randrange(written + 1)]),
    )


def by_library(model_id: str, used: Usage) -> decimal.Decimal:
    """Its `input_tokens` are the whole prompt, its `cache_write_tokens` all that were written."""
    counts = {
        "input_tokens": used.whole_prompt,
        "output_tokens": used.completion_tokens,
        "cache_read_tokens": used.cache_read_tokens,
        "cache_write_tokens": used.cache_write_tokens,
        "cache_write_1h_tokens": used.cache_write_1h_tokens,
    }
    return calc_price(LibraryUsage(**counts), model_id, provider_id="aws", genai_request_timestamp=NOON).total_price


def test_two_hundred_random_calls_of_thirty_models_cost_what_the_library_calculates():
    dice = random.Random(20261128)
    assert len(MODELS) == 30
    steps = 0
    for n in range(210):
        model_id, used = MODELS[n % 30], usage(dice)
        price, source = model_price(model_id, Asked("us-east-1", TODAY), [])
        assert source.origin == "library"
        assert charge(used, price).usd == by_library(model_id, used), (model_id, used)
        steps += price.rates(used.whole_prompt) is not price
    assert steps > 10  # the long prompts' rates were among them


@pytest.mark.parametrize("variant", ["flex", "priority", "batch"])
def test_a_tier_is_the_librarys_sum_times_the_factor_of_its_rule(variant):
    dice, factor = random.Random(7), {"flex": 0.5, "priority": 1.75, "batch": 0.5}[variant]
    for _ in range(20):
        used = usage(dice)
        price, source = model_price("amazon.nova-pro-v1:0", Asked("us-east-1", TODAY, variant), [])
        assert (
            source.rules[-1] == f"{variant}: × {factor:g} (`amazon.nova-pro-v1:0` in configs/pricing/every-region.yaml)"
        )
        assert charge(used, price).usd == by_library("amazon.nova-pro-v1:0", used) * exact(factor)


def test_in_another_geography_a_book_goes_before_the_library_and_is_named():
    """1,000,000 tokens at $1.05, the library's $0.80; 2,000 at $4.20 per million, 0.0084."""
    used = Usage(1_000_000, 2_000)
    price, source = model_price("eu.amazon.nova-pro-v1:0", Asked("eu-west-1", TODAY), [])
    assert (source.origin, source.name) == ("book", "configs/pricing/every-region.yaml")
    assert charge(used, price).usd == decimal.Decimal("1.0584")
    assert by_library("eu.amazon.nova-pro-v1:0", used) == decimal.Decimal("0.8064")  # 0.80 + 0.0064


def test_a_long_prompt_is_five_times_as_dear_as_a_whole():
    """Haiku 5.5, global: 162,848 tokens of a prompt at $0.50 per million, 20 of an answer at $2.50."""
    price = model_price("global.anthropic.claude-haiku-5-5", Asked("us-east-1", TODAY), []).price
    assert charge(Usage(162_848, 20), price).usd == decimal.Decimal("0.081474")  # 0.081424 + 0.00005
    assert charge(Usage(62_848, 20, cache_read_tokens=37_152), price).usd == decimal.Decimal("0.00666632")
    # 100,000 tokens are not above the step: 0.0062848 + 0.00000001 × 37,152 + 0.0000005 × 20
