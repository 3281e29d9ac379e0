"""Ramps as tables: a row a slice of time."""

import pandas as pd

from analysis.metrics.ramp_slices import Ramp, Slice
from analysis.report.run_tables import frame_of_rows
from analysis.words import format as show


def shown_ramps(ramps: list[Ramp], several_runs: bool) -> pd.DataFrame:
    """Text cells."""
    return frame_of_rows((_shown(ramp, one) for ramp in ramps for one in ramp.slices), several_runs)


def slice_rows(ramps: list[Ramp]) -> pd.DataFrame:
    """Of numbers: tables/ramps.csv."""
    names = ["run", "stage", "target", "payload", "begin_per_s", "end_per_s", *Slice._fields]
    rows = [[*ramp[:6], *one] for ramp in ramps for one in ramp.slices]
    return pd.DataFrame(rows, columns=names).astype({name: "float64" for name in Slice._fields if name != "requests"})


def _shown(ramp: Ramp, one: Slice) -> dict[str, str]:
    return {
        "Run": ramp.run,
        "Ramp": f"{ramp.target} on {ramp.payload}, {ramp.begin:g} to {ramp.end:g}/s",
        "Second": f"{show.number(one.from_s)} to {show.number(one.until_s)}",
        "Planned, 1/s": show.number(one.planned_per_s),
        "Sent, 1/s": show.number(one.sent_per_s),
        "Requests": show.count(one.requests),
        "Error rate": show.percent(one.error_rate),
        "TTFT p50": show.seconds(one.ttft_p50_s),
        "TTFT p95": show.seconds(one.ttft_p95_s),
        "Latency p50": show.seconds(one.latency_p50_s),
        "Latency p95": show.seconds(one.latency_p95_s),
    }
