"""`analyse` run folders into a Report, and write all its files."""

import datetime
import pathlib
import typing

import pandas as pd

from analysis.break_even import break_evens
from analysis.calls import retry_sentence
from analysis.cost import run_cost
from analysis.cut import cuts_of
from analysis.findings import findings_of
from analysis.instrument import instrument_error, instrument_notes
from analysis.knee import knees
from analysis.likeness import likeness
from analysis.load import Run, load_runs
from analysis.notes import notes_of
from analysis.open_loop import mixed_loads, open_sentence
from analysis.pool import candidates_of
from analysis.pricing import Prices, prices_of_run
from analysis.recommend import recommend
from analysis.repeats import repeats_table, spread_table
from analysis.report_data import Recommendation, Report
from analysis.results import Result, criteria_table, failed_table, intervals_table, results_of, steps_table
from analysis.sentences import sentences
from analysis.study import information, study_tables
from analysis.tokens import comparison_table, comparisons, token_sources
from analysis.workers import workers_table
from locustfiles.common.price_book import HourlyPrice
from locustfiles.common.run_folder import NotARun

RUN_COST_COLUMNS = [
    "run",
    "target",
    "instance_type",
    "price_basis",
    "duration_s",
    "usd_per_hour",
    "instance_count",
    "prompt_tokens",
    "completion_tokens",
    "usd_per_1k_input",
    "usd_per_1k_output",
    "usd",
    "usd_low",
    "usd_high",
    "reason",
]


def analyse(
    run_paths: typing.Sequence[str | pathlib.Path],
    pricing: str | pathlib.Path | None = None,
    calibration: str | pathlib.Path | None = None,
) -> Report:
    """Read run folders and work out everything that a report says.

    pricing: a price book to use in place of the prices in the runs' manifests.
    calibration: a calibration.json to take the instrument's error from, in place of the runs' own.
    Raises NotARun for a folder without a readable run, BadPriceBook or BadScenario for `pricing`, BadInput for `calibration`.
    """
    runs = load_runs(run_paths)
    prices = {run.name: prices_of_run(run, pricing) for run in runs}
    of_run = {run.name: results_of(run, prices[run.name].of_target) for run in runs}
    results = [r for run in runs for r in of_run[run.name]]
    if not results:
        raise NotARun(f"{runs[0].path} has no stages in its manifest: nothing was measured")
    candidates = [c for run in runs for c in candidates_of(run, prices[run.name].of_target, of_run[run.name])]
    instrument = {run.name: instrument_error(run, calibration) for run in runs}
    records = pd.concat([run.records.assign(run=run.name) for run in runs], ignore_index=True)
    dataset, dataset_note = dataset_of_interest(runs, results)
    hourly = _hourly(prices)
    costs = [row for run in runs for row in run_cost(run, prices[run.name].of_target)]
    run_costs = pd.DataFrame(costs, columns=RUN_COST_COLUMNS)
    cuts, compared, manifests = cuts_of(runs), comparisons(runs), {run.name: run.manifest for run in runs}
    of_stages = records if not any(m.abandoned for m in manifests.values()) else pd.concat([run.of_stages for run in runs])
    of_interest = [r for r in results if r.row["payload"] == dataset]
    warnings = [c.warning for c in cuts] + mixed_loads([r.row for r in of_interest]) + likeness(of_stages, dataset)
    recommendation = recommend(candidates, dataset, warnings)
    repeats = repeats_table(results)
    return Report(
        runs=manifests,
        steps=steps_table(results),
        records=records,
        dataset=dataset,
        slo={run.name: run.scenario.slo.model_dump(exclude_none=True) for run in runs},
        recommendation=recommendation,
        sentences=sentences(candidates),
        criteria=criteria_table(results),
        failed=failed_table(of_interest),
        run_cost=run_costs,
        total_cost=None if run_costs["usd"].isna().any() else float(run_costs["usd"].sum()),
        knees=knees(candidates),
        tables=_tables(runs, candidates, recommendation, hourly),
        break_even=break_evens(candidates, dataset, hourly),
        notes=dataset_note + instrument_notes(instrument) + notes_of(runs, results, compared),
        instrument=instrument,
        pricing={name: p.book for name, p in prices.items()},
        intervals=intervals_table(results),
        token_sources=token_sources(runs),
        token_comparison=comparison_table(compared),
        workers=workers_table(manifests),
        retries={run.name: s for run in runs if (s := retry_sentence(run.name, run.scenario))},
        cut=[c.text for c in cuts],
        findings=findings_of(runs, results),
        candidates=steps_table(candidates) if len(candidates) < len(results) else pd.DataFrame(),
        repeats=repeats,
        repeat_spread=spread_table(repeats),
        open_loop=[s for run in runs if (s := open_sentence(run))],
        made_at=datetime.datetime.now(datetime.UTC),
    )


def _tables(
    runs: list[Run], candidates: list[Result], best: Recommendation, hourly: dict[tuple[str, str], float]
) -> dict[str, pd.DataFrame]:
    labels = {(run.name, t.name): t.labels for run in runs for t in run.scenario.targets}
    tables = study_tables(candidates, best.dataset, labels, hourly)
    picked = next((c for c in candidates if c.key == best.pick), None)
    return tables | ({"recommended_stage": information(picked)} if picked else {})


def dataset_of_interest(runs: list[Run], results: list[Result]) -> tuple[str, list[str]]:
    """(payload stem, notes): the SLO's `dataset`, else the last payload that was measured."""
    measured = list(dict.fromkeys(r.row["payload"] for r in results))
    for run in runs:
        named = run.scenario.slo.dataset
        if named and named.removesuffix(".jsonl") in measured:
            return named.removesuffix(".jsonl"), []
        if named:
            return measured[-1], [
                f"The dataset of interest `{named}` was not measured; `{measured[-1]}` takes its place."
            ]
    stems = [pathlib.PurePath(p).stem for run in runs for p in run.scenario.payloads]
    last = next((s for s in reversed(stems) if s in measured), measured[-1])
    return last, []


def _hourly(prices: dict[str, Prices]) -> dict[tuple[str, str], float]:
    """(run, target) -> USD per hour in all, of the hourly priced ones."""
    return {
        (run, target): round(price.usd_per_hour_in_all, 12)  # 3 x 37.688 is 113.06400000000001 in binary
        for run, found in prices.items()
        for target, price in found.of_target.items()
        if isinstance(price, HourlyPrice)
    }
