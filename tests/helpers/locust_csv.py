"""Locust's CSV files for tests: real ones of tests/data, ones written by hand, and the command that costs them."""

import csv
from pathlib import Path

from analysis.__main__ import main
from analysis.locust_csv.reader import HISTORY_COLUMNS, read_run

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "tests/data/locust_csv"  # real Locust runs; make.py beside them made them


def write_history(folder, rows, name="run", names=()):
    """rows: (second, users, requests, failures, mean ms); `names` adds the same counts under those request names."""
    with open(folder / f"{name}_stats_history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for second, users, requests, failures, mean_ms in rows:
            for kind, label in [*(("GET", label) for label in names), ("", "Aggregated")]:
                cells = [1_700_000_000 + second, users, kind, label, 310, 680, 990, requests, failures, mean_ms]
                writer.writerow(dict(zip(HISTORY_COLUMNS, cells, strict=True)))
    return folder / name


def read_steps(prefix):
    run = read_run(prefix)
    return run.steps, run.notes


def one_step(**figures):
    row = {"run": "a", "step": 1, "users": 5, "type": "", "name": "Aggregated", "seconds": 60.0, "successes": 100}
    row |= {"failures": 0, "error_rate": 0.0, "successes_per_s": 1.0, "latency_mean_s": 1.0, **figures}
    return row


def run_cost(*options):
    return main(["cost", *map(str, options)])
