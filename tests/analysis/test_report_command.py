"""`python -m analysis report`: its files, its terminal, its exit codes."""

import json
import math
import pathlib
import subprocess
import sys

import pandas as pd
import pytest

from analysis.__main__ import COMMANDS, main
from analysis.words.columns import STEP_COLUMNS
from locustfiles.contract import version
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from tests.helpers.first_study import PAYLOAD, SLO, STUDY, stage_of
from tests.helpers.made_run import BEDROCK, P4D, made_run, steady, window

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two targets with limits, and its report, made once by the command."""
    records, stages = [], []
    for i, (users, rate, failures, latency) in enumerate(STUDY[:2], start=1):
        made = stage_of(i, 100 * i, users, rate, failures, latency, prompt_tokens=3384, completion_tokens=30)
        records += made[0]
        stages.append(made[1])
    made = stage_of(3, 700, 10, 190, 0, 1.48, target="bedrock", prompt_tokens=2923, completion_tokens=24)
    path = made_run(
        tmp_path_factory.mktemp("runs") / "study",
        records + made[0],
        [*stages, made[1]],
        targets=[P4D, BEDROCK],
        slo=SLO,
    )
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "report", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return path, done


def test_the_command_writes_every_file_of_the_report(run):
    path, done = run
    assert (done.returncode, done.stderr) == (OK, "")
    made = {p.relative_to(path / "report").as_posix() for p in (path / "report").rglob("*")}
    expected = {
        "report.html",
        "report.md",
        "summary.json",
        "steps.csv",
        "tables/run_cost.csv",
        "tables/failed.csv",
        "tables/sentences.csv",
        "tables/criteria.csv",
        "tables/knees.csv",
        "tables/most_cost_effective.csv",
        "tables/best_throughput.csv",
        "tables/best_latency.csv",
        "tables/recommended_stage.csv",
        "tables/break_even_curve.csv",
    }
    assert expected <= made


def test_the_terminal_shows_the_stages_the_recommendation_and_the_reports_path(run):
    path, done = run
    text = " ".join(done.stdout.split())
    assert "The best price-performance for `payload_en_3000-3840` is `bedrock`" in text
    assert f"Report: {path}/report/report.html" in text
    assert "\x1b" not in done.stdout  # plain where there is no terminal
    rows = [line.split() for line in done.stdout.splitlines() if line.rstrip().endswith((" VALID", " SUSPECT"))]
    assert [row[0] for row in rows] == ["p4d", "p4d", "bedrock"]
    assert [row[-2] for row in rows] == ["missed", "missed", "met"]


def test_steps_csv_has_the_defined_columns_and_empty_cells_for_what_is_not_known(run):
    path, _ = run
    text = (path / "report" / "steps.csv").read_text()
    assert text.splitlines()[0].split(",") == list(STEP_COLUMNS)
    steps = pd.read_csv(path / "report" / "steps.csv")
    assert steps["requests"].tolist() == [154, 258, 190]
    assert steps["usd_per_transaction_at_10pct"].isna().tolist() == [False, False, True]


def test_every_form_of_the_report_says_which_build_made_it(run):
    (path, _), made_by = run, version.build()
    summary = json.loads((path / "report" / "summary.json").read_text())
    assert summary["made_by"]["version"] == made_by.version
    assert (summary["made_by"]["git_revision"] or "")[:40] == (made_by.git_revision or "")[:40]
    for name in ("report.md", "report.html"):
        assert f" UTC by swarmledger {made_by.version}" in (path / "report" / name).read_text()


def test_summary_json_is_one_document_with_all_that_the_report_says(run):
    path, _ = run

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    summary = json.loads((path / "report" / "summary.json").read_text(), parse_constant=refuse)
    assert summary["recommendation"]["pick"] == {"run": "study", "stage": 3}
    assert summary["dataset"] == PAYLOAD
    assert summary["steps"][2]["usd_per_transaction"] == pytest.approx(0.00221625)
    assert summary["steps"][2]["usd_per_transaction_at_10pct"] is None
    assert summary["runs"]["study"]["workers"][0]["id"] == "local"
    assert len(summary["failed"]) == 2
    assert summary["total_cost_usd"] == pytest.approx(sum(r["usd"] for r in summary["run_cost"]))
    assert {"sentences", "knees", "break_even", "tables", "notes", "criteria", "pricing", "metrics"} <= set(summary)
    assert math.isfinite(summary["break_even"][0]["usd_per_hour"])


def test_the_markdown_has_the_sentences_and_tables(run):
    path, _ = run
    text = (path / "report" / "report.md").read_text()
    for part in (
        "| target | bedrock |",
        "**5.84 % ✗**",
        "2 of the 3 stages on `payload_en_3000-3840` missed at least one limit",
        "No level of `p4d` (ml.p4d.24xlarge) can be recommended",
        "154",
        "| $ per transaction | $0.002216",
        "Total: $",
        "| error_rate |  | failures / (requests - cancelled) | lower |",
    ):
        assert part in text, part
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    assert "nan" not in text.lower().replace("nano", "")


def test_every_table_of_the_markdown_is_even(run):
    path, _ = run
    width = 0
    for line in (path / "report" / "report.md").read_text().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\|", "").count("|")
        assert width in (0, cells), line
        width = cells


def test_several_runs_make_one_report_beside_them(tmp_path, capsys):
    for name in ("a", "b"):
        made_run(tmp_path / name, steady(1, 10, 40, 1, 0.5, prompt_tokens=5, completion_tokens=5), [window(1, 10, 40)])
    assert main(["report", str(tmp_path / "a"), str(tmp_path / "b")]) == OK
    steps = pd.read_csv(tmp_path / "report-a-b" / "steps.csv")
    assert steps["run"].tolist() == ["a", "b"]
    assert "report-a-b/report.html" in capsys.readouterr().out.replace("\n", "")


def test_an_invalid_stage_gives_exit_code_2(tmp_path, capsys):
    path = made_run(tmp_path / "r", steady(1, 10, 40, 1, 0.5), [window(1, 10, 40)], problems=["A worker is missing."])
    assert main(["report", str(path), "--out", str(tmp_path / "out")]) == NOT_TRUSTED
    assert (
        "INVALID, 1 stage: A worker is missing: run the stage again (`--resume`) (p4d en @1)" in capsys.readouterr().out
    )
    assert (tmp_path / "out" / "report.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["report", "/no/such/run"],
            "error: /no/such/run: no run folder, it has no manifest.json; give the folder named by --run-dir\n",
        ),
        (
            ["report", "{run}", "--pricing", "/no/book.yaml"],
            "error: /no/book.yaml: cannot be read (No such file or directory); check the path\n",
        ),
        (
            ["report", "{run}", "--out", "/proc/nowhere"],
            "error: /proc/nowhere: cannot be written (No such file or directory); choose another place with --out\n",
        ),
    ],
)
def test_a_users_mistake_gets_one_line_and_exit_code_1(run, capsys, arguments, message):
    assert main([a.format(run=run[0]) for a in arguments]) == BAD_INPUT
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("arguments", [[], ["repot"], ["report"], ["report", "x", "--colour"]])
def test_a_usage_error_is_one_line_and_exit_code_1(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == BAD_INPUT
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--help" in error


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_answers_help_with_an_example(capsys, command):
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"] if command else ["--help"])
    assert exit_.value.code == OK
    assert f"python -m analysis {command or 'report'}" in capsys.readouterr().out.split("example", 1)[1]
