"""Whether a stage's numbers can be trusted: VALID, SUSPECT or INVALID, with reasons.

INVALID: records are missing, doubled or our own code failed; such a stage is never recommended.
SUSPECT: a threshold below is passed; such a stage may be recommended with that label.
"""

import typing

from analysis import format as show
from analysis.stage import Stage
from analysis.windows import in_flight
from analysis.workers import overloaded
from locustfiles.common.errors import ErrorClass

CLOCK_TOLERANCE_S = 0.25


class Threshold(typing.NamedTuple):
    """`limit`, and why passing it makes a stage SUSPECT."""

    limit: float
    why: str


THRESHOLDS: dict[str, Threshold] = {
    "users_missing": Threshold(
        0.05,
        "More than 5 % of the planned users were not in flight: the generator did not keep up, or a settle "
        "time shorter than a request left part of the load to the stage before.",
    ),
    "lag_of_ttft": Threshold(
        0.10,
        "At the 99th percentile the event loop was late by more than 10 % of the median TTFT (of the median "
        "latency without streaming): the tail may be the generator's own.",
    ),
    "lag_ms": Threshold(
        50.0, "Half of the requests met an event loop that was late by more than 50 ms: the process was starved."
    ),
    "worker_cpu": Threshold(
        0.90,
        "A worker used more than 90 % of one core in the window: what it sends and stamps waits for its own CPU. Add a worker.",
    ),
    "successes": Threshold(20, "Below 20 successes one slow request moves every figure."),
    "prompt_repeats": Threshold(
        0.50, "More than half of the prompts had been sent before in the window: a prefix cache may have answered."
    ),
    "cache_reads": Threshold(
        0.10, "More than 10 % of the prompt tokens were read from a cache: latency and cost are those of warm prompts."
    ),
    "reconnects": Threshold(0.01, "More than 1 % of the requests had to open a connection, which is in their times."),
    "outside_window": Threshold(
        0.01,
        "More than 1 % of the requests that workers counted to the window were sent over 0.25 s outside it by the "
        "corrected clocks: the clock offsets cannot be right, and rates go by them.",
    ),
    "other_stages": Threshold(
        0.01, "More than 1 % of the load in the window came from another stage's requests that had not ended."
    ),
}


class Verdict(typing.NamedTuple):
    verdict: typing.Literal["VALID", "SUSPECT", "INVALID"]
    reasons: list[str]


def verdict_of(stage: Stage, row: dict[str, typing.Any]) -> Verdict:
    """The verdict on a stage whose measurements are in `row`."""
    invalid = _broken_run(stage) + _broken_stage(stage)
    if invalid:
        return Verdict("INVALID", invalid)
    suspect = [*_load_reasons(stage, row), *_clock_reasons(stage), *_lag_reasons(stage), *_sample_reasons(stage, row)]
    if full := overloaded(stage.visit, THRESHOLDS["worker_cpu"].limit):
        suspect.append(full)
    if stage.run.manifest.status == "running":
        suspect.append("the run was never closed (killed, or still running)")
    return Verdict("SUSPECT" if suspect else "VALID", suspect)


def _broken_run(stage: Stage) -> list[str]:
    concerned = (p for p in stage.run.manifest.problems if p.stages is None or stage.visit.stage in p.stages)
    sentences = [*(p.text for p in concerned), *stage.run.lost]
    return [s.rstrip(".") for s in dict.fromkeys(sentences)]


def _broken_stage(stage: Stage) -> list[str]:
    reasons = []
    internal = int((stage.records["error"] == ErrorClass.INTERNAL).sum())
    if internal:
        reasons.append(f"{internal} requests ended by a fault of the load generator itself (class internal)")
    if stage.window is None:
        return [*reasons, stage.why_no_window]
    if stage.measured.empty:
        reasons.append("no request began in its window")
    manifest = stage.run.manifest
    latest = max(v.started_at for v in manifest.stages)
    if manifest.status == "running" and stage.visit.started_at == latest:
        reasons.append("the run was never closed during this stage: its last records may be missing")
    return reasons


