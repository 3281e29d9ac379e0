"""Which price an id of Bedrock has: its own entry's, in its own geography and region, or a remedy."""

import datetime

import pytest

from locustfiles.contract.prices.find_price import Asked, NoPrice, model_price

TODAY = datetime.date(2026, 11, 28)
#: id -> USD per million tokens in and out, by the price lists of November 2026
PRICED = {
    # Claude: in a geography and in a region 10 % above the global price from 4.5 on
    "global.anthropic.claude-sonnet-5-5": (2.0, 10.0),
    "us.anthropic.claude-sonnet-5-5": (2.2, 11.0),
    "us.anthropic.claude-opus-5-5": (4.4, 22.0),
    "global.anthropic.claude-opus-5-5": (4.0, 20.0),
    "apac.anthropic.claude-opus-5-5": (4.4, 22.0),
    "sa.anthropic.claude-opus-5-5": (4.4, 22.0),
    "global.anthropic.claude-haiku-5-5": (0.1, 0.5),
    "jp.anthropic.claude-haiku-5-5": (0.11, 0.55),
    "anthropic.claude-haiku-5-5": (0.11, 0.55),
    "us-gov.anthropic.claude-haiku-5-5": (0.12, 0.6),
    "eu.anthropic.claude-sonnet-4-6": (3.3, 16.5),
    "in.anthropic.claude-sonnet-4-6": (3.3, 16.5),
    "global.anthropic.claude-sonnet-4-6": (3.0, 15.0),
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": (3.3, 16.5),
    "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0": (3.6, 18.0),
    "us.anthropic.claude-haiku-4-5-20251001-v1:0": (1.1, 5.5),
    "anthropic.claude-haiku-4-5": (1.1, 5.5),
    "eu.anthropic.claude-opus-4-5-20251101-v1:0": (5.5, 27.5),
    "us.anthropic.claude-opus-4-1-20250805-v1:0": (15.0, 75.0),
    "us.anthropic.claude-sonnet-4-20250514-v1:0": (3.0, 15.0),
    "anthropic.claude-3-5-sonnet-20241022-v2:0": (3.0, 15.0),
    "anthropic.claude-3-haiku-20240307-v1:0": (0.25, 1.25),
    "us.anthropic.claude-fable-5-2": (8.8, 44.0),
    "global.anthropic.claude-mythos-5-1": (10.0, 50.0),
    "anthropic.claude-mythos-5-1": (11.0, 55.0),
    "global.anthropic.claude-haiku-4-5": (1.0, 5.0),
    "anthropic.claude-instant-v1:2:100k": (0.8, 2.4),
    "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-instant-v1": (2.48, 8.38),
    # Nova
    "us.amazon.nova-lite-v1:0": (0.06, 0.24),
    "amazon.nova-micro-v1:0": (0.035, 0.14),
    "amazon.nova-pro-v1:0:300k": (0.8, 3.2),
    "apac.amazon.nova-pro-v1:0": (0.84, 3.36),
    "eu.amazon.nova-pro-v1:0": (1.05, 4.2),
    "us-gov.amazon.nova-pro-v1:0": (0.96, 3.84),
    "global.amazon.nova-2-lite-v1:0": (0.3, 2.5),
    "us.amazon.nova-2-lite-v1:0": (0.33, 2.75),
    "amazon.nova-2-lite-v1:0": (0.33, 2.75),
    "eu.amazon.nova-2-lite-v1:0": (0.429, 3.597),
    "jp.amazon.nova-2-lite-v1:0": (0.396, 3.311),
    # others
    "us.meta.llama4-maverick-17b-instruct-v1:0": (0.24, 0.97),
    "us.meta.llama4-scout-17b-instruct-v1:0": (0.17, 0.66),
    "meta.llama3-1-405b-instruct-v1:0": (2.4, 2.4),
    "meta.llama3-3-70b-instruct-v1:0": (0.72, 0.72),
    "meta.llama2-13b-chat-v1": (0.75, 1.0),
    "mistral.mistral-large-3-675b-instruct": (0.5, 1.5),
    "mistral.mistral-large-2407-v1:0": (2.0, 6.0),
    "openai.gpt-oss-120b-1:0": (0.15, 0.6),
    "openai.gpt-oss-120b": (0.15, 0.6),
    "us-gov.openai.gpt-oss-20b-1:0": (0.084, 0.36),
    "global.openai.gpt-6-sol": (2.0, 10.0),
    "in.openai.gpt-6-sol": (2.2, 11.0),
    "openai.gpt-6-sol": (2.2, 11.0),
    "us.openai.gpt-5.5": (5.5, 33.0),
    "openai.gpt-5.5": (5.5, 33.0),
    "deepseek.v3-v1:0": (0.58, 1.68),
    "us.deepseek.v3.2": (0.62, 1.85),
    "us.deepseek.r1-v1:0": (1.35, 5.4),
    "qwen.qwen3-235b-a22b-2507-v1:0": (0.22, 0.88),
    "qwen.qwen3-32b-v1:0": (0.15, 0.6),
    "minimax.minimax-m2": (0.3, 1.2),
    "moonshotai.kimi-k2.5": (0.6, 3.0),
    "global.moonshotai.kimi-k3": (3.0, 15.0),
    "zai.glm-5": (1.0, 3.2),
    "nvidia.nemotron-super-3-120b": (0.15, 0.65),
    "amazon.titan-embed-text-v2:0": (0.02, 0.0),
    "amazon.titan-embed-text-v2:0:8k": (0.02, 0.0),
    "amazon.titan-embed-text-v1:2:8k": (0.1, 0.0),
    "anthropic.claude-v2:0:18k": (8.0, 24.0),
    "cohere.embed-english-v3": (0.1, 0.0),
    "cohere.embed-english-v3:0:512": (0.1, 0.0),
    "us.cohere.embed-v4:0": (0.12, 0.0),
    "amazon.titan-text-express-v1": (0.2, 0.6),
    "writer.palmyra-x5-v1:0": (0.6, 6.0),
    "ai21.jamba-1-5-large-v1:0": (2.0, 8.0),
    "ai21.j2-ultra-v1:0:8k": (18.8, 18.8),
    "cohere.command-text-v14:7:4k": (1.0, 2.0),
    # ARNs
    "arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0": (0.3, 0.6),
    "arn:aws:bedrock:eu-west-2::foundation-model/meta.llama3-8b-instruct-v1:0": (0.39, 0.78),
    "arn:aws:bedrock:sa-east-1::foundation-model/meta.llama3-70b-instruct-v1:0": (4.45, 5.88),
    "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-sonnet-5-5": (2.2, 11.0),
    "arn:aws:bedrock:::foundation-model/amazon.nova-lite-v1:0": (0.06, 0.24),
    "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0": (0.96, 3.84),
    "arn:aws-us-gov:bedrock:::foundation-model/amazon.nova-pro-v1:0": (0.96, 3.84),
    "arn:aws-us-gov:bedrock:us-gov-east-1::foundation-model/openai.gpt-5.4": (3.3, 19.8),
    "arn:aws-us-gov:bedrock:us-gov-east-1:123456789012:inference-profile/us-gov.anthropic.claude-sonnet-5-5": (
        2.4,
        12.0,
    ),
}
ADD = "add it to the price book or give the target its own `price:`"
ARN = "arn:aws:bedrock:us-east-1:123456789012:"
REFUSED = {
    # another version, size or family: neither priced as what is known nor hinted at
    "us.amazon.nova-lite-v9:0": f"no price for model `us.amazon.nova-lite-v9:0`; {ADD}",
    "anthropic.claude-opus-4-50": f"no price for model `anthropic.claude-opus-4-50`; {ADD}",
    "meta.llama3-9b-instruct-v1:0": f"no price for model `meta.llama3-9b-instruct-v1:0`; {ADD}",
    "meta.llama3-70b-instruct-v2:0": f"no price for model `meta.llama3-70b-instruct-v2:0`; {ADD}",
    "anthropic.claude-3-5-sonnet-20990101-v1:0": f"no price for model `anthropic.claude-3-5-sonnet-20990101-v1:0`; {ADD}",
    "amazon.nova-mini-v1:0": f"no price for model `amazon.nova-mini-v1:0`; {ADD}",
    "us.nobody.knows-this-v1:0": f"no price for model `us.nobody.knows-this-v1:0`; {ADD}",
    "anthropic.claude-3-5-sonnet": f"no price for model `anthropic.claude-3-5-sonnet`; {ADD}",  # v1 or v2
    "us.us.amazon.nova-lite-v1:0": f"no price for model `us.us.amazon.nova-lite-v1:0`; {ADD}",
    # as other tools write it
    "bedrock/converse/us.amazon.nova-lite-v1:0": "did you mean `us.amazon.nova-lite-v1:0`? Else add it",
    "anthropic.claude-haiku-4-5@20251001": "did you mean `anthropic.claude-haiku-4-5-20251001-v1:0`? Else add it",
    "amazon.nova-lite-v1:0 ": "did you mean `amazon.nova-lite-v1:0`? Else add it",
    # a slip of the keyboard
    "meta.llama3-8b-instrcut-v1:0": "did you mean `meta.llama3-8b-instruct-v1:0`? Else add it",
    "us.anthropic.claude-sonnet-5.5": "did you mean `us.anthropic.claude-sonnet-5-5`? Else add it",
    "US.anthropic.claude-sonnet-5-5": "did you mean `us.anthropic.claude-sonnet-5-5`? Else add it",
    "us.meta.llama3-3-70b-instrutc-v1:0": "did you mean `us.meta.llama3-3-70b-instruct-v1:0`? Else add it",
    # as people say it: without vendor, date and version, of which there may be two
    "claude-sonnet-4.5": "did you mean `anthropic.claude-sonnet-4-5-20250929-v1:0`? Else add it",
    "nova-lite": "did you mean `amazon.nova-lite-v1:0`? Else add it",
    "llama3-1-70b-instruct": "did you mean `meta.llama3-1-70b-instruct-v1:0`? Else add it",
    "titan-embed-text-v2": "did you mean `amazon.titan-embed-text-v2:0`? Else add it",
    "claude-3-5-sonnet": "no price for model `claude-3-5-sonnet`; add it",
    "nova-lite-v2": "no price for model `nova-lite-v2`; add it",
    "claude-sonnet-4-5-20250101": "no price for model `claude-sonnet-4-5-20250101`; add it",
    "claude-sonnet-4-5-20250929-v1:0": "did you mean `anthropic.claude-sonnet-4-5-20250929-v1:0`? Else add it",
    "claude-3-haiku-20240307-v1:0": "did you mean `anthropic.claude-3-haiku-20240307-v1:0`? Else add it",
    # other prices than those that are known
    "us-gov.anthropic.claude-3-haiku-20240307-v1:0": "in AWS GovCloud, which bills about 20 % more than other regions; add it",
    "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/deepseek.v3-v1:0": "in AWS GovCloud",
    "arn:aws-cn:bedrock:cn-north-1::foundation-model/amazon.nova-lite-v1:0": "AWS bills there in CNY",
    "arn:aws-eusc:bedrock:eusc-de-east-1::foundation-model/amazon.nova-lite-v1:0": "has prices of its own, in EUR",
    "arn:aws-iso-b:bedrock:us-isob-east-1::foundation-model/amazon.nova-lite-v1:0": "which are not public",
    # billed otherwise
    "stability.sd3-5-large-v1:0": "it is billed by the image: add `price: {units: {image: USD}}`",
    "us.twelvelabs.pegasus-1-2-v1:0": "it is billed by the second: add `price: {units: {second: USD}}`, with `input:` and `output:`",
    f"{ARN}provisioned-model/abc": "provisioned throughput is billed by the hour and model unit; add `price: {usd_per_hour",
    f"{ARN}imported-model/abc": "an imported model is billed by the hour and model unit; add `price: {usd_per_hour",
    f"{ARN}custom-model/amazon.nova-lite-v1:0:300k/abc": "a custom model is billed by the hour",
    f"{ARN}custom-model-deployment/abc": "does not name its model; add `price:` with that of the model behind it",
    f"{ARN}application-inference-profile/abc": "an application inference profile does not name its model; add `price:`",
    f"{ARN}prompt/ABC:1": "a managed prompt does not name its model; add `price:`",
    f"{ARN}prompt-router/abc": "a prompt router bills whichever model it chose; add `price:` with that of its dearest model",
    f"{ARN}default-prompt-router/anthropic.claude:1": "a prompt router bills whichever model it chose",
    "arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine": "a marketplace endpoint is billed by its instances; add `price:",
    "arn:aws:sagemaker:us-east-1:123456789012:inference-component/mine": "is billed by its instances; add `price:",
    f"{ARN}agent-alias/ABC/DEF": "an agent bills every model that it calls",
    f"{ARN}guardrail/ABC": "this ARN names neither a foundation-model nor an inference-profile; check it",
}


