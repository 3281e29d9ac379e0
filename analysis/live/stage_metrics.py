"""What metrics tell of stages as such: of those that have ended the report's own figures, of the one under way what is known so far.

Conversations, a cache and a mix have no counters: what of them is counted is known only when it has ended.
"""

import typing

from analysis.live.round import Document

Labels = dict[str, typing.Any]
Points = list[tuple[Labels, typing.Any]]
MOST_FINISHED = 200


class StageMetric(typing.NamedTuple):
    """unit: as UCUM has it. finished: of the rows of stages that have ended; so_far: of the stage under way, or a part of its mix. Each
    has the labels that tell its values apart, and where these stand; none: it is not told."""

    name: str
    unit: str
    words: str
    finished: tuple[tuple[Labels, str], ...] = ()
    so_far: tuple[tuple[Labels, tuple[str, ...]], ...] = ()


def _plain(row: str = "", now: str = "") -> dict[str, typing.Any]:
    return {"finished": (({}, row),) if row else (), "so_far": (({}, (now,)),) if now else ()}


_ENDS = (("finished", "sessions_finished"), ("failed", "sessions_failed"), ("ended_early", "sessions_ended_early"))
_QUANTILES = (("p50", "0.5"), ("p95", "0.95"))
METRICS: tuple[StageMetric, ...] = (
    StageMetric("throughput_per_second", "1/s", "Successes a second", **_plain("throughput_per_s", "throughput_per_s")),
    StageMetric(
        "usd_per_10k_requests",
        "USD",
        "Dollars of 10,000 transactions",
        **_plain("usd_per_10k_transactions", "usd_per_10k"),
    ),
    StageMetric(
        "cache_read_ratio",
        "1",
        "Share of prompt tokens that were read from a cache",
        **_plain("cache_read_share", "cache_read_share"),
    ),
    StageMetric(
        "cache_asked_ratio",
        "1",
        "Share of prompt tokens from a cache that is asked for",
        **_plain("", "cache_asked_share"),
    ),
    StageMetric("mix_share_ratio", "1", "Of a part of a mix: its planned share", **_plain("mix_share", "share")),
    StageMetric(
        "conversations",
        "{conversation}",
        "Conversations that began in the window, by what came of them",
        (*(({"outcome": of}, row) for of, row in _ENDS), ({"outcome": "cut"}, "sessions_cut")),
        tuple(({"outcome": of}, ("sessions", of)) for of in ("finished", "failed", "ended_early", "under_way")),
    ),
    StageMetric(
        "conversation_seconds",
        "s",
        "Until such a share of conversations had finished, those that were cut off or go on allowed for",
        tuple(({"quantile": q}, f"session_time_{p}_s") for p, q in _QUANTILES),
        tuple(({"quantile": q}, ("sessions", f"time_{p}_s")) for p, q in _QUANTILES),
    ),
    StageMetric(
        "conversation_usd",
        "USD",
        "Dollars of a conversation that finishes",
        (({}, "usd_per_session"),),
        (({}, ("sessions", "usd")),),
    ),
)


def of_finished(metric: StageMetric, figures: Document) -> Points:
    """Of the last stages that have ended."""
    rows = (figures.get("stages") or [])[-MOST_FINISHED:]
    return [(labels_of(row) | labels, row.get(name)) for row in rows for labels, name in metric.finished]


def of_under_way(metric: StageMetric, figures: Document, load: Document) -> Points:
    """Of the stage under way; of a mix of each part, and of all together under the number of the first and no target."""
    now, told = figures.get("stage"), load.get("stage") or {}
    if not now:
        return []
    same = told if told.get("stage") == now.get("stage") and not now.get("parts") else {}
    each = [*(now.get("parts") or []), {**now, **{k: same.get(k) for k in ("target", "payload")}}]
    return [(labels_of(one) | labels, _reach(one, where)) for one in each for labels, where in metric.so_far]


def _reach(of: Document, where: tuple[str, ...]) -> typing.Any:
    found: typing.Any = of
    for name in where:
        found = (found or {}).get(name)
    return found


def labels_of(stage: Document) -> Labels:
    return {name: stage[name] for name in ("stage", "target", "payload") if stage.get(name) is not None}
