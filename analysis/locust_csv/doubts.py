"""What a step's own counts cannot tell: calls that did not end in it, silence, failures outside every step."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.locust_csv.counts import TOTAL, Counts, History, Key, Totals
from analysis.locust_csv.levels import Level
from analysis.locust_csv.steps import Step, users_text
from analysis.locust_csv.windows import Window
from analysis.words.format import count, number, percent, seconds

SILENCE_S = 10.0
LEFT_OVER = 1.25  # of Little's law: completions x latency above the users by more than counting leaves open
UNACCOUNTED = 0.5  # of the users, when completions x latency speak for fewer
MISSED = 0.01  # of the requests


@dataclass(frozen=True, slots=True)
class Measured:
    """A step with where it stands in the history."""

    step: Step
    level: Level
    window: Window


def silences(history: History, measured: Sequence[Measured], moves: Sequence[int]) -> list[str]:
    """Stretches of a level in which nothing ended though users were on, and which its latency does not explain."""
    said = []
    for one in measured:
        rows = [one.level.first, *(row for row in moves if one.level.first < row <= one.level.last), one.level.last]
        gaps = [(b - a) * history.interval for a, b in itertools.pairwise(rows)]
        if len(rows) == 2:
            said.append(f"at {users_text(one.step.users)} nothing ended in {gaps[0]:.0f} s")
            continue
        usual = sorted(gaps)[len(gaps) // 2]
        longest = max(gaps)
        if longest > max(SILENCE_S, 2 * (one.step.latency_mean_s or 0) + 5, 6 * usual):
            said.append(f"at {users_text(one.step.users)} nothing ended for {longest:.0f} s of {sum(gaps):.0f} s")
    if not said:
        return []
    return [
        f"Silence while users were on: {', '.join(said)}; calls may have hung, and count where they ended or not at all"
    ]


def clock_jumps(measured: Sequence[Measured]) -> list[str]:
    """Timestamps that jump ahead while far too little was counted for it."""
    told = [f"{users_text(one.step.users)} ({one.window.jumps_s:.0f} s)" for one in measured if one.window.jumps_s]
    if not told:
        return []
    why = "as when a clock is set or a machine sleeps"
    return [
        f"Timestamps jump at {', '.join(told)}, {why}: left out of the seconds, and no rate is known better than to that"
    ]


def littles_law(measured: Sequence[Measured]) -> list[str]:
    """Users = completions per second x (latency + wait): what is left over is waiting, or calls that did not end."""
    waits = {}
    said = []
    for i, one in enumerate(measured):
        step = one.step
        if not (step.requests and step.seconds and step.users and step.latency_mean_s):
            continue
        rate = step.requests / step.seconds
        in_calls = rate * step.latency_mean_s
        if in_calls > LEFT_OVER * (1 + step.rate_error) * step.users:
            said.append(
                f"At {users_text(step.users)} completions × latency make {number(in_calls)} users (Little's law): calls that "
                "began before the step are counted in it; hold levels longer, or use a larger --settle-s"
            )
        waits[i] = (step.users / rate - step.latency_mean_s, in_calls / step.users)
    least = min((wait for wait, _ in waits.values()), default=0.0)
    doubtful = [
        f"{users_text(measured[i].step.users)} ({percent(round(share, 2))})"
        for i, (wait, share) in waits.items()
        if share < UNACCOUNTED
        and (len(waits) == 1 or wait > 2 * max(least, 0) * (1 + measured[i].step.rate_error) + 0.1)
    ]
    if doubtful:
        said.append(
            f"Completions × latency account for less than half of the users (Little's law) at {', '.join(doubtful)}: the rest "
            "waited between calls, or was in calls that did not end in the step; what ends in a step is all it can judge by"
        )
    elif len(waits) > 1 and least > 0.1 and all(share < UNACCOUNTED for _, share in waits.values()):
        said.append(f"Users waited about {seconds(least)} between calls (Little's law)")
    return said


def failures_outside(
    history: History, totals: Totals | None, keys: Sequence[Key], measured: Sequence[Measured]
) -> list[str]:
    """Failures that no step holds, and where they ended. Nothing with failures is left out silently."""
    in_steps = sum(one.step.failures for one in measured)
    all_of = history.whole(keys).failures
    last = sum(totals.rows[key].failures for key in keys if key in totals.rows) if totals else 0
    late = max(last - all_of, 0) if len(history.ends()) == 1 else 0
    outside = all_of + late - in_steps
    if outside <= 0:
        return []
    after = sum(one.step.after.failures for one in measured)
    settling = sum(
        (history.at(one.window.first, keys) - history.at(max(one.level.first - 1, 0), keys)).failures
        for one in measured
        if one.level.first == 0
        or history.seconds[one.level.first - 1].resets == history.seconds[one.level.first].resets
    )
    rest = outside - after - settling
    where = {
        "at steps' starts": settling,
        "after steps' ends": after,
        "in levels that are no steps": rest,
    }
    told = ", ".join(f"{count(n)} {place}" for place, n in where.items() if n > 0)
    return [f"{count(outside)} of {count(all_of + late)} failures ended outside every step: {told}"]


def ended_after(history: History, totals: Totals | None, keys: Sequence[Key], level: Level) -> Counts:
    """What ended when a level's users were gone, in the rows without users right after it, or when the history had ended."""
    row, seconds = level.last, history.seconds
    while row + 1 < len(seconds) and seconds[row + 1].users == 0 and seconds[row + 1].resets == seconds[row].resets:
        row += 1
    found = history.at(row, keys) - history.at(level.last, keys)
    if row == len(seconds) - 1 and totals and len(history.ends()) == 1:
        late = Counts()
        for key in keys:  # Locust does not write the history's last seconds
            late += totals.rows.get(key, Counts()) - history.at(row, [key])
        found += late if late.requests > 0 and late.failures >= 0 else Counts()
    return found


def uneven_sums(history: History | None, totals: Totals | None) -> int:
    """Requests of the total that no name has (negative: of names that the total lacks); 0 where they add up."""
    if history and history.keys and TOTAL in history.series:
        return history.whole([TOTAL]).requests - history.whole(history.keys).requests
    if totals and totals.keys and TOTAL in totals.rows:
        return totals.rows[TOTAL].requests - sum(totals.rows[key].requests for key in totals.keys)
    return 0


def uncounted_in(history: History, window: Window) -> int:
    """Of a window, the total's requests that no name has."""
    total = history.at(window.last, [TOTAL]) - history.at(window.first, [TOTAL])
    named = history.at(window.last, history.keys) - history.at(window.first, history.keys)
    return max(total.requests - named.requests, 0)


def uneven_words(surplus: int, of: int, by_names: bool) -> list[str]:
    """What to make of it."""
    if not surplus:
        return []
    what = f"has {count(abs(surplus))} of {count(of)} requests that no name has" if surplus > 0 else (
        f"lacks {count(-surplus)} requests that names have"
    )  # fmt: skip
    how = (
        "costed is the sum of the names, and the others count for --error-rate"
        if by_names
        else "the cost holds only if those succeeded"
    )
    return [f"Aggregated is not the sum of its rows: it {what}, as when a request event breaks off half counted; {how}"]
