"""Why a knee is where it is, by the service's figures there: by rules, and no further than these figures go."""

import typing

from analysis.advice.knee import Knee
from analysis.runs.service_file import ServiceFile
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.service_figures import ServiceFigures

FULL = 0.9  # from which share on a quota, GPUs or a KV cache count as full
WAITING = 1.0  # requests, mean, from which on the container has a queue
IN_BACKLOG = 0.1  # share of an asynchronous endpoint's latency from which on it is the backlog's


class _Seen(typing.NamedTuple):
    """From the knee on, the worst of the levels; None: not known at any of them."""

    throttles: float | None
    own_throttles: float | None  # that the client saw
    quota: float | None
    requests: float | None
    waiting: float | None
    backlog: float | None
    kv: float | None
    gpu: float | None


def knee_reasons(knees: list[Knee], service: dict[str, ServiceFile]) -> list[str]:
    """A sentence a knee of the runs that were asked after; of those that were not reached none."""
    found = []
    for knee in knees:
        if knee.state == "not reached" or knee.run not in service:
            continue
        rows = [s for s in service[knee.run].stages if (s.target, s.payload) == (knee.target, knee.payload)]
        rows = _from(knee, rows)
        where = f"`{knee.target}` on `{knee.payload}`, from {level_text(rows[0])} on" if rows else ""
        if rows:
            found.append(f"{where}: {_why(_seen(rows))}")
    return found


def _from(knee: Knee, rows: list[ServiceFigures]) -> list[ServiceFigures]:
    """Those of the knee's level and above it, ascending; without a level the highest that was throttled."""
    levels = {id(s): s.rate if s.users is None else float(s.users) for s in rows}
    ordered = sorted((s for s in rows if levels[id(s)] is not None), key=lambda s: levels[id(s)] or 0.0)
    knee_at = knee.rate if knee.users is None else knee.users
    return ordered[-1:] if knee_at is None else [s for s in ordered if (levels[id(s)] or 0.0) >= knee_at]


def _seen(rows: list[ServiceFigures]) -> _Seen:
    def most(of: typing.Callable[[ServiceFigures], float | None]) -> float | None:
        return max((value for s in rows if (value := of(s)) is not None), default=None)

    return _Seen(
        throttles=most(lambda s: s.service.service_throttles or s.client.client_throttled),
        own_throttles=most(lambda s: s.client.client_throttled),
        quota=most(lambda s: s.quota.tokens_quota_share),
        requests=most(lambda s: s.quota.requests_quota_share),
        waiting=most(lambda s: s.container.waiting_mean),
        backlog=most(_in_backlog),
        kv=most(lambda s: s.container.kv_cache_mean_share),
        gpu=most(lambda s: s.service.gpu_share if s.service.gpu_share is not None else s.container.dcgm_gpu_share),
    )


def _in_backlog(s: ServiceFigures) -> float | None:
    waited, whole = s.service.backlog_time_mean_ms, s.service.service_latency_mean_ms
    return waited / whole if waited is not None and whole else None


def _why(seen: _Seen) -> str:
    if seen.throttles:
        return _throttled(seen, f"up to {show.count(seen.throttles)} calls of a level were throttled")
    full = [
        f"{name} {show.percent(share)}"
        for name, share in (("GPUs at work", seen.gpu), ("KV cache in use", seen.kv))
        if share is not None and share >= FULL
    ]
    beside = f", with {' and '.join(full)}" if full else ""
    if seen.backlog is not None and seen.backlog >= IN_BACKLOG:
        share = show.percent(seen.backlog)
        return f"{share} of the latency is time in the endpoint's backlog{beside}: more users lengthen it."
    if seen.waiting is not None and seen.waiting >= WAITING:
        return f"{show.number(seen.waiting)} requests wait in the container on average{beside}: more users lengthen its queue."
    if full:
        return f"{' and '.join(full)}: this fits a server without room for more at once."
    return _none(seen)


def _throttled(seen: _Seen, lead: str) -> str:
    if seen.own_throttles == 0:
        return f"{lead}, none of them this client's: others use the same quota, which may be the limit of all."
    shares = {"tokens": seen.quota, "requests": seen.requests}
    full = [
        f"{show.percent(share)} of its quota of {what} a minute"
        for what, share in shares.items()
        if share and share >= FULL
    ]
    if full:
        return f"{lead}, and {' and '.join(full)} was taken: the quota fits as the limit."
    if seen.quota is None:
        return f"{lead}: a quota fits as the limit; which one, and its share, is not known."
    return (
        f"{lead} at {show.percent(seen.quota)} of the quota of tokens a minute by what was used: what counts is reserved when a request "
        "begins, prompt and `max_tokens`, and others in the account count, too."
    )


def _none(seen: _Seen) -> str:
    names = {
        "throttles": seen.throttles, "quota": seen.quota, "the container's queue": seen.waiting, "KV cache": seen.kv, "GPU": seen.gpu,
    }  # fmt: skip
    names |= {} if seen.backlog is None else {"the backlog": seen.backlog}  # of asynchronous endpoints alone
    known = [name for name, value in names.items() if value is not None]
    unknown = [name for name, value in names.items() if value is None]
    told = (
        f"{', '.join(known)} stand{'s' if len(known) == 1 else ''} out in nothing"
        if known
        else "nothing is known of it"
    )
    return f"no cause is known: {told}" + (f"; not known: {', '.join(unknown)}." if unknown and known else ".")
