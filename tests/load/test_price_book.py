"""Price books: what they must say, what is refused, and the ones that come with the project."""

import datetime
import pathlib

import pytest

from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import BadPriceBook, OnTop, PriceBook, load_price_book

ROOT = pathlib.Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "configs/pricing").glob("*.yaml"))
TODAY = datetime.date(2026, 11, 28)
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
    assert book.instance("ml.p4d.24xlarge", TODAY).usd_per_hour == 37.688
    key, entry = book.model("meta.llama2-13b-chat-v1", TODAY)
    assert key == "meta.llama2-13b-chat-v1" and (entry.input, entry.output) == (0.00075, 0.001)
    assert book.instance("ml.p4d.24xlage", TODAY) is None and book.model("zzz", TODAY) is None


@pytest.mark.parametrize("spelled", ["meta.llama2-13b-chat-v1", "meta.llama2-13b-chat-v1:0", "meta.llama2-13b-chat"])
def test_other_spellings_of_an_id_find_its_entry(tmp_path, spelled):
    assert load(tmp_path).model(spelled, TODAY)[0] == "meta.llama2-13b-chat-v1"


@pytest.mark.parametrize("other", ["meta.llama2-13b-chat-v2", "meta.llama2-70b-chat-v1", "us.meta.llama2-13b-chat-v1"])
def test_another_version_size_or_geography_is_another_entry(tmp_path, other):
    assert load(tmp_path).model(other, TODAY) is None


def test_of_a_list_the_entry_in_force_on_the_day_holds(tmp_path):
    dated = "[{usd_per_hour: 37.688}, {usd_per_hour: 25.25, effective: 2025-06-01}, {usd_per_hour: 9, effective: 2099-01-01}]"
    book = load(tmp_path, GOOD.replace("37.688", dated))
    for day, price in [("2024-04-15", 37.688), ("2025-05-31", 37.688), ("2025-06-01", 25.25), ("2026-11-28", 25.25)]:
        assert book.instance("ml.p4d.24xlarge", datetime.date.fromisoformat(day)).usd_per_hour == price


def test_what_is_billed_on_top_of_a_price_needs_none_of_its_own(tmp_path):
    text = GOOD.replace("{input: 0.00075, output: 0.001}", "{variants: {flex: 0.5}, discount_percent: 12}")
    key, entry = load(tmp_path, text).on_top("meta.llama2-13b-chat-v1", TODAY)
    assert isinstance(entry, OnTop) and (entry.variants, entry.discount_percent) == ({"flex": 0.5}, 12)
    assert load(tmp_path, text).model("meta.llama2-13b-chat-v1", TODAY) is None


def test_steps_by_prompt_length_are_a_list(tmp_path):
    steps = "steps: [{above: 100000, input: 0.5, output: 2.5}, {above: 200000, input: 0.7, output: 3}]"
    book = load(tmp_path, GOOD.replace("output: 0.001", f"output: 0.001, {steps}"))
    price = book.model("meta.llama2-13b-chat-v1", TODAY)[1]
    assert [price.rates(tokens).input for tokens in (100_000, 100_001, 200_001)] == [0.00075, 0.5, 0.7]


MISTAKES = {
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
    "a price as text": (("37.688", "'37.688'"), 6, "instances.ml.p4d.24xlarge: "),
    "a date that is none": (("2024-04-15", "2024-02-30"), 3, "2024-02-30"),
    "no date": (("2024-04-15", "lately"), 3, "as_of: "),
    "an instance for nothing": (
        ("37.688", "0"),
        6,
        "instances.ml.p4d.24xlarge: input should be greater than 0 (got 0)",
    ),
    "a discount of all": (
        ("output: 0.001", "output: 0.001, discount_percent: 100"),
        8,
        "discount_percent: input should be less than 100 (got 100)",
    ),
    "a missing price": ((", output: 0.001}", "}"), 8, "output: missing; add `output:`"),
    "an unknown key": (("{input: 0.00075", "{imput: 0.00075"), 8, "unknown key `imput`; did you mean `input`?"),
    "an unknown variant": (
        ("output: 0.001", "output: 0.001, variants: {cheap: 0.5}"),
        8,
        "input should be 'priority', 'flex', 'reserved', 'batch' or 'latency_optimized' (got 'cheap')",
    ),
    "another currency": (("USD", "EUR"), 2, "currency: input should be 'USD' (got 'EUR')"),
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


def test_an_hour_of_several_instances_costs_their_sum():
    assert HourlyPrice(usd_per_hour=7.09, instance_count=4).usd_per_hour_in_all == pytest.approx(28.36)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_every_price_of_the_repository_has_a_source_and_a_date_that_is_past(path):
    book = load_price_book(path)
    entries = [e for each in (book.instances, book.models) for listed in each.values() for e in listed]
    assert entries
    for entry in entries:
        assert (entry.source or book.source) and (entry.as_of or book.as_of) <= TODAY
    assert book.region == {"every-region": "every", "local-demo": "local"}.get(path.stem, path.stem)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_every_token_price_of_the_repository_is_per_1000(path):
    """The dearest there is costs $0.1375 per 1,000, the cheapest output $0.00004."""
    for name, listed in load_price_book(path).models.items():
        for entry in listed:
            if isinstance(entry, TokenPrice) and not entry.units:
                assert 0.00001 < entry.input < 0.15 and (entry.output == 0 or 0.00003 < entry.output < 0.15), name
                assert entry.cache_read is None or entry.cache_read < entry.input, name
                assert all(step.input > entry.input for step in entry.steps), name


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_the_books_hold_the_studys_prices_of_its_day_and_todays(region):
    book = load_price_book(ROOT / "configs" / "pricing" / f"{region}.yaml")
    study = datetime.date(2024, 4, 15)
    for name, usd in {"ml.g5.2xlarge": 1.515, "ml.g5.12xlarge": 7.09, "ml.g5.48xlarge": 20.36}.items():
        assert book.instance(name, study).usd_per_hour == book.instance(name, TODAY).usd_per_hour == usd
    assert book.instance("ml.p4d.24xlarge", study).usd_per_hour == 37.688
    assert book.instance("ml.p4d.24xlarge", TODAY).usd_per_hour == pytest.approx(25.2513, abs=1e-4)
    llama = book.model("meta.llama2-13b-chat-v1", study)[1]
    assert (llama.input, llama.output) == (0.00075, 0.001)


def test_the_demos_price_book_says_that_its_prices_are_made_up():
    book = load_price_book(ROOT / "configs" / "pricing" / "local-demo.yaml")
    assert "ml.local-cpu" in book.instances and "local.smollm2-135m-instruct-v1:0" in book.models
    assert "made up" in book.source


@pytest.mark.parametrize(("key", "meant"), [("tiers", "`steps` or `variants`"), ("step", "`steps`")])
def test_a_key_of_another_name_is_told_by_those_that_there_are(tmp_path, key, meant):
    path = tmp_path / "book.yaml"
    path.write_text(
        f"region: us-east-1\ncurrency: USD\nas_of: 2026-11-01\nsource: s\nmodels: {{m: {{input: 0.1, output: 0.1, {key}: []}}}}\n"
    )
    with pytest.raises(BadPriceBook, match=f"unknown key `{key}`; did you mean {meant}"):
        load_price_book(path)
