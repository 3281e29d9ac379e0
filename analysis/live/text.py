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
    mix_share: float | None
    of_conversations: bool


def level(row: typing.Mapping[str, typing.Any]) -> str:
    """As reports have it. row: of a finished stage, or how the load says that a stage stands."""
    of = _Level(row["users"], row["rate"], row.get("mix_share"), row.get("sessions") is not None)
    return "no level" if of.users is None and of.rate is None else level_text(of)


def level_now(stage: dict[str, typing.Any], so_far: typing.Mapping[str, typing.Any] | None) -> str:
    """Of the stage under way. stage: as the load tells it; read from a folder it does not say what is due at its rate, and is then of
    conversations once there are figures of some."""
    so_far = so_far or {}
    each = [so_far.get("sessions"), *(part["sessions"] for part in so_far.get("parts") or ())]
    told = True if stage.get("due") == "conversations" else None
    return level(stage | {"mix_share": None, "sessions": next((one for one in each if one), told)})


def conversations(told: typing.Mapping[str, typing.Any]) -> str:
    """`12 finished, 4 under way, p50 5.1 s, p95 8.2 s (7.9 s – wide), $0.0005 each`: `sessions` of the stage under way."""
    others = [f"{show.count(told[name])} {words}" for name, words in _NOT_FINISHED.items() if told[name]]
    times = [show.between(show.seconds, *(told[f"time_{p}_s{end}"] for end in _ENDS)) for p in ("p50", "p95")]
    usd = show.between(show.money, *(told[f"usd{end}"] for end in _ENDS))
    parts = [f"{show.count(told['finished'])} finished", *others, f"p50 {times[0]}", f"p95 {times[1]}"]
    return ", ".join([*parts, *([f"{usd} each"] if told["usd"] is not None else [])])


_ENDS = ("", "_low", "_high")
_NOT_FINISHED = {"under_way": "under way", "failed": "failed", "ended_early": "ended early"}


def part_line(part: typing.Mapping[str, typing.Any]) -> str:
    """`chat on short, 75 % (74.6 % sent): 120 requests, …`: of a part of a mix under way."""
    cells = [
        f"{show.count(part['requests'])} requests",
        f"errors {show.percent(part['error_rate'])}",
        f"{show.number(part['throughput_per_s'])}/s",
        f"TTFT p95 {show.seconds(part['ttft_p95_s'])}",
        f"latency p95 {show.seconds(part['latency_p95_s'])}",
        f"{show.money(part['usd_per_10k'])} per 10k",
    ]
    cells += [part["verdict"]] if part["verdict"] else []
    cells += [f"limits {part['slo']}"] if part["slo"] not in (None, "none") else []
    cells += [conversations(part["sessions"])] if part["sessions"] else []
    shares = f"{show.percent(part['share'])} ({show.percent(part['share_sent'])} sent)"
    return f"{part['target']} on {part['payload']}, {shares}: {', '.join(cells)}"


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
    if row.get("sessions") is not None:
        p95 = show.between(show.seconds, *(row[f"session_time_p95{end}_s"] for end in _ENDS))
        parts[-2:-2] = [
            f"{show.count(row['sessions_finished'])} of {show.count(row['sessions'])} conversations finished",
            f"their time p95 {p95}",
            f"{show.money(row['usd_per_session'])} each",
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
        show.between(show.money, *(so_far[f"usd_per_10k{end}"] for end in _ENDS)) + " per 10k",
    ]
    if so_far["cache_read_share"]:
        asked = so_far.get("cache_asked_share")
        last.insert(1, f"{show.percent(so_far['cache_read_share'])} of prompts from cache" + asked_words(asked))
    tpot = times("tpot", "ms", show.milliseconds)
    lines = [
        ", ".join(first),
        f"  TTFT {times('ttft', 's', show.seconds)}; latency {times('latency', 's', show.seconds)}",
        f"  TPOT {tpot}; {'; '.join(last)}",
    ]
    if so_far.get("sessions"):
        lines.append(f"  conversations: {conversations(so_far['sessions'])}")
    lines += [f"  {part_line(part)}" for part in so_far.get("parts") or ()]
    if so_far["verdict"]:
        why = "".join(f"; {reason}" for reason in so_far["reasons"])
        lines.append(f"  {so_far['verdict']} by {so_far['judged']}, limits {so_far['slo']}{why}")
    return lines


def asked_words(share: float | None) -> str:
    """What a stage's `prefix:` asks for."""
    return "" if share is None else f" ({show.percent(share)} asked)"