def asked(region: str | None = "us-east-1", **others) -> Asked:
    return Asked(region, TODAY, **others)


@pytest.mark.parametrize("model_id", PRICED)
def test_an_id_has_the_price_of_its_own_entry(model_id):
    price, source = model_price(model_id, asked(), [])
    assert (round(price.input * 1000, 9), round(price.output * 1000, 9)) == PRICED[model_id]
    assert source.entry and source.as_of and source.text


@pytest.mark.parametrize("model_id", REFUSED)
def test_an_id_without_a_price_is_told_what_it_is_billed_by(model_id):
    with pytest.raises(NoPrice) as e:
        model_price(model_id, asked(), [])
    assert REFUSED[model_id] in str(e.value)


@pytest.mark.parametrize("region", ["cn-north-1", "eusc-de-east-1", "us-iso-east-1"])
def test_no_known_price_is_taken_for_a_region_that_is_billed_apart(region):
    with pytest.raises(NoPrice, match="add `price:`"):
        model_price("amazon.nova-lite-v1:0", asked(region), [])


def test_a_shipped_price_with_cache_reads_bills_writes_as_the_library_does():
    """Nova Pro has no price of writes: its input's in a region, 0.8 per million, and in Europe, 1.05. GPT-5.4 doubles above 272,000."""
    rule = "cache_write, cache_write_1h: at the input price, without one of their own"
    in_europe, gpt = (model_price(each, asked(), []) for each in ("eu.amazon.nova-pro-v1:0", "openai.gpt-5.4"))
    assert (in_europe.price.cache_write, in_europe.price.cache_write_1h) == (0.00105, 0.00105)
    assert rule in in_europe.source.rules
    assert model_price("us.amazon.nova-pro-v1:0", asked(), []).price.cache_write == 0.0008
    assert [gpt.price.rates(prompt).cache_write for prompt in (272_000, 272_001)] == [0.00275, 0.0055]


