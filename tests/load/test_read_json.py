"""The quick JSON decoder against Python's own: the same values, and the same answers where it refuses."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.dialects import error_answers, read_json, response, stream_lines, whole_answers
from locustfiles.common.dialects.read_json import NO_JSON
from locustfiles.common.dialects.response import parse_answer
from tests.helpers.sample_answers import STREAMS, WHOLES, call

_plain = json.JSONDecoder().decode
_texts = st.text(st.characters(exclude_categories=()), max_size=6)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**40), 10**40) | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)
ODD = [
    b"NaN", b"-Infinity", b"[1e400]", b"-1e400", b"1e-400", b"4.9e-324", b"1.7976931348623159e308", b"-0", b"-0.0", b"1E5", b"01", b"1.",
    b"18446744073709551616", b"-9223372036854775809", b"9" * 4300, b"9" * 4301, b"0." + b"3" * 900, b'"\\ud800"', b'"\\ud83d\\ude00"',
    b'"\\udc00\\ud800"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3\xa9"', b'"a\x01"', b'"\\u0000"', b'"\\x"', b"\xef\xbb\xbf1", b"",
    b" 1 \r\n", b"1 2", b"[1,]", b'{"a":1,"b":2,"a":{"c":3}}', b'{"a":1,}', b"{1:2}", b"'a'", b"nan", b"True",
    b"[" * 200 + b"]" * 200, b"[" * 200, b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000,
]  # fmt: skip


def said(read, data: bytes) -> str:
    """Value and type of everything in it, in its order; or that it is none."""
    try:
        return repr(read(data))
    except NO_JSON:
        return "none"


@pytest.mark.parametrize("data", ODD, ids=lambda data: repr(data[:24]))
def test_odd_documents_are_read_as_pythons_decoder_reads_them(data):
    assert said(read_json.read_json, data) == said(lambda data: _plain(data.decode()), data)


def test_what_is_beyond_the_standard_is_still_read():
    # Python's decoder takes these three: no number, a number above 1.8e308, half of a surrogate pair
    assert math.isnan(read_json.read_json(b"NaN"))
    assert read_json.read_json(b'[1e400, "\\ud800"]') == [math.inf, "\ud800"]


@given(_values, st.booleans(), st.integers(0, 400), st.binary(max_size=3))
@settings(max_examples=300)
def test_any_document_whole_or_damaged_is_read_alike(value, ascii_only, at, junk):
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    damaged = data[: at % (len(data) + 1)] + junk + data[at % (len(data) + 1) + 1 :]
    for each in (data, damaged):
        assert said(read_json.read_json, each) == said(lambda data: _plain(data.decode()), each)


@given(st.sampled_from(list(STREAMS)), st.booleans(), st.integers(0, 10**6), st.sampled_from(ODD[:30]))
@settings(max_examples=200)
def test_answers_are_the_same_with_either_decoder(dialect, stream, at, junk):
    """Error class, message, tokens, stamps: everything of the answer."""
    whole = b"".join(STREAMS[dialect][0]) if stream else json.dumps(WHOLES[dialect]).encode()
    at %= len(whole) + 1
    chunks = [(10.0, whole[:at] + junk), (11.5, whole[at:])]
    quick = parse_answer(call(dialect, stream), 200, {}, chunks, True)
    with pytest.MonkeyPatch.context() as patch:
        for module in (error_answers, response, stream_lines, whole_answers):
            patch.setattr(module, "read_json", lambda data: _plain(data.decode()))
        assert repr(parse_answer(call(dialect, stream), 200, {}, chunks, True)) == repr(quick)
