"""What a gate writes for CI: JUnit XML that its readers take, a page in Markdown, JSON; whatever the texts of others hold."""

import json
import re
import xml.etree.ElementTree as ET

import junitparser
import pytest

from analysis.__main__ import main
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED
from tests.helpers.made_run import P4D, made_run, record, window

#: what Jenkins' schema of JUnit files (junit-10.xsd of its xUnit plugin) lets an element have: attributes that it needs, others, children
ELEMENTS = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id"},
        {"properties", "testcase", "system-out"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name"}, {"time", "classname"}, {"error", "failure", "system-out"}),
    "error": (set(), {"type", "message"}, set()),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}
SLO = {"latency_s": {"mean": 0.5, "p95": 2.0}, "error_rate": 1.0}
HOSTILE = "\x1b[31m]]> <b>&\ufffe\U0001f600 | [x](javascript:1)\u202e"


def files(folder, slo=SLO, records=None, **keys):
    """(exit code, junit, markdown, json as data) of a run of nine answers of 1 s: one limit met, one missed, one undecided."""
    records = records or [record(10 + i, 1.0, prompt_id=str(i)) for i in range(9)]
    run = made_run(folder / "run", records, [window(1, 10, 20)], slo=slo, **keys)
    paths = [folder / "out" / name for name in ("gate.xml", "gate.md", "gate.json")]
    options = [str(part) for pair in zip(("--junit", "--markdown", "--json"), paths, strict=True) for part in pair]
    code = main(["gate", str(run), *options])
    junit, markdown, data = (path.read_text(encoding="utf-8") for path in paths)
    return code, junit, markdown, json.loads(data)


def check_schema(element):
    needed, others, children = ELEMENTS[element.tag]
    assert needed <= set(element.attrib) <= needed | others, element.tag
    for child in element:
        assert child.tag in children, f"{child.tag} in {element.tag}"
        check_schema(child)


def test_junit_readers_see_what_is_missed_as_a_failure_and_what_is_undecided_as_an_error(tmp_path):
    code, text, _, _ = files(tmp_path)
    assert code == NOT_TRUSTED
    check_schema(ET.fromstring(text))
    read = junitparser.JUnitXml.fromstring(text.encode())
    assert (read.tests, read.failures, read.errors) == (3, 1, 1)
    [suite] = read
    assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) == ("limits", 3, 1, 1, 0)
    met, missed, undecided = (
        next(c for c in suite if c.name == name)
        for name in ("1 user: error rate ≤ 100 %", "1 user: latency mean ≤ 0.5 s", "1 user: latency p95 ≤ 2 s")
    )
    assert {case.classname for case in suite} == {"p4d.en"}
    assert met.result == [] and met.system_out.startswith("p4d on en at 1 user: error rate ≤ 100 %: 0 %")
    assert isinstance(missed.result[0], junitparser.Failure) and missed.result[0].message.startswith(
        "latency mean ≤ 0.5 s: 1.00 s"
    )
    assert isinstance(undecided.result[0], junitparser.Error) and "too few samples: 9" in undecided.result[0].message


def test_a_class_of_limits_is_a_suite_and_its_cases_have_names_of_their_own(tmp_path):
    run = made_run(tmp_path / "run", [record(10, 1.0)], [window(1, 10, 20)])
    slo = tmp_path / "slo.yaml"
    slo.write_text("slo: {error_rate: 0}\nclasses: {a: {error_rate: 0}, b: {where: {target: x}, error_rate: 0}}\n")
    assert main(["gate", str(run), "--slo", str(slo), "--junit", str(tmp_path / "j.xml")]) == NOT_TRUSTED
    read = junitparser.JUnitXml.fromfile(str(tmp_path / "j.xml"))
    assert [(s.name, [c.name for c in s]) for s in read] == [
        ("limits", ["1 user: error rate ≤ 0 %"]),
        ("a", ["1 user: error rate ≤ 0 % (a)"]),
        ("b", ["has a stage"]),
    ]
    assert {p.name: p.value for p in next(iter(read)).properties()} == {"run": "run", "limits": str(slo)}


def test_texts_of_others_stay_text_in_every_file(tmp_path, capsys):
    failed = [record(10 + i, 1.0, error="server", error_code="X", error_message=HOSTILE) for i in range(9)]
    target = P4D | {"model": "a|b <i>"}
    code, text, markdown, data = files(tmp_path, {"error_rate": 0}, failed, targets=[target])
    assert code == GATE_MISSED
    check_schema(ET.fromstring(text))
    [answered] = [c for s in junitparser.JUnitXml.fromstring(text.encode()) for c in s if c.name == "answered"]
    assert (
        "\\x1b[31m]]> <b>&\\ufffe\U0001f600" in answered.result[0].message and "\\u202e" in answered.result[0].message
    )
    row = next(line for line in markdown.splitlines() if "answered" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 5  # four cells
    assert "<b>" not in row and "](" not in row and "javascript:" not in row
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\u202e" not in said
    assert data["cases"][0]["name"] == "answered" and "\x1b" not in data["cases"][0]["told"]


def test_the_page_has_what_is_not_met_first_and_folds_what_is(tmp_path):
    _, _, markdown, _ = files(tmp_path)
    lines = markdown.splitlines()
    assert lines[0] == "### ❓ Gate of run: undecided"
    assert lines[2] == "UNDECIDED: 3 cases of run run: 1 missed, 1 undecided, 1 met."
    marks = [line.split(" | ")[0] for line in lines if line.startswith("| ") and "of | what" not in line]
    assert marks == ["| ❌", "| ❓", "| ✅"]
    assert lines.index("<details><summary>1 met</summary>") > max(
        n for n, line in enumerate(lines) if line.startswith("| ❓")
    )
    assert lines[-1].startswith("- SUSPECT, 1 stage: only 9 successes")


def test_githubs_page_of_a_step_is_added_to_and_any_other_file_is_written_anew(tmp_path, monkeypatch):
    run = made_run(tmp_path / "run", [record(10, 1.0)], [window(1, 10, 20)], slo={"error_rate": 0})
    page, other = tmp_path / "summary", tmp_path / "other.md"
    for path in (page, other):
        path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    for path in (page, other):
        main(["gate", str(run), "--markdown", str(path)])
    assert page.read_text().startswith("before\n### ✅ Gate of run: met\n")
    assert other.read_text().startswith("### ✅ Gate of run: met\n")


def test_the_json_has_figure_and_limit_of_every_case(tmp_path):
    _, _, _, data = files(tmp_path)
    assert (data["outcome"], data["run"], data["baseline"], data["limits"]) == ("undecided", "run", None, None)
    mean = next(case for case in data["cases"] if case["name"] == "latency mean ≤ 0.5 s")
    expected = {
        "group": "limits",
        "target": "p4d",
        "payload": "en",
        "level": "1 user",
        "state": "missed",
        "limit": 0.5,
        "n": 9,
    }
    assert mean.items() >= expected.items() and mean["value"] == pytest.approx(1.0)


def test_a_file_that_cannot_be_written_is_bad_input(tmp_path, capsys):
    run = made_run(tmp_path / "run", [record(10, 1.0)], [window(1, 10, 20)], slo={"error_rate": 0})
    (tmp_path / "file").write_text("")
    assert main(["gate", str(run), "--junit", str(tmp_path / "file/j.xml")]) == BAD_INPUT
    assert "j.xml: cannot be written" in capsys.readouterr().err
