"""A stage of the bench of watching: its figures, and what an open page adds to those of a closed one."""

import statistics
import typing

import numpy as np

from scripts.bench.table import markdown

DRAWS = 1000


class Stage(typing.NamedTuple):
    """One stage's figures. Times in ms; shares of a core."""

    open: bool
    requests_per_s: float
    load_core: float
    observer_core: float
    errors_ms: np.ndarray  # of TTFT, client minus endpoint, a request each; none without streams
    late_p99_ms: float | None  # the endpoint's own lateness
    answers: int  # that the page got
    answer_kb: float | None  # the median of them
    oldest_s: float | None  # age of the figures when the page had them, at most

    @property
    def ttft_p99_ms(self) -> float | None:
        return float(np.percentile(self.errors_ms, 99)) if len(self.errors_ms) else None


def _text(value: float | None, form: str = "{:.2f}") -> str:
    return "–" if value is None else form.format(value)


HEAD = (
    "page", "requests/s", "load's core", "observer's", "TTFT error p99 (ms)", "endpoint late p99 (ms)", "answers", "kB each",
    "oldest figures (s)",
)  # fmt: skip


def table(stages: list[Stage]) -> str:
    return markdown(HEAD, [_row(stage) for stage in stages])


def _row(s: Stage) -> tuple[str, ...]:
    page, rate, answers = "open" if s.open else "closed", f"{s.requests_per_s:.0f}", str(s.answers)
    shares = (f"{100 * s.load_core:.1f} %", f"{100 * s.observer_core:.1f} %")
    errors = (_text(s.ttft_p99_ms), _text(s.late_p99_ms))
    return page, rate, *shares, *errors, answers, _text(s.answer_kb, "{:.0f}"), _text(s.oldest_s, "{:.1f}")


def core_more(stages: list[Stage]) -> float:
    """Share of the load's core, open minus closed: the median over neighbours."""
    return statistics.median(after.load_core - before.load_core for before, after in _pairs(stages))


def error_more(stages: list[Stage]) -> tuple[float, float, float] | None:
    """p99 of the TTFT error of all requests, ms, open minus closed, and its 95 % interval: pairs of stages are drawn
    again and again, as a stage's requests are not independent (percentile bootstrap, Efron 1979)."""
    pairs, draw = _pairs(stages), np.random.default_rng(1)
    if not all(len(stage.errors_ms) for stage in stages):
        return None
    drawn = [_error_of([pairs[n] for n in draw.integers(0, len(pairs), len(pairs))]) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return _error_of(pairs), float(low), float(high)


def told(core: float, error: tuple[float, float, float] | None) -> str:
    words = f"Open minus closed: {100 * core:+.2f} % of a core, the median of the pairs"
    if error is None:
        return f"{words}."
    more, low, high = error
    return f"{words}; {more:+.2f} ms p99 of the TTFT error of all requests (95 % interval {low:+.2f} to {high:+.2f})."


def _pairs(stages: list[Stage]) -> list[tuple[Stage, Stage]]:
    return list(zip(stages[::2], stages[1::2], strict=True))


def _error_of(pairs: list[tuple[Stage, Stage]]) -> float:
    closed, opened = (np.concatenate([stage.errors_ms for stage in side]) for side in zip(*pairs, strict=True))
    return float(np.percentile(opened, 99) - np.percentile(closed, 99))
