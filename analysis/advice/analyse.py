"""`analyse` run folders into a Report."""

import datetime
import pathlib
import typing

from analysis.advice.break_even import break_evens
from analysis.advice.comparability import comparability_warnings, mixed_loads, of_like_work
from analysis.advice.cut_short import cut_short_runs
from analysis.advice.data_notes import notes_of, open_sentence, retry_sentence
from analysis.advice.dataset import Asked, dataset_of_interest
from analysis.advice.even_lines import even_lines
from analysis.advice.knee import knees
from analysis.advice.mixes import told_why
from analysis.advice.model_table import model_table
from analysis.advice.not_compared import NotCompared, in_headline, not_compared
from analysis.advice.pareto import deciding_latency, pareto, pareto_table, quality_text
from analysis.advice.recommend import recommend
from analysis.advice.repeats import repeated_levels
from analysis.advice.report_model import Report
from analysis.advice.search_findings import findings_of
from analysis.advice.study_tables import information, study_tables
from analysis.advice.target_sentences import sentences
from analysis.advice.unlike_runs import apart, other_limits
from analysis.calibration.error_bar import instrument_error, instrument_notes
from analysis.cost.endpoint_cost import endpoint_costs
from analysis.cost.price_rows import price_cautions, price_rows
from analysis.cost.pricing import Prices
from analysis.cost.run_cost import run_cost
from analysis.metrics.ramp_slices import ramps_of
from analysis.metrics.token_counts import comparisons, token_sources
from analysis.metrics.worker_load import workers_in_stages
from analysis.runs.run_reader import Run, load_runs
from analysis.runs.service_file import read_service_file
from analysis.verdicts.measured import Measured, measured
from analysis.verdicts.mixes import mixes_of
from analysis.verdicts.stage_results import Result
from locustfiles.contract.prices.price import HourlyPrice
from locustfiles.contract.run_folder import NotARun
from locustfiles.contract.scenario.asked_effort import asked_effort
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.version import build


def analyse(
    run_paths: typing.Sequence[str | pathlib.Path],
    pricing: str | pathlib.Path | None = None,
    calibration: str | pathlib.Path | None = None,
    asked: Asked | None = None,
) -> Report:
    """Read run folders and work out everything that a report says.

    pricing: a price book to use in place of the prices in the runs' manifests.
    calibration: a calibration.json to take the instrument's error from, in place of the runs' own.
    asked: the data set of interest and the limits, in place of those in the runs' manifests.
    Raises NotARun for a folder without a readable run, BadPriceBook or BadScenario for `pricing`, BadInput for `calibration` and
    `asked`.
    """
    runs = load_runs(run_paths)
    asked = asked or Asked()
    for run in runs:
        run.limits = asked.limits
    found = measured(runs, pricing)
    if not found.results:
        why = "".join(f" ({one.text.rstrip('.')})" for one in not_compared(runs)[:1])
        raise NotARun(f"{runs[0].path}: no stage in its manifest, nothing was measured{why}; give another run")
    instrument = {run.name: instrument_error(run, calibration) for run in runs}
    interest = dataset_of_interest(runs, found.results, asked.dataset)
    return _report(found, instrument, interest)


