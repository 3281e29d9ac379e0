"""The record of a request: its header, its cells, its order of times, and the way back."""

import copy
import csv
import dataclasses
import io
import pickle
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.contract.record import FIELDS, KINDS, RequestRecord
from tests.helpers.run_parts import record


def test_the_header_is_the_dataclasses_own_fields():
    assert FIELDS == tuple(f.name for f in dataclasses.fields(RequestRecord))
    assert set(KINDS) == set(FIELDS) and set(KINDS.values()) == {int, float, str}


def test_a_missing_value_is_an_empty_cell_and_a_zero_is_a_zero():
    row = dict(zip(FIELDS, record(1).row(), strict=True))
    assert (row["ttft_ms"], row["completion_tokens"], row["error"]) == ("", "", "")
    assert (row["reconnect"], row["lag_ms"], row["response_bytes"]) == ("0", "0.000", "0")


def test_wall_clock_keeps_microseconds_and_durations_milliseconds_thousandths():
    row = dict(
        zip(
            FIELDS,
            dataclasses.replace(record(1), started_at=1732247000.1234567, latency_ms=12.34567).row(),
            strict=True,
        )
    )
    assert (row["started_at"], row["latency_ms"]) == ("1732247000.123457", "12.346")


@pytest.mark.parametrize(
    "times",
    [
        {"ttft_ms": -0.1, "latency_ms": 1.0},
        {"ttft_ms": 2.0, "latency_ms": 1.0},
        {"ttft_ms": 2.0, "last_token_ms": 1.0, "latency_ms": 3.0},
        {"last_token_ms": 4.0, "latency_ms": 3.0},
        {"latency_ms": -1.0},
    ],
)
def test_times_that_contradict_each_other_are_refused(times):
    with pytest.raises(ValueError, match="times out of order"):
        dataclasses.replace(record(1), **times)


def test_a_record_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        record(1).latency_ms = 5.0


def test_a_record_is_copied_compared_and_shown_as_any_dataclass():
    made = record(1)
    assert type(made) is RequestRecord and (made.rate, made.attempt) == (None, 1)  # left out: as the class has it
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), dataclasses.replace(made)):
        assert type(other) is RequestRecord and other == made and hash(other) == hash(made)
        with pytest.raises(dataclasses.FrozenInstanceError):
            other.call = 5
    assert dataclasses.replace(made, call=2) != made
    assert repr(made).startswith("RequestRecord(started_at=1700000001.0, worker='w', ")


@pytest.mark.parametrize(
    ("left", "more", "said"), [("worker", {}, "missing .* 'worker'"), ("user", {"user": 1, "x": 1}, "'x'")]
)
def test_a_record_that_lacks_a_field_or_has_one_too_many_is_refused(left, more, said):
    values = {name: value for name, value in dataclasses.asdict(record(1)).items() if name != left}
    with pytest.raises(TypeError, match=rf"RequestRecord.__init__\(\) .*{said}"):
        RequestRecord(**values, **more)


def _values(annotation) -> st.SearchStrategy:
    optional = type(None) in typing.get_args(annotation)
    kind = next((t for t in typing.get_args(annotation) if t is not type(None)), annotation)
    plain = {
        int: st.integers(0, 10**9),
        float: st.floats(0, 1e9).map(lambda x: round(x, 3)),
        str: st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1),
    }[kind]
    return st.none() | plain if optional else plain


@given(st.fixed_dictionaries({f.name: _values(f.type) for f in dataclasses.fields(RequestRecord)}))
def test_a_row_read_back_by_its_kinds_is_the_record(values):
    values |= {"ttft_ms": None, "last_token_ms": None}
    made = RequestRecord(**values)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(made.row())
    (cells,) = csv.reader(io.StringIO(text.getvalue(), newline=""))
    back = {f: KINDS[f](c) if c else None for f, c in zip(FIELDS, cells, strict=True)}
    for name, value in values.items():
        assert back[name] == (pytest.approx(value, abs=0.0005) if isinstance(value, float) else value), name
