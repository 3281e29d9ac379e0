"""The instrument's own error: what a run recorded against what the local endpoint says it did.

Durations are compared, never clocks: the client's time from its send, the endpoint's from the request's arrival.
"""

import dataclasses
import pathlib
import typing

import numpy as np
import pandas as pd

from analysis.runs.run_reader import Run
from analysis.words.level import is_open, level_text, value_of
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import ErrorClass

Figure = typing.Literal["ttft", "last_token", "latency"]
#: figure -> (in words, the record's field, the truth's stamp that ends it)
FIGURES: dict[Figure, tuple[str, str, str]] = {
    "ttft": ("TTFT", "ttft_ms", "first_token"),
    "last_token": ("last token", "last_token_ms", "last_token"),
    "latency": ("latency", "latency_ms", "last_byte"),
}
BOUNDED: tuple[Figure, ...] = ("ttft", "latency")
EARLY_MS = 0.1  # nothing arrives before it was sent: an error below minus this is a misreading


@dataclasses.dataclass(slots=True)
class Requests:
    """How the run's requests and the endpoint's were matched."""

    recorded: int  # rows of requests.csv
    endpoint: int  # at the endpoint while the run lasted, and earlier or later ones that the run recorded
    matched: int  # in both, by request id
    unanswered: int  # recorded without a request id: the connection ended before one came
    unreached: int  # recorded as class connect: never sent
    other_runs: int  # in the truth log, outside the run's time


class At(typing.NamedTuple):
    """A level of the errors."""

    users: float | None
    rate: float | None


class ErrorRow(typing.NamedTuple):
    """The error of one figure at one stage (None: all), ms, and the endpoint's own lateness in these answers."""

    stage: int | None
    target: str
    payload: str
    users: float | None
    rate: float | None
    figure: Figure
    n: int
    mean: float
    p50: float
    p99: float
    max: float
    late_mean: float
    late_p50: float
    late_p99: float
    late_max: float


@dataclasses.dataclass(slots=True)
class Calibration:
    """One run's error. `errors`: a row a measured success, a column a figure, ms."""

    run: str
    path: pathlib.Path
    host: str
    measured_at: float  # Unix seconds: when the run began
    bound_ms: float
    conditions: dict[str, typing.Any]  # how it was sent: transport, stamps, schemes, and in_flight, the most at once
    rows: list[ErrorRow]
    errors: pd.DataFrame
    requests: Requests
    tokens_compared: int  # answers whose output tokens the service counted
    problems: list[str]  # why it is not passed, a sentence each
    notes: list[str]

    @property
    def passed(self) -> bool:
        return not self.problems


def calibrate(run: Run, truth: pd.DataFrame, bound_ms: float) -> Calibration:
    """Compare a run with `truth` (columns of truth_log). Raises BadInput when they have no request in common."""
    records = run.records
    ids = records["request_id"].dropna()
    common = set(ids) & set(truth["request_id"])
    if not common:
        raise BadInput(
            f"{run.path}: has no request id in common with the truth log; give the log of the endpoint that this run was sent to"
        )
    # a doubled id is reported; here each stands once
    joined = records.drop_duplicates("request_id").merge(truth, on="request_id", suffixes=("", "_truth"))
    requests, problems = _requests(run, truth, joined, ids)
    compared, differing = _tokens(joined)
    problems += differing
    errors = _errors(joined)
    rows = _rows(errors)
    problems += _beyond(rows, errors, bound_ms)
    notes = [*run.lost, *run.lost_at_workers]
    if requests.other_runs:
        notes.append(
            f"{requests.other_runs} requests in the truth log came before or after this run; they are not its."
        )
    return Calibration(
        run.name, run.path, run.manifest.host, run.manifest.started_at, bound_ms, conditions(run), rows, errors, requests, compared,
        problems, notes,
    )  # fmt: skip


def conditions(run: Run) -> dict[str, typing.Any]:
    """What the instrument's error depends on, beside the machine: a calibration is compared by it with the run that it is for.
    `in_flight` is of the busiest stage, the workers' sum of each one's most; `schemes` is empty where the run did not note them."""
    at_once = (
        run.of_stages[["stage", "worker", "in_flight"]]
        .groupby(["stage", "worker"])["in_flight"]
        .max()
        .groupby("stage")
        .sum()
    )
    return {
        "transport": run.scenario.transport,
        "stamps": run.scenario.stamps,
        "schemes": sorted(set(run.manifest.schemes.values())),
        "in_flight": int(at_once.max()) if len(at_once) else 0,
    }


