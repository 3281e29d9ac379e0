"""Lines of requests.csv: a record's is what a CSV writer makes of its cells, and it is read back to them."""

import csv
import dataclasses
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from locustfiles.contract.lines import line_of, lines_of, rows_of
from locustfiles.contract.record import FIELDS, KINDS, RequestRecord, csv_cells, whole_lines
from tests.helpers.run_parts import record

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["", "=1", "'=1", "-1", "-1 %", "'", '"', 'a"b', "a,b", "a\nb", "\r", "\x00", "+x", "@x", "\t", "＝1", "\u2028", " a"]
)  # fmt: skip
OF_KIND = {
    int: st.none() | st.integers(-9, 10**9),
    float: st.none()
    | st.floats(0, 1e12)
    | st.integers(0, 5)
    | st.sampled_from([1e8, 1e8 + 0.0005, 1732247000.1234567]),
    str: st.none() | st.sampled_from(["plain", "max_tokens", "156*2 175", "arn:aws:bedrock:us-east-1::x/y.z-v1:0"]),
}
TEXT_FIELDS = [name for name, kind in KINDS.items() if kind is str]


@st.composite
def records(draw) -> RequestRecord:
    """Most of plain texts, which have a way of their own, some with one or two that are not."""
    values = {name: draw(OF_KIND[kind]) for name, kind in KINDS.items()}
    values |= draw(st.dictionaries(st.sampled_from(TEXT_FIELDS), ANY_TEXT, max_size=2))
    values |= {"ttft_ms": None, "last_token_ms": None, "worker": values["worker"] or "w", "target": "t"}
    return RequestRecord(
        **{**values, "started_at": values["started_at"] or 0.0, "latency_ms": values["latency_ms"] or 0.0}
    )


@given(records())
@example(record(1))
@example(dataclasses.replace(record(1), started_at=5.0, error_message="throttled, then “refused”", stop_reason="=1"))
def test_a_records_line_is_what_a_csv_writer_makes_of_its_cells_and_comes_back_as_them(made):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(csv_cells(made.row()))
    assert line_of(made) == text.getvalue()
    assert rows_of(line_of(made)) == [list(whole_lines(made.row()))]


def test_a_line_has_a_cell_for_each_field_and_is_quoted_where_it_must_be():
    made = dataclasses.replace(record(7), error="client", error_message='no "x", or y')
    cells = dict(zip(FIELDS, record(7).row(), strict=True))
    assert line_of(record(7)) == ",".join(cells.values()) + "\n"
    cells |= {"error": "client", "error_message": '"no ""x"", or y"'}
    assert line_of(made) == ",".join(cells.values()) + "\n"


def test_lines_of_several_records_are_read_apart():
    made = [
        dataclasses.replace(record(n), stop_reason=text) for n, text in enumerate(["stop", 'a "quote"', "=1", "a,b"])
    ]
    lines = "".join(map(line_of, made))
    assert lines == lines_of(each.row() for each in made)
    assert [row[FIELDS.index("stop_reason")] for row in rows_of(lines)] == ["stop", 'a "quote"', "=1", "a,b"]
    assert rows_of("") == []


@pytest.mark.parametrize("torn", ["a,b", "a,b\nc", "a\rb\n", 'a,"b\nc"\n', 'a,"b\n', 'a,"b"c\n'])
def test_what_is_no_whole_line_is_not_read(torn):
    with pytest.raises(ValueError, match="whole lines|unexpected end|expected after"):
        rows_of(torn)