def _report(found: Measured, instrument: dict[str, str], interest: tuple[str, list[str]]) -> Report:
    """instrument: by run. interest: the data set of interest, and notes on how it was found."""
    runs, prices, results, candidates = list(found.runs.values()), found.prices, found.results, found.candidates
    dataset, notes = interest
    without, hourly, compared = not_compared(runs), _hourly(prices), comparisons(runs)
    rivals = [c for c in candidates if c.figures.alone_at_a_level]
    alike = of_like_work(rivals, found.runs)
    rows, pairs = price_rows(runs, prices), break_evens(alike, dataset, hourly)
    notes += instrument_notes(instrument) + price_cautions(rows) + notes_of(runs, results, compared, prices)
    return Report(
        runs={run.name: run.manifest for run in runs},
        results=results,
        candidates=rivals,
        records={run.name: run.records for run in runs},
        dataset=dataset,
        slo={run.name: _shared_limits(run) for run in runs},
        **_choices(runs, alike, dataset, hourly, _warnings(runs, prices, results, dataset), without),
        sentences=sentences(rivals),
        run_cost=[cost for run in runs for cost in run_cost(run, prices[run.name].of_target)],
        knees=knees(rivals),
        break_even=pairs,
        even_lines=even_lines(pairs, runs, prices),
        notes=notes,
        pricing={name: p.book for name, p in prices.items()},
        prices=rows,
        made_at=datetime.datetime.now(datetime.UTC),
        made_by=build(),
        instrument=instrument,
        token_sources=token_sources(runs),
        token_comparison=compared,
        findings=findings_of(runs, results),
        repeats=repeated_levels(results),
        not_compared=[one.text for one in without],
        silent=without,
        mixes=mixes_of(results, prices),
        ramps=ramps_of(runs),
        endpoints=endpoint_costs(runs),
        **_of_the_runs(runs),
    )


def _of_the_runs(runs: list[Run]) -> dict[str, typing.Any]:
    """What is known of runs as such, and said at the report's top or in sections of their own."""
    return {
        "workers": workers_in_stages({run.name: run.manifest for run in runs}),
        "retries": {run.name: s for run in runs if (s := retry_sentence(run.name, run.scenario))},
        "open_loop": [s for run in runs if (s := open_sentence(run))],
        "cut": [c.text for c in cut_short_runs(runs)],
        "service": {run.name: f for run in runs if (f := read_service_file(run.path, run.manifest))},
    }


def _warnings(runs: list[Run], prices: dict[str, Prices], results: list[Result], dataset: str) -> list[str]:
    """Why a comparison on the dataset needs care."""
    here = [r for r in results if r.payload == dataset]
    found = [c.warning for c in cut_short_runs(runs)] + mixed_loads(here)
    return found + apart(here) + other_limits(runs) + comparability_warnings(runs, dataset, prices)


def _shared_limits(run: Run) -> dict[str, typing.Any]:
    """The limits that all of the run's targets have to keep; a search may have limits of its own, a class of a file too."""
    if run.limits is not None:
        return run.limits.slo.model_dump(exclude_none=True)
    first, *others = [run.scenario.slo_of(t).model_dump(exclude_none=True) for t in run.scenario.targets]
    return {name: limit for name, limit in first.items() if all(other.get(name) == limit for other in others)}


def _choices(
    runs: list[Run],
    candidates: list[Result],
    dataset: str,
    hourly: dict[tuple[str, str], float],
    warnings: list[str],
    without: list[NotCompared],
) -> dict[str, typing.Any]:
    """What is chosen among the candidates: the recommendation, the front, and the tables of both."""
    labels = {(run.name, t.name): _labels(t) for run in runs for t in run.scenario.targets}
    best = recommend(candidates, dataset, warnings, in_headline(without), lambda r: quality_text(labels[r.seat]))
    told_why(best, candidates, runs)
    front = pareto(candidates, dataset, labels, deciding_latency(candidates, dataset))
    tables = study_tables(candidates, dataset, labels, hourly)
    tables |= {"pareto": pareto_table(front, best.pick), "recommended_per_model": model_table(best, candidates)}
    picked = next((c for c in candidates if c.key == best.pick), None)
    tables |= {"recommended_stage": information(picked)} if picked else {}
    return {"recommendation": best, "pareto": front, "tables": tables}


def _labels(target: Target) -> dict[str, typing.Any]:
    """Its free columns, and the effort that it asks for, by which two of one model are told apart."""
    effort = asked_effort(target.parameters)
    return ({"effort": effort} if effort else {}) | target.labels


def _hourly(prices: dict[str, Prices]) -> dict[tuple[str, str], float]:
    """(run, target) -> USD per hour in all, of the hourly priced ones."""
    return {
        (run, target): round(price.usd_per_hour_in_all, 12)  # 3 x 37.688 is 113.06400000000001 in binary
        for run, found in prices.items()
        for target, price in found.of_target.items()
        if isinstance(price, HourlyPrice)
    }
