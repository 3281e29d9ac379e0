"""The protocol of master and workers: every message that one sends to the other in a run, a dataclass each.

A run without workers speaks it with itself: Locust's local runner hands each message to the same process. Messages travel
as Locust's own do, over ZeroMQ on TCP; a worker that is cut off, paused or started anew loses some of them. What is said
below of a message that is lost or comes twice is what the run then does, and who finds it out.

    worker -> master   Called (EndpointsChecked, CallMade), StageClear, Raised, and RecordsReport inside Locust's own report
    master -> worker   RunBegins, StageAnnounced, ArrivalsDealt, CallAsked, Flush, Acknowledged, CutShort

and RunEnded, the last of a run; and those of `joining`, by which a worker comes to take part, without which nothing of it is heard.

Times are Unix seconds; `run` is the id of a run's part, so that nobody heeds a message of another one.
"""

import dataclasses
import typing

import pydantic

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.calls.unreachable import Unreachable
from locustfiles.contract.record import RequestRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """Its class says the kind that Locust calls it by; its fields are what is sent."""

    KIND: typing.ClassVar[str]
    __pydantic_config__: typing.ClassVar = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)

    def data(self) -> dict[str, typing.Any]:
        """As it travels."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {k: dataclasses.asdict(v) if isinstance(v, StageSpec) else v for k, v in values.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class RunBegins(Message):
    """The master tells a worker of the run under way: all at its begin, later ones when they introduce themselves, and those
    that were silent when they are back.

    Lost: the worker heeds nothing of the run and idles; the first stage says that its requests did not end in time, which
    makes it untrustworthy. Twice: ignored.
    """

    KIND = "ledger_run"
    run: str
    folder: str  # the run folder, as the master names it


@dataclasses.dataclass(frozen=True, slots=True)
class StageAnnounced(Message):
    """The master tells all workers which stage and phase is on: when one begins, to a late worker at once, and to every
    worker again each second.

    Lost: heard a second later. Twice: no effect, but that a worker that is clear says so again.
    """

    KIND = "ledger_stage"
    run: str
    visit: StageSpec | None  # the stage; None: nothing is to be sent
    phase: str


@dataclasses.dataclass(frozen=True, slots=True)
class ArrivalsDealt(Message):
    """Open loop: the master hands a worker its share of the requests that are due in the next seconds, twice a second.

    Lost: they are never sent, and the stage's requests fall short of its rate, which the report shows. Twice: they would be
    sent twice; TCP doubles nothing. Those of a stage that is over are dropped.
    """

    KIND = "ledger_arrivals"
    run: str
    stage: int
    due: list[tuple[float, int | None, int | None]]  # when by the worker's clock, prompt tokens, max_tokens


@dataclasses.dataclass(frozen=True, slots=True)
class CallAsked(Message):
    """The master asks one worker, before there is load, whether the endpoints answer (no target), or for a warm-up call.

    Lost: no answer comes; the check of the endpoints fails the run after 60 s, a call is asked for twice more, of whoever is
    the first worker then. Twice: the call is made twice, both are recorded as warm-up, the second answer is ignored.
    """

    KIND = "ledger_call"
    run: str
    ask: int  # the number of the question
    target: str | None
    payload: str | None
    prompt_id: str | None = None  # the payload's line; the typical one if absent


@dataclasses.dataclass(frozen=True, slots=True)
class Called(Message):
    """A worker's answer to `CallAsked`, in one of two forms.

    Lost: as if the question was. Twice: ignored, the question is answered.
    """

    KIND = "ledger_called"
    run: str
    ask: int


@dataclasses.dataclass(frozen=True, slots=True)
class EndpointsChecked(Called):
    """Which endpoints accept a connection."""

    problems: list[Unreachable]  # those that do not
    schemes: dict[str, str]  # target -> http or https


@dataclasses.dataclass(frozen=True, slots=True)
class CallMade(Called):
    """What became of a warm-up call, ahead of its record: RequestRecord's fields of these names."""

    error: str | None
    error_code: str | None
    error_message: str | None
    http_status: int | None
    latency_ms: float
    ttft_ms: float | None
    prompt_id: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    billed_units: float | None
    guardrail_units: str | None

    @classmethod
    def of(cls, record: RequestRecord, asked: CallAsked) -> "CallMade":
        return cls(asked.run, asked.ask, *(getattr(record, own.name) for own in dataclasses.fields(cls)[2:]))


@dataclasses.dataclass(frozen=True, slots=True)
class StageClear(Message):
    """A worker has no request in flight any more that the phase waits for: of earlier stages in `settle`, of the measured
    window in `hold`.

    Lost: said again when the master announces the stage again, a second later; a worker that never says it makes the stage
    untrustworthy. Twice: no effect.
    """

    KIND = "ledger_clear"
    run: str
    stage: int
    phase: str
    look: int
    load: dict[str, float]  # how the process kept up in the window: `cpu`, `lag_ms`; empty where none was measured
    produced: int  # its records by now

    @property
    def of(self) -> tuple[int, str, int]:
        return self.stage, self.phase, self.look


@dataclasses.dataclass(frozen=True, slots=True)
class Flush(Message):
    """The master asks all workers for their last records, after the users are gone; again every 2 s until all are here.

    Lost: said again; after 10 s without a record more the run is closed without, and says whose records are missing. Twice:
    they report again.
    """

    KIND = "ledger_flush"
    run: str


@dataclasses.dataclass(frozen=True, slots=True)
class Acknowledged(Message):
    """The master has handed a worker's records to the system: sent for every report of the run.

    Lost: the worker reports the same records again, which are dropped by their numbers and acknowledged again; at the end it
    keeps them in a spool. Twice, or overtaken by a later one: no effect.
    """

    KIND = "ledger_ack"
    run: str
    upto: int  # every record with a number below is here
    final: bool  # and so is the number of them all


@dataclasses.dataclass(frozen=True, slots=True)
class CutShort(Message):
    """The master ends within a grace period: workers that still have requests in flight in so many seconds cut them.

    Lost: they end by themselves, and their records come too late: the master has gone, the worker keeps them in a spool.
    Twice: the first counts.
    """

    KIND = "ledger_cut"
    within_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Raised(Message):
    """An exception that nobody handled, of an event listener or a greenlet, in a worker: Locust tells only its own process.

    Sent once, ahead of a report. Lost: the worker's own exit code says it alone. Twice: no effect.
    """

    KIND = "ledger_raised"


@dataclasses.dataclass(frozen=True, slots=True)
class RunEnded(Message):
    """The master has closed the run's part, and would end with this exit code. To all workers.

    Lost: a worker ends as after a complete run, and its platform does not start it again. Twice: no effect.
    """

    KIND = "ledger_ended"
    exit_code: int


@dataclasses.dataclass(frozen=True, slots=True)
class RecordsReport(Message):
    """A worker's records, inside Locust's report under `KIND`: once a second while it serves a run, at the end of each hold
    and when asked to flush. It carries all records that the master has not acknowledged, capped.

    Lost: the next one carries them. Twice, or overtaken: those that are here already are dropped by their numbers; where
    one is missing in between nothing is taken.
    """

    KIND = "swarmledger"
    run: str
    first: int  # number of the first line
    lines: pydantic.StrictBytes  # of requests.csv, as they will stand there; read in `arrived.read`
    produced: int | None  # records in all; None: more may come
    # of the worker's loop, by its clock: all so far
    gaps: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    # how its process does, for those who watch: in_flight, cpu, lag_ms (Probe.lately)
    lately: dict[str, float] = dataclasses.field(default_factory=dict)
