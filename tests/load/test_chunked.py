"""Chunks that are taken apart without the parser, against the parser: the same bodies, stamps, ends and errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.transport import framing
from locustfiles.common.transport.chunked import whole_chunks
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.framing import Framing, OutOfStep
from locustfiles.common.transport.limits import Broken
from tests.helpers.wire_client import CHUNKED

_forms = st.sampled_from([b"%x", b"%X", b"0%x", b"000%x", b"%x;a=b", b"%x ", b" %x", b"+%x", b"0x%x", b"%x_0", b"%x\n"])
_pieces = st.lists(
    st.tuples(st.binary(max_size=20) | st.just(b"\r\n" * 9), _forms, st.sampled_from([b"\r\n"] * 9 + [b"\n", b""])),
    max_size=6,
)
_ends = st.sampled_from(
    [b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"00\r\n\r\n", b"", b"0\r\n\r\nHTTP/1.1 200 OK\r\n", b"junk\r\n"]
)


def chunk(body: bytes, form: bytes = b"%x", end: bytes = b"\r\n") -> bytes:
    return form % len(body) + b"\r\n" + body + end


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (chunk(b"hello"), b"hello"),
        (chunk(b"a" * 300, b"%X") + chunk(b"\r\n"), b"a" * 300 + b"\r\n"),
        (b"0005\r\nhello\r\n", b"hello"),
        (chunk(b"hello") + b"5", None),  # the next one has begun
        (chunk(b"hello") + b"0\r\n\r\n", None),  # the end is the parser's to see
        (b"5;a=b\r\nhello\r\n", None),
        (b"5\r\nhello\r", None),
        (b"5\r\nhello, you\r\n", None),
        (b"6\r\nhello\r\n", None),
        (b"1_0\r\n" + b"a" * 16 + b"\r\n", None),  # int() would take it
        (b"+5\r\nhello\r\n", None),
        (chunk(b"hello") + b"3X", None),
        (b"\r\n", None),
        (b"", None),
    ],
)
def test_only_whole_chunks_of_plain_sizes_are_taken_apart(data, body):
    assert whole_chunks(data) == body


def read(pieces: list[bytes]) -> tuple:
    """What a connection makes of an answer that is received in these pieces: everything that is recorded of it."""
    exchange, error = Exchange(), None
    reader = Framing(lambda: reader.end())
    reader.begin(exchange)
    for number, piece in enumerate(pieces):
        try:
            reader.feed(piece, float(number))
        except (Broken, OutOfStep) as e:
            error = number, type(e).__name__, str(e)
            break
    return exchange, error, reader.keep_alive, reader.came


@given(_pieces, _ends, st.lists(st.integers(0, 200), max_size=8), st.booleans())
@settings(max_examples=400)
def test_any_answer_received_in_any_pieces_is_the_same_with_and_without_the_parser(chunks, end, cuts, as_sent):
    sent = [CHUNKED, *(chunk(*each) for each in chunks), end]
    whole = b"".join(sent)
    places = sorted({0, *(cut % (len(whole) + 1) for cut in cuts), len(whole)})
    pieces = sent if as_sent else [whole[a:b] for a, b in zip(places, places[1:], strict=False)]
    pieces = [piece for piece in pieces if piece]
    quick = read(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "whole_chunks", lambda data: None)
        assert read(pieces) == quick


def test_the_parser_is_not_asked_of_whole_chunks(monkeypatch):
    parsed, plain = [], Framing._parse
    monkeypatch.setattr(Framing, "_parse", lambda self, *a: parsed.append(a[1]) or plain(self, *a))
    deltas = [chunk(b"delta %d" % n) for n in range(5)]
    exchange, *_ = read([CHUNKED + deltas[0], *deltas[1:], b"0\r\n\r\n"])
    assert parsed == [CHUNKED + deltas[0], b"0\r\n\r\n"]
    assert exchange.ended and [at for at, _ in exchange.chunks] == [0.0, 1.0, 2.0, 3.0, 4.0]
