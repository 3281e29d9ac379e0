"""What one answer was, and what builds it while it is read: the rules that hold for every dialect."""

import dataclasses
import typing

from locustfiles.common.dialects.billing import Billing
from locustfiles.common.dialects.one_line import encodable, one_line
from locustfiles.common.dialects.spaced import spaced
from locustfiles.common.dialects.token_counts import implausible, unreadable, whole_number
from locustfiles.common.transport.limits import MAX_TOKENS, unreadable_lines
from locustfiles.contract.error_classes import ErrorClass, OwnCode, type_name
from locustfiles.contract.keys import redact
from locustfiles.contract.record import GUARDRAIL_STOP
from locustfiles.contract.scenario.raw import RawAnswer

_REASONING = ("<reasoning>", "</reasoning>")  # gpt-oss on Bedrock
THINK = ("<think>", "</think>")  # DeepSeek
_MAX_MS = 86_400_000  # a time above a day is none of an answer
_MAX_MESSAGE = 2000  # characters of an error message that are looked at; far fewer are kept


@dataclasses.dataclass(slots=True)
class ParsedAnswer:
    """What one answer was. Times are perf_counter seconds as stamped on arrival; None is unknown.

    Unstreamed answers have no times. A failed answer keeps the output, times and usage that came.
    """

    first_output: float | None = None  # first delta with text, reasoning or tool input
    first_visible: float | None = None  # first delta with text
    last_output: float | None = None
    output_chunks: int | None = None  # deltas with output; None of several choices, whose deltas come side by side
    max_gap_s: float | None = None  # longest gap between two of them
    gaps: str | None = None  # how many there were of which length: contract/gap_counts.py
    text: str = ""  # the visible text
    prompt_tokens: int | None = None  # without those read from or written to a cache
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None  # of cache_write_tokens
    unclear_cache_time: bool = False  # what is told of it cannot be read, or does not add up
    reasoning_tokens: int | None = None  # of completion_tokens, where the service says so
    hidden_reasoning: bool = False  # reasoning was billed that the answer does not show
    stop_reason: str | None = None
    service_latency_ms: float | None = None
    service_ttft_ms: float | None = None
    served_latency: str | None = None  # what Bedrock says it served
    served_tier: str | None = None
    invoked_model: str | None = None  # where a router chose it
    billed_units: float | None = None  # a model's own
    guardrail_units: str | None = None
    guardrail_reason: str | None = None
    guardrail_coverage: str | None = None
    request_id: str | None = None
    error: ErrorClass | None = None  # None is success
    error_code: str | None = None  # of a success: what of it could not be read
    error_message: str | None = None


