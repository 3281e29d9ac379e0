"""Tables of a run as text cells, for HTML and Markdown."""

import typing

import pandas as pd

from analysis.advice.even_lines import EvenLine, texts
from analysis.advice.repeats import FIGURES, Apart, RepeatedLevel
from analysis.advice.report_model import Report
from analysis.advice.search_findings import Found
from analysis.cost.price_rows import PriceRow
from analysis.metrics.token_counts import Comparison, Sources
from analysis.metrics.worker_load import WorkerInStage
from analysis.report.text_tables import text_table
from analysis.words import format as show
from analysis.words.columns import Column, headed
from analysis.words.level import level_text

Row = typing.Mapping[str, str | None]


def frame_of_rows(rows: typing.Iterable[Row], several_runs: bool) -> pd.DataFrame:
    """Text cells; of one run without the column that names it."""
    table = pd.DataFrame([dict(row) for row in rows])
    return table if several_runs or table.empty else table.drop(columns="Run")


def shown_workers(workers: list[WorkerInStage], several_runs: bool) -> pd.DataFrame:
    """Each worker in each stage."""
    rows = (
        {
            "Run": w.run,
            "Stage": show.count(w.stage),
            "Target": w.target,
            "Dataset": w.payload,
            "Level": level_text(w),
            "Worker": w.worker,
            "Host": w.host,
            "CPU, of one core": show.percent(w.cpu),
            "Event-loop lag in the window, most": show.milliseconds(w.lag_ms),
        }
        for w in workers
    )
    return frame_of_rows(rows, several_runs)


def shown_sources(sources: list[Sources], several_runs: bool) -> pd.DataFrame:
    """Who counted the tokens of each target."""
    return frame_of_rows((_sources(s) for s in sources), several_runs)


def _sources(of: Sources) -> Row:
    row = {"Run": of.run, "Target": of.target, "Successes": show.count(of.successes)}
    for kind, shares in (("Prompt", of.prompt), ("Output", of.output)):
        for name, share in shares.items():
            words = {"none": "nobody", "payload": "the payload file"}.get(name, f"the {name}")
            row[f"{kind}: by {words}"] = show.percent(share)
    return row


def shown_comparison(comparisons: list[Comparison], several_runs: bool) -> pd.DataFrame:
    """Each target's tokenizer against its service."""
    words = {"equal": "within 5 %", "differ": "not the model's tokenizer"}
    rows = (
        {
            "Run": c.run,
            "Target": c.target,
            "Tokenizer": c.tokenizer,
            "Counts": c.counts,
            "Records with both": show.count(c.records),
            "Constant, tokens": show.number(c.constant_tokens),
            "Difference after it, median": show.percent(c.residual_p50),
            "p95": show.percent(c.residual_p95),
            "Service tokens per tokenizer token": show.number(c.slope),
            "Finding": words.get(c.state, c.state),
        }
        for c in comparisons
    )
    return frame_of_rows(rows, several_runs)


def shown_even_lines(lines: list[EvenLine], several_runs: bool) -> pd.DataFrame:
    """Break-even by each price that is known; empty where none is beside those that were billed."""
    return frame_of_rows(texts(lines), several_runs)


def shown_prices(prices: list[PriceRow], several_runs: bool) -> pd.DataFrame:
    """What each target is priced by; rules and cautions only where there are some."""
    rows = pd.DataFrame(
        {
            "Run": p.run,
            "Target": p.target,
            "Price": p.price,
            "By": p.name,
            "Entry": show.text(p.entry),
            "Region": show.text(p.region),
            "As of": show.text(p.as_of),
            "Source": show.text(p.source),
            "Rules": p.rules,
            "Mind": p.cautions,
        }
        for p in prices
    )
    empty = [c for c in ("Rules", "Mind") if c in rows and not rows[c].any()]
    return rows.drop(columns=empty + ([] if several_runs or rows.empty else ["Run"]))


HEADS = dict(zip(FIGURES, ("Transactions/s", "Latency p50", "Latency p95", "Price per transaction"), strict=True))


def shown_repeats(levels: list[RepeatedLevel], several_runs: bool) -> pd.DataFrame:
    """Each level's repetitions, then mean, standard deviation and range."""
    return frame_of_rows((row for level in levels for row in _repeats(level)), several_runs)


def _repeats(level: RepeatedLevel) -> typing.Iterator[Row]:
    first = level.repetitions[0].figures
    lead = {
        "Run": first.run,
        "Target": first.identity.target,
        "Dataset": first.identity.payload,
        "Level": level_text(first),
    }
    for number, r in enumerate(level.repetitions, 1):
        cells = {head: _words(c)(c.of(r.figures)) for c, head in HEADS.items()}
        outcome = {"Limits": show.text(r.figures.limits.slo), "Verdict": show.text(r.figures.trust.verdict)}
        yield lead | {"Repetition": f"{number} (stage {r.key.stage})"} | cells | outcome
    for words in ("mean", "sd", "min to max") if level.apart else ():
        cells = {head: _apart(level.apart.get(c), words, _words(c)) for c, head in HEADS.items()}
        yield lead | {"Repetition": words} | cells | {"Limits": "", "Verdict": ""}


def _words(column: Column) -> typing.Callable[[float | None], str]:
    return column.words


def _apart(found: Apart | None, words: str, form: typing.Callable[[float | None], str]) -> str:
    if found is None:
        return show.UNKNOWN
    if words == "min to max":
        return f"{form(found.min)} to {form(found.max)}"
    return form(found.mean if words == "mean" else found.sd)


#: shown of a finding's evidence, beside the outcome of each visit
EVIDENCE = headed(
    lambda f: {
        "Level": level_text, "Stage": f.identity.stage, "Requests": f.outcome.requests, "Error rate": f.outcome.error_rate,
        "Latency p50": f.latency.p50, "p90": f.latency.p90, "p95": f.latency.p95, "p99": f.latency.p99, "p99.9": f.latency.p99_9,
        "TTFT p95": f.ttft.p95,
        "Transactions/s": f.throughput.throughput_per_s, "Verdict": f.trust.verdict,
    }
)  # fmt: skip


def shown_evidence(found: Found) -> pd.DataFrame:
    """A row a stage, by level."""
    table = text_table([e.result for e in found.evidence], EVIDENCE)
    table.insert(1, "Outcome", [show.text(e.outcome) for e in found.evidence])
    return table


def shown_front(report: Report) -> pd.DataFrame:
    """The Pareto front and what is recommended; the options that are beaten are in tables/pareto.csv."""
    whole = report.tables.get("pareto", pd.DataFrame())
    return whole[whole["Number"].notna() | (whole["Recommended"] != "")] if len(whole) else whole
