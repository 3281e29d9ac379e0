"""What a run looks like to Prometheus: the text that a scrape is answered with (exposition format 0.0.4).

Counters are of every record, by phase; histograms of the successes of measured windows, as the report's percentiles are. So
`swarmledger_requests_total{phase="measure"}` of a stage is its `requests` in steps.csv, `outcome="success"` its `successes`.
"""

import math
import typing

from analysis.live.round import Document, Round
from analysis.live.stage_metrics import METRICS, MOST_FINISHED, Labels, labels_of, of_finished, of_under_way
from analysis.live.tally import SUCCESS, TOKENS, WAITS, Entry, Key, Tally, Times

MEASURE = "measure"
LONGEST = 200  # characters of a label
MOST_STAGES = (
    60  # with their histograms half a megabyte, which the load loop hands on; Prometheus has had the earlier ones
)
TIMES: dict[str, tuple[str, typing.Callable[[Entry], Times], tuple[float, ...]]] = {
    "request_duration_seconds": (
        "From the request to the last byte of its answer",
        lambda e: e.latency.get(SUCCESS, Times()),
        WAITS,
    ),
    "time_to_first_token_seconds": (
        "From the request to the first delta with output, streams",
        lambda e: e.ttft,
        WAITS,
    ),
    "time_per_output_token_seconds": ("Time per output token after the first, streams", lambda e: e.tpot, TOKENS),
}
OF_TOKENS = {
    "input": ("prompt_tokens_total", "Tokens of the prompts of successes, those of a cache included"),
    "output": ("completion_tokens_total", "Tokens that successes answered"),
    "cache_read": ("cache_read_tokens_total", "Of the prompts' tokens: read from a cache"),
    "cache_write": ("cache_write_tokens_total", "Of the prompts' tokens: written to a cache"),
}