class AnswerBuilder:
    """A ParsedAnswer while its answer is read."""

    def __init__(self, echo: str | None = None, raw: RawAnswer | None = None, in_reasoning: bool = False) -> None:
        """in_reasoning: the answer begins inside reasoning whose tag the prompt has opened."""
        self.parsed = ParsedAnswer()
        self.echo, self.raw = echo, raw
        self.times: list[float] = []
        self.texts: list[str] = []
        self.produced = False  # any output, a tool call without input included
        self.closed = False  # the closing event came
        self.open_choices: set[int] = set()  # a stream's choices that have begun and have no reason to end yet
        self.ended_choices: set[int] = set()  # those that have one
        self.usages: list[int] = []  # the counts of output tokens that a stream told on its way
        self.reasoned = self.redacted = False  # reasoning was shown; some of it was encrypted
        self.concealed = False  # reasoning was there: a signature, a token count
        self._tagged: str | None = ""  # text that a reasoning tag may begin or end in; None: there is none any more
        self._in_tag = in_reasoning
        self.intervened = False  # a guardrail did
        self.billing = Billing()
        self.unreadable: dict[str, object] = {}  # counts that are none, by name, as they stand in the answer

    def say(self, text: object, time: float | None) -> None:
        """Visible text; `time` is None in an unstreamed answer."""
        if not text or not isinstance(text, str):
            return
        if time is not None:
            self.times.append(time)
            if self.parsed.first_visible is None:
                self.parsed.first_visible = time
        self.texts.append(text)
        self.produced = True

    def produce(self, text: object, time: float | None) -> bool:
        """Output that is not shown as text: tool input, reasoning. True if there was any."""
        if not text or not isinstance(text, str):
            return False
        if time is not None:
            self.times.append(time)
        self.produced = True
        return True

    def reason(self, text: object, time: float | None) -> None:
        if self.produce(text, time):
            self.reasoned = True

    def say_tagged(self, text: object, time: float | None, tags: tuple[str, str] = _REASONING) -> None:
        """Text that may begin with reasoning in tags, as gpt-oss and DeepSeek answer on Bedrock's InvokeModel."""
        begin, end = tags
        if self._tagged is None or not text or not isinstance(text, str):
            self.say(text, time)
            return
        text = self._tagged + text
        if not self._in_tag:
            if not text.startswith(begin[: len(text)]):
                self._tagged = None
                self.say(text, time)
                return
            if len(text) < len(begin):
                self._tagged = text
                return
            self._in_tag, self._tagged, text = True, "", text[len(begin) :]
        reasoning, ended, rest = text.partition(end)
        if not ended:
            if len(text) > len(self._tagged):
                self.reason(text[len(self._tagged) :], time)
            self._tagged = text[-len(end) + 1 :]
            return
        fresh = len(reasoning) > len(self._tagged)
        self._tagged, self._in_tag = "", False  # Kimi gives each piece of its reasoning tags of its own
        if rest:
            self.reasoned |= fresh
            self.say_tagged(rest, time, tags)
        elif fresh:
            self.reason(reasoning, time)

    def begin_or_end_choice(self, index: int, reason: object) -> None:
        """A choice of a stream said something, or why it ended."""
        if isinstance(reason, str) and reason:
            self.ended_choices.add(index)
            self.open_choices.discard(index)
        elif index not in self.ended_choices:
            self.open_choices.add(index)

    @property
    def all_choices_ended(self) -> bool:
        return bool(self.ended_choices) and not self.open_choices

    @property
    def has_choices(self) -> bool:
        return bool(self.ended_choices or self.open_choices)

    @property
    def left_choices(self) -> list[int]:
        """The choices without an end in a stream that gives ends: a server that never gives one leaves none."""
        return sorted(self.open_choices) if self.ended_choices else []

    def joined(self, parts: typing.Sequence[tuple[float, bytes]]) -> bytes:
        """A stream's lines; none, and the answer fails, where they are too many or too long to be read."""
        blob = b"".join([data for _, data in parts])
        why = unreadable_lines(blob)
        if why is None:
            return blob
        self.fail(ErrorClass.BAD_RESPONSE, OwnCode.ANSWER_TOO_LARGE, why)
        return b""

    def fail(self, error: ErrorClass, code: object = None, message: object = None) -> None:
        """Set the error; the first one counts."""
        parsed = self.parsed
        if parsed.error is None:
            parsed.error = error
            parsed.error_code = one_line(type_name(str(code)), 64) if code is not None else None
            parsed.error_message = one_line(redact(str(message)[:_MAX_MESSAGE]), 200) if message is not None else None

    def finish(self) -> ParsedAnswer:
        """The parsed answer, one without any output marked `empty`."""
        parsed = self.parsed
        if self._tagged and not self._in_tag:  # the answer ended inside what could have become a tag
            self.say(self._tagged, None)
        if why := self.billing.finish(parsed, self.unreadable):
            self.fail(ErrorClass.BAD_RESPONSE, OwnCode.IMPLAUSIBLE_USAGE, why)
        if parsed.error is None and not self.produced:
            why = f" ({parsed.stop_reason})" if parsed.stop_reason else ""
            self.fail(ErrorClass.EMPTY, None, f"the answer ended well without output{why}")
        if parsed.error is None and self.unreadable:  # the answer is good, its bill unknown
            told = "; ".join(unreadable(*pair) for pair in self.unreadable.items())
            parsed.error_code, parsed.error_message = OwnCode.UNREADABLE_USAGE, one_line(redact(told), 200)
        if self.intervened:  # the model's own reason says nothing of it
            parsed.stop_reason = GUARDRAIL_STOP
        parsed.text = encodable("".join(self.texts))
        parsed.hidden_reasoning = self.redacted or (self.concealed and not self.reasoned)
        if times := self.times:
            parsed.first_output, parsed.last_output = times[0], times[-1]
            if len(self.ended_choices | self.open_choices) < 2:  # of several, none has a time per token of its own
                parsed.output_chunks, parsed.max_gap_s, parsed.gaps = spaced(times)
        return parsed

    def forget_partial_counts(self) -> None:
        """Some servers tell with each event the tokens of that event alone: the last of them is no count of the answer.

        Counts of an answer so far never fall, and do not stay at less than half of the deltas that came."""
        told = self.usages
        alike = len(told) >= 3 and len(set(told)) == 1 and 2 * told[0] <= len(self.times)
        if told and (told[-1] < max(told) or alike):
            self.parsed.prompt_tokens = self.parsed.completion_tokens = None

    def count(self, **tokens: object) -> None:
        """Set token counts from what the service says; None leaves them as they are. What is no count makes them unknown, and
        is told at the end. One that no model can have counted is an answer that cannot be read: nothing is priced by it."""
        for name, value in tokens.items():
            number = whole_number(value)
            if value is None:
                continue
            if number is None:
                self.unreadable[name] = value
                setattr(self.parsed, name, None)
            elif number > MAX_TOKENS:
                self.fail(ErrorClass.BAD_RESPONSE, OwnCode.IMPLAUSIBLE_USAGE, implausible(name, number))
            else:
                self.unreadable.pop(name, None)
                setattr(self.parsed, name, number)

    def usage(self, holder: dict, key: str = "usage") -> dict:
        """The counts in an answer, empty where there are none; of a stream the last ones count, readable or not."""
        value = holder.get(key)
        if type(value) is dict and value:
            self.unreadable.pop(key, None)
            return value
        if value:
            self.unreadable[key] = value
            self.parsed.prompt_tokens = self.parsed.completion_tokens = None
        return {}

    def service_times(self, latency_ms: object, ttft_ms: object = None) -> None:
        for name, value in (("service_latency_ms", latency_ms), ("service_ttft_ms", ttft_ms)):
            if type(value) in (int, float) and 0 <= value <= _MAX_MS:  # type: ignore[operator]
                setattr(self.parsed, name, float(value))  # type: ignore[arg-type]

    def serve(self, latency: object, tier: object) -> None:
        for name, value in (("served_latency", latency), ("served_tier", tier)):
            if isinstance(value, str) and value:
                setattr(self.parsed, name, one_line(value, 64))

    def identify(self, request_id: object) -> None:
        """The first id counts: a header's goes before the answer's own."""
        if isinstance(request_id, str) and self.parsed.request_id is None:
            self.parsed.request_id = one_line(request_id, 128)

    def stop(self, reason: object) -> None:
        if isinstance(reason, str) and reason:
            self.parsed.stop_reason = one_line(reason, 64)
