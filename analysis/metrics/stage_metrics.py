"""The measurements of one stage, by the definitions in METRICS. Vectorised; no price, no verdict here."""

import dataclasses

import numpy as np
import pandas as pd

from analysis.metrics.call_metrics import call_figures
from analysis.metrics.gaps import inter_token
from analysis.metrics.goodput import good_share, goodput
from analysis.metrics.lengths import length_figures
from analysis.metrics.open_loop import achieved_rate, open_figures
from analysis.metrics.percentiles import spread, with_failures
from analysis.metrics.token_times import tpot_ms
from analysis.runs.rows import Rows
from analysis.runs.run_reader import model_of
from analysis.runs.stage import Stage
from analysis.runs.texts import counted, in_it, nowhere
from analysis.runs.token_totals import MAX_UNCOUNTED, prompt_total
from analysis.runs.window_share import in_flight, share
from analysis.words.instrument_figures import Instrument
from analysis.words.level import ramp_text
from analysis.words.sent_figures import SentFigures
from analysis.words.stage_figures import (
    Identity,
    Outcome,
    StageFigures,
    Throughput,
)
from analysis.words.token_figures import Tokens
from analysis.words.token_sources import TokenSources
from analysis.words.told import told_figures
from analysis.words.user_figures import CallFigures, OpenLoop
from locustfiles.contract.error_classes import ErrorClass, OwnCode
from locustfiles.contract.scenario.asked_effort import asked_effort
from locustfiles.contract.stop_reasons import BAD_STOPS


def measurements(stage: Stage) -> StageFigures:
    """Every figure that the records alone decide; of a stage without any those that its tool or table told."""
    if stage.visit.aggregates is not None:
        nothing = StageFigures(identity=_identity(stage), outcome=Outcome(), run=stage.run.name)
        return told_figures(nothing, stage.visit.aggregates)
    found, loads = without_window(stage), stage.visit.workers
    instrument = dataclasses.replace(
        found.instrument,
        worker_cpu_max=max((w.cpu for w in loads), default=None),
        worker_lag_ms_max=max((w.lag_ms for w in loads), default=None),
    )
    found = dataclasses.replace(found, instrument=instrument)
    return found if stage.window is None else _with_rates(stage, found)


def without_window(stage: Stage) -> StageFigures:
    """Those that need no window, only to know which requests began in it."""
    good = stage.good
    per_token = good["latency_ms"] / good["completion_tokens"].where(good["completion_tokens"] > 0)
    seconds = good["latency_ms"].to_numpy() / 1000
    return StageFigures(
        identity=_identity(stage),
        outcome=_outcome(stage),
        tokens=_tokens(stage),
        latency=spread(seconds),
        latency_with_failures=with_failures(seconds, len(stage.failures)),
        ttft=spread(good["ttft_ms"].dropna().to_numpy() / 1000),
        tpot=spread(tpot_ms(good).dropna().to_numpy()),
        itl=inter_token(good),
        latency_per_output_token_p50_ms=per_token.median() if per_token.notna().any() else None,
        open_loop=open_figures(stage) if stage.open_loop else OpenLoop(),
        calls=CallFigures() if stage.calls is None else call_figures(stage.calls),
        instrument=_instrument(stage),
        token_sources=_token_sources(stage),
        sent=_sent(stage),
        lengths=length_figures(good),
        ended_by=stage.visit.ended_by,
        run=stage.run.name,
    )


def _identity(stage: Stage) -> Identity:
    target, visit = stage.target, stage.visit
    return Identity(
        stage=visit.stage,
        repeat=visit.repeat,
        target=target.name,
        model=model_of(target),
        service=target.service,
        instance_type=target.price_key,
        instance_count=getattr(stage.price, "instance_count", None),
        payload=visit.payload,
        users=visit.users,
        rate=visit.rate if stage.open_loop else None,
        stream=target.stream,
        mix=visit.mix[0] if visit.mix else None,
        mix_share=visit.mix_share,
        ramp=ramp_text(visit.ramp) if visit.ramp else None,
        effort=_effort(stage),
    )


def _effort(stage: Stage) -> str | None:
    """What the window's requests asked for, each once; of runs that did not record it what the target asks for."""
    asked = sorted(in_it(stage.measured["effort"]))
    return ", ".join(asked) or asked_effort(stage.target.parameters)


def _outcome(stage: Stage) -> Outcome:
    n = len(stage.measured)
    cancelled = int((stage.measured["error"] == ErrorClass.CANCELLED).sum())
    left = stage.measured["error_code"] == OwnCode.CLIENT_CANCELLED
    classes = counted(stage.failures).sort_index().sort_values(ascending=False, kind="stable")
    failures, ended = int(classes.sum()), n - cancelled
    stops = counted(stage.good["stop_reason"])
    bad = stops[stops.index.str.lower().isin(BAD_STOPS)].sort_index().sort_values(ascending=False, kind="stable")
    return Outcome(
        requests=n,
        successes=len(stage.good),
        failures=failures,
        cancelled=cancelled,
        left_by_client=int(left.sum()) if stage.run.scenario.cancel else None,
        error_rate=failures / ended if ended else None,
        errors=", ".join(f"{name} {count}" for name, count in classes.items()),
        bad_stop_share=int(bad.sum()) / len(stage.good) if len(stops) else None,
        good_share=good_share(stage),
        bad_stops=", ".join(f"{name} {count}" for name, count in bad.items()),
    )


