"""The page for those who read it otherwise: by ear, by keyboard, on a phone, in the dark; and a terminal with many targets."""

import re

import pytest

from analysis.report.html import write_html
from analysis.report.plots.alt_text import alt_text
from analysis.report.plots.catalogue import draw_all
from analysis.report.stage_groups import GROUPS
from analysis.report.verdict_summary import Remark
from analysis.words.columns import STEP_COLUMNS
from tests.helpers import samples


@pytest.fixture(scope="module")
def report():
    steps, records = samples.made_up(2)
    return samples.report(steps, records, pick=23, break_even=[samples.pair()])


@pytest.fixture(scope="module")
def text(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    write_html(report, draw_all(report, folder), folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_table_has_a_caption_and_no_two_the_same(text):
    captions = re.findall(r"<table[^>]*>\s*<caption>([^<]+)</caption>", text)
    assert len(captions) == text.count("<table") >= 8
    assert len(set(captions)) == len(captions)


def test_headings_lead_to_their_definitions_by_keyboard_and_touch(text):
    links = re.findall(r'<a class="def" href="#def-(\w+)">', text)
    assert {"usd_per_10k_transactions", "latency_p95_s", "verdict"} <= set(links)
    assert set(links) <= set(re.findall(r'<tr id="def-(\w+)">', text)) == set(STEP_COLUMNS)


def test_definitions_are_folded_until_they_are_asked_for(text):
    section = text[text.index('id="definitions"') : text.index('id="how"')]
    assert section.index("<details>") < section.index("<table") < section.index("</details>")


def test_what_decides_stands_first_among_the_columns_and_no_column_twice():
    first = [c.name for c in GROUPS[0].columns.values()]
    assert first[:4] == ["verdict", "slo", "usd_per_10k_transactions", "usd_per_1m_output_tokens"]
    names = [c.name for group in GROUPS for c in group.columns.values()]
    assert len(set(names)) == len(names)


def test_a_plot_says_in_words_what_it_shows(report, text):
    told = alt_text("price_performance.png", "Price against latency", "Further left is faster.", report)
    pick = report.level(report.recommendation.pick)
    assert f"Chosen: {pick.who.replace('`', '')} at {pick.figures.users} users." in told
    assert f"{pick.figures.users} users ${10_000 * pick.usd:,.2f} per 10,000, p95 " in told
    assert told.split(". ", 1)[0] in text
    assert "Error rate by level. R. " in alt_text("error_rates.png", "Error rate by level", "R.", report)
    assert report.break_even[0].text in alt_text("break_even.png", "Break-even volume", "R.", report)
    assert alt_text("tokens_vs_latency.png", "T", "R.", report) == "T. R."


def test_a_terminal_is_told_three_targets_of_a_reason_and_how_many_more():
    many = Remark("; ".join(f"t{i} en @1, 2" for i in range(24)), 48, "only 7 successes")
    assert many.brief == "t0 en @1, 2; t1 en @1, 2; t2 en @1, 2 and 21 more"
    assert Remark("t0 en @1", 1, "only 7 successes").brief == "t0 en @1"
