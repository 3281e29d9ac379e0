"""What a run says in lines of text: where there is no terminal one at a fixed rhythm, everywhere one of each stage that ends,
and the recommendation at the end.

A line begins with its kind, `live:`, `stage:` or `headline:`; figures follow as key=value, under the names of steps.csv and of
live.json. What is not known is empty.
"""

import json
import re
import typing

from analysis.live.round import Document, Round
from analysis.live.text import level
from analysis.words import format as show
from locustfiles.contract.visible import visible_lines

UNDER_WAY = ("checking", "running", "stopping")
ROUND_S = 0.5  # so often it is asked
_BARE = re.compile(r"[\w.:/@+,<>%$-]+")
LIVE = (
    "requests_per_s", "output_tokens_per_s", "ttft_p50_s", "ttft_p95_s", "tpot_p50_ms", "tpot_p95_ms", "latency_p50_s",
    "latency_p95_s", "error_rate", "throttle_share", "prompt_tokens_mean", "completion_tokens_mean", "cache_read_share",
    "usd_per_10k", "verdict",
)  # fmt: skip
STAGE = (
    "stage", "target", "payload", "users", "rate", "repeat", "window_s", "requests", "failures", "error_rate", "errors",
    "throughput_per_s", "completion_tokens_per_s", "ttft_p50_s", "ttft_p95_s", "tpot_p50_ms", "tpot_p95_ms",
    "latency_p50_s", "latency_p95_s", "prompt_tokens_mean", "completion_tokens_mean", "cache_read_share",
    "usd_per_10k_transactions", "verdict", "slo", "ended_by", "reasons",
)  # fmt: skip


class Lines:
    """Remembers what it has said. now.asked: {"every_s": seconds between two live lines, null: none, "columns": of a terminal,
    null: key=value}. It answers {"say": [line, …], "over": whether the run's end has been told}."""

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, run: str | None) -> None:
        self._run, self._over = run, False
        self._last = float("-inf")  # when a live line was said
        self._told: set[int] = set()

    def __call__(self, now: Round) -> Document | None:
        load, figures = visible_lines(now.load), visible_lines(now.figures)
        if (run := run_of(now)) != self._run:
            self._begin(run)
        columns, every_s = now.asked.get("columns"), now.asked.get("every_s")
        said = [stage_line(row, columns) for row in figures["stages"] if self._is_new(row["stage"])]
        at = load.get("at") or 0.0
        if every_s is not None and load.get("state") in UNDER_WAY and at - self._last >= every_s - ROUND_S / 2:
            self._last = at
            said.append(live_line(load, figures.get("stage")))
        ended, was_over = figures["ended"], self._over
        if ended and not self._over:
            self._over = True
            said.append(f"{'headline' if columns is None else 'Recommendation'}: {ended['headline']}")
        return {"say": said, "over": self._over} if said or self._over != was_over else None

    def _is_new(self, stage: int) -> bool:
        new = stage not in self._told
        self._told.add(stage)
        return new


def run_of(now: Round) -> str | None:
    """Which run this is of: the load knows it before anything is written."""
    return (now.load.get("run") or {}).get("id") or now.figures["run"]


def live_line(load: Document, so_far: Document | None) -> str:
    run, stage, users, spend = (load.get(key) or {} for key in ("run", "stage", "users", "spend"))
    so_far = so_far or {}
    place = f"{stage['place']}/{run.get('stages_planned') or '?'}" if stage else None
    pairs = {"state": load.get("state"), "stage": place}
    pairs |= {key: stage.get(key) for key in ("target", "payload", "users", "rate", "phase")}
    pairs |= {"stage_left_s": whole(stage.get("left_s")), "run_left_s": whole(run.get("left_s"))}
    pairs |= {"requests": run.get("requests"), "failed": run.get("failed")}
    pairs |= {"users_running": users.get("running"), "in_flight": users.get("in_flight")}
    pairs |= {key: so_far.get(key) for key in LIVE}
    pairs |= {"usd": spend.get("usd"), "budget_left_usd": spend.get("left_usd")}
    return f"live: {written(pairs)}"


def stage_line(row: Document, columns: int | None) -> str:
    """key=value; columns: in words, cut to the width of a terminal."""
    if columns is None:
        return f"stage: {written({key: row.get(key) for key in STAGE})}"
    place = f"stage {row['stage']} ended: "
    who = f"{row['target']}, {row['payload']}, {level(row)}"
    parts = [
        f"{show.count(row.get('requests'))} requests",
        f"errors {show.percent(row.get('error_rate'))}",
        f"{show.number(row.get('throughput_per_s'))}/s",
        f"TTFT p95 {show.seconds(row.get('ttft_p95_s'))}",
        f"p95 {show.seconds(row.get('latency_p95_s'))}",
        f"{show.money(row.get('usd_per_10k_transactions'))} per 10k",
        f"{row.get('verdict')}" + (f", limits {row['slo']}" if row.get("slo") not in (None, "none") else ""),
    ]
    for dispensable in (0, 2, 1):  # of what is left
        if len(place) + 24 + sum(len(one) + 2 for one in parts) <= columns:
            break
        del parts[dispensable]
    room = max(4, columns - len(place) - sum(len(one) + 2 for one in parts))
    who = who if len(who) <= room else f"{who[: room - 1]}…"
    return ", ".join([f"{place}{who}", *parts])


def whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def written(pairs: typing.Mapping[str, typing.Any]) -> str:
    return " ".join(f"{key}={value(each)}" for key, each in pairs.items())


def value(each: typing.Any) -> str:
    """A number with four digits, a word as it is, any other text between quotation marks; nothing where it is not known."""
    if each is None or each in ("", []):
        return ""
    if isinstance(each, float):
        return f"{each:.4g}" if abs(each) < 10_000 else f"{each:.0f}"
    text = "; ".join(map(str, each)) if isinstance(each, list) else str(each)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
