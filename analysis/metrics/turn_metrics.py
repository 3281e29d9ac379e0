"""What a stage's requests tell by their number in a conversation. No price here.

A request belongs to the window when it began in it, as everywhere, whenever its conversation did: of each turn the figures are right,
however many conversations were cut before they reached it. How often a turn was sent says nothing of how many reach it.
"""

import dataclasses
import typing

import numpy as np
import pandas as pd

from analysis.metrics.percentiles import spread
from analysis.runs.rows import Rows
from analysis.runs.stage import Stage
from analysis.runs.texts import nowhere
from analysis.runs.token_totals import prompt_total
from analysis.words.session_figures import TurnFigures
from locustfiles.contract.error_classes import ErrorClass


class Turn(typing.NamedTuple):
    """figures: without their costs; records: what was sent for it in the window."""

    figures: TurnFigures
    records: Rows


def turns_of(stage: Stage) -> list[Turn]:
    """By number; none where requests are part of no conversation."""
    if nowhere(stage.measured["session"]):
        return []
    asked = _by_turn(stage.measured if stage.calls is None else stage.calls.measured)
    successes, attempts = _by_turn(stage.perceived), _by_turn(stage.measured)
    nothing = stage.measured.take(np.array([], dtype=int))
    return [
        Turn(_figures(stage, n, asked[n], successes.get(n, nothing), sent), sent)
        for n, sent in attempts.items()
        if n in asked  # with `retry:` of the first turn's later attempts alone nothing is known
    ]


def _by_turn(records: Rows) -> dict[int, Rows]:
    """Number -> its records, without those of no conversation."""
    turn = records["turn"].to_numpy(dtype=float)
    order = np.argsort(turn, kind="stable")[: len(turn) - int(np.isnan(turn).sum())]
    numbers, begins = np.unique(turn[order], return_index=True)
    parts = np.split(order, begins[1:]) if len(numbers) else []
    return {int(n): records.take(part) for n, part in zip(numbers, parts, strict=True)}


def _figures(stage: Stage, turn: int, asked: Rows, good: Rows, sent: Rows) -> TurnFigures:
    ended = asked["error"][(asked["error"] != ErrorClass.CANCELLED).to_numpy()]
    prompts = prompt_total(good)
    whole, read = float(prompts.sum()), float(good["cache_read_tokens"].sum())
    visit = stage.visit
    return TurnFigures(
        run=stage.run.name,
        stage=visit.stage,
        target=stage.target.name,
        payload=visit.payload,
        users=visit.users,
        rate=visit.rate if stage.open_loop else None,
        mix_share=visit.mix_share,
        turn=turn,
        requests=len(asked),
        attempts=len(sent),
        error_rate=float(ended.notna().mean()) if len(ended) else None,
        latency=spread(good["latency_ms"].to_numpy(dtype=float) / 1000),
        ttft=spread(good["ttft_ms"].dropna().to_numpy(dtype=float) / 1000),
        prompt_tokens_mean=_mean(prompts),
        cache_read_share=read / whole if whole and stage.good["cache_read_tokens"].notna().any() else None,
        completion_tokens_mean=_mean(good["completion_tokens"]),
    )


def _mean(tokens: pd.Series) -> float | None:
    return float(tokens.mean()) if tokens.notna().any() else None


def with_cost(turn: Turn, low: float | None, high: float | None) -> TurnFigures:
    """low, high: USD of a request of it."""
    return dataclasses.replace(turn.figures, usd_per_request=high, usd_per_request_low=low)
