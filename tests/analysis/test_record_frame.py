"""requests.csv in blocks of columns: the same records, damage and words as line by line, wherever a block ends."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.advice.analyse import analyse
from analysis.runs import record_frame
from analysis.runs.lost_records import doubled_in
from analysis.runs.record_frame import UNTOLD, read_file
from analysis.runs.records_file import read_records
from analysis.runs.rows import Rows
from analysis.runs.run_reader import load_run
from analysis.runs.texts import codes_of, counted, in_it, in_words
from analysis.runs.under_way import UnderWay
from analysis.runs.window_share import in_flight
from locustfiles.contract.record import FIELDS
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.flat import steps
from tests.helpers.made_run import made_run, record, steady, streamed, window

#: what somebody may make of a cell: all of it damage in a number, most of it fine in a text
ODD = (
    "nan",
    "0x1F",
    "1_000",
    "inf",
    "-1",
    "12.5",
    "1e999",
    "fast",
    "",
    "'=1+1",
    "''x",
    "\x1b[2J",
    '"',
    "é",
    "a\rb",
    "\u202e",
    "\udcff",
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Of some ten lines, so that few records have many of them."""
    monkeypatch.setattr(record_frame, "BLOCK", 2000)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    some = [
        record(at, 0.5, call=at, error="throttled", error_message="slow, down", worker=f"w{at % 3}")
        for at in range(10, 40)
    ]
    more = [streamed(at, 2, 1, 9, call=at, gaps="3*7 12") for at in range(40, 70)]
    return made_run(tmp_path_factory.mktemp("made") / "r", some + more, [window(1, 10, 80)])


def read_with(path, lines):
    folder = RunFolder(path)
    folder.requests.write_bytes(b"".join(lines))
    return read_file(folder)


def same(found, text):
    records, damaged = read_records(text)
    assert found.damaged == damaged
    pd.testing.assert_frame_equal(in_words(found.records), records)


