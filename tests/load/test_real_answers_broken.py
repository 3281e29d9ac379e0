"""What the local endpoint really answered, cut, flipped, spliced and split at any byte: never a success for a broken stream.

In every family. Where a stream is whole again is told by botocore's own decoder and the family's closing event, not by ours.
"""

import base64
import dataclasses
import functools
import itertools
import json
import typing

import botocore.eventstream
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.dialects.request import Body, build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget
from tests.helpers import bodies
from tests.helpers.aws_frames import part
from tests.helpers.calls import sender_for
from tests.helpers.emulator_process import running_emulator
from tests.helpers.sample_answers import STREAMS
from tests.helpers.surfaces import STREAMS as SURFACES
from tests.helpers.surfaces import THINKING, converse
from tests.helpers.surfaces import WHOLES as WHOLE_SURFACES

#: the event without which a stream is not whole; where none is named it is the last one
CLOSING = {"nova": b'"messageStop"', "claude": b'"message_stop"'}
TARGETS = {"bedrock": BedrockTarget, "sagemaker": SageMakerTarget}
TOKENS = 6


@dataclasses.dataclass(frozen=True)
class Real:
    """An answer as it came over HTTP."""

    body: Body
    headers: dict[str, str]
    data: bytes

    def read(self, *pieces: bytes, ended: bool = True) -> ParsedAnswer:
        return parse_answer(self.body, 200, self.headers, [(float(i), piece) for i, piece in enumerate(pieces)], ended)

    @functools.cached_property
    def frames(self) -> list[tuple[bytes, dict, bytes]]:
        """(bytes, headers, payload) of each frame, by botocore's decoder."""
        buffer, found, at = botocore.eventstream.EventStreamBuffer(), [], 0
        buffer.add_data(self.data)
        for message in buffer:
            found.append((self.data[at : at + message.prelude.total_length], message.headers, message.payload))
            at += message.prelude.total_length
        assert at == len(self.data)
        return found

    @functools.cached_property
    def signs(self) -> list[int]:
        """The frames of which one is enough: of OpenAI's lines that with a finish_reason, and [DONE]."""
        if self.body.service != "sagemaker" or not self.body.dialect.startswith("openai"):
            return [self.closing]
        return [n for n, (_, _, lines) in enumerate(self.frames) if finished(lines)]

    @functools.cached_property
    def closing(self) -> int:
        """Which frame closes the stream."""
        for number, (_, headers, payload) in enumerate(self.frames):
            if headers[":event-type"] == "messageStop":
                return number
            if self.body.dialect in CLOSING and CLOSING[self.body.dialect] in base64.b64decode(
                json.loads(payload)["bytes"]
            ):
                return number
        return len(self.frames) - 1


def finished(lines: bytes) -> bool:
    """Whether server-sent events end between two lines, and say that the answer has ended."""
    events = [line.removeprefix(b"data:").strip() for line in lines.split(b"\n") if line.strip()]
    try:
        said = [event == b"[DONE]" or json.loads(event) for event in events]
    except ValueError:
        return False
    return any(e is True or any(c["finish_reason"] for c in e.get("choices", ())) for e in said)


