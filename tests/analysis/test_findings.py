"""What a search found stands at the top of the report, with its evidence."""

import io
import json

import pytest
from rich.console import Console

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.commands.report import print_gist
from analysis.report.plots.view import View, lines
from analysis.report.run_tables import shown_evidence
from analysis.report.text_tables import full_table
from locustfiles.contract.manifest import Finding
from tests.helpers.flat import steps
from tests.helpers.made_run import P4D, PRICES, made_run, steady, window

LOAD = {"find": {"up_to": 8}, "measure_s": 60}


def searched(tmp_path, confirmed=True, why="above it the limits are missed", last="missed"):
    """A search over 1, 2, 4, 3, 2 and 3 users, whose latency grows with the users."""
    records, stages = [], []
    for number, users in enumerate((1, 2, 4, 3, 2, 3), 1):
        a = 100 * number
        records += steady(number, a, a + 60, users, 0.2 + 0.2 * users, lead=3, prompt_tokens=9, completion_tokens=5)
        stages.append(window(number, a, a + 60, users=users, whole=True, steady=True))
    outcomes = {"1": ["met"], "2": ["met", "met"], "3": ["missed", last], "4": ["missed"]}
    finding = Finding("p4d", "en", "users", 2, 3, confirmed, why, outcomes, [1, 2, 3, 4, 5, 6])
    slo = {"latency_s": {"p95": 0.7}}
    return made_run(tmp_path / "r", records, stages, slo=slo, findings=[finding], scenario_keys={"load": LOAD})


def test_a_finding_has_its_stages_by_level_with_outcomes_in_the_order_measured(tmp_path):
    (found,) = analyse([searched(tmp_path, confirmed=False, last="met")]).findings
    assert (
        found.text
        == "`p4d` on `en`: 2 users keep the limits, 3 do not (not confirmed): above it the limits are missed."
    )
    assert [e.result.key.stage for e in found.evidence] == [1, 2, 5, 4, 6, 3]
    assert [e.result.figures.users for e in found.evidence] == [1, 2, 2, 3, 3, 4]
    assert [e.outcome for e in found.evidence] == ["met", "met", "met", "missed", "met", "missed"]
    assert [e.result.figures.latency.p95 for e in found.evidence] == pytest.approx([0.4, 0.6, 0.6, 0.8, 0.8, 1.0])
    assert any(w.startswith("not confirmed") for w in found.warnings)


def test_an_interval_that_is_too_narrow_is_called_so_in_the_evidence_too(tmp_path):
    # requests of 9 s in a window of 30 s: four of them are longer than it
    records = steady(1, 100, 130, 8, 9.0, lead=9, prompt_tokens=9, completion_tokens=5)
    finding = Finding("p4d", "en", "users", 8, None, True, "x", {"8": ["met"]}, [1])
    path = made_run(tmp_path / "r", records, [window(1, 100, 130, users=8)], findings=[finding])
    report = analyse([path])
    (shown,) = shown_evidence(report.findings[0])["Transactions/s"]
    assert shown.endswith(", too narrow)")
    assert full_table(report.results)["Transactions/s"].tolist() == [shown]


def test_a_search_is_one_line_in_the_picture_of_prices(tmp_path):
    view = View.of(analyse([searched(tmp_path)]))
    # 2 and 3 users were measured twice, and stand there once
    assert [[m.level for m in line] for _, line in lines(view.candidates)] == [[1, 2, 3, 4]]


def test_a_confirmed_finding_on_valid_stages_has_no_warning(tmp_path):
    (found,) = analyse([searched(tmp_path)]).findings
    assert found.warnings == []


def test_a_finding_that_rests_on_suspect_stages_says_so(tmp_path):
    path = searched(tmp_path)
    text = (path / "manifest.json").read_text()
    data = json.loads(text)
    data["stages"][4]["steady"] = False
    (path / "manifest.json").write_text(json.dumps(data))
    (found,) = analyse([path]).findings
    assert found.warnings == ["1 of its 6 stages are SUSPECT (2 users)"]


def test_findings_stand_at_the_top_of_every_form_of_the_report(tmp_path, capsys):
    path = searched(tmp_path, confirmed=False)
    assert main(["report", str(path)]) == 0
    text = "2 users keep the limits, 3 do not (not confirmed)"
    out = " ".join(capsys.readouterr().out.split())
    assert f"Found: `p4d` on `en`: {text}" in out and "Mind: not confirmed" in out
    words = (path / "report" / "report.md").read_text()
    assert words.index(text) < words.index("## Recommendation")
    page = (path / "report" / "report.html").read_text()
    assert page.index(text) < page.index('<section id="warnings">') and 'href="#findings"' in page
    (finding,) = json.loads((path / "report" / "summary.json").read_text())["findings"]
    assert (finding["answer"], finding["fails_at"], finding["confirmed"], len(finding["evidence"])) == (2, 3, False, 6)
    lines = (path / "report" / "tables" / "findings.csv").read_text().splitlines()
    assert len(lines) == 7 and "latency_p95_low_s" in lines[0]


def test_the_limits_of_a_search_judge_its_stages(tmp_path):
    """`find.slo` alone: 130 requests of 0.4 s keep a p95 of 0.5 s, those of 0.6 s miss it."""
    records, stages = [], []
    for number, users in enumerate((1, 2), 1):
        a = 100 * number
        records += steady(number, a, a + 60, users, 0.2 + 0.2 * users, lead=3, prompt_tokens=9, completion_tokens=5)
        stages.append(window(number, a, a + 60, users=users, whole=True, steady=True))
    load = {"find": {"up_to": 8, "slo": {"latency_s": {"p95": 0.5}}}, "measure_s": 60}
    other = {"name": "other", "load": {"users": [1], "measure_s": 60}}
    made_run(
        tmp_path / "r",
        records,
        stages,
        targets=[P4D | {"load": load}, P4D | other],
        prices=PRICES | {"other": PRICES["p4d"]},
    )
    report = analyse([tmp_path / "r"])
    assert steps(report)["slo"].tolist() == ["met", "missed"]
    assert report.recommendation.pick.stage == 1  # the second is cheaper, for it carries 200/min and not 150/min
    assert report.recommendation.criteria == ["latency p95 ≤ 0.5 s"]
    assert steps(report)["goodput_per_s"].tolist()[1] == 0.0
    assert report.slo == {"r": {}}  # no limit holds for both targets


def test_a_run_without_a_search_has_no_findings(tmp_path):
    report = analyse([made_run(tmp_path / "r", steady(1, 10, 40, 1, 0.5), [window(1, 10, 40)])])
    assert report.findings == []
    console = Console(width=400, record=True, file=io.StringIO())
    print_gist(report, console)
    assert "Found:" not in console.export_text()


def test_a_search_that_never_ended_is_named_as_missing(tmp_path):
    stages = [window(1, 100, 160, users=1, ended_by="stop")]
    path = made_run(
        tmp_path / "r",
        steady(1, 100, 160, 1, 0.4),
        stages,
        status="stopped",
        slo={"error_rate": 0.0},
        scenario_keys={"load": LOAD},
    )
    (text,) = analyse([path]).cut
    assert text.endswith("Of its 1 planned stages these were never measured: the search of `p4d` on `en`.")