@settings(max_examples=40, phases=[Phase.generate], deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_in_blocks_as_line_by_line(path, data):
    whole = RunFolder(path).requests.read_bytes()
    header, *lines = whole.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        cells = lines[at].rstrip(b"\n").split(b",")
        column, odd = data.draw(st.integers(0, len(cells) - 1)), data.draw(st.sampled_from(ODD))
        cells[column] = odd.encode(errors="surrogateescape")
        how = data.draw(st.sampled_from(("cell", "cell", "cell", "more", "fewer", "empty")))
        cells = {"cell": cells, "more": [*cells, b"7"], "fewer": cells[:column], "empty": []}[how]
        lines[at] = b",".join(cells) + b"\n"
    try:
        found = read_with(path, [header, *lines])
    finally:
        RunFolder(path).requests.write_bytes(whole)
    same(found, b"".join([header, *lines]))


def test_a_sound_file_is_read_without_a_look_at_its_lines(path, monkeypatch):
    text = RunFolder(path).requests.read_bytes()
    same(read_file(RunFolder(path)), text)
    for slow in ("read_records", "read_lines"):
        monkeypatch.setattr(record_frame, slow, lambda text: pytest.fail("a block was not read at once"))
    found = read_file(RunFolder(path))
    assert len(found.records) == 60 and not found.damaged and not found.torn
    assert found.records["error"].cat.categories.tolist() == ["throttled"]
    assert found.records["rate"].to_numpy().strides == (0,)  # a column without anything in it takes no memory
    told = read_file(RunFolder(path), UNTOLD).records
    assert [name for name in FIELDS if name not in UNTOLD] == list(told)


def test_words_that_look_like_formulas_come_back_in_every_block(tmp_path):
    some = [record(at, 0.5, call=at, request_id="=1+1" if at % 2 else "-x", stop_reason="@end") for at in range(10, 60)]
    path = made_run(tmp_path / "r", some, [window(1, 10, 80)])
    assert b",'=1+1" in RunFolder(path).requests.read_bytes()
    records = read_file(RunFolder(path)).records
    assert set(records["request_id"]) == {"=1+1", "-x"} and set(records["stop_reason"]) == {"@end"}


def test_a_number_with_a_fraction_is_no_count(tmp_path):
    path = made_run(tmp_path / "r", [record(11, 1, prompt_tokens=7)], [window(1, 10, 20)])
    text = RunFolder(path).requests.read_bytes()
    assert text.count(b",7,") == 1
    text = text.replace(b",7,", b",7.5,")
    assert read_records(text)[1] == [(2, "prompt_tokens is `7.5`, which is no whole number")]
    same(read_with(path, [text]), text)


def test_a_line_without_its_last_cells_is_damaged_whatever_is_quoted_elsewhere(path):
    """Short by so few that all that a record must have is there."""
    lines = RunFolder(path).requests.read_bytes().splitlines(keepends=True)
    lines[45] = lines[45].rsplit(b",", 9)[0] + b"\n"
    assert read_records(b"".join(lines))[1] == [(46, f"{len(FIELDS) - 9} cells instead of {len(FIELDS)}")]
    assert b'"' not in lines[45] and any(b'"' in line for line in lines)


def test_a_torn_line_and_a_damaged_one_far_behind_are_told_with_their_numbers(path):
    whole = RunFolder(path).requests.read_bytes()
    lines = whole.splitlines(keepends=True)
    lines[57] = b"cut\n"  # line 58
    try:
        found = read_with(path, [*lines, lines[5][:30]])
        notes = load_run(path)
    finally:
        RunFolder(path).requests.write_bytes(whole)
    assert found.torn and found.damaged == [(58, f"1 cells instead of {len(FIELDS)}")]
    assert "the last line was torn" in notes.notes[0] and "line 58" in notes.lost[0]


def test_a_report_of_numbered_texts_is_that_of_texts(tmp_path, monkeypatch):
    path = made_run(tmp_path / "r", steady(1, 10, 40, 3, 0.5, lead=2), [window(1, 10, 40, users=3)])
    found = steps(analyse([path]))
    monkeypatch.setattr("analysis.runs.run_reader.read_file", lambda folder, _: _in_words(read_file(folder)))
    pd.testing.assert_frame_equal(found, steps(analyse([path])))


def _in_words(read):
    return read._replace(records=in_words(read.records))


@given(st.lists(st.sampled_from(["b", "a", "c", None]), max_size=30))
def test_numbered_texts_answer_as_texts_do(words):
    texts = pd.Series(words, dtype="str")
    numbered = texts.astype(pd.CategoricalDtype(pd.Index(["a", "b", "c", "never"], dtype="str")))
    assert counted(numbered).to_dict() == counted(texts).to_dict()
    assert list(counted(numbered).items()) == list(counted(texts).items())  # ties in the order in which they came
    assert sorted(in_it(numbered)) == sorted(in_it(texts)) == sorted({word for word in words if word})
    for some in (texts, numbered):
        codes, found = codes_of(some)
        assert [None if code < 0 else found[code] for code in codes] == words


@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from("xyz")), max_size=20), st.data())
def test_rows_answer_as_the_frame_does(cells, data):
    frame = pd.DataFrame({"a": [a for a, _ in cells], "b": pd.Series([b for _, b in cells], dtype="str")})
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells))), dtype=bool)
    rows, some = Rows(frame)[mask], frame[mask].reset_index(drop=True)
    assert len(rows) == len(some) and rows.empty == some.empty
    pd.testing.assert_frame_equal(rows.frame(), some)
    doubled = rows.assign(a=some["a"] * 2)[some["a"] > 3]
    pd.testing.assert_series_equal(doubled["a"], (some["a"] * 2)[some["a"] > 3].reset_index(drop=True))
    pd.testing.assert_series_equal(doubled["b"], some["b"][some["a"] > 3].reset_index(drop=True))


def test_calls_that_are_not_numbered_one_by_one_are_found_twice_as_well():
    # 3 stands three times, 2**40 twice: three more than there should be
    for calls in ([3, 3, 5, 3], [3, 2**40, 5, 3, 2**40, 3]):
        records = pd.DataFrame(
            {"worker": pd.Series("w", index=range(len(calls)), dtype="str"), "call": calls, "attempt": 1}
        )
        assert doubled_in(records) == [
            f"{len(calls) - len(set(calls))} records stand more than once in requests.csv (same worker, call and attempt)."
        ]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20)), max_size=20), st.floats(0, 50), st.floats(0.1, 20))
def test_what_was_under_way_is_found_without_a_look_at_all(spans, a, length):
    sent, ended = np.array([s for s, _ in spans]), np.array([s + t for s, t in spans])
    some = UnderWay(pd.DataFrame({"sent": sent, "ended": ended})).between(a, a + length)
    assert in_flight(*some, a, a + length) == pytest.approx(in_flight(sent, ended, a, a + length))
