"""Every price that a report shows stands with its own source, of runs of any age and with any book."""

import json

import pytest

from analysis.advice.analyse import analyse
from analysis.commands.report import write_report
from analysis.cost.pricing import price_text
from analysis.report.markdown import markdown
from analysis.report.summary_json import summary_of
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.run_folder import NotARun
from tests.analysis.test_cost import call
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, record, window

BOOK = """region: {region}
currency: USD
as_of: 2025-01-01
source: made
instances: {{ml.p4d.24xlarge: 50}}
models: {{{model}: {{input: 0.001, output: 0.002}}}}
"""
OWN = {"price": {"input": 0.00075, "output": 0.001}}
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def run_of(path, token_target=BEDROCK, **manifest):
    records = [record(11, 1), call(31, stage=2)]
    stages = [window(1, 10, 20), window(2, 30, 40, target="bedrock")]
    return made_run(path, records, stages, targets=[P4D, token_target], **manifest)


def book_at(path, model="meta.llama2-13b-chat-v1", region="eu-west-1"):
    path.write_text(BOOK.format(model=model, region=region))
    return path


def test_a_price_of_the_scenario_is_not_shown_under_the_books_name(tmp_path):
    """Of a run that recorded no sources: it knows its book, and the scenario whose prices are its own."""
    report = analyse([run_of(tmp_path / "r", BEDROCK | OWN)])
    summary = summary_of(report)
    hourly, tokens = summary["prices"]
    assert (hourly["origin"], hourly["name"], hourly["as_of"]) == ("book", "configs/pricing/x.yaml", "2024-04-15")
    assert (tokens["origin"], tokens["name"]) == ("scenario", "the target's own `price:`")
    assert (tokens["region"], tokens["as_of"], tokens["source"]) == (None, None, None)
    said = "`p4d` by `configs/pricing/x.yaml`, us-east-1, as of 2024-04-15, source made; `bedrock` by the target's own `price:`"
    assert f"- Prices of `r`: {said}." in markdown(report, [])
    write_report(report, tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text()
    assert "<code>bedrock</code> by the target&#39;s own <code>price:</code>" in page
    assert 'bedrock,"$0.00075 in' in (tmp_path / "out/tables/prices.csv").read_text()


def test_where_every_price_is_the_scenarios_own_no_book_is_named(tmp_path):
    targets = [P4D | {"price": {"usd_per_hour": 37.688}}]
    report = analyse([made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)], targets=targets)])
    assert report.pricing["r"]["file"] is None
    assert "x.yaml" not in json.dumps(summary_of(report)["pricing"])
    assert report.priced_by == {"r": "the target's own `price:`"}


def test_recorded_sources_are_shown_with_rules_and_cautions(tmp_path):
    library = {
        "origin": "library",
        "name": "genai-prices 0.2.3",
        "entry": "llama2",
        "region": "us-east-1",
        "as_of": None,
    }
    library |= {"source": None, "rules": ["flex: × 0.5"], "cautions": ["it is of another year"]}
    report = analyse([run_of(tmp_path / "r", price_sources={"bedrock": library})])
    row = report.prices[1]
    assert (row.name, row.entry, row.rules, row.cautions) == (
        "genai-prices 0.2.3", "llama2", "flex: × 0.5", "it is of another year",
    )  # fmt: skip
    assert "Run r, price of `bedrock`: it is of another year." in report.notes
    assert "genai-prices 0.2.3" in report.priced_by["r"]


def test_a_source_that_cannot_be_read_is_one_line(tmp_path):
    path = run_of(tmp_path / "r", price_sources={"bedrock": {"origin": "hearsay", "name": "x"}})
    with pytest.raises(NotARun, match=r"source of the price of target `bedrock` cannot be read .* --pricing$"):
        analyse([path])


def test_another_book_makes_sources_of_its_own_and_leaves_the_scenarios_prices(tmp_path):
    book = book_at(tmp_path / "b.yaml")
    report = analyse([run_of(tmp_path / "r", BEDROCK | OWN)], pricing=book)
    hourly, tokens = report.prices
    assert (hourly.price, hourly.name, hourly.entry, hourly.region, hourly.as_of) == (
        "$50 per hour", str(book), "ml.p4d.24xlarge", "eu-west-1", "2025-01-01",
    )  # fmt: skip
    assert (tokens.price, tokens.origin) == ("$0.00075 in, $0.001 out per 1,000 tokens", "scenario")


def test_a_model_that_the_book_lacks_is_refused_unless_the_run_was_priced_by_the_library(tmp_path):
    target, book = BEDROCK | {"model_id": HAIKU}, book_at(tmp_path / "b.yaml")
    by_book = run_of(tmp_path / "book", target)
    with pytest.raises(BadScenario, match=f"b.yaml: target `bedrock` of run book: no price for .*{HAIKU}"):
        analyse([by_book], pricing=book)
    library = {"bedrock": {"origin": "library", "name": "genai-prices 0.1.0"}}
    report = analyse([run_of(tmp_path / "library", target, price_sources=library)], pricing=book)
    assert report.prices[1].origin == "library"
    assert report.prices[1].name.startswith("genai-prices ")
    assert report.prices[1].name != "genai-prices 0.1.0"  # of today's, which is what it is priced by