def _requests(run: Run, truth: pd.DataFrame, joined: pd.DataFrame, ids: pd.Series) -> tuple[Requests, list[str]]:
    """Whether every request is on both sides, once."""
    # one number turns the run's clock into the endpoint's, to tell its requests from those of other runs in the log
    offset = float((joined["arrival"] - joined["started_at"]).median())
    end = run.manifest.ended_at
    until = np.inf if end is None else end + offset
    alone = truth[~truth["request_id"].isin(joined["request_id"])]
    inside = alone["arrival"].between(run.manifest.started_at + offset, until)
    unmatched, other_runs = int(inside.sum()), int((~inside).sum())
    nameless = run.records.loc[run.records["request_id"].isna(), "error"]
    unreached = int((nameless == ErrorClass.CONNECT).sum())
    perhaps = int((nameless == ErrorClass.CANCELLED).sum())  # a cancelled one may have arrived, or not
    unanswered = len(nameless) - unreached
    counts = Requests(len(run.records), len(joined) + unmatched, len(joined), unanswered, unreached, other_runs)
    problems = []
    if unmatched > unanswered:
        problems.append(f"{unmatched - unanswered} requests at the endpoint were not recorded")
    if unmatched < unanswered - perhaps:
        problems.append(
            f"{unanswered - perhaps - unmatched} recorded requests without a request id are not at the endpoint"
        )
    if strangers := int((~ids.drop_duplicates().isin(truth["request_id"])).sum()):
        problems.append(f"{strangers} recorded requests are not in the truth log")
    if doubled := int(ids.duplicated().sum()):
        problems.append(f"{doubled} requests were recorded more than once")
    return counts, problems


def _tokens(joined: pd.DataFrame) -> tuple[int, list[str]]:
    """(successes whose output tokens the service counted, how they differ from the endpoint's own count)."""
    good = joined[joined["error"].isna()]
    problems = []
    counted = 0
    for what, field, source in (
        ("output", "completion_tokens", "token_source"),
        ("prompt", "prompt_tokens", "prompt_token_source"),
    ):
        told = good[good[source] == "service"]
        counted = len(told) if what == "output" else counted
        wrong = told[told[field] != told[f"{field}_truth"]]
        if len(wrong):
            first = wrong.iloc[0]
            problems.append(
                f"{what} tokens of {len(wrong)} of {len(told)} answers differ (request {first['request_id']}: "
                f"{first[field]:g} recorded, {first[field + '_truth']:g} sent)"
            )
    return counted, problems


def _errors(joined: pd.DataFrame) -> pd.DataFrame:
    """Client minus endpoint, ms, of every success that began in a measured window."""
    measured = joined[(joined["phase"] == "measure") & joined["error"].isna()]
    errors = measured[["stage", "target", "payload", "users", "rate", "request_id"]].copy()
    for figure, (_, field, stamp) in FIGURES.items():
        errors[figure] = measured[field] - (measured[stamp] - measured["arrival"]) * 1000
    errors["late_ms"] = measured["late_ms"]
    return errors


def levels_in(errors: pd.DataFrame) -> list[At]:
    """The levels at which anything was compared, users before rates, each ascending."""
    pairs = errors[["users", "rate"]].drop_duplicates().itertuples(index=False)
    return sorted(
        (At(_number(users), _number(rate)) for users, rate in pairs), key=lambda at: (is_open(at), value_of(at))
    )


def _rows(errors: pd.DataFrame) -> list[ErrorRow]:
    rows = []
    where: list[tuple[tuple[typing.Any, str, str, float | None, float | None], pd.DataFrame]] = [
        ((stage, str(target), str(payload), _number(users), _number(rate)), group)
        for (stage, target, payload, users, rate), group in errors.groupby(
            ["stage", "target", "payload", "users", "rate"], dropna=False
        )
    ]
    if len(where) != 1:
        where.append(((None, "all", "", None, None), errors))
    for stage, group in where:
        for figure in FIGURES:
            known = group[group[figure].notna()]
            if len(known):
                rows.append(ErrorRow(*stage, figure, len(known), *_spread(known[figure]), *_spread(known["late_ms"])))
    return rows


def _number(cell: typing.Any) -> float | None:
    return None if pd.isna(cell) else float(cell)


def _spread(values: pd.Series) -> tuple[float, float, float, float]:
    """Mean, p50, p99 and maximum: exact percentiles (numpy linear), like those of the report."""
    p50, p99 = np.percentile(values, [50, 99])
    return float(values.mean()), float(p50), float(p99), float(values.max())


def _beyond(rows: list[ErrorRow], errors: pd.DataFrame, bound_ms: float) -> list[str]:
    """Stages whose p99 error is above the bound, and figures that nobody can have measured."""
    if errors.empty:
        return ["no request of a measured window succeeded, so nothing can be compared"]
    problems = [
        f"the p99 {FIGURES[row.figure][0]} error of stage {row.stage} (`{row.target}`, {level_text(row)}) is {row.p99:.2f} ms, "
        f"above the bound of {bound_ms:g} ms"
        for row in rows
        if row.stage is not None and row.figure in BOUNDED and row.p99 > bound_ms
    ]
    for figure, (words, _, _) in FIGURES.items():
        early = int((errors[figure] < -EARLY_MS).sum())
        if early:
            problems.append(f"the {words} of {early} requests is shorter than the endpoint's: it was misread")
    return problems
