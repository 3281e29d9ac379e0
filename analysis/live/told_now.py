"""What is said of a stage under way by what its judged part tells: the report's own figures of conversations, costs and limits; of a
mix those of all its parts together, and of each.
"""

import typing

from analysis.cost.pricing import Prices
from analysis.live.stage_rows import plain
from analysis.verdicts.caution import Caution, alike, sentence, trust_of
from analysis.verdicts.mixes import mix_of, shares
from analysis.verdicts.session_intervals import USD_PER_SESSION
from analysis.verdicts.stage_results import Result
from analysis.words.stage_figures import Slo
from analysis.words.user_perceived import perceived
from locustfiles.contract.prices.price import Price

ENOUGH = 20  # requests from which on a verdict is told
Told = dict[str, typing.Any]
NOTHING: Told = dict.fromkeys(
    ("usd_per_10k", "usd_per_10k_low", "usd_per_10k_high", "cost_reason", "verdict", "slo", "judged", "sessions"), None
) | {"reasons": [], "parts": []}
Judgement = tuple[Result, list[Caution]]  # a stage, and the cautions that stand
WORST: tuple[Slo, ...] = ("missed", "unknown", "undecided", "met")


def told(result: Result, cautions: list[Caution], whole: bool) -> Told:
    """Of one stage. cautions: those that stand; whole: whether its window is looked at from its beginning."""
    figures, cost = result.figures, result.figures.cost
    n = figures.outcome.requests or 0
    found = _costs(cost.usd_per_transaction, (cost.usd_per_transaction_ci_low, cost.usd_per_transaction_ci_high))
    return (
        NOTHING
        | found
        | _trust(cautions, n, figures.outcome.successes or 0)
        | {
            "cost_reason": result.cost_reason,
            "slo": figures.limits.slo,
            "judged": _judged(n, whole),
            "sessions": sessions_now(result),
        }
    )


def told_of_mix(each: list[Judgement], prices: dict[str, Price], whole: bool) -> Told:
    """Of all parts of a mix. prices: by target. A part that is drawn rarely may have had no request yet: then nothing is said of it."""
    each = [(result, cautions if result.figures.outcome.requests else []) for result, cautions in each]
    mix = mix_of([result for result, _ in each], Prices(prices, {}))
    states = [result.figures.limits.slo for result, _ in each]
    return (
        NOTHING
        | _costs(mix.cost.usd, mix.cost.ends or (None, None))
        | _trust([c for _, cautions in each for c in cautions], mix.requests, mix.successes)
        | {
            "cost_reason": mix.cost.reason,
            "slo": next((state for state in WORST if state in states), "none"),
            "judged": _judged(mix.requests, whole),
            "parts": [_part(*one, share) for one, share in zip(each, shares(mix), strict=True)],
        }
    )


def sessions_now(result: Result) -> Told | None:
    """Of its conversations; None where its requests are part of none."""
    found, time = result.figures.sessions, result.figures.sessions.session_time
    if not found.there:
        return None
    ends = result.intervals.get(USD_PER_SESSION, (None, None))
    told: Told = {
        "begun": found.sessions,
        "finished": found.sessions_finished,
        "failed": found.sessions_failed,
        "ended_early": found.sessions_ended_early,
        "under_way": found.sessions_cut,
    }
    for name in ("p50", "p95"):
        key = f"time_{name}_s"
        told |= {f"{key}{end}": plain(getattr(time, f"{name}{end}")) for end in ("", "_low", "_high")}
    return told | {"usd": plain(found.usd_per_session), "usd_low": plain(ends[0]), "usd_high": plain(ends[1])}


def _part(result: Result, cautions: list[Caution], sent: float | None) -> Told:
    """sent: its share of what was drawn."""
    figures, user = result.figures, perceived(result.figures)
    outcome = figures.outcome
    n, successes = outcome.requests or 0, outcome.successes or 0
    return {
        "stage": figures.identity.stage,
        "target": figures.identity.target,
        "payload": figures.identity.payload,
        "share": figures.mix_share,
        "share_sent": sent,
        "requests": n,
        "error_rate": plain(outcome.error_rate),
        "throughput_per_s": plain(figures.throughput.throughput_per_s),
        "ttft_p95_s": plain(user.ttft.p95),
        "latency_p95_s": plain(user.latency.p95),
        "usd_per_10k": plain(figures.cost.usd_per_10k_transactions),
        "verdict": _trust(cautions, n, successes)["verdict"],
        "slo": figures.limits.slo,
        "sessions": sessions_now(result),
    }


def _costs(usd: float | None, ends: tuple[float | None, float | None]) -> Told:
    each = zip(("usd_per_10k", "usd_per_10k_low", "usd_per_10k_high"), (usd, *ends), strict=True)
    return {name: None if one is None else plain(10_000 * one) for name, one in each}


def _trust(cautions: list[Caution], requests: int, successes: int) -> Told:
    said = said_now(cautions, requests)
    known = bool(said) or successes >= ENOUGH
    return {
        "verdict": trust_of(said).verdict if known else None,
        "reasons": [sentence(same) for same in alike(said)],
    }


def _judged(n: int, whole: bool) -> str:
    return f"its {'' if whole else 'last '}{n:,} request{'' if n == 1 else 's'}"


def said_now(cautions: list[Caution], requests: int) -> list[Caution]:
    """Of a stage that has just begun only what makes it INVALID: a few requests say little of its load. That there are few yet is
    plain."""
    if requests < ENOUGH:
        return [c for c in cautions if trust_of([c]).verdict == "INVALID"]
    return [c for c in cautions if c.kind not in ("few_successes", "few_sessions")]
