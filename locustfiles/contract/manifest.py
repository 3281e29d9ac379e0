"""What a run was: manifest.json's content.

An allow-list: only the fields below are written; no environment, no argv.
"""

import dataclasses
import functools
import typing

import pydantic

from locustfiles.contract.stage_asked import CacheAsked, TraceFit

SCHEMA = 2


_PAYLOAD = {"file": str, "sha256": str, "prompts": int, "cache_points": int, "media_sha256": str}


def _payload_facts(payloads: dict[str, dict[str, typing.Any]]) -> dict[str, dict[str, typing.Any]]:
    """Raises ValueError for a fact of another kind than the writer's; null is not known."""
    for stem, facts in payloads.items():
        for name, kind in _PAYLOAD.items():
            if facts.get(name) is not None and type(facts[name]) is not kind:
                raise ValueError(f"`{name}` of `{stem}` is no {'number' if kind is int else 'text'}")
    return payloads


Payloads = typing.Annotated[dict[str, dict[str, typing.Any]], pydantic.AfterValidator(_payload_facts)]


@dataclasses.dataclass(slots=True)
class WorkerEntry:
    """One process that sent requests, and whether all it recorded arrived."""

    id: str  # as in RequestRecord.worker
    host: str
    clock_offset_ms: float | None  # worker clock minus master clock; the analysis subtracts it from started_at
    produced: int | None  # None: it never handed in its last count (a killed worker)
    received: int  # those that are in requests.csv
    lost: int | None
    run_id: str = ""  # of the part that it served
    versions: dict[str, str] = dataclasses.field(default_factory=dict)  # that differ there from the manifest's


@dataclasses.dataclass(slots=True)
class WorkerLoad:
    """How one worker kept up in a stage's measured window."""

    worker: str
    cpu: float  # its share of one core, 0..1 (threads may take it above)
    lag_ms: float  # the event loop's worst lag


@dataclasses.dataclass(slots=True)
class StageWindow:
    """One visit of (target, payload, users or rate): Unix seconds by the master's clock, None if not reached."""

    stage: int
    repeat: int
    target: str
    payload: str
    users: int | None  # closed loop
    rate: float | None  # requests/s, open loop
    started_at: float  # users were asked for
    settle_from: float | None = None  # all users were there
    measure_from: float | None = None  # a: the measured window is [a, b)
    measure_until: float | None = None  # b
    hold_until: float | None = None  # every request begun in the window had ended
    ended_by: str | None = None  # time, requests, precision, abort (its error rate), skip (a person), budget, stop
    steady: bool | None = None  # whether its latencies drifted no more when the window began; None: not looked at
    outcome: str | None = None  # of a search's stage: met, missed or undecided; None: not to be trusted
    trace_fit: TraceFit | None = None  # of a replay whose trace has prompt lengths
    cache_asked: CacheAsked | None = None  # of a `prefix:` that asks for a cache
    whole: bool = False  # every record of it has arrived, and every worker that began it was there all the time
    workers: list[WorkerLoad] = dataclasses.field(default_factory=list)  # those that were there at its end
    records: int | None = None  # of all its phases, that are in requests.csv
    # imported without requests, what its tool or table tells: names of steps.csv's columns -> value; what is not told is not there
    aggregates: dict[str, float | str] | None = None
    # a part of a mix: the numbers of all its parts' stages, which are sent to at the same time; users and rate are theirs together
    mix: list[int] | None = None
    ramp: list[float] | None = (
        None  # requests/s at the window's begin and end, where these differ; `rate` is their mean
    )
    mix_share: float | None = None  # of the mix's requests, those of this part, as planned


@dataclasses.dataclass(slots=True)
class Finding:
    """What a search for the highest level that keeps the limits found."""

    target: str
    payload: str
    of: str  # users or rate
    answer: float | None  # the highest level that kept them; None: none did
    fails_at: float | None  # the lowest that did not; None: none was reached
    confirmed: bool  # the boundary was measured twice and said the same
    why: str  # what bounds it
    outcomes: dict[str, list[str]]  # level as text -> ["met" | "missed" | "undecided", …] in the order measured
    stages: list[int]

    @property
    def text(self) -> str:
        """`2 users keep the limits, 3 do not: above it the limits are missed`"""
        unit = "requests/s keep" if self.of == "rate" else "user keeps" if self.answer == 1 else "users keep"
        if self.answer is None and not any("missed" in outcomes for outcomes in self.outcomes.values()):
            return f"not known which level keeps the limits: {self.why}"
        kept = "no level keeps the limits" if self.answer is None else f"{self.answer:g} {unit} the limits"
        fails = (
            "" if self.fails_at is None else f", {self.fails_at:g} {'do' if self.answer is not None else 'does'} not"
        )
        return f"{kept}{fails}{'' if self.confirmed else ' (not confirmed)'}: {self.why}"


