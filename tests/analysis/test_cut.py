"""Runs that ended before their last stage, and stages that their error rate ended."""

import io

from rich.console import Console

from analysis.advice.analyse import analyse
from analysis.commands.report import print_gist
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, P4D, made_run, steady, window

LOAD = {"users": [1, 2, 4], "think_s": 0.0, "settle_s": 0.0, "measure_s": 30.0}
TOKENS = {"prompt_tokens": 5, "completion_tokens": 5}


def cut(tmp_path, second, **keys):
    """p4d at 1 user measured, at 2 users as in `second`; planned are 3 levels of p4d and of bedrock."""
    records = steady(1, 10, 40, 1, 0.5, lead=2, **TOKENS)
    if second.measure_from is not None:
        records += steady(2, 60, 70, 2, 0.5, lead=2, **TOKENS)
    values = {"status": "stopped", "targets": [P4D, BEDROCK], "scenario_keys": {"load": LOAD, "budget_usd": 5}}
    return analyse([made_run(tmp_path / "r", records, [window(1, 10, 40), second], **(values | keys))])


def test_a_run_ended_by_its_budget_says_so_at_the_top_and_what_was_never_measured(tmp_path):
    report = cut(tmp_path, window(2, 60, 70, users=2, ended_by="budget"))
    text = (
        "Run r was ended by its budget ($5.00) during stage 2 (`p4d`, `en`, 2 users), whose window is shorter than planned. "
        "Of its 6 planned stages these were never measured: `p4d` on `en` at 4 users; all of `bedrock`."
    )
    assert report.cut == [text]
    warning = "The recommendation is among the stages that were measured only, without `p4d` on `en` at 4 users; all of `bedrock`."
    assert report.recommendation.warnings[0] == warning
    words = markdown(report, [])
    assert words.index(text) < words.index("## Recommendation") < words.index(f"Mind: {warning}")
    write_html(report, [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.index("ended by its budget ($5.00)") < page.index("The best price-performance")
    console = Console(width=400, record=True, file=io.StringIO())
    print_gist(report, console)
    shown = console.export_text()
    assert text in shown and f"Mind: {warning}" in shown


def test_a_stop_while_a_stage_settles_leaves_that_stage_unmeasured(tmp_path):
    report = cut(tmp_path, window(2, None, None, users=2, ended_by="stop"))
    assert report.cut == [
        "Run r was stopped (Ctrl-C, a signal or the web UI) during stage 2 (`p4d`, `en`, 2 users), before its measured "
        "window. Of its 6 planned stages these were never measured: `p4d` on `en` at 2, 4 users; all of `bedrock`."
    ]


def test_missing_levels_from_one_user_on_are_users(tmp_path):
    keys = {"targets": [P4D], "scenario_keys": {"load": LOAD}, "status": "stopped"}
    records = steady(1, 10, 40, 4, 0.5, lead=2, **TOKENS)
    (text,) = analyse([made_run(tmp_path / "r", records, [window(1, 10, 40, users=4)], **keys)]).cut
    assert text.endswith("never measured: `p4d` on `en` at 1, 2 users.")
    stages = [window(1, 10, 40, users=4), window(2, 60, 70, users=2)]
    (text,) = analyse([made_run(tmp_path / "s", records, stages, **keys)]).cut
    assert text.endswith("never measured: `p4d` on `en` at 1 user.")


def test_a_run_that_failed_says_so(tmp_path):
    (text,) = cut(tmp_path, window(2, 60, 70, users=2), status="failed").cut
    assert text.startswith("Run r was ended by a failure. Of its 6 planned stages these were never measured: ")


def test_a_complete_run_says_nothing_of_the_kind(tmp_path):
    report = cut(tmp_path, window(2, 60, 70, users=2), status="complete")
    assert report.cut == []
    assert not any("never measured" in w for w in report.recommendation.warnings)


def test_a_stage_ended_by_its_error_rate_is_named_as_a_result(tmp_path):
    records = steady(1, 10, 40, 1, 0.5, lead=2, **TOKENS) + steady(2, 60, 65, 2, 0.5, error="server")
    stages = [window(1, 10, 40), window(2, 60, 65, users=2, ended_by="abort")]
    report = analyse([made_run(tmp_path / "r", records, stages)])
    assert report.cut == []
    assert steps(report)["ended_by"].tolist() == ["time", "abort"]
    # 2 users x 5 s / 0.5 s
    assert (
        "Stage 2 (`p4d`, `en`, 2 users) was ended early by its error rate: 100 % of 20 requests (server 20). "
        "That is its result; its figures are those of a shorter window." in report.notes
    )
    assert "| 100 % (server 20), ended early by it |" in markdown(report, [])
