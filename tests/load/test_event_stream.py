"""Event-stream frames: when each came, cut anywhere, and broken ones as botocore takes them."""

import random
import zlib

import botocore.eventstream
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.dialects.event_stream import decode
from locustfiles.contract.error_classes import ErrorClass
from tests.helpers.aws_frames import event, frame

THREE = [event("messageStart", {"role": "assistant"}), event("PayloadPart", b"\x00\xff"), event("messageStop", {})]
#: every header type of the format; names and values are of different lengths on purpose
ALL_TYPES = {
    "t": b"\x00",
    "f": b"\x01",
    "byte": b"\x02\x7f",
    "short": b"\x03\x00\x01",
    "int": b"\x04\x00\x00\x00\x01",
    "long": b"\x05" + bytes(8),
    "blob": b"\x06\x00\x03abc",
    ":event-type": "chunk",
    "time": b"\x08" + bytes(8),
    "uuid": b"\x09" + bytes(16),
    ":message-type": "event",
}


def botocore_frames(data: bytes) -> list[tuple[dict, bytes]]:
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(data)
    return [(m.headers, m.payload) for m in buffer]


def test_a_frame_has_the_time_of_the_chunk_with_its_last_byte():
    one, two, three = THREE
    chunks = [(1.0, one[:5]), (2.0, one[5:] + two[:-1]), (3.0, two[-1:]), (3.5, b""), (4.0, three)]
    frames, broken = decode(chunks)
    assert broken is None
    assert [f.time for f in frames] == [2.0, 3.0, 4.0]
    assert [f.headers[":event-type"] for f in frames] == ["messageStart", "PayloadPart", "messageStop"]
    assert [f.payload for f in frames] == [b'{"role": "assistant"}', b"\x00\xff", b"{}"]


def test_two_frames_in_one_chunk_share_its_time():
    frames, broken = decode([(7.0, THREE[0] + THREE[1])])
    assert (broken, [f.time for f in frames]) == (None, [7.0, 7.0])


def test_no_bytes_are_no_frames_and_no_breakage():
    assert decode([]) == ([], None)
    assert decode([(1.0, b"")]) == ([], None)


def test_every_header_type_is_skipped_to_the_string_after_it():
    frames, broken = decode([(1.0, frame(b"x", ALL_TYPES))])
    assert broken is None
    assert frames[0].headers == {":event-type": "chunk", ":message-type": "event"}
    strings = {k: v for k, v in botocore_frames(frame(b"x", ALL_TYPES))[0][0].items() if isinstance(v, str)}
    assert frames[0].headers == strings


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40), max_size=4), st.binary(max_size=200)
        ),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=80)
def test_frames_split_anywhere_are_read_as_botocore_reads_them(messages, rng):
    data = b"".join(frame(payload, headers) for headers, payload in messages)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(6)) if data else []
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    frames, broken = decode([(float(i), piece) for i, piece in enumerate(pieces)])
    assert broken is None
    assert [(f.headers, f.payload) for f in frames] == botocore_frames(data) == messages


@pytest.mark.parametrize("keep", [1, 8, 11, 12, 20, -1])
def test_a_frame_cut_short_breaks_the_stream_and_keeps_those_before_it(keep):
    frames, broken = decode([(1.0, THREE[0]), (2.0, THREE[1][:keep])])
    assert len(frames) == 1
    assert broken.error == ErrorClass.STREAM_BROKEN


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("at", "reason"),
    [(3, "prelude CRC"), (9, "prelude CRC"), (15, "message CRC"), (-6, "message CRC"), (-1, "message CRC")],
)
def test_a_flipped_bit_is_a_bad_response(at, reason):
    second = flipped(THREE[1], at % len(THREE[1]))
    frames, broken = decode([(1.0, THREE[0] + second + THREE[2])])
    assert len(frames) == 1
    assert broken.error == ErrorClass.BAD_RESPONSE
    assert reason in broken.reason


@pytest.mark.parametrize(
    ("total", "headers"),
    [(15, 0), (16, 1), (0, 0), (16 + 24 * 1024 * 1024 + 1, 0), (2**32 - 1, 2**32 - 1), (200 * 1024, 128 * 1024 + 1)],
)
def test_impossible_lengths_are_a_bad_response_and_are_not_waited_for(total, headers):
    lengths = total.to_bytes(4, "big") + headers.to_bytes(4, "big")
    frames, broken = decode([(1.0, lengths + zlib.crc32(lengths).to_bytes(4, "big") + bytes(40))])
    assert frames == []
    assert (broken.error, broken.reason) == (ErrorClass.BAD_RESPONSE, "a frame's lengths are impossible")


@pytest.mark.parametrize(
    "headers",
    [
        {"a": b"\x0a"},  # no such type
        {"a": b"\x07\x00\x09abc"},  # a string longer than the block
        {"a": b"\x05\x00"},  # half a long
        {"a": b"\x07\x00\x02\xff\xfe"},  # not UTF-8
        {"a": b"\x07\x00\x01x" + b"\x01a" + b"\x07\x00\x01y"},  # one name twice
        {"a": b""},  # a name without a value
    ],
)
def test_headers_that_cannot_be_read_are_a_bad_response(headers):
    frames, broken = decode([(1.0, frame(b"", headers))])
    assert frames == []
    assert (broken.error, broken.reason) == (ErrorClass.BAD_RESPONSE, "a frame's headers cannot be read")


@given(st.lists(st.binary(max_size=80), max_size=6))
@settings(max_examples=150)
def test_random_bytes_never_make_a_frame_and_never_raise(pieces):
    frames, broken = decode([(float(i), piece) for i, piece in enumerate(pieces)])
    assert frames == []  # 32 bits of CRC do not match by chance
    assert (broken is None) == (not any(pieces))


def test_a_stream_with_one_bit_flipped_anywhere_loses_that_frame_and_all_after_it():
    data = b"".join(THREE)
    ends = [len(THREE[0]), len(THREE[0]) + len(THREE[1]), len(data)]
    for at in random.Random(1).sample(range(len(data)), 60):
        frames, broken = decode([(1.0, flipped(data, at))])
        assert broken is not None
        assert len(frames) == sum(end <= at for end in ends)
