"""Locust's CSV files for tests: real ones of tests/data, ones written by hand, and the command that costs them."""

import csv
from pathlib import Path

import pandas as pd

from analysis.__main__ import main
from analysis.locust_csv.cost_table import COST_COLUMNS, STEP_COLUMNS, CostRow
from analysis.locust_csv.counts import Key
from analysis.locust_csv.kinds import Wanted
from analysis.locust_csv.prices import Price
from analysis.locust_csv.run import read_run
from analysis.locust_csv.steps import Step
from analysis.locust_csv.token_means import Tokens

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "tests/data/locust_csv"  # real Locust runs; make.py beside them made them


HISTORY_COLUMNS = ["Timestamp", "User Count", "Type", "Name", "50%", "95%", "99%", "Total Request Count"]
HISTORY_COLUMNS += ["Total Failure Count", "Total Median Response Time", "Total Average Response Time"]


def write_history(folder, rows, name="run", names=()):
    """rows: (second, users, requests, failures, mean ms); `names` adds the same counts under those request names.

    The median of all is far from the recent one, so that percentiles are those of the last seconds.
    """
    with open(folder / f"{name}_stats_history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for second, users, requests, failures, mean_ms in rows:
            for kind, label in [*(("GET", label) for label in names), ("", "Aggregated")]:
                counts = [requests, failures, 90, float(mean_ms)]
                cells = [1_700_000_000 + second, users, kind, label, 310, 680, 990, *counts]
                writer.writerow(dict(zip(HISTORY_COLUMNS, cells, strict=True)))
    return folder / name


def read_steps(prefix, **wanted):
    """The steps as a table, and the notes."""
    run = read_run(str(prefix), wanted=Wanted(**wanted))
    return pd.DataFrame([{column: getattr(step, column) for column in STEP_COLUMNS} for step in run.steps]), run.notes


def one_step(**figures):
    """100 successes in 60 s; `successes_per_s` sets the seconds to fit, `error_rate` the failures."""
    rate, errors = figures.pop("successes_per_s", None), figures.pop("error_rate", 0)
    row = {"run": "a", "step": 1, "users": 5, "key": Key("", "Aggregated"), "seconds": 60.0, "successes": 10_000}
    row |= {"failures": 0, "latency_mean_s": 1.0, **figures}
    if rate:
        row["seconds"] = row["successes"] / rate
    if errors:
        row["failures"] = round(row["successes"] * errors / (1 - errors))
    return Step(**row)


def cost_rows(steps, prompt=None, completion=None, **price):
    return [CostRow(step, Price("", "", **price), Tokens(prompt, completion)) for step in steps]


def cost_cells(step, **options):
    """A row of cost.csv, by column."""
    row = cost_rows([step], **options)[0]
    return {column: row.value(column) for column in STEP_COLUMNS + COST_COLUMNS}


def run_cost(*options):
    return main(["cost", *map(str, options)])
