"""What decides is in sight: of a page 1,000 px and 400 px wide in a real browser, of a terminal, of a legend with long names."""

import io

import pandas as pd
import pytest
from rich.console import Console

from analysis.advice.analyse import analyse
from analysis.advice.label_heads import label_heads
from analysis.report.html import write_html
from analysis.report.html_arranged import arranged, evidence, failed_tables, token_sources
from analysis.report.notes import grouped
from analysis.report.plots import catalogue
from analysis.report.plots import style as plot_style
from analysis.report.plots.catalogue import draw_all
from analysis.report.plots.legend import columns_of, folded, legend, width
from analysis.report.plots.names import short_names
from analysis.report.plots.view import View
from analysis.report.terminal_tables import stages_tables
from tests.helpers import samples
from tests.helpers.browser import browser
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, steady, window

LONG = [f"anthropic.claude-haiku-WWWW-{i:02d}-behind-an-endpoint-with-a-long-name-ml.p4d.24xlarge" for i in range(24)]
#: captions -> the headings that decide, which must not be cut off
DECIDES = {
    "The recommendation of each model": ("USD per 10,000", "Latency p95 (s)", "Transactions per minute", "Error rate", "Verdict"),
    "Pareto front": ("USD per 10,000", "Latency p95 (s)", "Transactions per minute", "Verdict"),
    "What the run cost, by target": ("Cost", "Duration"),
    "Most cost effective: lowest USD per 1M output tokens at 5 users": ("USD per 1M output tokens", "Verdict"),
    "All stages": ("verdict", "SLO", "$ per 10k transactions"),
}  # fmt: skip
SEEN = """
  const seen = {};
  for (const region of document.querySelectorAll('.scroll')) {
    const right = region.getBoundingClientRect().right + 1;
    seen[region.ariaLabel] = [...region.querySelectorAll('thead tr:last-child th')]
      .filter(th => th.getBoundingClientRect().right <= right).map(th => th.textContent.trim());
  }
  return seen;"""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    """Two models with long names, each at 1, 5 and 10 users, priced by the hour and by tokens."""
    folder = tmp_path_factory.mktemp("page")
    targets = [P4D | {"name": LONG[0]}, BEDROCK | {"name": LONG[1], "model": "Claude Haiku 4.5 of the first half"}]
    places = [(target, users) for target in targets for users in (1, 5, 10)]
    records, stages = [], []
    for n, (target, users) in enumerate(places, 1):
        of = {"target": target["name"], "service": target["service"], "prompt_tokens": 500, "completion_tokens": 20}
        records += steady(n, n * 100, n * 100 + 60, users, 1.0 + users / 10, lead=2, **of)
        stages.append(window(n, n * 100, n * 100 + 60, users=users, target=target["name"]))
    prices = {LONG[0]: PRICES["p4d"], LONG[1]: PRICES["bedrock"]}
    report = analyse([made_run(folder / "r", records, stages, targets, prices, slo={"latency_s": {"p95": 1.8}})])
    write_html(report, draw_all(report, folder), folder / "report.html")
    with browser(1000) as driver:
        driver.get((folder / "report.html").as_uri())
        yield driver


def resize(chrome, wide):
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": wide < 600},
    )


def test_at_1000_px_nothing_that_decides_is_cut_off(chrome):
    resize(chrome, 1000)
    seen = chrome.execute_script(SEEN)
    assert {caption: set(heads) - set(seen[caption]) for caption, heads in DECIDES.items()} == {
        key: set() for key in DECIDES
    }


def test_on_a_phone_the_first_figures_stand_beside_the_name_and_the_page_does_not_scroll_sideways(chrome):
    resize(chrome, 400)
    seen = chrome.execute_script(SEEN)
    assert DECIDES["All stages"] == tuple(seen["All stages"][1:4])
    assert chrome.execute_script("return document.documentElement.scrollWidth") == 400


def test_on_a_phone_the_picture_that_decides_fits_and_opens_large_without_a_script(chrome):
    resize(chrome, 400)
    wide = "return document.querySelector('.first img').offsetWidth"
    assert chrome.execute_script(wide) <= 400
    chrome.execute_script("document.querySelector('.first details.larger').open = true")  # what a tap or Enter does
    assert chrome.execute_script(wide) >= 800
    chrome.execute_script("document.querySelector('.first details.larger').open = false")


def test_a_table_begins_with_what_decides_and_long_texts_stand_below():
    frame = pd.DataFrame(
        {"Target": ["a", "b"], "Source": ["a list", None], "Run": ["r", "r"], "Cost": ["$1", "$2"], "By": ["x", "y"]}
    )
    table = arranged(frame, ["Target", "Cost"], "Target", ("Run",), ("Source",))
    assert [h.text for h in table.heads] == ["Target", "Cost", "By"]
    assert [(row[0].text, row[0].under, row[0].head) for row in table.rows] == [("a", "r", True), ("b", "r", True)]
    assert table.below == ["Source: a list", ""]


