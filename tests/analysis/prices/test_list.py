"""`prices` without a name: every row has what speaks against its price, by the number of a line below, as a single look-up has it."""

import json
import re

import pytest

from analysis.__main__ import main

NOVA = "amazon.nova-pro-v1:0"


def listed(capsys, *arguments: str) -> tuple[dict[str, str], dict[str, str]]:
    """(rows by name, numbered lines by number)"""
    assert main(["prices", *arguments]) == 0
    shown = capsys.readouterr().out
    numbered = dict(re.findall(r"^\[(\d+)\] (.*)$", shown, re.MULTILINE))
    return dict(re.findall(r"^  (\S+) +(\$.*)$", shown, re.MULTILINE)), numbered


def minds(row: str, numbered: dict[str, str]) -> list[str]:
    return [numbered[number] for number in re.findall(r" \[(\d+)\]", row)]


@pytest.mark.parametrize("region", ["eu-west-1", "us-west-2"])
@pytest.mark.parametrize(
    "name", [NOVA, "anthropic.claude-haiku-5-5", "meta.llama3-70b-instruct-v1:0", "ml.g5.12xlarge"]
)
def test_a_row_has_the_cautions_of_the_single_look_up(capsys, region, name):
    rows, numbered = listed(capsys, "--region", region)
    if name not in rows:
        assert name.startswith("ml.") and region == "eu-west-1"  # no book has instances there
        return
    assert main(["prices", name, "--region", region, "--json"]) == 0
    (alone,) = json.loads(capsys.readouterr().out)
    told = alone["source"].get("cautions", [])
    assert minds(rows[name], numbered) == [each.replace(f"`{name}`", "it") for each in told]
    assert bool(told) == ((name, region) in {(NOVA, "eu-west-1"), ("ml.g5.12xlarge", "us-west-2")})


def test_each_caution_stands_once_below_the_list(capsys):
    rows, numbered = listed(capsys, "--region", "eu-west-1")
    assert len(set(numbered.values())) == len(numbered)
    of_one_price = [name for name, row in rows.items() if "may cost more" in " ".join(minds(row, numbered))]
    assert NOVA in of_one_price and len(of_one_price) > len(numbered)


def test_a_price_younger_than_the_day_asked_for_says_so_of_book_and_library(capsys):
    rows, numbered = listed(capsys, "--on", "2024-07-01")
    assert any(
        "the price is of 2026-04-21, after the run of 2024-07-01" in each
        for each in minds(rows["ml.g5.xlarge"], numbered)
    )
    (mind,) = minds(rows[NOVA], numbered)
    assert mind.startswith("the price is of 2026-11-10 (genai-prices 0.2.3), after 2024-07-01")
    assert minds(rows["ml.p4d.24xlarge"], numbered) == []  # the book has the price of April 2024
    assert main(["prices", NOVA, "--on", "2024-07-01"]) == 0
    assert mind in capsys.readouterr().out
    rows, numbered = listed(capsys, "--on", "2026-11-28")
    assert minds(rows[NOVA], numbered) == []