class Text:
    """The lines, metric by metric."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def metric(
        self, name: str, kind: str, words: str, values: typing.Iterable[tuple[Labels, float | int | None]]
    ) -> None:
        """A value that is not known is left out, and a metric without one."""
        known = [(labels, value) for labels, value in values if value is not None]
        if known:
            self._head(name, kind, words)
            self._lines += [_line(name, labels, value) for labels, value in known]

    def histogram(self, name: str, words: str, bounds: tuple[float, ...], of: list[tuple[Labels, Times]]) -> None:
        known = [(labels, times) for labels, times in of if times.n]
        if known:
            self._head(name, "histogram", words)
        for labels, times in known:
            for bound, count in zip(bounds, times.up_to(bounds), strict=True):
                self._lines.append(_line(f"{name}_bucket", labels | {"le": f"{bound:g}"}, count))
            self._lines.append(_line(f"{name}_bucket", labels | {"le": "+Inf"}, times.n))
            self._lines.append(_line(f"{name}_sum", labels, times.sum))
            self._lines.append(_line(f"{name}_count", labels, times.n))

    def _head(self, name: str, kind: str, words: str) -> None:
        self._lines += [f"# HELP {PREFIX}{name} {words}.", f"# TYPE {PREFIX}{name} {kind}"]

    def whole(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)


PREFIX = "swarmledger_"


def exposition(now: Round) -> str:
    """All that is known."""
    text = Text()
    _load(text, now.load)
    run = str((now.load.get("run") or {}).get("name") or "")
    _spend(text, now.load, now.figures)
    _stages(text, run, now.figures, now.load)
    if now.tally:
        _tally(text, run, now.tally)
    return text.whole()


def _tally(text: Text, run: str, tally: Tally) -> None:
    entries = [(_labels(run, key), key, entry) for key, entry in tally.sorted(MOST_STAGES)]
    counts = [
        (of | {"outcome": outcome}, times.n) for of, _, e in entries for outcome, times in sorted(e.latency.items())
    ]
    text.metric("requests_total", "counter", "Requests that have ended, by what came of them", counts)
    for kind, (name, words) in OF_TOKENS.items():
        text.metric(name, "counter", words, [(of, e.tokens.get(kind)) for of, _, e in entries])
    usd = [(of, e.usd) for of, _, e in entries]
    text.metric("token_cost_usd_total", "counter", "Dollars by the price of tokens, of what is billed by them", usd)
    for name, (words, times_of, bounds) in TIMES.items():
        of = [
            ({k: v for k, v in of.items() if k != "phase"}, times_of(e))
            for of, key, e in entries
            if key.phase == MEASURE
        ]
        text.histogram(name, f"{words}; successes of measured windows", bounds, of)


def _labels(run: str, key: Key) -> Labels:
    return {"run": run, "stage": key.stage, "target": key.target, "payload": key.payload, "phase": key.phase}


def _load(text: Text, load: Document) -> None:
    run, stage, users = load.get("run") or {}, load.get("stage") or {}, load.get("users") or {}
    scenario = load.get("scenario") or {}
    if load.get("state"):
        text.metric("state", "gauge", "What the load test does: 1 of its state", [({"state": load["state"]}, 1)])
    if run:
        info = {"run": run.get("name"), "run_id": run.get("id"), "scenario": scenario.get("name")}
        text.metric("run_info", "gauge", "The run under way, else the last one", [(info, 1)])
    of = {"run": run.get("name")}
    gauges: list[tuple[str, str, typing.Any]] = [
        ("run_elapsed_seconds", "Since the run began", run.get("elapsed_s")),
        ("run_left_seconds", "Until the run ends, by its plan", run.get("left_s")),
        ("run_exit_code", "Exit code of a run that has ended", run.get("exit_code")),
        ("stages_planned", "Stages of the run, where it is no search", run.get("stages_planned")),
        ("stages_done", "Stages that have ended", run.get("stages_done")),
        ("stage_current", "Number of the stage under way", stage.get("stage")),
        ("stage_progress_ratio", "Share of the stage under way that is over", stage.get("progress")),
        ("users_planned", "Users of the stage under way", users.get("planned")),
        ("users_running", "Users that run", users.get("running")),
        ("requests_in_flight", "Requests under way", users.get("in_flight")),
    ]
    for name, words, value in gauges:
        text.metric(name, "gauge", words, [(of if name.startswith(("run_", "stage")) else {}, value)])
    if stage:
        info = of | {
            name: stage.get(name) for name in ("stage", "target", "payload", "phase", "users", "rate", "repeat")
        }
        text.metric("stage_info", "gauge", "The stage under way", [(info, 1)])
    _workers(text, load.get("workers") or [])


def _workers(text: Text, workers: list[Document]) -> None:
    for name, words, key, unit in (
        ("worker_users", "Users of the worker", "users", 1),
        ("worker_requests_in_flight", "Requests of the worker under way", "in_flight", 1),
        ("worker_cpu_ratio", "Share of a core that the worker's process took, last second", "cpu", 1),
        ("worker_loop_lag_seconds", "Worst lag of the worker's event loop, last second", "lag_ms", 1000),
        ("worker_heard_seconds_ago", "Since the worker was heard", "heard_s_ago", 1),
    ):
        found = [({"worker": w.get("worker"), "host": w.get("host")}, w.get(key)) for w in workers]
        text.metric(name, "gauge", words, [(of, None if value is None else value / unit) for of, value in found])


def _spend(text: Text, load: Document, figures: Document) -> None:
    run, spend = {"run": (load.get("run") or {}).get("name")}, load.get("spend") or {}
    accrued = (figures.get("series") or {}).get("usd") or [None]
    for name, words, value in (
        (
            "accrued_usd",
            "What the run has cost so far: tokens by their price, instances for the time under load",
            accrued[-1],
        ),
        ("spend_at_most_usd", "What the run may have cost at most, as the budget's guard counts", spend.get("usd")),
        ("budget_usd", "The run's budget", spend.get("budget_usd")),
        ("budget_left_usd", "What is left of the budget at least", spend.get("left_usd")),
    ):
        text.metric(name, "gauge", words, [(run, value)])


def _stages(text: Text, run: str, figures: Document, load: Document) -> None:
    for metric in METRICS:
        for name, words, points in (
            ("stage", "of a finished stage, as the report has it", of_finished(metric, figures)),
            ("stage_under_way", "of the stage under way, so far", of_under_way(metric, figures, load)),
        ):
            values = [({"run": run} | of, value) for of, value in points]
            text.metric(f"{name}_{metric.name}", "gauge", f"{metric.words}, {words}", values)
    rows = [({"run": run} | labels_of(s), s) for s in (figures.get("stages") or [])[-MOST_FINISHED:]]
    verdicts = [(of | {"verdict": s.get("verdict")}, 1) for of, s in rows if s.get("verdict")]
    text.metric("stage_verdict", "gauge", "Whether a finished stage can be trusted: 1 of its verdict", verdicts)


def _line(name: str, labels: Labels, value: float | int) -> str:
    of = ",".join(f'{label}="{_escaped(each)}"' for label, each in labels.items() if each is not None)
    return f"{PREFIX}{name}{{{of}}} {_number(value)}" if of else f"{PREFIX}{name} {_number(value)}"


def _escaped(value: typing.Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text[:LONGEST].replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\r", " ")


def _number(value: float | int) -> str:
    return repr(float(value)) if isinstance(value, float) and math.isfinite(value) else str(value)