def _instrument(stage: Stage) -> Instrument:
    measured, n = stage.measured, len(stage.measured)
    distinct = _distinct_prompts(measured) if measured["prompt_id"].notna().all() else None  # imported files
    # a prompt that is tried again is no repeat
    asked = n if stage.calls is None else len(measured[["worker", "call"]].drop_duplicates())
    service = stage.good["service_latency_ms"].dropna()
    return Instrument(
        service_latency_p50_s=float(service.median()) / 1000 if len(service) else None,
        lag_ms_max=float(measured["lag_ms"].max()) if measured["lag_ms"].notna().any() else None,
        reconnects=None if n and measured["reconnect"].isna().all() else int((measured["reconnect"] == 1).sum()),
        prompts_distinct=distinct,
        prompt_repeat_share=1 - distinct / asked if n and distinct is not None else None,
    )


def _distinct_prompts(measured: Rows) -> int:
    """Each turn of a conversation is a prompt of its own."""
    if nowhere(measured["session"]):
        return int(measured["prompt_id"].nunique())
    return len(measured[["prompt_id", "turn"]].drop_duplicates())


def _with_rates(stage: Stage, found: StageFigures) -> StageFigures:
    """Rates by span credit over all phases of the stage's records: each success by its share in the window."""
    a, b = stage.known_window
    all_sent, all_ended = stage.records["sent"].to_numpy(), stage.records["ended"].to_numpy()
    successes = stage.records[stage.records["error"].isna()]
    sent, ended = successes["sent"].to_numpy(), successes["ended"].to_numpy()
    first = sent + successes["ttft_ms"].to_numpy() / 1000
    last = sent + successes["last_token_ms"].to_numpy() / 1000
    streamed = ~np.isnan(first) & ~np.isnan(last)
    writing = share(np.where(streamed, first, sent), np.where(streamed, last, ended), a, b)
    reading = share(sent, np.where(np.isnan(first), ended, first), a, b)
    throughput = float(share(sent, ended, a, b).sum() / (b - a))
    return dataclasses.replace(
        found,
        outcome=dataclasses.replace(found.outcome, window_s=b - a),
        tokens=dataclasses.replace(
            found.tokens,
            prompt_tokens_per_s=_token_rate(prompt_total(successes).to_numpy(), reading, b - a),
            completion_tokens_per_s=_token_rate(successes["completion_tokens"].to_numpy(), writing, b - a),
        ),
        throughput=Throughput(
            throughput_per_s=throughput,
            transactions_per_minute=60 * throughput,
            goodput_per_s=goodput(stage),
            in_flight_mean=in_flight(all_sent, all_ended, a, b),
        ),
        open_loop=dataclasses.replace(
            found.open_loop, rate_achieved_per_s=achieved_rate(stage) if stage.open_loop else None
        ),
    )


def _token_rate(tokens: np.ndarray, credit: np.ndarray, window_s: float) -> float | None:
    """Tokens a second; None when over 1 % of the credited requests have no count."""
    concerned = credit > 0
    uncounted = np.isnan(tokens) & concerned
    if uncounted.sum() > MAX_UNCOUNTED * concerned.sum():
        return None
    return float(np.nansum(tokens * credit) / window_s)


def _tokens(stage: Stage) -> Tokens:
    """Means of the counts that are known."""
    good, prompts = stage.good, prompt_total(stage.good)
    whole = float(prompts.sum())
    read, written = (_known_sum(good[f"cache_{what}_tokens"]) for what in ("read", "write"))
    return Tokens(
        prompt_tokens_mean=_mean(prompts),
        cache_read_share=read / whole if whole and read is not None else None,
        cache_write_share=written / whole if whole and written is not None else None,
        completion_tokens_mean=_mean(good["completion_tokens"]),
        reasoning_tokens_mean=_mean(good["reasoning_tokens"]),
    )


def _known_sum(tokens: pd.Series) -> float | None:
    """Not known where no answer tells any; where some do, the others' are 0."""
    return float(tokens.sum()) if tokens.notna().any() else None


def _sent(stage: Stage) -> SentFigures:
    media = _mean(stage.measured["media_bytes"])
    return SentFigures(
        request_bytes_mean=None if media is None else _mean(stage.measured["request_bytes"]), media_bytes_mean=media
    )


def _mean(tokens: pd.Series) -> float | None:
    return tokens.mean() if tokens.notna().any() else None


def _token_sources(stage: Stage) -> TokenSources:
    good, n = stage.good, len(stage.good)

    def by(column: str, source: str) -> float | None:
        return int((good[column] == source).sum()) / n if n else None

    return TokenSources(
        service_token_share=by("token_source", "service"),
        tokenizer_token_share=by("token_source", "tokenizer"),
        prompt_service_token_share=by("prompt_token_source", "service"),
        prompt_tokenizer_token_share=by("prompt_token_source", "tokenizer"),
        prompt_payload_token_share=by("prompt_token_source", "payload"),
    )
