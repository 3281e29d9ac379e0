"""What a target costs: its own price, else the price book's, and the line that a target without one gets."""

import datetime
import pathlib
import textwrap

import pytest

from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.scenario.scenario import load_scenario
from locustfiles.contract.scenario.target_prices import odd_entries_of, price_of_model, prices_of
from tests.helpers.scenario_text import BEDROCK, GOOD, SAGEMAKER, write

ROOT = pathlib.Path(__file__).parents[2]
TODAY = datetime.date(2026, 11, 28)


def sourced(tmp_path, text: str):
    path = write(tmp_path, text)
    return prices_of(load_scenario(path), path, TODAY)[1]["a"]


def priced(tmp_path, text: str):
    return sourced(tmp_path, text).price


def test_a_targets_price_is_its_own_else_the_books(tmp_path):
    own = "    price: {input: 0.01, output: 0.02}\n"
    booked = priced(tmp_path, GOOD)
    assert (booked.input, booked.output, booked.steps) == (0.0003, 0.0006, ())
    assert priced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + own)) == TokenPrice(input=0.01, output=0.02)
    on_demand = GOOD.replace(BEDROCK, SAGEMAKER + "    instance_count: 3\n")
    assert priced(tmp_path, on_demand) == HourlyPrice(usd_per_hour=1.515, instance_count=3)
    assert priced(tmp_path, on_demand).usd_per_hour_in_all == pytest.approx(4.545)  # 3 * 1.515
    hourly = on_demand.replace("region", "    price: {usd_per_hour: 2.0}\nregion", 1)
    assert priced(tmp_path, hourly) == HourlyPrice(usd_per_hour=2.0, instance_count=3)


def test_a_price_has_the_source_that_it_is_from(tmp_path):
    own = "    price: {input: 0.01, output: 0.02}\n"
    source = sourced(tmp_path, GOOD).source
    assert (source.origin, source.name, source.as_of) == (
        "book",
        str(tmp_path / "book.yaml"),
        datetime.date(2024, 4, 15),
    )
    source = sourced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + own)).source
    assert (source.origin, source.name, source.as_of) == ("scenario", "the target's own `price:`", None)
    source = sourced(tmp_path, GOOD.replace("meta.llama3-8b-instruct-v1:0", "us.amazon.nova-lite-v1:0")).source
    assert (source.origin, source.entry, source.region) == ("library", "amazon.nova-lite-v1:0", "us-east-1")
    assert source.name.startswith("genai-prices ")


def test_without_a_book_the_shipped_ones_and_the_library_have_the_price(tmp_path):
    text = GOOD.replace("pricing: book.yaml\n", "")
    assert priced(tmp_path, text).input == 0.0003
    source = sourced(tmp_path, text.replace(BEDROCK, SAGEMAKER)).source
    assert (source.name, source.as_of) == ("configs/pricing/us-east-1.yaml", datetime.date(2026, 4, 21))


@pytest.mark.parametrize(
    "target",
    [SAGEMAKER, "  - {name: a, service: openai, base_url: http://h/v1, model_id: m, INSTANCES\n"],
    ids=["sagemaker", "openai"],
)
def test_the_instances_of_an_own_price_count(tmp_path, target):
    def of(price: str, instances: str | None = None) -> str:
        more = f"price: {price}" + (f", instance_count: {instances}" if instances else "")
        block = (
            target.replace("INSTANCES", more + "}")
            if "INSTANCES" in target
            else target + "".join(f"    {m}\n" for m in more.replace("}, i", "}\ni").split("\n"))
        )
        return GOOD.replace(BEDROCK, block)

    four = "{usd_per_hour: 1.5, instance_count: 4}"
    assert priced(tmp_path, of(four)).usd_per_hour_in_all == 6.0  # 4 * 1.5
    assert priced(tmp_path, of(four, "4")).usd_per_hour_in_all == 6.0
    assert priced(tmp_path, of("{usd_per_hour: 1.5}", "4")).usd_per_hour_in_all == 6.0
    with pytest.raises(BadScenario, match="target `a`: `instance_count` is 3, in its `price:` 4; keep one"):
        priced(tmp_path, of(four, "3"))


