"""Items of AWS's price list: what their usage types count, in which unit, and which model their names mean."""

import datetime
import decimal

import pytest

from analysis.prices.model_names import Names
from analysis.prices.offered import offered
from analysis.prices.price_list import BEDROCK, HOSTING, MARKETPLACE, Meter, read

D = decimal.Decimal
DAY = datetime.date(2026, 11, 28)


def item(usage: str, usd: str, unit: str = "1K tokens", description: str = "", **attributes: str) -> dict:
    dimension = {
        "unit": unit,
        "description": description,
        "pricePerUnit": {"USD": usd},
        "beginRange": "0",
        "endRange": "Inf",
    }
    return {
        "product": {"attributes": {"usagetype": usage, **attributes}},
        "terms": {"OnDemand": {"S.T": {"priceDimensions": {"S.T.R": dimension}}}},
    }


#: usage type -> what it counts, of the marketplace's offer and of Bedrock's own
COUNTED = {
    "USE1-MP:USE1_InputTokenCount-Units": Meter("input"),
    "USE1-MP:USE1_OutputTokenCount_Global-Units": Meter("output", everywhere=True),
    "USW2-MP:USW2_cache_write_tokens_1h_global_standard-Units": Meter("cache_write_1h", everywhere=True),
    "USW2-MP:USW2_CacheWrite1hInputTokenCount_Global-Units": Meter("cache_write_1h", everywhere=True),
    "USW2-MP:USW2_CacheReadInputTokenCount-Units": Meter("cache_read"),
    "USW2-MP:USW2_cache_write_tokens_30m_standard-Units": Meter("cache_write_30m"),
    "USW2-MP:USW2_input_tokens_long_ctx_global_standard-Units": Meter("input", everywhere=True, long=True),
    "USE1-MP:USE1_InputTokenCount_LCtx-Units": Meter("input", long=True),
    "EUW2-MP:EUW2_InputTokenCount_Global_Batch-Units": Meter("input", "batch", everywhere=True),
    "APN1-MP:APN1_MillionBatchInputTokens-Units": Meter("input", "batch"),
    "USE1-MP:USE1_OutputTokenCount_LatencyOptimized-Units": Meter("output", "latency_optimized"),
    "USE1-NovaPro-input-tokens": Meter("input"),
    "EU-Qwen3-32B-output-tokens-batch": Meter("output", "batch"),
    "USE1-Nova2.0Lite-input-tokens-cross-region-global": Meter("input", everywhere=True),
    "USE1-Nova2.0Lite-input-tokens-priority-cross-region-global": Meter("input", "priority", everywhere=True),
    "USE1-Nova2.0Pro-text-output-tokens-flex": Meter("output", "flex"),
    "USE1-Claude4Sonnet-output-tokens-long-context-cross-region-global": Meter("output", everywhere=True, long=True),
    "USE1-Claude4Sonnet-cache-write-input-token-count-1-hour-cross-region-global": Meter(
        "cache_write_1h", everywhere=True
    ),
    "USE1-NovaPro-cache-read-input-token-count": Meter("cache_read"),
    "USW2-moonshotai.kimi-k3-mantle-cache-write-tokens-30m-standard": Meter("cache_write_30m"),
}


@pytest.mark.parametrize("usage", COUNTED)
def test_a_usage_type_says_kind_tier_place_and_length(usage):
    offer = MARKETPLACE if "-MP:" in usage else BEDROCK
    [row] = read(offer, [item(usage, "1", "1M tokens", servicename="A (Amazon Bedrock Edition)", model="A")]).tokens
    assert (row.name, row.meter) == ("A", COUNTED[usage])


