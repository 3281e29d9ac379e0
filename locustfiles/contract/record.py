"""The request record: the contract between the load side and the analysis.

One request is one `RequestRecord` and one row of `requests.csv`. The header of that file is the
tuple of this dataclass's fields; nothing else lists them. A missing value is `None` here and an
empty cell in the file, never 0. Units are in the names (`_ms`: milliseconds, monotonic).
"""

import dataclasses
import operator
import typing

from locustfiles.contract.cells import neutral_row
from locustfiles.contract.quickly_made import quickly_made


@quickly_made
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """What is known of one request. Raises ValueError where times contradict each other."""

    started_at: float  # send time, Unix seconds by the worker's own clock
    worker: str  # worker id, `local` without workers
    user: int  # user number on that worker; 0 for a warm-up call
    target: str
    service: str  # bedrock, sagemaker, openai
    operation: str  # the API operation's name
    payload: str  # the payload file's stem
    prompt_id: str | None  # the payload line's `id`, else its line number; empty where imported files do not tell
    stage: int  # visit number; 0 for a warm-up call
    repeat: int
    users: int | None  # planned users of the stage
    rate: float | None = None  # planned requests/s, open loop only
    phase: str  # warmup, settle, measure, hold: by when the request started
    call: int  # number of the logical call on this worker
    attempt: int = 1
    reconnect: int | None = None  # 1 if this request had to open a connection; `transport: boto3` does not know
    schedule_delay_ms: float | None = None  # actual minus intended send, open loop only
    latency_ms: float  # hand-over to the transport -> last byte of the answer
    ttft_ms: float | None = None  # -> first delta with output; empty when not streaming
    ttft_visible_ms: float | None = None  # -> first visible text, where reasoning comes first
    last_token_ms: float | None = None  # -> last delta with output
    chunks: int | None = None  # deltas with output
    max_gap_ms: float | None = None  # longest gap between two of them
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None  # of completion_tokens, where the service says so
    hidden_reasoning: int = 0  # 1 if reasoning was billed that the answer does not show
    tokenizer_prompt_tokens: int | None = None  # what the target's tokenizer counts, without a chat template
    tokenizer_completion_tokens: int | None = None  # of the visible text
    prompt_token_source: str  # service, tokenizer, payload, none
    token_source: str  # the same for completion_tokens
    response_bytes: int | None = None  # this, in_flight and lag_ms are empty only of imported files
    stop_reason: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    service_latency_ms: float | None = None  # what the service itself reports
    service_ttft_ms: float | None = None
    error: str | None = None  # an errors.ErrorClass; empty means success
    error_code: str | None = None  # the service's own code; or an OwnCode
    error_message: str | None = None  # at most 200 characters, redacted
    in_flight: int | None = None  # this worker's requests in flight at send, this one included
    lag_ms: float | None = None  # worst event-loop lag seen during the request
    stamp_delay_ms: float | None = None  # worst of the loop's stamps minus the kernel's; `stamps: kernel` only
    # added later, so optional and last: requests.csv without them stays readable
    served_latency: str | None = (
        None  # the latency setting and the tier that Bedrock says it served, whatever was asked
    )
    served_tier: str | None = None
    cache_write_1h_tokens: int | None = None  # of cache_write_tokens: those kept for an hour, which cost more
    invoked_model: str | None = None  # the model that answered, where a prompt router chose it
    billed_units: float | None = None  # queries, images, seconds or pages that the service says it bills
    guardrail_units: str | None = None  # `contentPolicyUnits=2 topicPolicyUnits=2`: text units by policy
    gaps: str | None = None  # `156*2 175`: how many gaps between deltas with output were of which length: gap_counts.py
    session: str | None = None  # the conversation that this request is part of: unique in the run; empty elsewhere
    turn: int | None = None  # its number in the session, from 1
    turns: int | None = None  # how many requests the session is to have; empty where that is not known beforehand
    session_ended: str | None = None  # why it ends with this answer though turns are left: no_call, no_result, no_text
    request_bytes: int | None = None  # of the body, as it was handed to be sent; empty where nothing was
    media_bytes: int | None = None  # of images, documents, sound and video in it, decoded; empty where it has none
    variant: str | None = None  # the production variant that answered, as SageMaker says
    routed_to: str | None = None  # ARN of the endpoint or component to which an inference router sent the request
    routing_reason: str | None = None  # why, in the router's own word
    accepted_ms: float | None = None  # until a queued request was accepted: of asynchronous endpoints
    asked_prompt_tokens: int | None = (
        None  # how long a trace or a synthetic payload wants the whole prompt; empty elsewhere
    )
    asked_completion_tokens: int | None = None  # the same of the answer, which `max_tokens` asks for
    effort: str | None = None  # how much of it the request asks the model for, in the API's word
    guardrail_reason: str | None = None  # why a guardrail intervened, or that it did not, in its own words
    guardrail_coverage: str | None = None  # `textCharacters=900/1200 images=1/1`: what it looked at, of what there was

    def __post_init__(self) -> None:
        times = [0.0, self.ttft_ms, self.last_token_ms, self.latency_ms]
        known = [t for t in times if t is not None]
        if known != sorted(known):
            raise ValueError(
                f"times out of order: 0 <= ttft {self.ttft_ms} <= last_token {self.last_token_ms} "
                f"<= latency {self.latency_ms} ms"
            )

    def row(self) -> list[str]:
        """The record as CSV cells, in the order of `FIELDS`."""
        started_at, *others = values_of(self)
        began = f"{float(started_at):.6f}" if started_at > WALL_CLOCK else _cell(started_at)
        return [began, *("" if v is None else v if type(v) is str else _cell(v) for v in others)]