def test_what_is_in_no_cost_is_said_in_a_line_each(tmp_path):
    notes = analyse([run_of(tmp_path / "r")]).notes
    for what in ("Tax", "Data transfer", "Storage", "Idle time before and after"):
        assert sum(note.startswith(f"{what} is in no cost here") for note in notes) == 1


def test_the_parts_of_a_cost_add_up_to_it(tmp_path):
    # a broken call of unknown tokens: its part is what it may cost at most
    records = [call(11), call(12), call(13, error="read_timeout", prompt_tokens=None, completion_tokens=None)]
    path = made_run(tmp_path / "r", records, [window(1, 10, 20, target="bedrock")], targets=[BEDROCK])
    report = analyse([path])
    parts = summary_of(report)["cost_parts"]
    # 2 x 2923 x 0.00075 / 1000; 2 x 24 x 0.001 / 1000; 2923 x 0.00075 / 1000 + 100 x 0.001 / 1000
    assert [(p["kind"], p["amount"]) for p in parts] == [
        ("input", 5846), ("output", 48), ("failures of unknown tokens, at most", 1),
    ]  # fmt: skip
    assert [p["usd"] for p in parts] == pytest.approx([0.0043845, 0.000048, 0.00229225])
    assert sum(p["usd"] for p in parts) == pytest.approx(report.total_cost)


def test_the_factors_of_a_run_name_steps_one_hour_writes_units_and_the_guardrail(tmp_path):
    step = {"above": 1000, "input": 0.005, "output": 0.025, "cache_write_1h": 0.01}
    price = {"input": 0.001, "output": 0.005, "cache_write_1h": 0.002, "steps": [step]}
    price |= {"guardrail": {"topicPolicyUnits": 0.1}}
    known = {"prompt_tokens": 100, "completion_tokens": 10, "cache_write_tokens": 900, "cache_write_1h_tokens": 900}
    records = [call(11, **known), call(12, **(known | {"prompt_tokens": 101, "guardrail_units": "topicPolicyUnits=3"}))]
    path = made_run(
        tmp_path / "r", records, [window(1, 10, 20, target="bedrock")], targets=[BEDROCK], prices={"bedrock": price}
    )
    report = analyse([path])
    text = markdown(report, [])
    assert "100 prompt tokens × $0.001/1k + 900 written for an hour × $0.002/1k + 10 output tokens × $0.005/1k" in text
    above = "of prompts above 1,000"
    assert f"101 prompt tokens × $0.005/1k {above} + 900 written for an hour × $0.01/1k {above}" in text
    assert "$0.30 of its guardrail" in text
    # 0.0001 + 0.0018 + 0.00005; 0.000505 + 0.009 + 0.00025 + 3 x 0.1
    assert report.total_cost == pytest.approx(0.00195 + 0.309755)
    (note,) = [n for n in report.notes if "guardrail" in n]
    assert note.endswith("in the cost of the 1 of 2 answers that report its units.")


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (TokenPrice(input=0.003, output=0.015), "$0.003 in, $0.015 out per 1,000 tokens"),
        (
            {
                "input": 0.1,
                "output": 0.2,
                "cache_write_1h": 0.3,
                "steps": ({"above": 100000, "input": 0.5, "output": 1},),
            },
            "$0.1 in, $0.2 out, $0.3 written for an hour per 1,000 tokens; above 100,000 prompt tokens $0.5 in, $1 out",
        ),
        ({"units": {"query": 0.002}}, "$0.002 per query"),
        (HourlyPrice(usd_per_hour=37.688), "$37.688 per hour"),
        (HourlyPrice(usd_per_hour=10.0, share=0.25), "$10 per hour, 25 % of it this target's share"),
        (
            {"reserved": {"input_usd_per_1k_tpm_month": 730.0, "input_tpm": 2000}},
            "$2 per hour, reserved: 2,000 input tokens/min at $730 per 1,000 a minute and month",
        ),
    ],
)
def test_a_price_in_words_has_all_that_it_knows(price, words):
    if isinstance(price, dict):
        price = (HourlyPrice if "reserved" in price else TokenPrice).model_validate(price)
    assert price_text(price) == words


def test_a_share_of_an_instance_is_a_share_of_its_cost(tmp_path):
    prices = PRICES | {"p4d": {"usd_per_hour": 36.0, "instance_count": 1, "share": 0.25}}
    report = analyse([run_of(tmp_path / "r", prices=prices)])
    # 1 s of 36 $/h is 0.01 $, of which a quarter
    assert report.run_cost[0].usd == pytest.approx(0.0025)
    assert "× $36/h × 1 × 25 % of it" in markdown(report, [])


def test_a_book_of_another_region_or_of_after_the_run_is_cautioned_of(tmp_path):
    """The run is of 2023-11-14 in us-east-1; it recorded no sources. Its book is of 2024-04-15."""
    path = run_of(tmp_path / "r")
    own = analyse([path])
    later = "Run r, price of `p4d`, `bedrock`: the price is of 2024-04-15, after the run of 2023-11-14; what held then may differ."
    assert later in own.notes
    assert own.prices[0].cautions in markdown(own, [])
    other = analyse([path], pricing=book_at(tmp_path / "b.yaml"))
    assert "and calls go to us-east-1" in other.prices[0].cautions
    assert "the price is of 2025-01-01, after the run of 2023-11-14" in other.prices[0].cautions
