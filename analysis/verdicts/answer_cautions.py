"""Why the answers of a stage are no even sample: their tokens counted or served in different ways, an endpoint that went away."""

import typing

from analysis.metrics.token_times import came_at_once, held_back
from analysis.runs.stage import Stage
from analysis.runs.texts import counted as counted_texts
from analysis.verdicts.caution import Caution, caution
from analysis.verdicts.thresholds import THRESHOLDS
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.scenario.families import other_work
from locustfiles.contract.scenario.targets import Target

#: what servers call the tier that nobody asked for
_STANDARD = ("default", "standard", "on_demand")
#: what a request gets whose endpoint goes away, or is away
CUT_OFF = (ErrorClass.CONNECT, ErrorClass.STREAM_BROKEN)


def token_cautions(stage: Stage) -> typing.Iterator[Caution]:
    counted, n = counted_texts(stage.good["token_source"]), len(stage.good)
    if not n or other_work(stage.target):
        return
    none = int(counted.pop("none")) if "none" in counted else 0
    by_tokens = isinstance(stage.price, TokenPrice)  # by the hour, a target that counts none at all costs what it costs
    if none > THRESHOLDS["uncounted_tokens"].limit * n and (by_tokens or none < n):
        yield caution("tokens_uncounted", share=none / n, successes=n)
    fewer = int(counted.iloc[1:].sum())  # value_counts has the most frequent first
    if fewer > THRESHOLDS["mixed_tokens"].limit * n:
        usual, *rare = map(str, counted.index)
        every = int(counted.sum())
        yield caution("tokens_mixed", share=fewer / every, counted=every, rare=" and ".join(rare), usual=usual)


def stream_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """Where streams were held back on their way; answers of one delta cannot tell."""
    streams = stage.good[stage.good["chunks"] >= 2]
    if held_back(streams):
        at_once = int(came_at_once(streams).sum())
        yield caution("held_back", share=at_once / len(streams), streams=len(streams))


def served_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """Where the service says that it served another latency setting or tier than the target asks for."""
    if stage.target.service not in ("bedrock", "openai"):
        return
    for column, key, asked in (
        ("served_latency", "latency", getattr(stage.target, "latency", None) or "standard"),
        ("served_tier", "service_tier", asked_tier(stage.target)),
    ):
        served = stage.measured[column].dropna()
        # `auto` is what the account is set to: one tier, whichever
        meant = served.mode().iloc[0] if asked == "auto" and len(served) else asked
        other = served[~served.isin(_STANDARD if meant in _STANDARD else (meant,))]
        if len(other) > THRESHOLDS["served_otherwise"].limit * len(served):
            found = ", ".join(f"`{name}`" for name in sorted(other.unique()))
            share = len(other) / len(served)
            yield caution("served_otherwise", share=share, answers=len(served), key=key, found=found, asked=asked)


def asked_tier(target: Target) -> str:
    """The service tier that a target asks for, on OpenAI's routes among its parameters."""
    parameters = target.parameters
    places = (parameters, *(parameters.get(key) for key in ("extra_body", "additionalModelRequestFields")))
    told = (place.get("service_tier") for place in places if isinstance(place, dict))
    asked = getattr(target, "service_tier", None) or next((name for name in told if isinstance(name, str)), None)
    return asked or "default"


def endpoint_cautions(stage: Stage) -> typing.Iterator[Caution]:
    """Restarts: in the order in which requests ended, failures without a success in between that cut off most users, more
    of them than the stage's other failures would put in a row by chance."""
    if not stage.measured["error"].isin(CUT_OFF).any():
        return
    ended = stage.records[["error", "phase", "worker", "user", "ended"]].sort_values("ended", kind="stable")
    good = ended["error"].isna()
    cut = ended[ended["error"].isin(CUT_OFF) & (ended["phase"] == "measure")]
    before = good.cumsum()[cut.index]  # successes before each: the same for failures without one in between
    in_a_row = before.map(before.value_counts()) >= THRESHOLDS["restart_failures"].limit
    between = (before > 0) & (before < good.sum())
    users = len(stage.measured[["worker", "user"]].drop_duplicates())
    away: list[tuple[int, float, int]] = []  # failures in a row, s, users that were cut off
    for _, failures in cut[in_a_row & between].groupby(before):
        hit = len(failures[["worker", "user"]].drop_duplicates())
        by_chance = rows_by_chance(len(failures), len(cut) - len(failures), len(ended) - len(failures))
        if hit > THRESHOLDS["restart_users"].limit * users and by_chance < THRESHOLDS["restart_by_chance"].limit:
            away.append((len(failures), float(failures["ended"].max() - failures["ended"].min()), hit))
    if away:
        count, away_s, hit = max(away)
        yield caution("restart", times=len(away), hit=hit, users=users, away_s=away_s, failures=count)


def rows_by_chance(length: int, failed: int, n: int) -> float:
    """How many rows of at least `length` failures n independent requests have on average, of which `failed` fail:
    n (1 - p) p^length, p = failed / n (a row begins behind a success)."""
    p = failed / n if n else 0.0
    return n * (1 - p) * p**length
