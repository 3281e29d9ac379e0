"""The measurements of one stage, by the definitions in METRICS. Vectorised; no price, no verdict here."""

import dataclasses
import typing

import numpy as np
import pandas as pd

from analysis.load import Run
from analysis.percentiles import LEVELS, Spread, spread
from analysis.windows import in_flight, share
from locustfiles.common.errors import ErrorClass
from locustfiles.common.price_book import Price
from locustfiles.common.run_folder import StageWindow
from locustfiles.common.scenario import Target

#: above this share of successes without a token count, a token rate or cost is not known
MOST_UNCOUNTED = 0.01


@dataclasses.dataclass(slots=True)
class Stage:
    """One stage's records. `window` is [a, b) in seconds from the run's epoch, None if it never came."""

    run: Run
    visit: StageWindow
    target: Target
    price: Price
    window: tuple[float, float] | None
    records: pd.DataFrame  # of every phase
    measured: pd.DataFrame  # those that began in the window
    good: pd.DataFrame  # its successes

    @property
    def why_no_window(self) -> str:
        """Where `window` is None: how that came."""
        visit, n = self.visit, len(self.measured)
        if visit.measure_from is None or visit.measure_until is not None:
            return "it never got its measured window"
        end = "was killed, or is still running," if self.run.manifest.status == "running" else "broke off"
        so_far = "1 request was" if n == 1 else f"{n} requests were"
        return f"the run {end} during its measured window, which so has no end ({so_far} measured so far)"

    @property
    def failed(self) -> pd.DataFrame:
        return self.measured[self.measured["error"].notna() & (self.measured["error"] != ErrorClass.CANCELLED)]


def stages_of(run: Run, prices: dict[str, Price]) -> typing.Iterator[Stage]:
    """The run's stages in the order of its manifest."""
    positions = run.records.groupby("stage").indices
    for visit in run.manifest.stages:
        records = run.records.take(positions.get(visit.stage, np.array([], dtype=int)))
        measured = records[records["phase"] == "measure"]
        yield Stage(
            run=run,
            visit=visit,
            target=run.target(visit.target),
            price=prices[visit.target],
            window=run.window(visit),
            records=records,
            measured=measured,
            good=measured[measured["error"].isna()],
        )


def measurements(stage: Stage) -> dict[str, typing.Any]:
    """Every column of the steps table that the records alone decide."""
    row = _identity(stage) | _counts(stage) | _times(stage) | _tokens(stage)
    if stage.window is not None:
        row |= {"window_s": stage.window[1] - stage.window[0]} | _rates(stage)
    return row


def _identity(stage: Stage) -> dict[str, typing.Any]:
    target, visit = stage.target, stage.visit
    return {
        "run": stage.run.name,
        "stage": visit.stage,
        "repeat": visit.repeat,
        "target": target.name,
        "model": target.model or getattr(target, "model_id", None) or target.name,
        "service": target.service,
        "instance_type": target.price_key,
        "instance_count": getattr(stage.price, "instance_count", None),
        "payload": visit.payload,
        "users": visit.users,
        "stream": target.stream,
        "ended_by": visit.ended_by,
    }


