"""The instrument's own error: what a run recorded against what the local endpoint says it did.

Durations are compared, never clocks: the client's time from its send, the endpoint's from the request's arrival.
"""

import dataclasses
import pathlib
import typing

import numpy as np
import pandas as pd

from analysis.runs.run_reader import Run
from analysis.words.level import level_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import ErrorClass

#: figure -> (in words, the record's field, the truth's stamp that ends it)
FIGURES = {
    "ttft": ("TTFT", "ttft_ms", "first_token"),
    "last_token": ("last token", "last_token_ms", "last_token"),
    "latency": ("latency", "latency_ms", "last_byte"),
}
BOUNDED = ("ttft", "latency")
STATISTICS = ("mean", "p50", "p99", "max")
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


@dataclasses.dataclass(slots=True)
class Calibration:
    """One run's error. `rows`: stage (None: all), target, payload, users, figure, n, the STATISTICS of the error in ms and
    those of the endpoint's own lateness (`late_…`). `errors`: a row a measured success, a column a figure, ms."""

    run: str
    path: pathlib.Path
    host: str
    measured_at: float  # Unix seconds: when the run began
    bound_ms: float
    conditions: dict[str, typing.Any]  # how it was sent: transport, stamps, schemes, and in_flight, the most at once
    rows: pd.DataFrame
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
    at_once = run.of_stages.groupby(["stage", "worker"])["in_flight"].max().groupby("stage").sum()
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


def _rows(errors: pd.DataFrame) -> pd.DataFrame:
    rows = []
    stages = [
        (keys, group) for keys, group in errors.groupby(["stage", "target", "payload", "users", "rate"], dropna=False)
    ]
    if len(stages) != 1:
        stages.append(((None, "all", "", None, None), errors))
    for (stage, target, payload, users, rate), group in stages:
        where = {"stage": stage, "target": target, "payload": payload, "users": users, "rate": rate}
        for figure in FIGURES:
            known = group[group[figure].notna()]
            if len(known):
                late = {f"late_{name}": value for name, value in _statistics(known["late_ms"]).items()}
                rows.append(where | {"figure": figure, "n": len(known)} | _statistics(known[figure]) | late)
    names = [
        "stage",
        "target",
        "payload",
        "users",
        "rate",
        "figure",
        "n",
        *STATISTICS,
        *(f"late_{s}" for s in STATISTICS),
    ]
    return pd.DataFrame(rows, columns=names)


def _statistics(values: pd.Series) -> dict[str, float]:
    """Exact percentiles (numpy linear), like those of the report."""
    p50, p99 = np.percentile(values, [50, 99])
    return {"mean": float(values.mean()), "p50": float(p50), "p99": float(p99), "max": float(values.max())}


def _beyond(rows: pd.DataFrame, errors: pd.DataFrame, bound_ms: float) -> list[str]:
    """Stages whose p99 error is above the bound, and figures that nobody can have measured."""
    if errors.empty:
        return ["no request of a measured window succeeded, so nothing can be compared"]
    problems = []
    for row in rows[rows["stage"].notna() & rows["figure"].isin(BOUNDED) & (rows["p99"] > bound_ms)].itertuples():
        words = FIGURES[row.figure][0]
        problems.append(
            f"the p99 {words} error of stage {row.stage:g} (`{row.target}`, {level_text(row._asdict())}) is {row.p99:.2f} ms, "
            f"above the bound of {bound_ms:g} ms"
        )
    for figure, (words, _, _) in FIGURES.items():
        early = int((errors[figure] < -EARLY_MS).sum())
        if early:
            problems.append(f"the {words} of {early} requests is shorter than the endpoint's: it was misread")
    return problems
