"""Whether a stage's numbers can be trusted: VALID, SUSPECT or INVALID, with reasons.

INVALID: records are missing, doubled or our own code failed; such a stage is never recommended.
SUSPECT: one of THRESHOLDS is passed; such a stage may be recommended with that label.
"""

import math
import typing

from analysis.cost.transaction_cost import CLOCK_TOLERANCE_S
from analysis.metrics.open_loop import sent_requests
from analysis.runs.stage import Stage
from analysis.runs.window_share import in_flight
from analysis.verdicts.thresholds import THRESHOLDS
from analysis.words import format as show
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.scenario.price_book import TokenPrice

#: what a request gets whose endpoint goes away, or is away
CUT_OFF = (ErrorClass.CONNECT, ErrorClass.STREAM_BROKEN)


class Verdict(typing.NamedTuple):
    verdict: typing.Literal["VALID", "SUSPECT", "INVALID"]
    reasons: list[str]


def verdict_of(stage: Stage, row: dict[str, typing.Any]) -> Verdict:
    """The verdict on a stage whose measurements are in `row`."""
    invalid = _broken_run(stage) + _broken_stage(stage)
    if invalid:
        return Verdict("INVALID", invalid)
    suspect = [*_load_reasons(stage, row), *_clock_reasons(stage), *_lag_reasons(stage), *_sample_reasons(stage, row)]
    suspect += [
        *_token_reasons(stage),
        *_served_reasons(stage),
        *_endpoint_reasons(stage),
        *_settle_reasons(stage.visit),
    ]
    if stage.open_loop:
        suspect += open_reasons(stage)
    if full := overloaded(stage.visit, THRESHOLDS["worker_cpu"].limit):
        suspect.append(full)
    if stage.run.manifest.status == "running":
        suspect.append("the run was never closed (killed, its disk full, or still running)")
    return Verdict("SUSPECT" if suspect else "VALID", suspect)


def _broken_run(stage: Stage) -> list[str]:
    concerned = (p for p in stage.run.manifest.problems if p.stages is None or stage.visit.stage in p.stages)
    at_workers = [] if stage.visit.whole else stage.run.lost_at_workers
    sentences = [*(p.text for p in concerned), *at_workers, *stage.run.lost]
    return [s.rstrip(".") for s in dict.fromkeys(sentences)]


def _broken_stage(stage: Stage) -> list[str]:
    reasons = []
    internal = int((stage.records["error"] == ErrorClass.INTERNAL).sum())
    if internal:
        reasons.append(f"{internal} requests ended by a fault of the load generator itself (class internal)")
    if stage.window is None:
        return [*reasons, stage.why_no_window]
    if stage.measured.empty:
        reasons.append(f"no request began in its window{_longer_than_window(stage)}")
    manifest = stage.run.manifest
    latest = max(v.started_at for v in manifest.stages)
    if manifest.status == "running" and stage.visit.started_at == latest:
        reasons.append("the run was never closed during this stage: its last records may be missing")
    return reasons


def _longer_than_window(stage: Stage) -> str:
    """The remedy, where calls of the stage took longer than its window."""
    longest, window_s = stage.records["latency_ms"].max() / 1000, stage.window[1] - stage.window[0]
    if not longest > window_s:  # NaN without a record
        return ""
    return (
        f" of {show.seconds(window_s)}, for its longest call took {show.seconds(longest)}: raise `measure_s` above that"
    )


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
    if due is not None and own < (1 - THRESHOLDS["users_missing"].limit) * due:
        yield f"{show.number(own)} requests in flight where {show.number(due)} were due"
    records = stage.run.records
    everything = in_flight(records["sent"].to_numpy(), records["ended"].to_numpy(), *stage.window)
    if everything - own > THRESHOLDS["other_stages"].limit * everything:
        yield f"{show.percent((everything - own) / everything)} of the load came from other stages' requests"
    for worker, after_s in _late_workers(stage):
        yield f"worker {worker} joined in mid-stage: its first request came {show.seconds(after_s)} after the window began"


def _settle_reasons(visit: StageWindow) -> typing.Iterator[str]:
    if visit.steady is False:
        settled = show.seconds(visit.measure_from - (visit.settle_from or visit.started_at))
        why = "longer settle_at_most_s" + (", or the rate is above capacity" if visit.users is None else "")
        yield f"its latencies were still drifting after {settled} of settling: {why}"