def test_a_price_of_speech_says_that_it_is_that_of_text():
    assert any(
        "those of sound cost more" in rule for rule in model_price("amazon.nova-sonic-v1:0", asked(), []).source.rules
    )


def test_a_query_of_reranking_has_a_price_and_its_tokens_none():
    price = model_price("cohere.rerank-v3-5:0", asked(), []).price
    assert (price.units, price.input, price.output) == ({"query": 0.002}, 0, 0)


@pytest.mark.parametrize(
    ("model_id", "region", "said"),
    [
        (
            "in.anthropic.claude-sonnet-4-6",
            "ap-south-1",
            "has no price of `in.anthropic.claude-sonnet-4-6`: it is taken to cost",
        ),
        (
            "us.zai.glm-5",
            "us-east-1",
            "no source has a price of `us.zai.glm-5`: it is taken to cost what `zai.glm-5` does",
        ),
        ("mistral.mistral-large-2402-v1:0", "eu-west-1", "for all regions, and eu-west-1 may cost more"),
        ("eu.meta.llama3-3-70b-instruct-v1:0", "eu-west-1", "for all regions, and `eu.` may cost more"),
        (
            "deepseek.v3-v1:0",
            "ap-northeast-1",
            "every-region.yaml has one price of `deepseek.v3-v1:0` for all regions, and ap-",
        ),
        ("deepseek.v3-v1:0", "us-west-2", None),
        ("us.meta.llama3-3-70b-instruct-v1:0", "us-east-1", None),
        ("eu.anthropic.claude-sonnet-5-5", "eu-west-1", None),
        ("eu.amazon.nova-pro-v1:0", "eu-west-1", None),
    ],
)
def test_a_price_that_may_be_another_one_says_so(model_id, region, said):
    cautions = model_price(model_id, asked(region), []).source.cautions
    assert said in cautions[0] if said else cautions == ()