def _counts(stage: Stage) -> dict[str, typing.Any]:
    measured, n = stage.measured, len(stage.measured)
    cancelled = int((measured["error"] == ErrorClass.CANCELLED).sum())
    classes = stage.failed["error"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    failures, counted = int(classes.sum()), n - cancelled
    distinct = int(measured["prompt_id"].nunique())
    return {
        "requests": n,
        "successes": len(stage.good),
        "failures": failures,
        "cancelled": cancelled,
        "error_rate": failures / counted if counted else None,
        "errors": ", ".join(f"{name} {count}" for name, count in classes.items()),
        "lag_ms_max": measured["lag_ms"].max() if n else None,
        "reconnects": int((measured["reconnect"] == 1).sum()),
        "prompts_distinct": distinct,
        "prompt_repeat_share": 1 - distinct / n if n else None,
    }


def _times(stage: Stage) -> dict[str, typing.Any]:
    good = stage.good
    per_token = good["latency_ms"] / good["completion_tokens"].where(good["completion_tokens"] > 0)
    service = good["service_latency_ms"].dropna()
    return (
        _columns("latency", "s", spread(good["latency_ms"].to_numpy() / 1000))
        | _columns("ttft", "s", spread(good["ttft_ms"].dropna().to_numpy() / 1000))
        | _columns("tpot", "ms", spread(tpot_ms(good, hides_reasoning(stage.target)).dropna().to_numpy()))
        | {
            "latency_per_output_token_p50_ms": per_token.median() if per_token.notna().any() else None,
            "service_latency_p50_s": service.median() / 1000 if len(service) else None,
        }
    )


def _columns(name: str, unit: str, found: Spread | None) -> dict[str, typing.Any]:
    """A Spread as its columns of the steps table."""
    if found is None:
        return {f"{name}_n": 0}
    row: dict[str, typing.Any] = {f"{name}_mean_{unit}": found.mean, f"{name}_n": found.n}
    for level in LEVELS:
        percentile = found.percentiles[level]
        row[f"{name}_{level}_{unit}"] = percentile.value
        row[f"{name}_{level}_low_{unit}"] = percentile.low
        row[f"{name}_{level}_high_{unit}"] = percentile.high
    return row


def tpot_ms(records: pd.DataFrame, hidden_reasoning: bool = False) -> pd.Series:
    """Time per output token after the first, ms: (last_token - ttft) / (completion_tokens - 1).

    NaN with fewer than two deltas or tokens, and where billed reasoning was not streamed: its tokens
    are in the count but not in the time.
    """
    known = (records["chunks"] >= 2) & (records["completion_tokens"] >= 2)
    if hidden_reasoning:
        known &= records["ttft_visible_ms"] > records["ttft_ms"]  # it was streamed after all
    tokens = (records["completion_tokens"] - 1).where(known)
    return (records["last_token_ms"] - records["ttft_ms"]) / tokens


def hides_reasoning(target: Target) -> bool:
    """Whether the target's parameters turn on reasoning, which a service may bill without streaming it."""
    return any("reason" in key.lower() or "think" in key.lower() for key in _keys(target.parameters))


def _keys(section: dict) -> typing.Iterator[str]:
    for key, value in section.items():
        yield key
        if isinstance(value, dict):
            yield from _keys(value)


def _rates(stage: Stage) -> dict[str, typing.Any]:
    """Rates by span credit over all phases of the stage's records: each success by its share in the window."""
    a, b = stage.window
    all_sent, all_ended = stage.records["sent"].to_numpy(), stage.records["ended"].to_numpy()
    successes = stage.records[stage.records["error"].isna()]
    sent, ended = successes["sent"].to_numpy(), successes["ended"].to_numpy()
    credit = share(sent, ended, a, b)
    first = sent + successes["ttft_ms"].to_numpy() / 1000
    last = sent + successes["last_token_ms"].to_numpy() / 1000
    streamed = ~np.isnan(first) & ~np.isnan(last)
    writing = share(np.where(streamed, first, sent), np.where(streamed, last, ended), a, b)
    reading = share(sent, np.where(np.isnan(first), ended, first), a, b)
    throughput = float(credit.sum() / (b - a))
    return {
        "throughput_per_s": throughput,
        "transactions_per_minute": 60 * throughput,
        "in_flight_mean": in_flight(all_sent, all_ended, a, b),
        "completion_tokens_per_s": _token_rate(successes["completion_tokens"].to_numpy(), writing, b - a),
        "prompt_tokens_per_s": _token_rate(successes["prompt_tokens"].to_numpy(), reading, b - a),
    }


def _token_rate(tokens: np.ndarray, credit: np.ndarray, window_s: float) -> float | None:
    """Tokens a second; None when over 1 % of the credited requests have no count."""
    concerned = credit > 0
    uncounted = np.isnan(tokens) & concerned
    if uncounted.sum() > MOST_UNCOUNTED * concerned.sum():
        return None
    return float(np.nansum(tokens * credit) / window_s)


def _tokens(stage: Stage) -> dict[str, typing.Any]:
    good, n = stage.good, len(stage.good)
    return {
        "prompt_tokens_mean": good["prompt_tokens"].mean() if good["prompt_tokens"].notna().any() else None,
        "completion_tokens_mean": good["completion_tokens"].mean() if good["completion_tokens"].notna().any() else None,
        "service_token_share": (good["token_source"] == "service").sum() / n if n else None,
        "tokenizer_token_share": (good["token_source"] == "tokenizer").sum() / n if n else None,
    }