def _late_workers(stage: Stage) -> typing.Iterator[tuple[str, float]]:
    """(worker, seconds into the window) of those that began a closed loop's window without having settled."""
    settled = set(stage.records.loc[stage.records["phase"] == "settle", "worker"])
    if (
        stage.visit.users is None or not settled
    ):  # no settle phase, or slower than one: nobody can be told from a late one
        return
    (a, b), first = stage.window, stage.measured.groupby("worker")["sent"].min()
    for worker, sent in first[~first.index.isin(settled)].items():
        if sent - a > THRESHOLDS["late_worker"].limit * (b - a):
            yield str(worker), sent - a


def _clock_reasons(stage: Stage) -> typing.Iterator[str]:
    (a, b), sent = stage.window, stage.measured["sent"]
    outside = int(((sent < a - CLOCK_TOLERANCE_S) | (sent >= b + CLOCK_TOLERANCE_S)).sum())
    if outside > THRESHOLDS["outside_window"].limit * len(sent):
        yield f"{outside} of {len(sent)} requests were sent outside the window by the corrected clocks"
    if stage.run.manifest.status == "running":  # the workers stand in the manifest once it is closed
        return
    offsets = {w.id: w.clock_offset_ms for w in stage.run.manifest.workers}
    for worker in sorted(stage.measured["worker"].unique()):
        offset_s = None if offsets.get(worker) is None else offsets[worker] / 1000
        if offset_s is None and worker != "local":
            yield f"the clock offset of worker {worker} is not known"
        elif offset_s and abs(offset_s) > THRESHOLDS["clock_offset"].limit * (b - a):
            share = show.percent(abs(offset_s) / (b - a))
            yield f"the clock of worker {worker} was off by {show.seconds(abs(offset_s))}, {share} of the window"


def _lag_reasons(stage: Stage) -> typing.Iterator[str]:
    lag = stage.measured["lag_ms"]
    base = stage.good["ttft_ms"].median() if stage.target.stream else stage.good["latency_ms"].median()
    tail = lag.quantile(0.99)
    limit = THRESHOLDS["lag_of_ttft_boto3" if stage.run.scenario.transport == "boto3" else "lag_of_ttft"].limit
    if base > 0 and tail > limit * base:
        what = "TTFT" if stage.target.stream else "latency"
        yield f"event-loop lag while a request was under way (p99 {show.milliseconds(tail)}) is {show.percent(tail / base)} of the median {what}"
    if lag.median() > THRESHOLDS["lag_ms"].limit:
        yield f"event-loop lag while a request was under way is {show.milliseconds(lag.median())} in the median"
    window_ms = 1000 * (stage.window[1] - stage.window[0])
    for load in stage.visit.workers:
        if load.lag_ms > THRESHOLDS["stall"].limit * window_ms:
            share = show.percent(load.lag_ms / window_ms)
            yield f"worker {load.worker} stood still for {show.milliseconds(load.lag_ms)}, {share} of the window"
    late = stage.measured["schedule_delay_ms"].dropna().quantile(0.99)  # NaN in the closed loop
    if base > 0 and late > THRESHOLDS["late_sends"].limit * base:
        yield f"requests were sent up to {show.milliseconds(late)} (p99) later than they were due"


def _sample_reasons(stage: Stage, row: dict[str, typing.Any]) -> typing.Iterator[str]:
    if row["successes"] < THRESHOLDS["successes"].limit:
        yield f"only {row['successes']} successes"
    if row["prompt_repeat_share"] > THRESHOLDS["prompt_repeats"].limit:
        share = show.percent(row["prompt_repeat_share"])
        yield f"{share} of the prompts were repeats ({row['prompts_distinct']} different ones)"
    if (row["cache_read_share"] or 0.0) > THRESHOLDS["cache_reads"].limit:
        yield f"{show.percent(row['cache_read_share'])} of the prompt tokens were read from a cache"
    if row["reconnects"] is not None and row["reconnects"] > THRESHOLDS["reconnects"].limit * row["requests"]:
        yield f"{row['reconnects']} of {row['requests']} requests had to open a connection"