def test_a_target_without_a_price_names_it_and_the_book(tmp_path):
    with pytest.raises(BadScenario) as e:
        priced(tmp_path, GOOD.replace("instruct", "instrcut"))
    assert str(e.value) == (
        f"{tmp_path}/s.yaml:5: target `a`: no price for model `meta.llama3-8b-instrcut-v1:0`; did you mean "
        "`meta.llama3-8b-instruct-v1:0`? Else add it to the price book or give the target its own `price:` (book.yaml)"
    )
    with pytest.raises(
        BadScenario, match=r"target `a`: no price; add its `instance_type:` or a `price:` \(book.yaml\)"
    ):
        priced(tmp_path, GOOD.replace(BEDROCK, SAGEMAKER.replace("    instance_type: ml.g5.2xlarge\n", "")))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("service_tier: flex", "`flex` has a price of its own, which is not in"),
        ("service_tier: reserved", "`reserved` has a price of its own, which is not in"),
        ("latency: optimized", "`latency_optimized` has a price of its own, which is not in"),
    ],
)
def test_what_aws_bills_otherwise_needs_its_own_price(tmp_path, line, said):
    with pytest.raises(BadScenario) as e:
        priced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + f"    {line}\n"))
    assert f"target `a`: {said}" in str(e.value) and "under `variants:` of a price book" in str(e.value)
    own = f"    {line}\n    price: {{input: 0.01, output: 0.02}}\n"
    assert priced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + own)) == TokenPrice(input=0.01, output=0.02)
    assert priced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + "    service_tier: default\n    latency: standard\n"))


def test_a_tier_that_the_books_know_needs_no_price(tmp_path):
    """Nova Pro's $0.0008 per 1,000 times 1.75 is $0.0014."""
    nova = GOOD.replace("meta.llama3-8b-instruct-v1:0", "amazon.nova-pro-v1:0\n    service_tier: priority")
    found = sourced(tmp_path, nova)
    assert found.price.input == 0.0014
    assert found.source.rules[-1].startswith(
        "priority: × 1.75 (`amazon.nova-pro-v1:0` in configs/pricing/every-region.yaml)"
    )


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            "provisioned-model/abc",
            "provisioned throughput is billed by the hour and model unit; add `price: {usd_per_hour: ",
        ),
        ("imported-model/abc", "an imported model is billed by the hour and model unit; add `price: {usd_per_hour: "),
        (
            "application-inference-profile/abc",
            "an application inference profile does not name its model; add `price:` with that of the model behind it",
        ),
    ],
)
def test_an_arn_that_does_not_name_its_model_needs_its_own_price(tmp_path, resource, said):
    arn = f"arn:aws:bedrock:us-east-1:123456789012:{resource}"
    other = GOOD.replace("meta.llama3-8b-instruct-v1:0", arn)
    with pytest.raises(BadScenario) as e:
        priced(tmp_path, other)
    assert said in str(e.value)
    unit = other.replace("region", "    price: {usd_per_hour: 24.0, instance_count: 2}\nregion", 1)
    assert priced(tmp_path, unit).usd_per_hour_in_all == 48.0  # 2 * 24


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_every_scenario_of_the_repository_can_be_read_and_priced(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert prices_of(load_scenario(path), path, TODAY)[1]
    assert textwrap.dedent(path.read_text()).startswith("#")  # each says what it is


TWO = "`units` has query and image, and an answer has one count, which is not of both"


def test_a_price_of_two_units_is_refused_wherever_it_stands(tmp_path):
    own = "    price: {units: {query: 0.002, image: 0.04}}\n"
    with pytest.raises(BadScenario, match=rf"target `a`: `price:`: {TWO}; keep the one that it counts"):
        priced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + own))
    path = write(tmp_path, GOOD)
    book = tmp_path / "book.yaml"
    entry = "  meta.llama3-8b-instruct-v1:0: {input: 0.001, output: 0.001, units: {query: 0.002, image: 0.04}}\n"
    book.write_text(
        f"region: us-east-1\ncurrency: USD\nas_of: 2026-11-01\nsource: ours\nmodels:\n  other.model: {{input: 0.001, output: 0.001}}\n{entry}"
    )
    with pytest.raises(
        BadScenario, match=rf"book.yaml:7: models.meta.llama3-8b-instruct-v1:0: {TWO}; keep the one that it counts"
    ):
        prices_of(load_scenario(path), path, TODAY)
    assert [TWO in line for line in odd_entries_of(load_scenario(path), path, TODAY)] == [True]
    assert price_of_model("meta.llama3-8b-instruct-v1:0", load_scenario(path), path, TODAY) is None