def expected_in_flight(users: float, mean_s: float, think_s: float, error_pause_s: float, error_rate: float) -> float:
    """Users in flight in a closed loop: each is so for mean_s of every mean_s + think + pause after a failure."""
    return users * mean_s / (mean_s + think_s + error_rate * error_pause_s) if mean_s else 0.0


def _due(stage: Stage, row: dict[str, typing.Any]) -> float | None:
    """Requests that should be in flight; None where none was measured.

    With retries the users between two attempts are not in flight, and those of a call think and pause once.
    """
    scenario, users = stage.run.scenario, stage.visit.users
    ended = stage.measured[stage.measured["error"] != ErrorClass.CANCELLED]
    if ended.empty or not users:
        return None
    mean_s, think_s = ended["latency_ms"].mean() / 1000, scenario.load_of(stage.target).think_s
    if stage.calls is None or not row["calls"]:
        return expected_in_flight(users, mean_s, think_s, scenario.error_pause_s, row["error_rate"])
    attempts, rate = row["attempts_per_call_mean"], row["call_error_rate"] or 0.0
    sending = users - stage.calls.pausing(*stage.window)
    return expected_in_flight(sending, attempts * mean_s, think_s, scenario.error_pause_s, rate)


def _load_reasons(stage: Stage, row: dict[str, typing.Any]) -> typing.Iterator[str]:
    own, due = row["in_flight_mean"], _due(stage, row)
    if due is not None:
        if own < (1 - THRESHOLDS["users_missing"].limit) * due:
            yield f"{show.number(own)} requests in flight where {show.number(due)} were due"
    records = stage.run.records
    everything = in_flight(records["sent"].to_numpy(), records["ended"].to_numpy(), *stage.window)
    if everything - own > THRESHOLDS["other_stages"].limit * everything:
        yield f"{show.percent((everything - own) / everything)} of the load came from other stages' requests"


def _clock_reasons(stage: Stage) -> typing.Iterator[str]:
    (a, b), sent = stage.window, stage.measured["sent"]
    outside = int(((sent < a - CLOCK_TOLERANCE_S) | (sent >= b + CLOCK_TOLERANCE_S)).sum())
    if outside > THRESHOLDS["outside_window"].limit * len(sent):
        yield f"{outside} of {len(sent)} requests were sent outside the window by the corrected clocks"


def _lag_reasons(stage: Stage) -> typing.Iterator[str]:
    lag = stage.measured["lag_ms"]
    base = stage.good["ttft_ms"].median() if stage.target.stream else stage.good["latency_ms"].median()
    tail = lag.quantile(0.99)
    if base > 0 and tail > THRESHOLDS["lag_of_ttft"].limit * base:
        what = "TTFT" if stage.target.stream else "latency"
        yield f"event-loop lag p99 {show.milliseconds(tail)} is {show.percent(tail / base)} of the median {what}"
    if lag.median() > THRESHOLDS["lag_ms"].limit:
        yield f"median event-loop lag is {show.milliseconds(lag.median())}"


def _sample_reasons(stage: Stage, row: dict[str, typing.Any]) -> typing.Iterator[str]:
    if row["successes"] < THRESHOLDS["successes"].limit:
        yield f"only {row['successes']} successes"
    if row["prompt_repeat_share"] > THRESHOLDS["prompt_repeats"].limit:
        share = show.percent(row["prompt_repeat_share"])
        yield f"{share} of the prompts were repeats ({row['prompts_distinct']} different ones)"
    read = stage.good["cache_read_tokens"].sum()
    cached = read / (read + stage.good["prompt_tokens"].sum()) if read else 0.0
    if cached > THRESHOLDS["cache_reads"].limit:
        yield f"{show.percent(cached)} of the prompt tokens were read from a cache"
    if row["reconnects"] is not None and row["reconnects"] > THRESHOLDS["reconnects"].limit * row["requests"]:
        yield f"{row['reconnects']} of {row['requests']} requests had to open a connection"