def _token_reasons(stage: Stage) -> typing.Iterator[str]:
    counted, n = stage.good["token_source"].value_counts(), len(stage.good)
    kind = getattr(stage.target, "family", None) or getattr(stage.target, "dialect", None) or ""
    if not n or kind.endswith("embedding"):  # an embedding has no output tokens
        return
    none = int(counted.pop("none")) if "none" in counted else 0
    by_tokens = isinstance(stage.price, TokenPrice)  # by the hour, a target that counts none at all costs what it costs
    if none > THRESHOLDS["uncounted_tokens"].limit * n and (by_tokens or none < n):
        yield f"{none} of {n} successes have no output-token count: set the target's `tokenizer:`"
    fewer = int(counted.iloc[1:].sum())  # value_counts has the most frequent first
    if fewer > THRESHOLDS["mixed_tokens"].limit * n:
        sources = ", ".join(f"{source} {count}" for source, count in counted.items())
        yield f"output tokens were counted in different ways ({sources})"


def _served_reasons(stage: Stage) -> typing.Iterator[str]:
    """Where Bedrock says that it served another latency setting or tier than the target asks for."""
    if stage.target.service != "bedrock":
        return
    for column, key, asked in (
        ("served_latency", "latency", stage.target.latency or "standard"),
        ("served_tier", "service_tier", stage.target.service_tier or "default"),
    ):
        served = stage.measured[column].dropna()
        other = served[served != asked]
        if len(other) > THRESHOLDS["served_otherwise"].limit * len(served):
            found = ", ".join(f"`{name}`" for name in sorted(other.unique()))
            yield f"{len(other)} of {len(served)} answers were served with {key} {found} where `{asked}` was asked for, and are billed so"


def _endpoint_reasons(stage: Stage) -> typing.Iterator[str]:
    """Restarts: in the order in which requests ended, failures without a success in between that cut off most users."""
    ended = stage.records.sort_values("ended", kind="stable")
    good = ended["error"].isna()
    cut = ended[ended["error"].isin(CUT_OFF) & (ended["phase"] == "measure")]
    before = good.cumsum()[cut.index]  # successes before each: the same for failures without one in between
    in_a_row = before.map(before.value_counts()) >= THRESHOLDS["restart_failures"].limit
    between = (before > 0) & (before < good.sum())
    users = len(stage.measured[["worker", "user"]].drop_duplicates())
    for _, failures in cut[in_a_row & between].groupby(before):
        hit = len(failures[["worker", "user"]].drop_duplicates())
        if hit > THRESHOLDS["restart_users"].limit * users:
            away_s = failures["ended"].max() - failures["ended"].min()
            yield (
                f"the endpoint went away and came back: {hit} of {users} users were cut off within {show.seconds(away_s)} "
                f"({len(failures)} failures without a success in between)"
            )


#: a Poisson process of n arrivals on average stays within 2 sqrt(n) of them in 95 % of windows
NOISE = 2.0


def open_reasons(stage: Stage) -> typing.Iterator[str]:
    """Why an open-loop stage's load was not the planned one."""
    a, b = stage.window
    planned, sent = stage.visit.rate * (b - a), sent_requests(stage)
    if sent + NOISE * math.sqrt(planned) < (1 - THRESHOLDS["rate_missing"].limit) * planned:
        yield (
            f"{show.number(sent / (b - a))} requests/s were sent where {stage.visit.rate:g} were planned "
            f"({show.percent(1 - sent / planned)} fewer)"
        )
    most = stage.run.scenario.load_of(stage.target).max_users
    at_once = int(stage.measured.groupby("worker")["in_flight"].max().sum())
    if at_once >= most:
        yield f"max_users ({most}) was reached, requests that were due waited for a user: raise `max_users`"


def overloaded(visit: StageWindow, limit: float) -> str | None:
    """Why a stage's workers are short of CPU, with the remedy; None where they are not."""
    full = sorted((w for w in visit.workers if w.cpu > limit), key=lambda w: -w.cpu)
    if not full:
        return None
    named = ", ".join(f"{w.worker} ({show.percent(w.cpu)})" for w in full[:5]) + (", …" if len(full) > 5 else "")
    what = "worker used" if len(full) == 1 else "workers used"
    return f"{what} more than {show.percent(limit)} of a core in the window: {named}: add a worker"