def test_prices_have_the_date_of_the_run():
    """GPT-5.6 Sol went from 5 to 4 USD per million, and its step with it, on 21 August 2026."""
    before, after = (
        model_price("global.openai.gpt-5.6-sol", Asked("us-east-1", datetime.date(2026, 8, day)), []).price
        for day in (20, 22)
    )
    assert (before.input, after.input) == (0.005, 0.004)
    assert (before.rates(272_001).input, after.rates(272_001).input) == (0.010, 0.008)


@pytest.mark.parametrize(
    ("model_id", "variant", "per_million", "rule"),
    [
        ("amazon.nova-pro-v1:0", "flex", (0.4, 1.6), "flex: × 0.5"),  # 0.8 and 3.2
        ("us.amazon.nova-pro-v1:0", "priority", (1.4, 5.6), "priority: × 1.75"),
        ("us.amazon.nova-2-lite-v1:0", "batch", (0.165, 1.375), "batch: × 0.5"),  # 0.33 and 2.75
        ("us.moonshotai.kimi-k3", "flex", (1.65, 8.25), "flex: × 0.5"),  # 3.3 and 16.5
        ("google.gemma-3-12b-it", "priority", (0.16, 0.51), "priority: its own rates"),
        ("minimax.minimax-m2", "priority", (0.52, 2.1), "priority: its own rates"),
    ],
)
def test_a_service_tier_is_on_top_of_the_price_and_named(model_id, variant, per_million, rule):
    price, source = model_price(model_id, asked(variant=variant), [])
    assert (round(price.input * 1000, 9), round(price.output * 1000, 9)) == per_million
    assert any(each.startswith(rule) for each in source.rules), source.rules


@pytest.mark.parametrize("variant", ["reserved", "latency_optimized"])
def test_a_tier_without_a_known_price_is_refused(variant):
    with pytest.raises(NoPrice, match=f"`{variant}` has a price of its own, which is not in genai-prices"):
        model_price("amazon.nova-pro-v1:0", asked(variant=variant), [])


def test_a_guardrails_units_have_a_price():
    assert model_price("amazon.nova-lite-v1:0", asked(), []).price.guardrail["contentPolicyUnits"] == 0.00015
