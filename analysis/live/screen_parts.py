"""The lines of the live view: of the stage under way, one thing a line, cut to the width."""

import typing

import rich.console
from rich.text import Text

from analysis.live.round import Document
from analysis.live.text import asked_words, conversations, level_now, part_line
from analysis.words import format as show

NOTHING_YET = "no request of this stage's window has ended yet"
LABEL = 9  # columns of a line's name
STATES = {"checking": "checking the endpoints", "confirming": "waits for an answer", "ended": "ended"}
VERDICTS = {"VALID": "green", "SUSPECT": "yellow", "INVALID": "red"}
LIMITS = {"met": "green", "missed": "red", "undecided": "yellow", "unknown": "yellow"}
REASON_ROWS = 2
MOST_PARTS = 4  # of a mix
Words = typing.Callable[[float | None], str]


def duration(seconds: float | None) -> str:
    """12 s, 3 min 05 s, 1 h 05 min."""
    if seconds is None:
        return show.UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def cut(text: Text, width: int) -> Text:
    """In one line of so many columns."""
    text.no_wrap, text.overflow = True, "ellipsis"
    text.truncate(width, overflow="ellipsis")
    return text


def named(name: str, *parts: str | tuple[str, str], width: int) -> Text:
    return cut(Text.assemble((f"{name:<{LABEL}} ", "dim"), *parts), width)


def head(load: Document, so_far: Document | None, width: int) -> Text:
    """Which run, which stage of how many, and what it is."""
    run, stage, state = load.get("run") or {}, load.get("stage"), load.get("state") or ""
    name = run.get("name") or (load.get("scenario") or {}).get("name") or ""
    if stage is None:
        return cut(Text.assemble((name, "bold"), "  ", STATES.get(state, state)), width)
    of = f" of {run['stages_planned']}" if run.get("stages_planned") else ""
    what = f"{stage['target']}, {stage['payload']}, {level_now(stage, so_far)}"
    place = f"stage {stage['place']}{of}"
    room = width - len(place) - len(stage["phase"] or "") - 6
    who = cut(Text.assemble((name, "bold"), "  ", what), room)
    return cut(Text.assemble((place, "bold cyan"), "  ", who, "  ", (stage["phase"] or "", "magenta")), width)


def progress(load: Document, width: int) -> Text:
    """The stage's bar, and the time left of it and of the run."""
    run, stage = load.get("run") or {}, load.get("stage") or {}
    if (load.get("ending") or {}).get("now"):  # what was planned does not come any more
        run, stage = run | {"left_s": None}, stage | {"left_s": None}
    left = [] if stage.get("left_s") is None else [f"stage {duration(stage['left_s'])} left"]
    left += [] if run.get("left_s") is None else [f"run {duration(run['left_s'])} left"]
    left = left or [f"{duration(run.get('elapsed_s'))} since the start"]
    share = stage.get("progress")
    words = f" {'' if share is None else f'{100 * share:3.0f} %  '}{' · '.join(left)}"
    room = max(0, width - len(words))
    full = round(room * min(1.0, max(0.0, share or 0.0)))
    return cut(Text.assemble(("━" * full, "green"), ("─" * (room - full), "dim"), words), width)


def ending(load: Document, left_s: float | None, width: int) -> Text | None:
    """What a stop waits for."""
    told = load.get("ending")
    if not told:
        return None
    if told.get("after_stage"):
        return cut(Text("The run ends after this stage", style="bold yellow"), width)
    in_flight = (load.get("users") or {}).get("in_flight")
    what = "requests" if in_flight is None else f"{in_flight:,} request{'' if in_flight == 1 else 's'}"
    over = "" if left_s is None else f" may take up to {duration(left_s)}"
    text = f"Stopping: {what} in flight{over}; then records are collected. A third Ctrl-C ends at once and loses them"
    return cut(Text(text, style="bold yellow"), width)


def rates(load: Document, stage: Document | None, width: int) -> Text:
    users, stage = load.get("users") or {}, stage or {}
    of = f" of {users['planned']:,}" if users.get("planned") is not None else ""
    parts = [
        f"{show.count(users.get('running'))}{of} users",
        f"{show.count(users.get('in_flight'))} in flight",
        f"{show.number(stage.get('requests_per_s'))} requests/s",
        f"{show.number(stage.get('output_tokens_per_s'))} output tokens/s",
    ]
    return named("load", " · ".join(parts), width=width)