def test_the_limits_of_two_runs_are_two_tables_and_reasons_stand_under_values():
    frame = pd.DataFrame(
        {
            "stage": [1, 2],
            "p95 ≤ 1 s": ["2 s, with 3 failures above it ✗", None],
            "mean ≤ 1 s": [None, "? TTFT is not known"],
        }
    )
    first, second = failed_tables(frame, {"p95 ≤ 1 s", "mean ≤ 1 s"}, [])
    assert [h.text for h in first.heads] == ["stage", "p95 ≤ 1 s"]
    assert (first.rows[0][1].text, first.rows[0][1].under) == ("2 s ✗", "with 3 failures above it")
    assert (second.rows[0][1].text, second.rows[0][1].under) == ("?", "TTFT is not known")


def test_intervals_stand_under_figures_and_columns_of_nobody_are_left_out():
    cell = evidence(pd.DataFrame({"p95": ["82 ms (81 ms – 83 ms)"]})).rows[0][0]
    assert (cell.text, cell.under) == ("82 ms", "81 ms – 83 ms")
    counted = pd.DataFrame(
        {"Target": ["a", "b"], "Successes": ["3", "4"], "by x": ["100 %", "0 %"], "by nobody": ["0 %", "0 %"]}
    )
    assert [h.text for h in token_sources(counted).heads] == ["Target", "Successes", "by x"]


def test_a_note_on_many_targets_is_one_note():
    notes = [
        "Tax is in no cost here: prices are without it.",
        *(f"Run r, `t{i}`: it answers in one piece." for i in range(3)),
    ]
    assert grouped([*notes, "Run s, `t0`: it answers in one piece."]) == [
        notes[0], "Run r, `t0`, `t1`, `t2`: it answers in one piece.", "Run s, `t0`: it answers in one piece.",
    ]  # fmt: skip


@pytest.mark.parametrize("wide", [170, 100, 80])
def test_a_terminal_shows_every_name_and_price_whole(wide):
    steps, records = samples.made_up(4, users=(1, 4), names=LONG[:4], n=20)
    found = samples.report(steps, records)
    console = Console(width=wide, record=True, file=io.StringIO())
    for table in stages_tables(found.results, wide):
        console.print(table)
    text = console.export_text()
    assert "…" not in text and max(map(len, text.splitlines())) <= wide
    joined = "".join(text.split())  # a name may be wider than the terminal, and goes on in the next line
    assert all(name in joined for name in LONG[:4])
    assert all(text.count(f"${10_000 * r.usd:,.2f}") for r in found.results if r.usd)


def test_long_names_that_are_alike_at_both_ends_are_told_from_where_they_differ():
    names = short_names(LONG)
    assert len(set(names.values())) == 24 and max(map(len, names.values())) <= 34
    assert names[LONG[7]] == "anthropi…07-behind-an-endpoint-wi…"
    assert short_names(["a", "b" * 40]) == {"a": "a", "b" * 40: "b" * 17 + "…" + "b" * 16}


@pytest.mark.parametrize("names", [LONG, [f"t{i}" for i in range(24)], [f"{'W' * 30}-{i}" for i in range(5)]])
def test_a_legend_fits_below_its_picture_in_as_many_columns_as_there_is_room_for(names):
    looks = plot_style.looks(names)
    handles = plot_style.target_handles(looks.values(), suspect=True)
    fig, _ = plot_style.figure("A picture")
    legend(fig, handles, "W" * 60 + " is a long line that goes on and on, " * 3)
    fig.canvas.draw()
    box = fig.legends[0].get_window_extent()
    assert 0 <= box.x0 and box.x1 <= fig.bbox.x1
    assert 0 <= box.y0 and box.y1 <= fig.bbox.y1
    assert columns_of([f"t{i}" for i in range(24)]) == 6
    assert max(map(width, folded("word " * 60).split("\n"))) <= 620


def test_of_many_targets_only_those_with_failures_have_a_line_of_errors():
    steps, records = samples.made_up(
        12, users=(1, 10), names=LONG[:12], n=60
    )  # the first of them fails, as samples say
    fig = catalogue.error_rates(View.of(samples.report(steps, records)))
    drawn = {line.get_label() for ax in fig.axes for line in ax.lines if not line.get_label().startswith("_")}
    assert drawn == {plot_style.looks(LONG[:12])[LONG[0]].name}
    assert fig.legends[0].get_title().get_text() == "Targets without failures are not drawn."


def test_a_label_that_is_called_like_a_column_has_one_of_its_own(tmp_path):
    heads = label_heads(["model", "quality", "Quality"], ["Model", "Verdict"])
    assert heads == ["Model (label)", "Quality", "Quality (label)"]
    labels = {"model": "x", "note": "n"}
    records = steady(1, 100, 160, 1, 1.0, lead=2, prompt_tokens=5, completion_tokens=9)
    report = analyse([made_run(tmp_path / "r", records, [window(1, 100, 160)], [P4D | {"labels": labels}])])
    assert report.tables["best_latency"].loc[0, ["Model", "Model (label)", "Note (label)"]].tolist() == [
        "Llama 2 13B",
        "x",
        "n",
    ]
    write_html(report, [], tmp_path / "report.html")
    assert "Model (label): x" in (tmp_path / "report.html").read_text()
