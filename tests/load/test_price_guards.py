"""What speaks against a price is said with it: another region, another time, other sources, a part that is priced as the whole."""

import datetime
import subprocess
import sys

import pytest

from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.prices.guards import cautions
from locustfiles.contract.prices.price import HourlyPrice, Step, TokenPrice
from locustfiles.contract.prices.sourced import Source, Sourced
from locustfiles.contract.scenario.scenario import load_scenario
from locustfiles.contract.scenario.target_prices import prices_of
from tests.helpers.scenario_text import BEDROCK, BOOK, GOOD, SAGEMAKER, write

DAY = datetime.date(2026, 11, 28)
HERE = TokenPrice(input=0.0003, output=0.0006)
LONDON = TokenPrice(input=0.00039, output=0.00078)  # 0.00039 / 0.0003 = 0.00078 / 0.0006 = 1.3
BOOK_OF = Source(origin="book", name="book.yaml", entry="m", region="us-east-1", as_of=DAY, source="a test")
LIBRARY = Source(origin="library", name="genai-prices 1", entry="m")


def told(source=BOOK_OF, region="us-east-1", on=DAY, price=HERE, elsewhere=None, **changed) -> tuple[str, ...]:
    return cautions(source.model_copy(update=changed), region, on, price, elsewhere)


def test_a_book_of_the_region_and_of_the_day_has_nothing_against_it():
    assert told() == told(elsewhere=Sourced(HERE, LIBRARY)) == ()


def test_a_book_of_another_region_says_what_it_costs_there():
    shipped = Sourced(
        LONDON, BOOK_OF.model_copy(update={"name": "configs/pricing/eu-west-2.yaml", "region": "eu-west-2"})
    )
    assert told(region="eu-west-2", elsewhere=shipped) == (
        "the price is of us-east-1 (book.yaml), and calls go to eu-west-2, where it is $0.00039 in, $0.00078 out per 1,000 tokens "
        "by configs/pricing/eu-west-2.yaml, 30 % more; use that",
    )
    assert told(region="eu-west-2") == (
        "the price is of us-east-1 (book.yaml), and calls go to eu-west-2, where it may differ; use a book of eu-west-2, or add "
        "`price:`",
    )
    assert told(region="us-west-2", elsewhere=Sourced(HERE, LIBRARY)) == ()  # it costs the same there
    for everywhere in ("local", "every", None):
        assert told(region="eu-west-2", source=BOOK_OF.model_copy(update={"region": everywhere})) == ()


def test_an_instance_hour_of_another_region_is_compared_too():
    """4 / 3.2 = 1.25"""
    there = Sourced(
        HourlyPrice(usd_per_hour=4.0), BOOK_OF.model_copy(update={"name": "eu.yaml", "region": "eu-west-1"})
    )
    found = told(region="eu-west-1", price=HourlyPrice(usd_per_hour=3.2), elsewhere=there)
    assert found[0].endswith("where it is $4 per hour by eu.yaml, 25 % more; use that")


@pytest.mark.parametrize(("days", "expected"), [(90, 0), (91, 1)])
def test_a_book_older_than_90_days_is_said_to_be(days, expected):
    found = told(as_of=DAY - datetime.timedelta(days=days))
    assert len(found) == expected
    assert all(f"is {days} days old (book.yaml, 2026-08-29); check it at its source" in each for each in found)
    assert all("or ask AWS: `python -m analysis prices update --region us-east-1`" in each for each in found)


def test_a_price_of_a_day_to_come_or_after_the_run_is_said_to_be():
    assert told(as_of=datetime.date(2099, 1, 1)) == ("book.yaml is dated 2099-01-01, a day to come; mend its `as_of:`",)
    past = datetime.date(2024, 5, 1)
    assert told(on=past, as_of=DAY, effective=datetime.date(2024, 4, 1)) == ()  # an entry of that time
    assert told(on=past, as_of=datetime.date(2025, 7, 20)) == (
        "the price is of 2025-07-20, after the run of 2024-05-01; what held then may differ",
    )


def test_two_sources_that_disagree_by_more_than_a_fiftieth_are_told():
    other = Sourced(TokenPrice(input=0.0003, output=0.00063), LIBRARY)  # 5 % more out
    assert told(elsewhere=other) == (
        "two sources disagree: $0.0003 in, $0.0006 out per 1,000 tokens by book.yaml, $0.0003 in, $0.00063 out per 1,000 tokens by "
        "genai-prices 1, 5 % more; check which holds",
    )
    assert told(elsewhere=Sourced(TokenPrice(input=0.0003, output=0.000611), LIBRARY)) == ()  # 1.8 % more
    own = Source(origin="scenario", name="the target's own `price:`")
    assert told(source=own, elsewhere=other) == ()  # a private price may differ