@pytest.mark.parametrize(
    "usage",
    [
        "USW2-MP:USW2_Reserved_1Month_InputTPM_Geo-Units",
        "USE1-MP:USE1_ProvisionedThroughput_ModelUnits-Units",
        "USE1-MP:USE1_Created_image-Units",
        "USE1-Nova2.0Omni-input-audio-token-count",
        "USE1-NovaSonic-speech-input-tokens",
        "USE1-Llama3-1-70B-input-tokens-custom-model",
        "USE1-NovaPro-ProvisionedThroughput-ModelUnits",
        "USE1-Guardrail-ContentPolicyUnitsConsumed",
        "",
    ],
)
def test_what_counts_something_else_is_passed_over(usage):
    found = read(MARKETPLACE if "-MP:" in usage else BEDROCK, [item(usage, "1")])
    assert (found.tokens, found.passed, found.unclear) == ([], 1, [])


def test_a_search_unit_has_the_price_of_one():
    own = item("USW2-AmazonRerank-v1-searchunits", "0.001", "Search Units", servicename="Amazon Bedrock")
    edition = {"servicename": "Cohere Rerank v3.5 (Amazon Bedrock Edition)"}
    assert read(BEDROCK, [own]).searches == {"AmazonRerank-v1": D("0.001")}
    found = read(MARKETPLACE, [item("USE1-MP:USE1_search_units-Units", "0.0020000000", "Units", **edition)])
    assert (found.searches, found.tokens, found.unclear) == ({"Cohere Rerank v3.5": D("0.002")}, [], [])
    [unclear] = read(MARKETPLACE, [item("USE1-MP:USE1_search_units-Units", "2", "1K", **edition)]).unclear
    assert unclear.endswith("$2 is more than a search unit costs; its unit is `1K`")


def test_the_unit_is_the_items_own_and_never_guessed():
    # $3 per million and $0.003 per thousand are one price
    million = read(MARKETPLACE, [item("USE1-MP:USE1_InputTokenCount-Units", "3", "1M tokens")])
    units = read(
        MARKETPLACE,
        [
            item(
                "USE1-MP:USE1_InputTokenCount-Units",
                "3",
                "Units",
                "AWS Marketplace software usage|Million Input Tokens",
            )
        ],
    )
    thousand = read(BEDROCK, [item("USE1-Claude3Sonnet-input-tokens", "0.003")])
    assert [found.tokens[0].usd_per_1k for found in (million, units, thousand)] == [D("0.003")] * 3
    hidden = read(MARKETPLACE, [item("USE1-MP:USE1_InputTokenCount-Units", "3", "Units")])
    assert hidden.tokens == [] and "unit, `Units`" in hidden.unclear[0]


def test_only_the_hour_of_a_hosted_instance_is_its_price():
    found = read(
        HOSTING,
        [
            item("USE1-Host:ml.g5.xlarge", "1.4080000000", "Hrs", component="Hosting"),
            item("Host:ml.p5.48xlarge", "63.296", "Hrs", component="Hosting"),
            item("USE1-Train:ml.g5.xlarge", "1.5", "Hrs", component="Training"),
            item("USE1-Host:ml.g6.xlarge", "0.0000000000", "Hrs", component="Hosting"),  # free: another way of paying
            item("USE1-Host:ml.g7e.2xlarge", "9", "GB-Mo", component="Hosting"),
        ],
    )
    assert found.hours == {"ml.g5.xlarge": D("1.4080000000"), "ml.p5.48xlarge": D("63.296")}
    assert found.passed == 3


def test_two_prices_of_one_hour_are_not_chosen_between():
    items = [item("USE1-Host:ml.g5.xlarge", usd, "Hrs", component="Hosting") for usd in ("1", "2")]
    assert read(HOSTING, items).unclear == ["USE1-Host:ml.g5.xlarge: two prices, $1 and $2"]


@pytest.mark.parametrize(
    "broken", [{}, {"product": []}, {"product": {"attributes": {"usagetype": "USE1-Host:ml.g5.xlarge"}}, "terms": 3}]
)
def test_an_item_of_another_form_is_no_price(broken):
    found = read(HOSTING, [broken])
    assert (found.hours, found.passed) == ({}, 1)