#: what a run says of stages with errors of class internal
FAILED_INSIDE = "requests failed inside Swarmledger (class internal): see requests.csv"


@dataclasses.dataclass(slots=True)
class Problem:
    """Why numbers cannot be trusted: a sentence, and the stages that it concerns (None: all of the run)."""

    text: str
    stages: list[int] | None = None
    kept_of: str | None = None  # it is solved when the records that this part has kept elsewhere are in the run


@dataclasses.dataclass(slots=True)
class Kept:
    """A file with a worker's records that could not be written to requests.csv."""

    worker: str
    upto: int  # every record of it with a number below is in requests.csv or here
    file: str


@dataclasses.dataclass(slots=True)
class LeftOut:
    """A target, or one of its payloads, that was not measured, for its first calls failed."""

    target: str
    payload: str | None  # None: all of the target
    error: str  # the first call's error class
    text: str  # what the service said: code and message
    remedy: str

    @property
    def why(self) -> str:
        return f"{self.text}; {self.remedy}"

    @property
    def what(self) -> str:
        return f"target `{self.target}`" + (f" on `{self.payload}`" if self.payload else "")


@dataclasses.dataclass(slots=True)
class Part:
    """One process's share of a run; a resumed run has several. Unix seconds."""

    run_id: str
    started_at: float
    ended_at: float | None
    status: str
    produced: int | None = None  # records of its workers; None: one of them never handed in its last count
    received: int | None = None  # of these, by the process that writes
    rows: int | None = None  # of these, in requests.csv
    kept: list[Kept] = dataclasses.field(default_factory=list)  # the others, where they were kept


@dataclasses.dataclass(slots=True)
class ImportedFrom:
    """The load tester whose result files a run folder was made of, and what its numbers are not."""

    #: where the files do not say which server it was, its base_url is one of these, another one with every import
    UNKNOWN_HOST: typing.ClassVar[str] = ".unknown.invalid"

    tool: str
    version: str | None  # None: its files do not say
    notes: list[str]


@pydantic.with_config(pydantic.ConfigDict(extra="forbid", allow_inf_nan=False))  # of its parts as well
@dataclasses.dataclass(slots=True)
class Manifest:
    name: str  # the scenario's
    run_id: str
    status: str  # running, complete, stopped (early, by a person, a signal or the budget), failed
    started_at: float  # Unix seconds, the master's clock
    ended_at: float | None
    scenario_file: str
    # the scenario as validated (Scenario.model_validate(manifest.scenario) gives it back)
    scenario: dict[str, typing.Any]
    seed: int
    # version.versions: swarmledger, python, openssl and what touches a request; of its first part
    versions: dict[str, str]
    git_revision: str | None  # `-dirty` at its end: tracked files were changed
    host: str
    price_book: dict[str, typing.Any]  # file, region, as_of, source
    # target -> {"usd_per_hour", "instance_count"} or {"input", "output", "cache_read", "cache_write"} (USD per 1,000 tokens)
    prices: dict[str, dict[str, typing.Any]]
    payloads: Payloads  # stem -> {"file", "sha256", "prompts"}, "cache_points": prompts that have some, "media_sha256"
    workers: list[WorkerEntry] = dataclasses.field(default_factory=list)
    stages: list[StageWindow] = dataclasses.field(default_factory=list)
    # cut short, and measured again after --resume
    abandoned: list[StageWindow] = dataclasses.field(default_factory=list)
    findings: list[Finding] = dataclasses.field(default_factory=list)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)
    parts: list[Part] = dataclasses.field(default_factory=list)
    # target -> prices.sourced.Source: where its price is from
    price_sources: dict[str, dict[str, typing.Any]] = dataclasses.field(default_factory=dict)
    content: str = ""  # hash of scenario, payloads, tokenizers and traces
    # target -> the most output tokens a call asks for; None: no limit
    most_tokens: dict[str, int | None] = dataclasses.field(default_factory=dict)
    # target -> http or https, as the first worker resolved it
    schemes: dict[str, str] = dataclasses.field(default_factory=dict)
    imported: ImportedFrom | None = None  # None: measured by Swarmledger itself
    schema: int = SCHEMA


@functools.cache
def _reader() -> pydantic.TypeAdapter[Manifest]:
    return pydantic.TypeAdapter(Manifest)


def manifest_of(data: object) -> Manifest:
    """From manifest.json's content. Raises pydantic.ValidationError."""
    return _reader().validate_python(data)
