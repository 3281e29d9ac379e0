"""Values that YAML reads otherwise than they are meant: taken where there is no doubt, else with what to write."""

import datetime

import pytest

from locustfiles.contract.prices.price_book import BadPriceBook, load_price_book

BOOK = """\
region: us-east-1
currency: USD
as_of: {as_of}
source: a test
instances: {{ml.x: {hour}}}
models:
  m: {{input: {figure}, output: 0.001}}
"""


def book(tmp_path, as_of="2026-11-28", hour="1.5", figure="0.0003"):
    path = tmp_path / "book.yaml"
    path.write_text(BOOK.format(as_of=as_of, hour=hour, figure=figure))
    return load_price_book(path)


def refusal(tmp_path, **values) -> str:
    with pytest.raises(BadPriceBook) as e:
        book(tmp_path, **values)
    return str(e.value).removeprefix(f"{tmp_path}/book.yaml:")


@pytest.mark.parametrize("written", ["2024-04-15", '"2024-04-15"', "'2024-04-15'"])
def test_an_iso_date_is_taken_quoted_or_not(tmp_path, written):
    assert book(tmp_path, as_of=written).as_of == datetime.date(2024, 4, 15)
    entries = book(tmp_path, hour=f"[{{usd_per_hour: 1.5}}, {{usd_per_hour: 2.5, effective: {written}}}]")
    assert entries.instance("ml.x", datetime.date(2024, 4, 14)).usd_per_hour == 1.5
    assert entries.instance("ml.x", datetime.date(2024, 4, 15)).usd_per_hour == 2.5


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2024-4-5", "(got `2024-4-5`); write YYYY-MM-DD, 2024-04-05"),
        ("2024/04/15", "(got `2024/04/15`); write YYYY-MM-DD, 2024-04-15"),
        ("2024-04-15 10:00", "(got `2024-04-15 10:00`); write YYYY-MM-DD, 2024-04-15"),
        ("2024-04-15 10:00:00", "(got `2024-04-15 10:00:00`); write YYYY-MM-DD, 2024-04-15"),
        ("2024-04", "(got `2024-04`); write YYYY-MM-DD, such as 2026-11-28"),
        ('"2024-02-30"', "(got `2024-02-30`); write YYYY-MM-DD, such as 2026-11-28"),
        ("20240415", "(got `20240415`); write YYYY-MM-DD, such as 2026-11-28"),
    ],
)
def test_another_date_says_how_it_is_written(tmp_path, written, said):
    assert refusal(tmp_path, as_of=written) == f"3: as_of: must be a date {said}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("3e-5", "models.m.input: `3e-5` is a text in YAML, not a number; write 3.0e-5 or 0.00003"),
        ("1.5e0", "models.m.input: `1.5e0` is a text in YAML, not a number; write 1.5e+0 or 1.5"),
        ("1e2", "models.m.input: `1e2` is a text in YAML, not a number; write 1.0e+2 or 100"),
        ("0,000035", "`0,000035` has a comma; write 0.000035"),
        ('"0,000035"', "models.m.input: `0,000035` has a comma; write 0.000035"),
        ("1,500", "`1,500` has a comma; write 1.500 or 1500"),
        ("1:30", "`1:30` is a number to the base 60 in YAML, 90; write that, or the text in quotes"),  # 1 * 60 + 30
        ("010", "`010` is a number to the base 8 in YAML, 8; write 10, or 8"),
    ],
)
def test_a_number_that_is_none_or_another_says_what_to_write(tmp_path, written, said):
    assert refusal(tmp_path, figure=written) == f"7: {said}"


def test_an_instances_figure_gets_the_same_words(tmp_path):
    assert refusal(tmp_path, hour="3e1").endswith("`3e1` is a text in YAML, not a number; write 3.0e+1 or 30")


def test_what_yaml_reads_as_a_person_does_is_taken(tmp_path):
    assert book(tmp_path, figure="3.0e-5").models["m"][0].input == 0.00003
    assert book(tmp_path, figure="3.5e-05").models["m"][0].input == 0.000035
    assert book(tmp_path, hour="1_000").instances["ml.x"][0].usd_per_hour == 1000


def test_another_currency_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "book.yaml"
    path.write_text(BOOK.format(as_of="2026-11-28", hour=1, figure=0.001).replace("USD", "CNY"))
    with pytest.raises(
        BadPriceBook, match=r"2: currency: input should be 'USD' \(got 'CNY'\); convert the prices, without tax,"
    ):
        load_price_book(path)
