"""Prices by the hour in another unit, books in another unit than per 1,000 tokens, and entries that no target uses."""

import datetime
import decimal
import pathlib

import pytest

from locustfiles.contract.prices.books import Book, books_of
from locustfiles.contract.prices.price_book import BadPriceBook, load_price_book
from locustfiles.contract.prices.units import WrongUnit
from locustfiles.contract.prices.whole_book import odd_entries
from locustfiles.contract.scenario.target_prices import price_of
from locustfiles.contract.scenario.targets import BedrockTarget, SageMakerTarget

DAY = datetime.date(2026, 11, 28)
HEAD = "region: us-east-1\ncurrency: USD\nas_of: 2026-11-01\nsource: made by hand\n"
MICRO, LITE = "amazon.nova-micro-v1:0", "amazon.nova-lite-v1:0"


def book(tmp_path: pathlib.Path, text: str) -> pathlib.Path:
    path = tmp_path / "book.yaml"
    path.write_text(HEAD + text)
    return path


def hosted(price: float | None, instance: str = "ml.g5.xlarge", pricing: pathlib.Path | None = None):
    """Of an endpoint; price: its own, None is the book's."""
    own = {} if price is None else {"price": {"usd_per_hour": price}}
    keys = {"name": "t", "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": instance}
    return price_of(SageMakerTarget.model_validate(keys | own), "us-east-1", DAY, books_of(pricing, "us-east-1"))


#: ml.g5.xlarge costs $1.408 an hour in us-east-1
UNITS = [
    (0.000391, "USD per second"),  # 1.408 / 3,600 = 0.0003911
    (0.0235, "USD per minute"),  # / 60 = 0.02347
    (140.8, "cents per hour"),
    (1028.0, "USD per month"),  # x 730 = 1,027.84
    (12334.0, "USD per year"),  # x 8,760 = 12,334.08
    (0.00025, "USD per second"),  # with 36 % off
]


@pytest.mark.parametrize(("figure", "unit"), UNITS)
def test_an_instances_price_in_another_unit_is_refused_with_what_to_write(figure, unit, tmp_path):
    with pytest.raises(WrongUnit, match=f"looks like {unit}: .*us-east-1.yaml.* has .1.408 an hour of") as e:
        hosted(figure)
    right = float(str(e.value).partition("write usd_per_hour: ")[2].partition(",")[0])
    assert 0.6 * 1.408 < right < 1.01 * 1.408
    with pytest.raises(WrongUnit, match=r"book\.yaml:6: instances\.ml\.g5\.xlarge: usd_per_hour"):
        hosted(None, pricing=book(tmp_path, f"instances:\n  ml.g5.xlarge: {figure}\n"))


@pytest.mark.parametrize(
    ("figure", "instance", "told"),
    [
        (1.408, "ml.g5.xlarge", None),
        (0.5, "ml.g5.xlarge", None),  # a savings plan of three years
        (11.3, "ml.g5.xlarge", None),  # eight of them together, which is said by nothing
        (28.2, "ml.g5.xlarge", "20 times what is known"),  # no unit is twenty of another
        (0.0563, "ml.t3.medium", None),  # no price is known
        (0.0003, "ml.t3.medium", "no price in USD per second or USD per minute"),
        (9000.0, "ml.new.48xlarge", "no price in cents per hour or USD per month"),
    ],
)
def test_a_price_by_the_hour_that_may_be_right_is_at_most_told(figure, instance, told):
    cautions = " ".join(hosted(figure, instance).source.cautions)
    assert told in cautions if told else "an hour" not in cautions


def test_a_model_units_price_by_the_month_is_told():
    keys = {"name": "t", "service": "bedrock", "model_id": "arn:aws:bedrock:us-east-1:1:provisioned-model/x"}
    target = BedrockTarget.model_validate(keys | {"price": {"usd_per_hour": 16_000.0}})
    (caution,) = price_of(target, "us-east-1", DAY, []).source.cautions
    assert "check that it is no price in cents per hour or USD per month" in caution
    target = BedrockTarget.model_validate(keys | {"price": {"usd_per_hour": 21.18}})
    assert price_of(target, "us-east-1", DAY, []).source.cautions == ()


