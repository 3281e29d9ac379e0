"""`prices compare`: our prices beside litellm's format or another book; what differs, with both figures and both sources."""

import json

import pytest

from analysis.__main__ import main

BOOK = """\
region: us-east-1
currency: USD
as_of: 2026-11-01
source: mine
instances: {ml.g5.xlarge: 1.5}
models:
  maker.same-v1: {input: 0.001, output: 0.002, cache_read: 0.0001}
  maker.step-v1: {input: 0.001, output: 0.002, steps: [{above: 100000, input: 0.002, output: 0.003}]}
  maker.tier-v1: {input: 0.001, output: 0.002, variants: {flex: 0.5}}
"""
P = "bedrock_converse"
OURS = {
    "maker.same-v1": {"litellm_provider": P, "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "cache_read_input_token_cost": 1e-07},
    "maker.step-v1": {
        "litellm_provider": P, "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
        "input_cost_per_token_above_100k_tokens": 2e-06, "output_cost_per_token_above_100k_tokens": 3e-06,
    },
    "bedrock/us-east-1/maker.tier-v1": {
        "litellm_provider": "bedrock", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
        "input_cost_per_token_flex": 5e-07, "output_cost_per_token_flex": 1e-06,
    },
}  # fmt: skip


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.yaml"
    path.write_text(BOOK)
    return str(path)


def table(tmp_path, entries: dict) -> str:
    path = tmp_path / "table.json"
    path.write_text(json.dumps(entries))
    return str(path)


def compared(capsys, *arguments: str) -> tuple[int, str]:
    code = main(["prices", "compare", *arguments])
    return code, capsys.readouterr().out


def test_prices_that_agree_are_counted_and_the_code_is_0(book, tmp_path, capsys):
    code, shown = compared(capsys, "--with", table(tmp_path, OURS), "--pricing", book)
    # 3 of the first, 2 and 2 above the step, 2 and 2 in flex
    assert code == 0 and "3 entries compared: 11 figures are the same, 0 in 0 entries differ" in shown


def test_a_figure_that_differs_is_shown_from_both_and_the_code_is_2(book, tmp_path, capsys):
    theirs = json.loads(json.dumps(OURS))
    theirs["maker.same-v1"]["cache_read_input_token_cost"] = 2.5e-07
    theirs["maker.step-v1"]["output_cost_per_token_above_100k_tokens"] = 2.7e-06
    theirs["bedrock/us-east-1/maker.tier-v1"]["input_cost_per_token_flex"] = 6e-07
    code, shown = compared(capsys, "--with", table(tmp_path, theirs), "--pricing", book)
    assert code == 2
    assert (
        f"maker.same-v1 (ours: {book}, us-east-1, 2026-11-01)\n  cache_read: ours $0.0001, theirs $0.00025 (+150 %)\n"
        in shown
    )
    assert "  output, above 100,000 prompt tokens: ours $0.003, theirs $0.0027 (-10 %)\n" in shown
    assert "  input, flex: ours $0.0005, theirs $0.0006 (+20 %)\n" in shown
    assert "8 figures are the same, 3 in 3 entries differ" in shown
    main(["prices", "compare", "--with", table(tmp_path, theirs), "--pricing", book, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [each["what"] for each in found["differences"]] == [
        "cache_read",
        "output, above 100,000 prompt tokens",
        "input, flex",
    ]
    assert found["differences"][0]["share"] == 1.5


def test_a_step_that_only_one_of_the_two_has_is_a_difference(book, tmp_path, capsys):
    flat = {"maker.step-v1": {"litellm_provider": P, "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}}
    code, shown = compared(capsys, "--with", table(tmp_path, flat), "--pricing", book)
    assert code == 2 and "  input, above 100,000 prompt tokens: ours $0.002, theirs $0.001 (-50 %)\n" in shown


def test_what_is_of_another_region_or_service_is_counted_and_not_compared(book, tmp_path, capsys):
    entry = OURS["maker.same-v1"]
    others = {
        "bedrock/eu-west-1/maker.same-v1": entry | {"input_cost_per_token": 9e-06},
        "eu.maker.same-v1": entry | {"input_cost_per_token": 9e-06},
        "gpt-x": entry | {"litellm_provider": "openai"},
        "bedrock/us-east-1/1-month-commitment/maker.same-v1": entry,
        "maker.image-v1": {"litellm_provider": "bedrock", "output_cost_per_image": 0.04},
        "maker.unknown-v1": entry,
    }
    code, shown = compared(capsys, "--with", table(tmp_path, OURS | others), "--pricing", book)
    assert code == 0
    assert "not looked at: 2 entries of other regions, 3 not of Bedrock's tokens" in shown
    assert "not priced here: 1 entries (maker.unknown-v1)" in shown


def test_a_row_of_the_region_goes_before_one_of_none(book, tmp_path, capsys):
    both = OURS | {"maker.tier-v1": OURS["maker.same-v1"] | {"input_cost_per_token": 9e-06}}
    code, shown = compared(capsys, "--with", table(tmp_path, both), "--pricing", book)
    assert code == 0 and "3 entries compared" in shown and "not looked at: 1 entries of other regions" in shown


def test_another_book_is_compared_with_its_instances(book, tmp_path, capsys):
    other = tmp_path / "other.yaml"
    other.write_text(BOOK.replace("1.5", "3").replace("flex: 0.5", "flex: 0.6"))
    assert compared(capsys, "--with", book, "--pricing", book)[0] == 0
    code, shown = compared(capsys, "--with", str(other), "--pricing", book)
    assert code == 2 and "  an hour: ours $1.5, theirs $3 (+100 %)\n" in shown
    assert "  input, flex: ours $0.0005, theirs $0.0006 (+20 %)\n" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ("[1]", "not litellm's format"),
        ('{"a": {"input": 1}}', "not litellm's format"),
        (
            '{"nobody.x": {"litellm_provider": "bedrock", "input_cost_per_token": 1, "output_cost_per_token": 1}}',
            "is priced here",
        ),
    ],
)
def test_a_file_that_is_no_table_is_one_line(content, said, tmp_path, capsys):
    path = tmp_path / "t.json"
    path.write_text(content)
    assert main(["prices", "compare", "--with", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: ") and error.count("\n") == 1 and said in error


def test_without_a_table_or_with_another_regions_nothing_is_compared(book, capsys):
    assert main(["prices", "compare"]) == 1
    assert "give --with FILE" in capsys.readouterr().err
    assert main(["prices", "compare", "--with", book, "--region", "eu-west-1"]) == 1
    assert "a book of us-east-1, not of eu-west-1" in capsys.readouterr().err
    assert main(["prices", "compare", "--with", "none.json"]) == 1
    assert "cannot be read" in capsys.readouterr().err
