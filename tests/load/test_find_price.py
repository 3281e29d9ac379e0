"""Which book goes before which, what stands in for a profile, and what is told about it."""

import datetime

import pytest

from locustfiles.contract.prices.books import Book, books_of
from locustfiles.contract.prices.find_price import Asked, NoPrice, instance_price, model_price
from locustfiles.contract.prices.price_book import load_price_book

TODAY = datetime.date(2026, 11, 28)
SONNET = (
    "anthropic.claude-sonnet-4-5-20250929-v1:0"  # genai-prices: global 3 and 15, a geography's 3.3 and 16.5 per million
)
NOVA = "amazon.nova-pro-v1:0"  # genai-prices: 0.8 and 3.2, whatever the geography


def book(tmp_path, models: str = "", instances: str = "", region: str = "us-east-1") -> Book:
    path = tmp_path / "mine.yaml"
    parts = f"models: {{{models}}}\n" * bool(models) + f"instances: {{{instances}}}\n" * bool(instances)
    path.write_text(f"region: {region}\ncurrency: USD\nas_of: 2026-11-01\nsource: an offer\n{parts}")
    return Book("mine.yaml", load_price_book(path))


def price(model_id: str, *books: Book, region: str | None = "us-east-1", variant=None):
    return model_price(model_id, Asked(region, TODAY, variant), list(books))