def times(stage: Document, width: int) -> list[Text]:
    """TTFT, TPOT and latency, with their intervals."""
    rows: tuple[tuple[str, str, str, Words], ...] = (
        ("TTFT", "ttft", "s", show.seconds),
        ("TPOT", "tpot", "ms", show.milliseconds),
        ("latency", "latency", "s", show.seconds),
    )
    lines = []
    for label, name, unit, words in rows:
        cells = []
        for q in ("p50", "p95"):
            key = f"{name}_{q}_{unit}"
            ends = (stage.get(key), stage.get(f"{key}_low"), stage.get(f"{key}_high"))
            cells.append(show.between(words, *ends))
        lines.append(named(label, ("p50 ", "dim"), f"{cells[0]:<29} ", ("p95 ", "dim"), cells[1], width=width))
    return lines


def errors(stage: Document, width: int) -> Text:
    classes = ", ".join(f"{name} {n:,}" for name, n in stage.get("errors") or ())
    share = stage.get("throttle_share")
    parts = [f"{show.count(stage.get('failures'))} of {show.count(stage.get('requests'))}"]
    parts += [f"{show.percent(stage.get('error_rate'))}"]
    parts += [f"throttled {show.percent(share)}"] if share else []
    parts += [classes] if classes else []
    return named("errors", (" · ".join(parts), "red" if stage.get("failures") else ""), width=width)


def tokens(stage: Document, width: int) -> Text:
    parts = [
        f"{show.number(stage.get('prompt_tokens_mean'))} in",
        f"{show.number(stage.get('completion_tokens_mean'))} out a request",
        f"{show.percent(stage.get('cache_read_share'))} of prompts from cache{asked_words(stage.get('cache_asked_share'))}",
    ]
    return named("tokens", " · ".join(parts), width=width)


def of_whole(stage: Document, width: int) -> list[Text]:
    """What its requests belong to: its conversations, or the parts of a mix."""
    talks, parts = stage.get("sessions"), stage.get("parts") or []
    lines = [named("sessions", conversations(talks), width=width)] if talks else []
    lines += [named("part", part_line(part), width=width) for part in parts[:MOST_PARTS]]
    more = len(parts) - MOST_PARTS
    return [*lines, *([named("", f"and {more} more parts", width=width)] if more > 0 else [])]


def cost(load: Document, stage: Document, width: int) -> Text:
    spend = load.get("spend") or {}
    parts = [f"{show.money(spend.get('usd'))} so far"]
    if spend.get("budget_usd") is not None:
        parts.append(f"{show.money(spend.get('left_usd'))} left of {show.money(spend['budget_usd'])}")
    if stage.get("usd_per_10k") is not None:
        ends = (stage.get("usd_per_10k_low"), stage.get("usd_per_10k_high"))
        parts.append(f"per 10k {show.between(show.money, stage['usd_per_10k'], *ends)}")
    elif stage.get("cost_reason"):
        parts.append(f"per 10k: {stage['cost_reason']}")
    return named("cost", " · ".join(parts), width=width)


def verdict(stage: Document, width: int) -> list[Text]:
    """So far, and why: some rows of it."""
    word, slo = stage.get("verdict"), stage.get("slo")
    if not word:
        return [named("verdict", ("too few requests so far", "dim"), width=width)]
    by = f" by {stage['judged']}" if stage.get("judged") else ""
    limits: list[str | tuple[str, str]] = []
    if slo not in (None, "none"):
        limits = [" · limits ", (slo, LIMITS.get(slo, ""))]
    lines = [named("verdict", (word, VERDICTS.get(word, "")), f" so far{by}", *limits, width=width)]
    why = Text("; ".join(stage.get("reasons") or ()))
    rows = list(_wrapped(why, width - LABEL - 1))
    if len(rows) > REASON_ROWS:
        rows[REASON_ROWS - 1] = cut(Text(f"{rows[REASON_ROWS - 1].plain[: width - LABEL - 3]} …"), width - LABEL - 1)
    return [*lines, *(cut(Text.assemble(" " * (LABEL + 1), row), width) for row in rows[:REASON_ROWS])]


def _wrapped(text: Text, width: int) -> typing.Iterable[Text]:
    return text.wrap(rich.console.Console(width=max(10, width)), max(10, width)) if text.plain else []
