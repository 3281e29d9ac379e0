"""Price books: what they must say, what is refused, and the ones that come with the project."""

import datetime
import pathlib

import pytest

from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import BadPriceBook, PriceBook, load_price_book

ROOT = pathlib.Path(__file__).parents[2]
GOOD = """\
region: us-east-1
currency: USD
as_of: 2024-04-15
source: https://aws.amazon.com/bedrock/pricing/
instances:
  ml.p4d.24xlarge: 37.688
models:
  meta.llama2-13b-chat-v1: {input: 0.00075, output: 0.001}
  us.only-as-profile-v1: {input: 0.5, output: 1.0}
"""


def load(tmp_path, text: str = GOOD) -> PriceBook:
    path = tmp_path / "book.yaml"
    path.write_text(text)
    return load_price_book(path)


def test_a_book_has_a_date_a_region_a_source_and_prices(tmp_path):
    book = load(tmp_path)
    assert (book.region, book.as_of, book.source) == (
        "us-east-1",
        datetime.date(2024, 4, 15),
        "https://aws.amazon.com/bedrock/pricing/",
    )
    assert book.instance("ml.p4d.24xlarge") == 37.688
    assert book.model("meta.llama2-13b-chat-v1") == TokenPrice(input=0.00075, output=0.001)


@pytest.mark.parametrize(
    "model_id",
    [
        "meta.llama2-13b-chat-v1",
        "us.meta.llama2-13b-chat-v1",
        "apac.meta.llama2-13b-chat-v1",
        "global.meta.llama2-13b-chat-v1",
        "arn:aws:bedrock:us-east-1::foundation-model/meta.llama2-13b-chat-v1",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.meta.llama2-13b-chat-v1",
    ],
)
def test_an_inference_profile_or_arn_costs_what_its_model_costs(tmp_path, model_id):
    assert load(tmp_path).model(model_id).input == 0.00075


def test_a_profile_with_a_price_of_its_own_has_that(tmp_path):
    assert load(tmp_path).model("us.only-as-profile-v1").output == 1.0
    with pytest.raises(BadPriceBook, match="no price for model `only-as-profile-v1`"):
        load(tmp_path).model("only-as-profile-v1")


def test_an_unknown_name_is_not_free(tmp_path):
    with pytest.raises(
        BadPriceBook, match=r"no price for instance type `ml.p4d.24xlage`; did you mean `ml.p4d.24xlarge`\? Else add it"
    ):
        load(tmp_path).instance("ml.p4d.24xlage")
    with pytest.raises(
        BadPriceBook, match="no price for model `zzz`; add it to the price book or give the target its own `price:`"
    ):
        load(tmp_path).model("zzz")


MISTAKES = {
    "a price per million": (
        ("input: 0.00075", "input: 0.75, cache_read: 1.01"),
        8,
        "models.meta.llama2-13b-chat-v1.cache_read: above $1 per 1,000 tokens: this looks like a price per million; "
        "divide it by 1,000 (got 1.01)",
    ),
    "a negative price": (
        ("output: 0.001", "output: -0.001"),
        8,
        "models.meta.llama2-13b-chat-v1.output: input should be greater",
    ),
    "an infinite price": (
        ("output: 0.001", "output: .inf"),
        8,
        "models.meta.llama2-13b-chat-v1.output: input should be a finite number",
    ),
    "a price as text": (
        ("37.688", "'37.688'"),
        6,
        "instances.ml.p4d.24xlarge: input should be a valid number (got '37.688')",
    ),
    "an instance for nothing": (
        ("37.688", "0"),
        6,
        "instances.ml.p4d.24xlarge: input should be greater than 0 (got 0)",
    ),
    "a missing price": ((", output: 0.001}", "}"), 8, "models.meta.llama2-13b-chat-v1.output: missing; add `output:`"),
    "an unknown key": (("{input: 0.00075", "{imput: 0.00075"), 8, "unknown key `imput`; did you mean `input`?"),
    "another currency": (("USD", "EUR"), 2, "currency: input should be 'USD' (got 'EUR')"),
    "a date that is none": (
        ("2024-04-15", "2024-02-30"),
        3,
        "not valid YAML: `2024-02-30` cannot be read (day is out of range for month)",
    ),
    "no date": (("2024-04-15", "lately"), 3, "as_of: input should be a valid date (got 'lately')"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_file_line_and_key(tmp_path, name):
    (old, new), line, said = MISTAKES[name]
    with pytest.raises(BadPriceBook) as e:
        load(tmp_path, GOOD.replace(old, new, 1))
    message = str(e.value)
    assert message.startswith(f"{tmp_path}/book.yaml:{line}: "), message
    assert said in message and "\n" not in message, message


def test_a_book_without_a_price_is_refused(tmp_path):
    with pytest.raises(BadPriceBook, match="no price in it; add `instances:` or `models:`"):
        load(tmp_path, GOOD[: GOOD.index("instances")])


def test_one_dollar_per_1000_tokens_is_the_most(tmp_path):
    assert load(tmp_path, GOOD.replace("0.00075", "1.0")).model("meta.llama2-13b-chat-v1").input == 1.0


def test_tokens_cost_by_kind_and_unknown_is_none():
    price = TokenPrice(input=0.003, output=0.015, cache_read=0.0003)
    assert price.usd(1000, 100) == pytest.approx(0.0045)  # 1 * 0.003 + 0.1 * 0.015
    assert price.usd(0, 0) == 0
    assert price.usd(1000, 100, cache_read_tokens=2000) == pytest.approx(0.0051)  # + 2 * 0.0003
    assert price.usd(None, 100) is None
    assert price.usd(1000, None) is None
    assert price.usd(1000, 100, cache_write_tokens=5) is None  # counted, but its price is not known
    assert price.usd(1000, 100, 0, 0) == pytest.approx(0.0045)


def test_an_hour_of_several_instances_costs_their_sum():
    assert HourlyPrice(usd_per_hour=7.09, instance_count=4).usd_per_hour_in_all == pytest.approx(28.36)


@pytest.mark.parametrize("path", sorted((ROOT / "configs/pricing").glob("*.yaml")), ids=lambda p: p.name)
def test_every_price_book_of_the_repository_can_be_read(path):
    assert load_price_book(path).source


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_a_price_book_holds_what_both_studies_and_the_models_need(region):
    book = load_price_book(ROOT / "configs" / "pricing" / f"{region}.yaml")
    hourly = {"ml.g5.2xlarge": 1.515, "ml.g5.12xlarge": 7.09, "ml.g5.48xlarge": 20.36, "ml.p4d.24xlarge": 37.688}
    assert book.region == region and book.instances == hourly
    assert (book.models["meta.llama2-13b-chat-v1"].input, book.models["meta.llama2-13b-chat-v1"].output) == (
        0.00075,
        0.001,
    )
    for model in book.models.values():
        assert 0 < model.input <= model.output < 0.1
    families = {name.split("-v")[0].split("-2024")[0] for name in book.models}
    assert {
        "anthropic.claude-3-haiku",
        "anthropic.claude-3-5-sonnet",
        "amazon.nova-pro",
        "meta.llama3-70b-instruct",
    } <= families


def test_the_demos_price_book_says_that_its_prices_are_made_up():
    path = ROOT / "configs" / "pricing" / "local-demo.yaml"
    book = load_price_book(path)
    assert "ml.local-cpu" in book.instances and "local.smollm2-135m-instruct-v1:0" in book.models
    assert "made up" in book.source
