"""Any field of a manifest and any column of requests.csv may be wrong: a remark, or one line before anything is written."""

import copy
import json
import pathlib

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.summary_json import all_tables, summary_of
from analysis.runs.run_reader import load_run
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import Finding, Part, WorkerLoad
from locustfiles.contract.record import FIELDS, KINDS
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, record, window

GONE = object()
NEVER_A_NUMBER = ("x", "0x10")
CELLS = ("", "-1", "nan", "inf", "9" * 40, "1e400", "=1+1")
WRONG = (GONE, None, "x", -1, [], {})
#: facts that are shown as they are, so that only the report itself finds out; of all others reading decides
SHOWN = ("price_book", "prices", "payloads", "versions", "workers", "findings", "git_revision", "host", "status")


def folder_of(path: pathlib.Path) -> pathlib.Path:
    records = [
        record(n * 0.5, 0.4, stage=1, prompt_tokens=10, completion_tokens=5, request_id=f"r{n}") for n in range(40)
    ]
    return made_run(
        path,
        records,
        [window(1, 0, 20, whole=True, workers=[WorkerLoad("local", 0.2, 1.0)])],
        [P4D, BEDROCK],
        payloads={"en": {"file": "p", "sha256": "ab" * 32, "prompts": 3}},
        findings=[Finding("p4d", "en", "users", 1, 2, True, "w", {"1": ["met"]}, [1])],
        parts=[Part("r", START, START + 9, "complete")],
        most_tokens={"p4d": 100, "bedrock": None},
        schemes={"p4d": "https"},
        versions={"python": "3"},
    )


def places(value, path=()):
    """The paths of a JSON value's parts; of a list's only its first."""
    inner = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def changed(document: dict, path: tuple, to: object) -> str:
    document = copy.deepcopy(document)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    if to is GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = to
    return json.dumps(document)


def refused(folder: pathlib.Path, whole: bool) -> bool:
    """Whether one line says why it cannot be read; else it is read, and with `whole` reported. Anything else raises."""
    try:
        load_run(folder)
        if whole:
            report = analyse([folder])
            markdown(report, [])
            json.dumps(summary_of(report), allow_nan=False)
            all_tables(report)
            write_html(report, [], folder / "x.html")
    except BadInput as e:
        assert "\n" not in str(e) and str(folder) in str(e)
        return True
    return False


def test_no_field_of_a_manifest_ends_in_a_traceback(tmp_path):
    folder = folder_of(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert not refused(folder, True)
    told = 0
    for path in places(manifest):
        for to in WRONG:
            (folder / "manifest.json").write_text(changed(manifest, path, to))
            told += refused(folder, path[0] in SHOWN and to in (None, "x"))
    assert told > 200  # of some 900 changes; the others are values that a run may have


@pytest.mark.parametrize("column", FIELDS)
def test_no_cell_of_requests_csv_ends_in_a_traceback(tmp_path, column):
    folder = folder_of(tmp_path / "r")
    lines = (folder / "requests.csv").read_text().splitlines()
    for cell in NEVER_A_NUMBER:
        write_with(folder, lines, {5: with_cell(lines[5], column, cell)})
        lost = [] if refused(folder, False) else load_run(folder).lost
        if KINDS[column] is not str:
            assert lost[0].startswith(
                f"1 damaged line in requests.csv was skipped (line 6: {column} is `{cell}`, which is no"
            )
    others = {n: with_cell(lines[n], column, cell) for n, cell in enumerate(CELLS, start=5)}
    write_with(folder, lines, others)
    if refused(folder, False):  # one of them keeps the file from being read: each by itself
        for n, line in others.items():
            write_with(folder, lines, {n: line})
            refused(folder, False)


def write_with(folder: pathlib.Path, lines: list[str], changed: dict[int, str]) -> None:
    """lines: of requests.csv; changed: those in place of them, by number from 0."""
    (folder / "requests.csv").write_text("\n".join(changed.get(n, line) for n, line in enumerate(lines)) + "\n")


def with_cell(line: str, column: str, cell: str) -> str:
    cells = line.split(",")
    cells[FIELDS.index(column)] = cell
    return ",".join(cells)


def test_words_that_no_version_wrote_are_said(tmp_path):
    folder = folder_of(tmp_path / "r")
    text = (folder / "requests.csv").read_text()
    (folder / "requests.csv").write_text(text.replace(",service,service,", ",oracle,guess,", 1))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(changed(manifest, ("status",), "finished"))
    notes = " ".join(load_run(folder).notes)
    assert "`status` is `finished`" in notes
    assert (
        "`prompt_token_source` of 1 records is `oracle`" in notes and "`token_source` of 1 records is `guess`" in notes
    )


@pytest.mark.parametrize("command", ["report", "calibrate"])
def test_nothing_is_written_where_a_digest_is_a_number(tmp_path, capsys, command):
    folder = folder_of(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(changed(manifest, ("payloads", "en", "sha256"), 5))
    (tmp_path / "truth.jsonl").write_text("")
    before = sorted(folder.rglob("*"))
    truth = ["--truth", str(tmp_path / "truth.jsonl")] if command == "calibrate" else []
    assert main([command, str(folder), *truth]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and ("`sha256` of `en` is no text" in said or "truth" in said)
    assert sorted(folder.rglob("*")) == before


def test_a_digest_that_is_null_is_not_known(tmp_path):
    folder = folder_of(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(changed(manifest, ("payloads", "en", "sha256"), None))
    assert not refused(folder, True)
    assert any("`sha256` of `en` is not there" in note for note in load_run(folder).notes)