FIELDS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(RequestRecord))
values_of = operator.attrgetter(*FIELDS)
WALL_CLOCK = 1e8  # a larger `started_at` is Unix seconds, to the microsecond; all else has three decimals
#: those of files from before a field was added
_EARLIER_FIELDS = tuple(
    FIELDS[: FIELDS.index(added)] for added in ("served_latency", "cache_write_1h_tokens", "gaps", "session")
)

#: `stop_reason` of an answer that a guardrail blocked or masked
GUARDRAIL_STOP = "guardrail_intervened"


def _kind(annotation: typing.Any) -> type:
    """int | None -> int"""
    plain = [t for t in typing.get_args(annotation) if t is not type(None)]
    kind: type = plain[0] if plain else annotation
    return kind


#: field name -> int, float or str: how a cell is read back
KINDS: dict[str, type] = {f.name: _kind(f.type) for f in dataclasses.fields(RequestRecord)}
TEXTS = frozenset(n for n, name in enumerate(FIELDS) if KINDS[name] is str)  # numbers of the cells that are text
#: fields that may be None: their cells may be empty
OPTIONAL = frozenset(f.name for f in dataclasses.fields(RequestRecord) if type(None) in typing.get_args(f.type))


def whole_lines(row: typing.Sequence[str]) -> typing.Sequence[str]:
    """Cells without line breaks, inside of which a torn line of a file would look whole."""
    text = "".join(row)
    if "\n" not in text and "\r" not in text:
        return row
    return [cell.replace("\n", " ").replace("\r", " ") for cell in row]


def csv_cells(row: typing.Sequence[str]) -> typing.Sequence[str]:
    """A row as requests.csv holds it: whole lines, no formulas."""
    return neutral_row(whole_lines(row), TEXTS)


def fields_of(header: bytes) -> tuple[str, ...] | None:
    """The columns that a header line names; None where it is no record's, of this version or an earlier one."""
    names = tuple(header.decode(errors="replace").strip().split(","))
    return names if names == FIELDS or names in _EARLIER_FIELDS else None


def with_all_fields(text: bytes) -> bytes | None:
    """requests.csv's whole lines with a cell for every field: a file of an earlier version lacks the last ones, which are
    then empty. None where the header is not a record's."""
    header, _, rows = text.partition(b"\n")
    names = fields_of(header)
    if names is None:
        return None
    if names == FIELDS:
        return text
    empty = b"," * (len(FIELDS) - len(names))
    return ",".join(FIELDS).encode() + b"\n" + rows.replace(b"\n", empty + b"\n")


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