@pytest.mark.parametrize("model_id", [SONNET, f"us.{SONNET}", f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}"])
def test_an_entry_of_the_scenarios_book_goes_before_all_others(tmp_path, model_id):
    found = price(model_id, book(tmp_path, f"{SONNET}: {{input: 0.009, output: 0.01}}"))
    assert (found.price.input, found.source.name, found.source.entry) == (0.009, "mine.yaml", SONNET)
    assert (found.source.as_of, found.source.source) == (datetime.date(2026, 11, 1), "an offer")


def test_an_entry_of_a_whole_arn_prices_what_has_no_price_by_token_else(tmp_path):
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    assert price(arn, book(tmp_path, f"'{arn}': {{input: 0.002, output: 0.003}}")).price.output == 0.003


def test_calls_of_another_geography_are_not_priced_as_their_model(tmp_path):
    """The book has the bare id at $3 per million; the global price is another one than that in a region."""
    found = price(f"global.{SONNET}", book(tmp_path, f"{SONNET}: {{input: 0.0033, output: 0.0165}}"))
    assert (found.price.input, found.source.origin) == (0.003, "library")
    assert found.source.cautions == (
        f"`{SONNET}` in mine.yaml is not taken: calls of another geography are billed apart; add `global.{SONNET}` to it",
    )


def test_a_model_stands_for_its_profile_where_both_have_one_price(tmp_path):
    """Calls in a region and in a geography cost the same by the library: 3.3 and 16.5."""
    found = price(f"us.{SONNET}", book(tmp_path, f"{SONNET}: {{input: 0.0033, output: 0.0165}}"))
    assert (found.source.name, found.source.entry, found.source.cautions) == ("mine.yaml", SONNET, ())


def test_a_shipped_price_of_a_geography_goes_before_the_named_books_model(tmp_path):
    found = price(f"eu.{NOVA}", book(tmp_path, f"{NOVA}: {{input: 0.0007, output: 0.003}}"))
    assert (found.price.input, found.source.name) == (0.00105, "configs/pricing/every-region.yaml")
    assert f"add `eu.{NOVA}` to it" in found.source.cautions[0]


def test_a_profile_in_the_named_book_is_taken_without_a_word(tmp_path):
    found = price(f"eu.{NOVA}", book(tmp_path, f"eu.{NOVA}: {{input: 0.0007, output: 0.003}}"))
    assert (found.price.input, found.source.cautions) == (0.0007, ())


def test_the_region_of_an_arn_goes_before_the_scenarios():
    llama = "meta.llama3-8b-instruct-v1:0"
    arn = f"arn:aws:bedrock:eu-west-2::foundation-model/{llama}"
    assert [price(each, *books_of(None, "us-east-1")).price.input for each in (llama, arn)] == [0.0003, 0.00039]
    assert price(arn).source.region == "eu-west-2"
    assert price(llama, region="sa-east-1").price.output == 0.00101


def test_a_discount_and_a_factor_are_on_top_of_what_is_known(tmp_path):
    """0.8 and 3.2 per million × 1.1, less 10 %: 0.792 and 3.168."""
    found = price(NOVA, book(tmp_path, f"{NOVA}: {{factor: 1.1, discount_percent: 10}}"))
    assert (found.price.input, found.price.output) == (0.000792, 0.003168)
    assert found.source.origin == "library"
    assert found.source.rules[-2:] == (f"× 1.1: `{NOVA}` in mine.yaml", "less 10 %")


def test_a_discount_counts_for_an_entrys_own_figures_and_its_tier(tmp_path):
    """0.001 less 25 % is 0.00075; its half by flex 0.000375."""
    mine = book(tmp_path, f"{NOVA}: {{input: 0.001, output: 0.002, discount_percent: 25, variants: {{flex: 0.5}}}}")
    assert price(NOVA, mine).price.input == 0.00075
    found = price(NOVA, mine, variant="flex")
    assert (found.price.input, found.source.rules) == (0.000375, ("less 25 %", "flex: × 0.5"))


def test_a_tiers_own_rates_hold_for_the_entry_that_has_them(tmp_path):
    mine = book(
        tmp_path, f"{NOVA}: {{input: 0.001, output: 0.002, variants: {{flex: {{input: 0.0004, output: 0.0007}}}}}}"
    )
    assert price(NOVA, mine, variant="flex").price.output == 0.0007
    assert price(f"us.{NOVA}", mine, variant="flex").price.output == 0.0007  # priced by that entry, too


def test_rates_of_one_region_are_no_other_regions_tier():
    """every-region.yaml has rates of Gemma's priority tier; a factor of them would hold anywhere, the rates do not."""
    assert price("google.gemma-3-12b-it", variant="priority").price.input == 0.00016
    assert (
        price("nvidia.nemotron-super-3-120b", region="eu-west-2", variant="flex").price.input == 0.000115
    )  # 0.00023 / 2


def test_an_instance_has_its_price_a_discount_and_a_hint_only_for_a_slip(tmp_path):
    mine = book(tmp_path, instances="ml.g5.2xlarge: {usd_per_hour: 2.0, discount_percent: 20}")
    shipped = books_of(None, "us-east-1")
    found = instance_price("ml.g5.2xlarge", TODAY, [mine, *shipped])
    assert (found.price.usd_per_hour, found.source.rules) == (1.6, ("less 20 %",))
    assert instance_price("ml.inf2.48xlarge", TODAY, shipped).price.usd_per_hour == 15.58
    with pytest.raises(NoPrice, match="`ml.p4d.24xlage`; did you mean `ml.p4d.24xlarge`"):
        instance_price("ml.p4d.24xlage", TODAY, shipped)
    for other in (
        "ml.p5e.48xlarge",
        "ml.p5en.48xlarge",
        "ml.trn2.48xlarge",
        "ml.p6-b200.48xlarge",
        "ml.g7e.8xlarge",
    ):
        with pytest.raises(NoPrice) as e:
            instance_price(other, TODAY, shipped)
        assert "did you mean" not in str(e.value) and "add it to the price book" in str(e.value)


def test_the_named_book_then_the_regions_are_looked_into(tmp_path):
    named = tmp_path / "mine.yaml"
    book(tmp_path, f"{NOVA}: {{input: 0.001, output: 0.002}}")
    assert [b.name for b in books_of(named, "us-west-2")] == [str(named), "configs/pricing/us-west-2.yaml"]
    assert [b.name for b in books_of(None, "no-such-region")] == []


@pytest.mark.parametrize("region", ["us-east-1", "us-east-2", "us-west-2"])
def test_a_shipped_figure_that_is_not_of_hosting_says_so_in_its_line_and_with_the_price(region):
    (shipped,) = books_of(None, region)
    entries = [(name, entry) for name, each in shipped.content.instances.items() for entry in each]
    for name, entry in entries:
        found = instance_price(name, entry.effective or datetime.date(2025, 5, 31), [shipped])
        if entry.component is None:
            assert found.source.cautions == () and "Batch" not in found.source.source
            continue
        (told,) = found.source.cautions
        assert told.startswith(
            f"its source has the figure of {entry.component}, and real-time hosting may cost otherwise;"
        )
        assert told.endswith(f"(`python -m analysis prices update --region {region}` asks AWS)")
    others = {name for name, entry in entries if entry.component}
    assert ("ml.g5.12xlarge" in others) == (region == "us-west-2") and ("ml.g7e.2xlarge" in others) == (
        region != "us-east-2"
    )