IN_ALL_PLACES = """
models:
  MICRO: {input: 0.035, output: 0.14, cache_read: 0.00875}
  LITE:
    - effective: 2026-01-01
      input: 0.06
      output: 0.24
      steps: [{above: 1000, input: 0.12, output: 0.48, cache_write_1h: 0.3}]
      variants: {flex: 0.5, batch: {input: 0.03, output: 0.12}}
  us.LITE: {factor: 1.1}
""".replace("MICRO", MICRO).replace("LITE", LITE)
PER = {"per_1m_tokens": 1, "per_1k_tokens": decimal.Decimal("0.001"), "per_token": decimal.Decimal("0.000001")}


@pytest.mark.parametrize("unit", PER)
def test_a_book_in_any_unit_has_the_same_prices_to_the_last_digit(tmp_path, unit):
    figures = {"0.035", "0.14", "0.00875", "0.06", "0.24", "0.12", "0.48", "0.3", "0.03"}
    text = IN_ALL_PLACES
    for figure in sorted(figures, key=len, reverse=True):  # each once, the longer ones first
        text = (
            text.replace(f" {figure},", f" <{figure}>,")
            .replace(f" {figure}}}", f" <{figure}>}}")
            .replace(f" {figure}\n", f" <{figure}>\n")
        )
    for figure in figures:
        text = text.replace(f"<{figure}>", f"{decimal.Decimal(figure) * PER[unit]:f}")
    found = load_price_book(book(tmp_path, f"unit: {unit}\n{text}"))
    micro, lite = found.models[MICRO][0], found.models[LITE][0]
    assert (micro.input, micro.output, micro.cache_read) == (0.000035, 0.00014, 0.00000875)
    assert (lite.input, lite.output) == (0.00006, 0.00024)
    (step,) = lite.steps
    assert (step.above, step.input, step.output, step.cache_write_1h) == (1000, 0.00012, 0.00048, 0.0003)
    assert (lite.variants["flex"], lite.variants["batch"].input, lite.variants["batch"].output) == (
        0.5,
        0.00003,
        0.00012,
    )
    assert found.models[f"us.{LITE}"][0].factor == 1.1


def test_a_unit_that_is_none_and_figures_that_are_none_are_refused_in_their_line(tmp_path):
    with pytest.raises(BadPriceBook, match=r"book\.yaml:5: unit: .*per_1m_tokens"):
        load_price_book(book(tmp_path, f"unit: per_million\nmodels: {{{MICRO}: {{input: 1.0, output: 1.0}}}}\n"))
    with pytest.raises(BadPriceBook, match=r"book\.yaml:6: models.*input: .*got 'x'"):
        load_price_book(book(tmp_path, f"unit: per_token\nmodels: {{{MICRO}: {{input: x, output: 1.0}}}}\n"))


def test_a_figure_that_was_per_1000_already_is_refused_with_the_books_unit(tmp_path):
    path = book(tmp_path, f"unit: per_1m_tokens\nmodels:\n  {MICRO}: {{input: 0.000035, output: 0.00014}}\n")
    target = BedrockTarget.model_validate({"name": "t", "service": "bedrock", "model_id": MICRO})
    with pytest.raises(WrongUnit, match="the book says `unit: per_1m_tokens`, by which its figures were converted"):
        price_of(target, "us-east-1", DAY, books_of(path, "us-east-1"))


def test_entries_that_no_target_uses_are_looked_at_too(tmp_path):
    text = f"instances: {{ml.g5.xlarge: 0.000391, ml.g5.2xlarge: 1.515}}\nmodels:\n  {MICRO}: {{input: 0.035, output: 0.14}}\n"
    path = book(tmp_path, text + f"  {LITE}: {{input: 0.00006, output: 0.00024}}\n  us.{LITE}: {{factor: 1.1}}\n")
    told = odd_entries([Book(str(path), load_price_book(path))], DAY)
    assert ["USD per second" in told[0], "USD per million tokens" in told[1], len(told)] == [True, True, 2]
    assert told[1].startswith(f"{path}:7: models.{MICRO}: ")
    assert odd_entries(books_of("configs/pricing/us-west-2.yaml", "us-east-1"), DAY) == []  # the project's own