def test_a_step_by_prompt_length_that_a_book_lacks_is_told():
    step = Step(above=100_000, input=0.0015, output=0.003)  # five times 0.0003
    (line,) = told(elsewhere=Sourced(TokenPrice(input=0.0003, output=0.0006, steps=(step,)), LIBRARY))
    assert line.startswith("genai-prices 1 bills a prompt of more than 100,000 tokens at 5 times the input price")
    assert "add it to the entry as `steps: [{above: 100000," in line


def priced(tmp_path, text: str, book: str = BOOK) -> Sourced:
    path = write(tmp_path, text)
    (tmp_path / "book.yaml").write_text(book.replace("2024-04-15", "2026-11-01"))
    return prices_of(load_scenario(path), path, DAY)[1]["a"]


def test_a_step_that_a_targets_own_price_lacks_is_told_whatever_its_book_says(tmp_path):
    """Haiku 5.5 costs five times as much above 100,000 tokens."""
    haiku, flat = "global.anthropic.claude-haiku-5-5", "{input: 0.0001, output: 0.0005}"
    target = BEDROCK.replace("meta.llama3-8b-instruct-v1:0", haiku) + f"    price: {flat}\n"
    own, book = GOOD.replace(BEDROCK, target), BOOK.replace("models: {", f"models: {{{haiku}: {flat}, ")
    (line,) = priced(tmp_path, own, book).source.cautions
    said = "tokens at 5 times the input price, which the target's own `price:` does not say; add it as `steps: [{above: 100000,"
    assert said in line
    with_it = flat.replace("}", ", steps: [{above: 100000, input: 0.0005, output: 0.0025}]}")
    assert priced(tmp_path, own.replace(f"price: {flat}", f"price: {with_it}"), book).source.cautions == ()


def test_the_region_of_an_arn_is_the_one_that_is_called(tmp_path):
    arn = "arn:aws:bedrock:eu-west-2::foundation-model/meta.llama3-8b-instruct-v1:0"
    for text in (GOOD.replace("meta.llama3-8b-instruct-v1:0", arn), GOOD.replace("us-east-1", "eu-west-2")):
        found = priced(tmp_path, text)
        assert found.price.input == 0.0003
        assert [each for each in found.source.cautions if "of us-east-1" in each and "calls go to eu-west-2" in each]


@pytest.mark.parametrize("where", ["book", "own"])
def test_a_slip_of_the_unit_names_its_place_before_anything_is_sent(tmp_path, where):
    slip = "{input: 0.3, output: 0.6}"  # llama3-8b's $0.3 and $0.6 per million
    text = GOOD if where == "book" else GOOD.replace(BEDROCK, f"{BEDROCK}    price: {slip}\n")
    place = f"{tmp_path}/book.yaml:6: models.meta.llama3-8b-instruct-v1:0" if where == "book" else "`price:`"
    with pytest.raises(BadScenario) as e:
        priced(tmp_path, text, BOOK.replace("{input: 0.0003, output: 0.0006}", slip))
    assert f"s.yaml:5: target `a`: {place}: input 0.3, output 0.6 looks like USD per million tokens" in str(e.value)
    assert "write {input: 0.0003, output: 0.0006}" in str(e.value)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            "0.00005",
            "targets[0].price: a price has keys (got 5e-05); write {input: USD, output: USD}, per 1,000 tokens",
        ),
        ("$0.00005", "a price has keys (got '$0.00005'); write {input: USD"),
        (
            "{input: 0.1, output: 0.1, usd_per_hour: 3}",
            "a price is per hour or per token; keep `usd_per_hour:` or `input:`",
        ),
        (
            "{units: {query: 0.1}, usd_per_hour: 3}",
            "a price is per hour or per token; keep `usd_per_hour:` or `units:`",
        ),
    ],
)
def test_a_price_of_no_kind_or_of_two_says_what_to_write(tmp_path, own, said):
    with pytest.raises(BadScenario) as e:
        priced(tmp_path, GOOD.replace(BEDROCK, f"{BEDROCK}    price: {own}\n"))
    assert said in str(e.value)


def test_a_tiers_own_price_is_compared_with_the_standard_one_where_no_other_is_known(tmp_path):
    """Nova Micro's $0.035 and $0.14 per million; half of them is a price of the flex tier."""
    target = (
        BEDROCK.replace("meta.llama3-8b-instruct-v1:0", "amazon.nova-micro-v1:0")
        + "    latency: optimized\n    price: "
    )
    with pytest.raises(BadScenario, match="looks like USD per million tokens"):
        priced(tmp_path, GOOD.replace(BEDROCK, target + "{input: 0.035, output: 0.14}\n"))
    assert (
        priced(tmp_path, GOOD.replace(BEDROCK, target + "{input: 0.0000175, output: 0.00007}\n")).price.input
        == 0.0000175
    )


