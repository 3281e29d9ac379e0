"""One answer in progress, between the engine that makes its tokens and the delivery that takes them to the wire.

Engines call `fits`, `started`, `token`, `finished`, or `fail`. Times named `due` are when an engine meant a
token to leave; the difference to when it left is the emulator's own lateness."""

import time
import typing
import uuid
from collections.abc import Callable

from scripts.emulator import errors, frames
from scripts.emulator.choices import choices
from scripts.emulator.delivery import END, Delivery
from scripts.emulator.dialects import Call, Piece
from scripts.emulator.dialects.billed import guardrail_action
from scripts.emulator.dialects.tools import choose
from scripts.emulator.operations import Operation
from scripts.emulator.truth import conversation

BLOCKED = "Sorry, the model cannot answer this question."  # as a guardrail words it by default


class Answer:
    """Dialects read: call, target, target_name, request_id, created, prompt_tokens, completion_tokens, tokens, call_ends,
    reasoning_tokens, stop, matched, reports_usage. Faults set: reports_usage, empty, struck. `out` is its delivery."""

    index = 0  # among the choices of its body

    def __init__(self, service, connection, request, operation: Operation, name: str):
        self.app, self.request, self.operation, self.target_name = service, request, operation, name
        self.out = Delivery(self, connection, service.truth.late)
        self.target: typing.Any = None  # its section of the configuration
        self.dialect: typing.Any = None  # a module of dialects, or one of its objects
        self.request_id = str(uuid.uuid4())
        self.created, self.region = int(time.time()), "us-east-1"
        self.call: Call  # what is asked, from `ask` on
        self.events = False  # the body is a stream of events (else one JSON value)
        self.fault: tuple[str, typing.Any] | None = None  # name and Fault
        self.reports_usage, self.empty, self.struck = True, False, False
        self.blocked = False  # a guardrail stands before the model
        self.withheld = False  # a dialect keeps the last token for its closing line
        self.sequence = 0  # events that the dialect has numbered
        self.around: dict[str, list[bytes]] = {}  # what a dialect writes before and after each text
        self.served_by: dict[str, str] = {}  # headers that say which variant of which endpoint answers
        self.queued: tuple[float, str] | None = None  # of a job of a queue: when it was accepted, and the variant
        self.new_session: str | None = None  # id and expiry of the stateful session that the request opened
        self.prompt_tokens: int | None = None
        self.cache_read: int | None = None  # prompt tokens by the prompt cache; None: the request has no cache point
        self.cache_write: int | None = None
        self.cache_write_1h = 0  # of these
        self.completion_tokens = 0
        self.tokens: list[tuple[str, int]] = []
        self.reasoning_tokens = 0  # the first so many tokens are reasoning
        self.call_ends: list[int] = []  # where each tool's call ends; from the engine, before the first token
        self.stop: str | None = None
        self.matched: str | None = None  # the stop sequence that ended it
        self.keep: Callable[[Answer], None] | None = None  # called when all of it is made, before its end is told
        self.settle: Callable[[int], None] | None = None  # called with the tokens used when the answer has ended
        self._jobs: list = []
        self._error: str | None = None
        self._in_flight = service.truth.arrived()

    def name(self, model: str, operation: Operation) -> None:
        """What the body of an OpenAI route says: the model, and by the operation whether to stream."""
        self.target_name, self.operation, self.events = model, operation, operation.streams

    def take(self, target, dialect) -> None:
        """The configured target that answers, and the language of its bodies."""
        self.target, self.dialect = target, dialect
        if self.operation.service == "sagemaker":
            self.out.wire.split_bytes = getattr(target, "split_bytes", None)  # no server behind a gateway has it

    def ask(self, call: Call) -> None:
        """What the request asks for. A container streams when its body says so, everything else when the operation does."""
        self.call = call
        self.reasoning_tokens = self.target.reasoning_tokens
        for one in call.parts or (call,):
            choose(one, self.target)
        by_operation = self.operation.service != "sagemaker" or getattr(self.dialect, "BY_OPERATION", False)
        self.events = self.operation.streams if by_operation else call.stream

    # --- for dialects

    def text(self) -> str:
        return "".join(t for t, _ in self.tokens)

    def input_tokens(self) -> int:
        """Prompt tokens that were neither read from nor written to the prompt cache."""
        return max(0, (self.prompt_tokens or 0) - (self.cache_read or 0) - (self.cache_write or 0))

    def at_limit(self) -> bool:
        return self.completion_tokens >= self.call.max_tokens

    def elapsed_ms(self) -> int:
        """Whole milliseconds since the request arrived."""
        return round((time.perf_counter() - self.request.arrived) * 1000)

    def first_token_ms(self) -> int:
        return round(((self.out.wire.first_token or time.perf_counter()) - self.request.arrived) * 1000)

    def content_type(self) -> str:
        own = self.operation.service == "sagemaker" or self.operation.openai
        return self.dialect.STREAM_TYPE if self.events and own else "application/json"

    # --- from engines

    def submit(self, engine) -> None:
        for one in choices(self) if self.call.parts else (self,):
            if not self.out.ended:  # not refused with the one before
                self._jobs.append(engine.submit(one))

    def fits(self, context_tokens: int) -> bool:
        """Whether prompt and answer fit the model's context; if not, the request is refused. Containers refuse what might not fit,
        Bedrock only a prompt that leaves no room, and shortens the answer's limit to what is left."""
        prompt_tokens = self.prompt_tokens or 0  # the engine has counted them
        if self.operation.service == "bedrock":
            room = context_tokens - prompt_tokens
            self.call.max_tokens = min(self.call.max_tokens, room)
            if room < 1:
                self.fail(errors.too_long(prompt_tokens, context_tokens))
            return room >= 1
        fits = prompt_tokens + self.call.max_tokens <= context_tokens
        if not fits:
            self.refuse(self.dialect.too_long(prompt_tokens, self.call.max_tokens, context_tokens))
        return fits

    def started(self) -> None:
        """The model took the request up: a stream opens."""
        if self.events and not self.out.ended:
            for piece in self.dialect.opening(self):
                self.out.emit(piece)

    def token(self, due: float, text: str, token_id: int, count: int | None = None) -> None:
        """A token to send. `count` is the number of tokens made so far, where some of them have no text of their own."""
        if self.out.ended:
            return
        self.completion_tokens = count or self.completion_tokens + 1
        self.tokens.append((text, token_id))
        if self.events:
            for piece in self.dialect.delta(self, text, token_id):
                self.out.emit(piece, due)

    def plain(self) -> Callable[[str], bytes] | None:
        """What makes the bytes of a token's event of its text, where nothing else differs and no fault may strike: an
        engine may then send them itself. None: by `token`."""
        spoilt = self.fault is not None and self.fault[1].stage == "stream"
        whole = self.reasoning_tokens or self.call.tools or self.out.wire.split_bytes
        if spoilt or whole or not self.events or not self.operation.streams:
            return None
        return self.dialect.plain(self) if hasattr(self.dialect, "plain") else None

    def finished(self, due: float, stop: str, count: int | None = None, matched: str | None = None) -> None:
        """`stop`: length, stop, stop_sequence (which was `matched`), tool."""
        if self.out.ended:
            return
        self.completion_tokens = self.completion_tokens if count is None else count
        self.stop, self.matched = stop, matched
        if self.keep:
            self.keep(self)
        self.close(due, self.dialect.closing(self) if self.events else None)

    def close(self, due: float, pieces: list[Piece] | None, value: typing.Any = None) -> None:
        """The end of a stream, or without `pieces` the whole body, which is `value` or the dialect's."""
        if pieces is None:
            value = value or self.dialect.whole(self)
            body = frames.compact(value | guardrail_action(self) if self.call.guardrail else value)
            if not self.operation.streams:
                return self.out.send_body(body)
            # a container that was not asked to stream: its whole body in one part
            pieces = [Piece("last", "PayloadPart", body)]
        wire = self.out.wire
        wire.cork()
        for piece in (*pieces, END):
            self.out.emit(piece, due)
        wire.uncork()

    def block(self) -> None:
        """The guardrail answers at once, and no model counts tokens."""
        now, self.prompt_tokens = time.perf_counter(), 0
        self.call.tools = []
        self.started()
        self.token(now, BLOCKED, 0)
        self.finished(now, "stop", count=0)

    # --- errors

    def refuse(self, text: str) -> None:
        """The model's or the container's refusal of a body, as the service passes it on."""
        if self.operation.openai:
            return self.fail(errors.AwsError(400, "ValidationException", text))
        if self.operation.service == "bedrock":
            return self.fail(errors.malformed_request(text))
        status, body = self.dialect.refusal(text)
        self.fail(self.container_error(status, frames.compact(body).decode()))

    def container_error(self, status: int, text: str) -> errors.AwsError:
        """What SageMaker makes of an error that its container answered."""
        return errors.container_error(self.target_name, self.region, self.app.account, status, text)

    def fail(self, error: errors.AwsError) -> None:
        """An error answer instead of the model's, or, when a stream has begun, an exception frame."""
        if self.out.ended:
            return
        if self.out.wire.streaming:
            sagemaker = self.operation.service == "sagemaker"
            return self.break_stream("ModelStreamError" if sagemaker else "modelStreamErrorException", error.message)
        self._error = error.code
        self.out.respond(*self.operation.error(self, error))

    def break_stream(self, name: str, message: str) -> None:
        """End the stream with an exception frame and a proper end of the HTTP body."""
        self._error = name
        self.out.write(self.operation.exception(name, message))
        self.out.close_stream()

    # --- the end

    def disconnected(self, reason: str) -> None:
        """The connection ended before the answer did."""
        if not self.out.ended:
            self._error = reason
            self.out.lost()

    def ended(self) -> None:
        """The delivery is over, in whatever way."""
        jobs, self._jobs = self._jobs, []  # or answer and jobs would keep each other for the garbage collector
        for job in jobs:
            if job is not None:
                job.cancel()
        if self.settle:
            self.settle((self.prompt_tokens or 0) + self.completion_tokens)
        self.app.truth.left(self._row(), self)

    def _row(self) -> dict:
        """The truth: times in monotonic seconds, empty where nothing of the kind happened."""
        return {
            "request_id": self.request_id,
            "client_request_id": self.request.headers.get("x-request-id"),
            "operation": self.operation.name,
            "target": self.target_name,
            "status": self.out.wire.status,
            "error": self._error,
            "fault": self.fault[0] if self.fault else None,
            "arrival": self.request.arrived,
            **self.out.wire.stamps(),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "in_flight": self._in_flight,
            **(conversation(self) if self.app.truth.is_kept else {}),
        }
