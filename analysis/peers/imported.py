"""What another tool's files say of a load test, before it becomes a run folder: levels of requests, and what is known of the target.

What a tool does not say stays None. What its numbers are not is a sentence in `notes`, which the report shows.
"""

import dataclasses
import hashlib
import re
import typing
import urllib.parse

from locustfiles.contract.gap_counts import gap_text
from locustfiles.contract.record import RequestRecord

CONTRADICTORY = "times contradict each other, and are left out"
#: what the writer fills in, and what no tool says
_NOT_KNOWN: dict[str, typing.Any] = {
    "worker": "local",
    "user": 0,
    "target": "",
    "service": "",
    "operation": "",
    "payload": "",
    "prompt_id": None,
    "stage": 0,
    "repeat": 1,
    "users": None,
    "phase": "measure",
    "call": 0,
    "prompt_token_source": "none",
    "token_source": "none",
}
_ROUNDING_MS = 1.0  # that a tool's times of one request may contradict each other by


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was asked. Which instance it ran on, no tool's files but FMBench's know."""

    name: str | None = None  # what the tool calls it, where it has a name of its own
    model: str | None = None
    group: str | None = None  # its model as own runs call it, by which they are compared
    url: str | None = None  # as the tool was given it, without `/chat/completions`
    service: typing.Literal["openai", "sagemaker", "bedrock"] = "openai"
    dialect: typing.Literal["openai-chat", "openai-completions"] = "openai-chat"
    stream: bool = True
    max_tokens: int | None = None
    endpoint: str | None = None  # of SageMaker; of Bedrock its model id, where `model` is another name
    instance_type: str | None = None
    instance_count: int = 1
    region: str | None = None
    container: str = "lmi"  # the dialect of SageMaker's container
    labels: tuple[tuple[str, str], ...] = ()
    price: tuple[tuple[str, float], ...] = ()  # as a scenario's `price:` has it

    @property
    def operation(self) -> str:
        """The API operation's name."""
        if self.service == "openai":
            return "Completions" if self.dialect == "openai-completions" else "ChatCompletions"
        kind = "InvokeEndpoint" if self.service == "sagemaker" else "Converse"
        streamed = {"InvokeEndpoint": "InvokeEndpointWithResponseStream", "Converse": "ConverseStream"}
        return streamed[kind] if self.stream else kind


@dataclasses.dataclass(slots=True, kw_only=True)
class Level:
    """One stage: requests under one number of users, or one rate. The writer numbers them."""

    users: int | None = None
    rate: float | None = None
    records: list[RequestRecord] = dataclasses.field(default_factory=list)
    subject: Subject
    aggregates: dict[str, float | str] | None = None  # where no request was kept: by the names of steps.csv's columns
    payload: str | None = None  # what the tool calls the prompts
    window: tuple[float, float] | None = None  # Unix s, the tool's own; None: first start to last end
    problems: list[str] = dataclasses.field(default_factory=list)  # why its figures cannot be trusted: INVALID

    @property
    def bounds(self) -> tuple[float, float]:
        """The window, Unix s: the tool's own, else from the first start to the last end of what was measured."""
        if self.window:
            return self.window
        measured = [r for r in self.records if r.phase == "measure"] or self.records
        return min(r.started_at for r in measured), max(end_of(r) for r in measured)


@dataclasses.dataclass(slots=True, kw_only=True)
class Imported:
    """All that a tool's files say."""

    tool: str
    version: str | None
    levels: list[Level]
    notes: list[str] = dataclasses.field(default_factory=list)


def end_of(record: RequestRecord) -> float:
    """Unix s."""
    return record.started_at + record.latency_ms / 1000


def request(
    *,
    started_at: float,
    latency_ms: float,
    ttft_ms: float | None = None,
    last_token_ms: float | None = None,
    gaps_s: typing.Sequence[float] = (),
    **known: typing.Any,
) -> RequestRecord:
    """A record of what is known of one request; whose it is (target, stage, number) the writer fills in. Times that contradict
    each other by more than rounding are left out, which `error_message` says. gaps_s: between chunks. Raises ValueError for a
    latency below 0."""
    if latency_ms < 0:
        raise ValueError(f"a request ends {-latency_ms:g} ms before it starts")
    last_token_ms = _at_most(last_token_ms, latency_ms)
    ttft_ms = _at_most(ttft_ms, latency_ms if last_token_ms is None else last_token_ms)
    times = [0.0, *(t for t in (ttft_ms, last_token_ms) if t is not None), latency_ms]
    if times != sorted(times):
        told = f"{CONTRADICTORY}: first token {ttft_ms}, last token {last_token_ms}, latency {latency_ms} ms"
        known = {"error_message": told} | known
        ttft_ms = last_token_ms = None
    return RequestRecord(
        started_at=started_at,
        latency_ms=latency_ms,
        ttft_ms=ttft_ms,
        last_token_ms=last_token_ms,
        **_NOT_KNOWN | _between(gaps_s) | known,
    )


def _between(gaps_s: typing.Sequence[float]) -> dict[str, typing.Any]:
    return {"gaps": gap_text(gaps_s), "max_gap_ms": 1000 * max(gaps_s)} if gaps_s else {}


def _at_most(time_ms: float | None, most_ms: float) -> float | None:
    return most_ms if time_ms is not None and most_ms < time_ms <= most_ms + _ROUNDING_MS else time_ms


def prompt_id(text: str | None) -> str | None:
    """By which prompts are told apart without keeping them."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12] if text else None


def route(url: str | None) -> str | None:
    """An address as a target has it, up to /v1, without user, password and query: tools are given it with or without the rest."""
    if not url:
        return None
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    path = re.sub(r"/(chat/completions|completions|responses|embeddings)/?$", "", parts.path).rstrip("/")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{path or '/v1'}" if host and parts.scheme in ("http", "https") else None