def test_a_component_without_a_share_is_said_to_be_priced_as_the_whole(tmp_path):
    text = GOOD.replace(BEDROCK, SAGEMAKER + "    inference_component: c\n")
    found = priced(tmp_path, text)
    assert found.price.usd_per_hour_in_all == 1.515
    assert found.source.cautions == (
        "component `c` is priced as all of its endpoint's instances; add `instance_share:`, its part of them, where others run "
        "beside it",
    )
    whole = priced(tmp_path, text.replace("region", "    instance_share: 1\nregion", 1))
    assert (whole.price.usd_per_hour_in_all, whole.source.cautions) == (1.515, ())


def test_shares_and_discounts_are_rules_of_the_price(tmp_path):
    """1.515 x 0.8 = 1.212 an hour, of 2 instances a quarter: 0.606. A token price: 0.0003 x 0.875 = 0.0002625."""
    more = "    inference_component: c\n    instance_count: 2\n    instance_share: 0.25\n    discount_percent: 20\n"
    found = priced(tmp_path, GOOD.replace(BEDROCK, SAGEMAKER + more))
    assert found.price == HourlyPrice(usd_per_hour=1.212, instance_count=2, share=0.25)
    assert found.price.usd_per_hour_in_all == 0.606
    assert found.source.rules == ("discount_percent 20: × 0.8", "instance_share: × 0.25")
    tokens = priced(tmp_path, GOOD.replace(BEDROCK, BEDROCK + "    discount_percent: 12.5\n"))
    assert (tokens.price.input, tokens.price.output) == (0.0002625, 0.000525)
    assert tokens.source.rules == ("discount_percent 12.5: × 0.875",)


def test_two_shares_that_differ_are_refused(tmp_path):
    own = SAGEMAKER + "    instance_share: 0.5\n    price: {usd_per_hour: 2.0, share: 0.25}\n"
    with pytest.raises(BadScenario, match=r"`instance_share` is 0.5, `share` in its `price:` 0.25; keep one"):
        priced(tmp_path, GOOD.replace(BEDROCK, own))


def test_reserved_capacity_is_paid_by_the_hour(tmp_path):
    """20 x 5 + 60 x 2 = $220 a month of 730 h: 0.30136986301369861 an hour."""
    reserved = "{input_usd_per_1k_tpm_month: 20, input_tpm: 5000, output_usd_per_1k_tpm_month: 60, output_tpm: 2000}"
    text = GOOD.replace(BEDROCK, f"{BEDROCK}    service_tier: reserved\n    price: {{reserved: {reserved}}}\n")
    assert priced(tmp_path, text).price.usd_per_hour_in_all == pytest.approx(220 / 730, rel=1e-12)


OPENAI = "  - {name: a, service: openai, base_url: HOST, model_id: MODEL}\n"


def on_route(tmp_path, host: str, model: str) -> Sourced:
    return priced(tmp_path, GOOD.replace(BEDROCK, OPENAI.replace("HOST", f'"{host}"').replace("MODEL", f'"{model}"')))


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:8000/v1", "https://vllm.example.com/v1", "https://bedrock.example.com/v1"]
)
def test_a_host_that_is_not_bedrocks_has_none_of_its_prices(tmp_path, host):
    with pytest.raises(BadScenario, match="is not Bedrock, and costs what its machine costs; add `instance_type:`"):
        on_route(tmp_path, host, "meta.llama3-8b-instruct-v1:0")


def test_bedrocks_own_route_and_public_services_have_theirs(tmp_path):
    """GPT-4o mini has $0.15 and $0.60 per million at OpenAI."""
    bedrock = on_route(
        tmp_path, "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "meta.llama3-8b-instruct-v1:0"
    )
    assert (bedrock.price.input, bedrock.source.name) == (0.0003, f"{tmp_path}/book.yaml")
    openai = on_route(tmp_path, "https://api.openai.com/v1", "gpt-4o-mini")
    assert (openai.price.input, openai.price.output) == (0.00015, 0.0006)
    assert openai.source.entry == "openai/gpt-4o-mini" and "as openai sells it (api.openai.com)" in openai.source.rules
    with pytest.raises(
        BadScenario, match="has no price of `no-such-model` at api.openai.com; add a `price:` per token"
    ):
        on_route(tmp_path, "https://api.openai.com/v1", "no-such-model")


def test_instances_alone_do_not_load_the_library_of_token_prices(tmp_path):
    path = write(tmp_path, GOOD.replace(BEDROCK, SAGEMAKER))
    program = (
        "import datetime, sys\nfrom locustfiles.contract.scenario.scenario import load_scenario\n"
        "from locustfiles.contract.scenario.target_prices import prices_of\n"
        f"path = {str(path)!r}\nprint(prices_of(load_scenario(path), path, datetime.date(2026, 11, 28))[1]['a'].price.usd_per_hour)\n"
        "print('genai_prices' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["1.515", "False"]