@pytest.fixture(scope="module")
def real(credentials) -> typing.Iterator[tuple[dict[str, Real], dict[str, Real]]]:
    """Streams and whole answers of every family, each with characters of more than one byte in its text."""
    seen: list = []

    def noted(body, status, headers, chunks, ended):
        seen.append((Real(body, headers, b"".join(data for _, data in chunks)), status, ended))
        return parse_answer(body, status, headers, chunks, ended)

    def ask(sender, target: dict) -> Real:
        made = TARGETS[target["service"]](name="t", **target | {"parameters": {"max_tokens": TOKENS}})
        for attempt in range(60):
            record = sender.call(
                1, made, Prompt("p", f"Tell me of the sea, {attempt}.", None), StageSpec(1, "t", "p", 1), "measure"
            )
            answer, status, ended = seen[-1]
            assert (record.error, status, ended) == (None, 200, True), record
            if not answer.read(answer.data).text.isascii():
                return answer
        raise AssertionError(f"no such text in {target}")

    with pytest.MonkeyPatch.context() as patch, running_emulator(bodies.CONFIG) as emulator:
        patch.setattr("locustfiles.common.calls.sender.parse_answer", noted)
        sender = sender_for(emulator, converse("m"), SURFACES["completions"] | {"name": "u"})[0]
        more = {"converse": converse(bodies.NOVA), "claude": THINKING["claude"], "thinking": THINKING["converse"]}
        more |= {"llama": converse(bodies.LLAMA, api="invoke"), "nova": converse(bodies.NOVA, api="invoke")}
        for dialect, endpoint in (("tgi", "tgi"), ("lmi", "lmi"), ("openai-chat", "chat")):
            more[dialect] = {"service": "sagemaker", "endpoint": endpoint, "dialect": dialect}
        streams = {kind: ask(sender, target | {"stream": True}) for kind, target in (SURFACES | more).items()}
        wholes = {kind: ask(sender, target | {"stream": False}) for kind, target in (WHOLE_SURFACES | more).items()}
        yield streams, wholes


def plain(container: Real, dialect: str) -> Real:
    """The same lines as a server of OpenAI's routes sends them: without frames."""
    target = OpenAITarget(
        name="t", service="openai", base_url="http://h/v1", model_id="m", dialect=dialect, stream=True
    )
    body = build(target, Prompt("p", "Tell me.", None))
    return Real(body, {}, b"".join(payload for _, _, payload in container.frames))


def test_the_sample_has_every_family_and_container(real):
    streams, wholes = real
    dialects = {answer.body.dialect for answer in streams.values()}
    assert dialects == {dialect.removeprefix("bedrock ") for dialect in STREAMS}
    assert {answer.body.dialect for answer in wholes.values()} == dialects
    assert all(answer.closing >= len(answer.frames) - 2 for answer in streams.values())


