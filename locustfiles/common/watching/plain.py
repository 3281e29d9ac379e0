"""What can be said of a run without the analysis: from how the load stands alone."""

import typing

from locustfiles.contract.visible import visible_lines

Load = dict[str, typing.Any]
BAR = 30


def frame(load: Load, columns: int) -> list[str]:
    """A line and a bar: until the observer has answered for the first time, and where it cannot be begun."""
    load = visible_lines(load)
    run, stage = load.get("run") or {}, load.get("stage") or {}
    left_s = run.get("left_s")
    counts = f"{run.get('requests') or 0:,} requests, {run.get('failed') or 0:,} failed"
    left = "" if left_s is None else f", about {max(0, round(left_s))} s left"
    lines = [where(load), f"{_bar(stage.get('progress'))}  {counts}{left}"]
    if load.get("ending"):
        lines.append(ending(load))
    return [line[:columns] for line in lines]


def where(load: Load) -> str:
    """Which stage of how many, and what it is."""
    run, stage = load.get("run") or {}, load.get("stage")
    if not stage:
        return "checking the endpoints" if load.get("state") == "checking" else f"{run.get('name') or ''}"
    of = f" of {run['stages_planned']}" if run.get("stages_planned") else ""  # a search decides its stages as it goes
    return f"stage {stage['place']}{of}: {stage['target']}, {stage['payload']}, {_level(stage)}, {stage.get('phase') or ''}"


def _level(stage: Load) -> str:
    """`5 users`, `1 user`, `2.5 requests/s` or `2.5 conversations/s`"""
    rate, users = stage.get("rate"), stage.get("users")
    if rate is None:
        return f"{users} user{'' if users == 1 else 's'}"
    what = "conversation" if stage.get("due") == "conversations" else "request"
    return f"{rate:g} {what}{'' if rate == 1 else 's'}/s"


def ending(load: Load) -> str:
    told = load["ending"]
    if told.get("after_stage"):
        return "The run ends after this stage"
    return f"{stopping((load.get('users') or {}).get('in_flight'), told.get('at_most_s'))}"


def stopping(in_flight: int | None, at_most_s: float | None) -> str:
    """What a stop waits for."""
    what = "requests" if in_flight is None else f"{in_flight:,} request{'' if in_flight == 1 else 's'}"
    over = "" if at_most_s is None else f" may take up to {at_most_s:g} s"
    return f"Stopping: {what} in flight{over}; then records are collected"


def line(load: Load) -> str:
    """At the rhythm, where there is no terminal and no observer."""
    run = load.get("run") or {}
    return f"live: {where(visible_lines(load))}; requests={run.get('requests') or 0} failed={run.get('failed') or 0}"


def last_line(load: Load, exit_code: int) -> str:
    """How the run ended, and what comes next."""
    run = visible_lines(load.get("run") or {})
    spend = (load.get("spend") or {}).get("usd")
    usd = "" if spend is None else f", at most ${spend:.4f}"
    done = run.get("stages_done") or 0
    said = f"{run.get('folder')}: {run.get('status')}, exit code {exit_code}; {done} stage{'' if done == 1 else 's'}, "
    said += f"{run.get('requests') or 0:,} requests, {run.get('failed') or 0:,} failed{usd}"
    return f"{said}; next: python -m analysis report {run.get('folder')}" if run.get("requests") else said


def _bar(share: float | None) -> str:
    full = round(BAR * min(1.0, max(0.0, share or 0.0)))
    return f"[{'#' * full}{'-' * (BAR - full)}]{'' if share is None else f' {100 * share:3.0f} %'}"
