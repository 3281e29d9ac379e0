"""The figures as lines of text: the state of a run for a person who asks once."""

import typing

from analysis.live.round import Document
from analysis.words import format as show
from analysis.words.level import level_text
from locustfiles.contract.visible import visible_lines

NO_RUN, NO_STAGE = "nothing is known of a run here yet", "the run has begun, no stage has"


def state(figures: Document) -> list[str]:
    """Lines of how a run stands."""
    return visible_lines([*(finished_line(row) for row in figures["stages"]), *_now(figures)])


def _now(figures: Document) -> list[str]:
    """Of what is not over."""
    if figures["run"] is None:
        return [NO_RUN]
    lines = stage_lines(figures["stage"]) if figures["stage"] else []
    if figures["ended"]:
        lines.append(f"The run has ended. {figures['ended']['headline']}")
    return lines or ([] if figures["stages"] else [NO_STAGE])


class Lines:
    """For what is read from top to bottom: a finished stage once, and the stage under way at each look."""

    def __init__(self) -> None:
        self._told: dict[int, str] = {}
        self._last: list[str] = []

    def new(self, figures: Document) -> list[str]:
        """What there is to say; nothing where nothing has changed."""
        each = {row["stage"]: finished_line(row) for row in figures["stages"]}
        lines = [line for stage, line in each.items() if self._told.get(stage) != line]
        self._told |= each
        before, self._last = self._last, _now(figures)
        return visible_lines(lines + (self._last if self._last != before else []))


class _Level(typing.NamedTuple):
    users: float | None
    rate: float | None


def level(row: typing.Mapping[str, typing.Any]) -> str:
    """As reports have it."""
    of = _Level(row["users"], row["rate"])
    return "no level" if of == (None, None) else level_text(of)


def finished_line(row: typing.Mapping[str, typing.Any]) -> str:
    parts = [
        f"stage {row['stage']}: {row['target']}, {row['payload']}, {level(row)}",
        f"{show.count(row['requests'])} requests",
        f"errors {show.percent(row['error_rate'])}",
        f"{show.number(row['throughput_per_s'])}/s",
        f"TTFT p95 {show.seconds(row['ttft_p95_s'])}",
        f"latency p95 {show.seconds(row['latency_p95_s'])}",
        f"{show.money(row['usd_per_10k_transactions'])} per 10k",
        f"{row['verdict']}",
        f"limits {row['slo']}",
    ]
    return " | ".join(parts)


def stage_lines(so_far: typing.Mapping[str, typing.Any]) -> list[str]:
    """Of the stage under way."""

    def times(name: str, unit: str, words: typing.Callable[[float | None], str]) -> str:
        p95 = show.between(words, *(so_far[f"{name}_p95_{unit}{end}"] for end in ("", "_low", "_high")))
        return f"p50 {words(so_far[f'{name}_p50_{unit}'])}, p95 {p95}"

    errors = ", ".join(f"{name} {n}" for name, n in so_far["errors"]) or "none"
    first = [
        f"stage {so_far['stage']} so far: measured {show.seconds(so_far['measured_s'])}",
        f"{show.count(so_far['requests'])} requests",
        f"{show.number(so_far['requests_per_s'])}/s",
        f"output tokens {show.number(so_far['output_tokens_per_s'])}/s",
        f"errors {errors}",
    ]
    last = [
        f"tokens in {show.number(so_far['prompt_tokens_mean'])}, out {show.number(so_far['completion_tokens_mean'])}",
        f"{show.money(so_far['usd_per_10k'])} per 10k",
    ]
    tpot = times("tpot", "ms", show.milliseconds)
    lines = [
        ", ".join(first),
        f"  TTFT {times('ttft', 's', show.seconds)}; latency {times('latency', 's', show.seconds)}",
        f"  TPOT {tpot}; {'; '.join(last)}",
    ]
    if so_far["verdict"]:
        why = "".join(f"; {reason}" for reason in so_far["reasons"])
        lines.append(f"  {so_far['verdict']} by {so_far['judged']}, limits {so_far['slo']}{why}")
    return lines
