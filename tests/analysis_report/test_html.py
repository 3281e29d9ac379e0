"""The page: well formed, complete in itself, answers before explanations."""

import dataclasses
import html.parser
import re

import pandas as pd
import pytest

from analysis.cost.run_cost import RunCost
from analysis.report import html as page
from analysis.report.html_stages import stages, summary
from analysis.report.html_tables import heading, shown, table
from analysis.report.plots.catalogue import PLOTS, draw_all
from analysis.report.stage_groups import CALL_GROUPS, GROUPS, OPEN_GROUPS, SESSION_GROUPS
from analysis.verdicts.caution import caution
from analysis.verdicts.check import Check
from analysis.verdicts.slo_criteria import Criterion
from analysis.words import format as show
from analysis.words.columns import METRICS, STEP_COLUMNS
from tests.helpers import samples
from tests.helpers.flat import steps as steps_of

VOID = {"meta", "img", "br", "hr", "input", "link"}
HOSTILE = '<script>alert("x")</script>&amp;\'"`'


class Reader(html.parser.HTMLParser):
    """Collects tags, the text under each element with an id, and whether tags nest as they should."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words, self.stray = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append((tag, dict(attributes).get("id")))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()[0] != tag:
            self.stray.append(tag)

    def handle_data(self, data):
        self.words.append(([i for _, i in self.open if i], [t for t, _ in self.open], data))

    def under(self, name):
        return " ".join(" ".join(d for ids, _, d in self.words if name in ids).split())

    def text(self):
        return " ".join(" ".join(d for _, tags, d in self.words if "style" not in tags).split())


@pytest.fixture(scope="module")
def full():
    steps, records = samples.made_up(2)
    costs = [
        RunCost("study", "llama2-13b-p4d-0", "ml.p4d.24xlarge", "hourly", 263.55, 37.688, 1, *[None] * 8, 2.75908, 2.75908, 2.75908, None),
        RunCost("study", "bedrock-llama2-13b-1", "m", "tokens", 536.69, None, None, 1.4e6, 9e4, None, None, 0.00075, 0.001, None, None, 1.14, 1.14, 1.14, None),
    ]  # fmt: skip
    checks = [
        Check(Criterion("latency", "p95", "latency p95", 2.0, "2 s", show.seconds), 1.21, "met"),
        Check(Criterion("error_rate", None, "error rate", 0.0, "0 %", show.percent), 0.0625, "missed"),
        Check(Criterion("cost_per_10k", None, "cost per 10k transactions", 50.0, "$50", show.money), None, "undecided"),
    ]
    found = samples.report(
        steps, records, pick=23, break_even=[samples.pair()], notes=["A torn last line was skipped."]
    )
    lost = caution("told_by_run", text="7 records of worker w1 were lost")
    found = samples.doubted(found, {3: [caution("few_successes", successes=12)], 4: [lost]})
    results = [
        dataclasses.replace(r, checks=checks) if r in found.failed and r.figures.users == 8 else r
        for r in found.results
    ]
    return dataclasses.replace(found, run_cost=costs, results=results)


def write(report, folder, plots=True):
    files = draw_all(report, folder) if plots else []
    page.write_html(report, files, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(full, tmp_path_factory):
    return write(full, tmp_path_factory.mktemp("full"))


def test_the_page_is_well_formed_and_refers_to_nothing_outside_itself(text):
    reader = Reader(text)
    assert not reader.stray and not reader.open
    assert text.lstrip().startswith("<!DOCTYPE html>")
    sources = [a[k] for _, a in reader.tags for k in ("src", "href", "data", "action", "srcset") if k in a]
    assert sources and all(s.startswith(("data:image/png;base64,", "#")) for s in sources)
    assert not {t for t, _ in reader.tags} & {"link", "iframe", "object"}
    assert all("src" not in attributes for tag, attributes in reader.tags if tag == "script")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "@import" not in style and "url(" not in style


def test_every_link_of_the_contents_has_its_section(text):
    reader = Reader(text)
    ids = {a["id"] for _, a in reader.tags if "id" in a}
    assert {a["href"][1:] for t, a in reader.tags if t == "a"} <= ids


def test_the_page_answers_first_and_explains_later(text):
    sections = [a["id"] for t, a in Reader(text).tags if t == "section"]
    assert sections == [
        "warnings", "recommended", "missed", "cost", "by-target", "best", "stages", "plots", "break-even", "definitions", "how",
    ]  # fmt: skip
    assert (
        text.index("The best price-performance is this one.")
        < text.index('id="price_performance.png"')
        < text.index('id="warnings"')
    )


def test_every_stage_is_a_row_with_its_users_and_its_price(full, text):
    words = Reader(text).under("stages")
    for row in steps_of(full).itertuples():
        users = "1 user " if row.users == 1 else f"{row.users} users "
        assert f"{row.target} {users}· {row.payload} · stage {row.stage} " in words
    # 37.688 $/h / (60 successes / 30 s x 3600 s = 7,200/h) = 0.005234 $
    steps = steps_of(full)
    two = steps[(steps["users"] == 2) & (steps["price_basis"] == "hourly")].iloc[0]
    assert two["successes"] == 60 and "$0.005234" in words


def test_each_column_of_the_steps_table_has_a_place_in_a_table_of_stages():
    placed = {
        c.name for group in (*GROUPS, *CALL_GROUPS, *OPEN_GROUPS, *SESSION_GROUPS) for c in group.columns.values()
    }
    placed |= {"run", "stage", "repeat", "target", "payload", "users", "rate"}  # in the cell that names the row
    # the ends of intervals stand under the figure that they belong to
    assert placed == {c for c in STEP_COLUMNS if "_low" not in c and "_high" not in c}


def test_an_interval_stands_under_its_percentile_and_is_wide_without_an_upper_end(full):
    steps = steps_of(full)
    steps.loc[0, ["latency_p95_s", "latency_p95_low_s", "latency_p95_high_s"]] = [2.514, 2.4, 2.631]
    steps.loc[1, ["latency_p95_s", "latency_p95_low_s", "latency_p95_high_s"]] = [2.514, 2.4, None]
    found = stages(samples.with_steps(full, steps))
    at = next(i for i, h in enumerate(found.heads) if h.title.startswith("latency_p95_s"))
    assert [(found.rows[i][at].text, found.rows[i][at].under) for i in (0, 1)] == [
        ("2.51", "2.40 – 2.63"),
        ("2.51", "2.40 – wide"),
    ]


def test_what_is_not_known_is_a_dash_that_says_so_and_never_0(full):
    steps = steps_of(full)
    steps.loc[0, ["usd_per_transaction", "latency_p95_s"]] = None
    row = stages(samples.with_steps(full, steps)).rows[0]
    assert (
        [c.text for c in row if c.title == "not known"].count("–") == len([c for c in row if "unknown" in c.css]) >= 2
    )
    assert shown("errors", "").text == "" and shown("errors", "").title == ""  # no errors is known


def test_columns_with_nothing_known_are_left_out_and_named(tmp_path):
    steps, records = samples.made_up(1, users=(4,), stream=False, n=20)
    words = Reader(write(samples.report(steps, records), tmp_path, plots=False)).under("stages")
    left_out = words[words.index("Nothing is known of") :]
    assert "TTFT p95 (s)" in left_out and "TTFT, s" not in words[: words.index("Nothing is known of")]


def test_failing_cells_are_marked_by_sign_and_class_and_passing_ones_too(text):
    missed = text[text.index('<section id="missed">') : text.index('<section id="cost">')]
    assert re.search(r'<td class="missed n" title="missed">6.25 % ✗', missed)
    assert re.search(r'<td class="met n" title="met">1.21 s ✓', missed)
    assert re.search(r'<td class="undecided n" title="undecided">– \?', missed)


def test_warnings_name_the_stages_that_cannot_be_trusted_and_why(text):
    words = Reader(text).under("warnings")
    assert words.index("INVALID, 1 stage: 7 records of worker w1 were lost:") < words.index(
        "SUSPECT, 1 stage: only 12 successes, so one slow request moves every figure: measure longer ( measure_s )."
    )
    assert "llama2-13b-p4d-0 payload_en_1-500 @6" in words
    assert "A torn last line was skipped." in words


def test_the_run_cost_shows_its_total_and_its_factors(text):
    words = Reader(text).under("cost")
    # 263.55 s x 37.688 $/h / 3600 = 2.76 $, and 2.76 + 1.14 = 3.90 $
    assert "Total: $3.90." in words and "$2.76" in words and "$1.14" in words and "$37.688/h" in words


def test_all_plots_are_inside_and_each_absent_one_is_explained(text, tmp_path):
    images = [a for t, a in Reader(text).tags if t == "img"]
    assert len(images) == len(PLOTS) - 1 and all(
        a["alt"] for a in images
    )  # all but that of conversations, of which there are none
    steps, records = samples.made_up(1, users=(4,), stream=False, n=20)
    words = Reader(write(samples.report(steps, records), tmp_path)).text()
    files = ("pareto_front.png", "error_rates.png", "concurrency_vs_ttft.png", "break_even.png")
    absent = [p for p in PLOTS if p.file in files]
    assert words.count("is not drawn:") == len(absent)
    for plot in absent:
        assert f"{plot.title} is not drawn: {plot.absent}." in words


def test_every_metric_is_defined_in_words(text):
    words = Reader(text).under("definitions")
    assert all(f"{m.name} {m.unit} {m.definition}".replace("  ", " ") in words for m in METRICS)


def test_how_it_was_run_names_versions_prices_workers_and_windows(text):
    words = Reader(text).under("how")
    for part in ("configs/study.yaml (seed 7)", "locust 2.47", "revision abc1234", "as of 2024-04-15", "100 records received of 100 produced",
                 "payloads/payload_en_1-500.jsonl (100 prompts", "name: study"):  # fmt: skip
        assert part in words


def test_hostile_names_are_text_everywhere(tmp_path):
    steps, records = samples.made_up(1, users=(2,), names=[HOSTILE], n=20)
    steps["model"] = HOSTILE
    report = samples.report(steps, records, pick=2, notes=[HOSTILE])
    report = samples.doubted(report, {n: [caution("told_by_run", text=HOSTILE)] for n in (1, 2)})
    report.recommendation.facts = [HOSTILE]
    report.recommendation.label = HOSTILE
    report.sentences = [s._replace(recommendation=HOSTILE) for s in report.sentences]
    report.runs["study"].scenario["name"] = HOSTILE
    report.runs["study"].host = HOSTILE
    text = write(report, tmp_path, plots=False)
    reader = Reader(text)
    assert not reader.stray
    assert text.count("<script") == 2  # the chart's data and its script
    for section in ("stages", "warnings", "recommended", "by-target", "how"):
        assert HOSTILE in reader.under(section)


def test_without_a_recommendation_the_page_says_so_and_shows_no_key_figures(full, tmp_path):
    report = samples.report(steps_of(full), full.records)
    report.recommendation.facts = ["No stage can be recommended: 24 of 24 missed a limit."]
    report.recommendation.worst_criterion = "error rate ≤ 0 %"
    text = write(report, tmp_path, plots=False)
    assert '<div class="answer none">\n<p><b>No stage can be recommended' in text and 'class="figures"' not in text
    assert "the limit missed most is error rate ≤ 0 %" in Reader(text).under("recommended")


def test_a_run_in_which_nothing_succeeded_still_gets_its_page(tmp_path):
    steps, records = samples.made_up(1, users=(1, 2), n=10)
    records["error"] = "connect"
    rows = [
        samples.step_of(mine, "t", "sagemaker", "ml.p4d.24xlarge", 37.688, True) for _, mine in records.groupby("stage")
    ]
    report = samples.report(samples.frame(rows), records.assign(target="t"))
    words = Reader(write(report, tmp_path)).text()
    # drawn are the error rates, and the throughput, which is known to be 0
    assert "100 %" in words and words.count("is not drawn:") == 6
    assert "$0" not in Reader((tmp_path / "report.html").read_text(encoding="utf-8")).under("stages")


def test_two_runs_are_told_apart(full, tmp_path):
    reader = Reader(write(samples.second_run(full), tmp_path, plots=False))
    assert "stage 5 of study" in reader.under("stages") and "stage 5 of later" in reader.under("stages")


def test_the_summary_is_that_of_the_recommended_stage_with_ttft_and_tpot_where_known(full):
    result = full.level(full.recommendation.pick)
    found = {line[0].text: line[1].text for line in summary(result).rows}
    assert found["target"] == "bedrock-llama2-13b-1" and found["users"] == "8"
    # tokens: mean prompt x $0.75/M + 24 x $1/M, as made up
    assert found["$ per transaction"] == f"${(result.figures.tokens.prompt_tokens_mean * 0.75 + 24) / 1e6:.6f}"
    assert "TTFT p95 (s)" in found and "TPOT p95 (ms)" not in found


def test_backticks_become_code_only_after_escaping():
    assert page.ticks("`a<b` & c") == "<code>a&lt;b</code> &amp; c"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("latency_p95_s", "latency p95 (s)"),
        ("ttft_mean_s", "TTFT mean (s)"),
        ("usd_per_transaction", "$ per transaction"),
        ("completion_tokens_per_s", "output tokens/s"),
        ("Latency (ms/token) median", "Latency (ms/token) median"),
        ("latency_p99_9_s", "latency p99.9 (s)"),
        ("itl_p95_ms", "ITL p95 (ms)"),
    ],
)
def test_headings_are_words_with_units(column, words):
    assert heading(column) == words


def test_a_frame_becomes_a_table_of_rounded_cells_without_its_empty_columns():
    frame = pd.DataFrame({"users": [5], "usd": [22.155], "error_rate": [0.0625], "note": [None], "Margin": [0.12]})
    found = table(frame)
    assert [h.text for h in found.heads] == ["users", "cost", "error rate", "Margin"] and found.left_out == ["note"]
    assert [c.text for c in found.rows[0]] == ["5", "$22.16", "6.25 %", "12 %"]