IDS = {
    "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "amazon.nova-2-lite-v1:0", "amazon.nova-lite-v1:0", "meta.llama3-1-70b-instruct-v1:0", "meta.llama3-70b-instruct-v1:0", "deepseek.r1-v1:0",
    "cohere.command-r-v1:0", "cohere.command-r-plus-v1:0", "openai.gpt-6-astra", "mistral.mistral-large-2402-v1:0",
}  # fmt: skip
NAMED = {
    "Claude Sonnet 4.5": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "Claude 3.5 Sonnet": "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "Claude 3.5 Sonnet v2": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "Nova 2.0 Lite": "amazon.nova-2-lite-v1:0",
    "Nova Lite": "amazon.nova-lite-v1:0",
    "Llama 3.1 70B": "meta.llama3-1-70b-instruct-v1:0",
    "Llama 3 70B": "meta.llama3-70b-instruct-v1:0",
    "R1": "deepseek.r1-v1:0",
    "Command R": "cohere.command-r-v1:0",
    "Command R+": "cohere.command-r-plus-v1:0",
    "OpenAI GPT-6 Astra": "openai.gpt-6-astra",
    "Mistral Large": None,  # of which version is not said
    "Claude Sonnet 5.4": None,  # the numbers of 4.5 the other way round
    "Llama 3.1 8B": None,
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_its_own_models_and_never_its_likes(name):
    assert Names(IDS).ids(name) == ([NAMED[name]] if NAMED[name] else [])


def _models(rows: dict[str, str], service: str) -> dict:
    items = [
        item(f"USE1-MP:USE1_{end}-Units", usd, "1M tokens", servicename=f"{service} (Amazon Bedrock Edition)")
        for end, usd in rows.items()
    ]
    return offered([read(MARKETPLACE, items)], {"anthropic.claude-haiku-5-5", "anthropic.claude-sonnet-4-6"}, DAY)


def test_rates_of_long_prompts_become_a_step_where_the_length_is_known():
    base = {"input_tokens_standard": "0.11", "output_tokens_standard": "0.55"}
    long = {"input_tokens_long_ctx_standard": "0.55", "output_tokens_long_ctx_standard": "2.75"}
    found = _models(base | long, "Claude Haiku 5.5")
    step = {"above": 100_000, "input": D("0.00055"), "output": D("0.00275")}
    assert found.models["anthropic.claude-haiku-5-5"]["steps"] == [step]
    # without them the entry would hide the step that is known from elsewhere; with them alone nobody knows from where on
    assert _models(base, "Claude Haiku 5.5").models == {}
    unknown = _models(base | long, "Claude Sonnet 4.6")
    assert unknown.models == {} and "from which length on" in unknown.left_out[0]


def test_a_tier_is_a_factor_where_it_is_one_and_else_its_own_rates():
    base = {"input_tokens_standard": "3.3", "output_tokens_standard": "16.5"}
    half = {"input_tokens_batch": "1.65", "output_tokens_batch": "8.25"}
    other = {"input_tokens_priority": "5", "output_tokens_priority": "30"}
    entry = _models(base | half | other, "Claude Sonnet 4.6").models["anthropic.claude-sonnet-4-6"]
    assert entry["variants"] == {"batch": D("0.5"), "priority": {"input": D("0.005"), "output": D("0.03")}}


def test_one_meter_with_two_prices_is_left_out_and_said():
    items = [
        item("USE1-MP:USE1_input_tokens_standard-Units", usd, "1M tokens", servicename="Claude Sonnet 4.6")
        for usd in ("3", "4")
    ]
    found = offered([read(MARKETPLACE, items)], {"anthropic.claude-sonnet-4-6"}, DAY)
    assert found.models == {} and "two prices of input (standard), $0.003 and $0.004" in found.left_out[0]