def test_a_real_stream_cut_at_any_byte_is_never_a_success(real):
    for kind, answer in real[0].items():
        edges, at = {}, 0
        for number, (raw, _, _) in enumerate(answer.frames):
            at += len(raw)
            edges[at] = number
        for cut in range(len(answer.data)):
            parsed = answer.read(answer.data[: cut // 2], answer.data[cut // 2 : cut])
            # whole again only between frames, once the closing one has come: what is lost is metadata
            whole = edges.get(cut, -1) >= answer.signs[0]
            assert (parsed.error is None) == whole, (kind, cut, parsed)
            assert whole or parsed.error == ErrorClass.STREAM_BROKEN, (kind, cut, parsed)
        assert answer.read(answer.data).error is None
        assert answer.read(answer.data, ended=False).error == ErrorClass.STREAM_BROKEN


@pytest.mark.parametrize(("kind", "dialect"), [("openai-chat", "openai-chat"), ("completions", "openai-completions")])
def test_a_real_stream_of_an_openai_route_cut_at_any_byte_is_never_a_success(real, kind, dialect):
    answer = plain(real[0][kind], dialect)
    assert answer.data.rstrip().endswith(b"data: [DONE]")
    for cut in range(len(answer.data) + 1):
        parsed = answer.read(answer.data[: cut // 2], answer.data[cut // 2 : cut])
        assert (parsed.error is None) == finished(answer.data[:cut]), (cut, parsed)
        assert answer.read(answer.data[:cut], ended=False).error == ErrorClass.STREAM_BROKEN


def test_a_real_container_that_stops_at_any_byte_inside_whole_frames_is_never_a_success(real):
    for kind, answer in real[0].items():
        if answer.body.service != "sagemaker":
            continue
        lines = b"".join(payload for _, _, payload in answer.frames)
        for cut in range(len(lines)):
            parsed = answer.read(part(lines[: cut // 2]), part(lines[cut // 2 : cut]))
            whole = finished(lines[:cut]) if len(answer.signs) > 1 else cut >= len(lines.rstrip())
            assert (parsed.error is None) == whole, (kind, cut, parsed)


def test_a_flipped_bit_in_any_byte_of_a_real_stream_is_never_a_success(real):
    for kind, answer in real[0].items():
        for at in range(len(answer.data)):
            data = bytearray(answer.data)
            data[at] ^= 1 << at % 8
            assert answer.read(bytes(data)).error is not None, (kind, at)


def test_without_its_closing_event_a_real_stream_is_broken_whatever_else_is_there(real):
    for kind, answer in real[0].items():
        frames = [raw for raw, _, _ in answer.frames]
        without = [frame for number, frame in enumerate(frames) if number not in answer.signs]
        for pieces in (without, without * 2, without[::-1]):
            assert answer.read(*pieces).error == ErrorClass.STREAM_BROKEN, kind
        for lost in range(
            len(frames)
        ):  # of the others only what was in them is lost, and the answer is as far as anybody can tell whole
            if [lost] != answer.signs:
                assert answer.read(*frames[:lost], *frames[lost + 1 :]).error is None, (kind, lost)


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def _timeless(parsed: ParsedAnswer) -> dict:
    times = ("first_output", "first_visible", "last_output", "max_gap_s", "gaps")
    return {name: value for name, value in dataclasses.asdict(parsed).items() if name not in times}


@given(st.lists(st.integers(0, 10**6), max_size=12), st.lists(st.integers(0, 10**6), max_size=12))
@settings(max_examples=40)
def test_where_a_real_answer_is_split_changes_nothing_but_times(real, cuts, inner):
    streams, wholes = real
    for kind, answer in (streams | {f"whole {kind}": whole for kind, whole in wholes.items()}).items():
        once = answer.read(answer.data)
        assert once.error is None and not once.text.isascii()
        split = answer.read(*_pieces(answer.data, cuts))
        assert _timeless(split) == _timeless(once), kind
        if answer.body.stream and answer.body.service == "sagemaker":  # payload parts too, inside lines and characters
            lines = b"".join(payload for _, _, payload in answer.frames)
            again = b"".join(map(part, _pieces(lines, inner)))
            assert _timeless(answer.read(*_pieces(again, cuts))) == _timeless(once), kind
        if split.first_output is not None:
            assert 0 <= split.first_output <= split.last_output <= len(cuts) + 1


def test_a_real_whole_answer_cut_at_any_byte_is_never_a_success(real):
    for kind, answer in real[1].items():
        for cut in range(len(answer.data)):
            assert answer.read(answer.data[:cut]).error is not None, (kind, cut)
            assert answer.read(answer.data[:cut], ended=False).error is not None, (kind, cut)
        assert answer.read(answer.data, ended=False).error == ErrorClass.STREAM_BROKEN


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=4))
@settings(max_examples=60)
def test_spliced_lines_are_read_without_an_exception_and_close_with_their_own_closing_line_alone(real, splices):
    """Bytes of a container's lines replaced by others, in frames whose checksums are right."""
    for kind in ("tgi", "lmi", "openai-chat", "completions", "raw tgi"):
        answer = real[0][kind]
        lines = bytearray(b"".join(payload for _, _, payload in answer.frames))
        for at, length, new in splices:
            at %= len(lines) + 1
            lines[at : at + length] = new
        parsed = answer.read(part(bytes(lines)))
        parsed.text.encode()
        if parsed.error is None:
            signs = (b"[DONE]", b"finish_reason") if kind in ("openai-chat", "completions") else (b'"generated_text"',)
            assert any(sign in lines for sign in signs)
        if kind in ("openai-chat", "completions"):
            bare = plain(answer, "openai-chat" if kind == "openai-chat" else "openai-completions").read(bytes(lines))
            assert bare.error is not None or b"[DONE]" in lines or b"finish_reason" in lines
