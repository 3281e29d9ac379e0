"""What the client recorded of a stage in some periods: of the requests that ended in them, as CloudWatch counts."""

import numpy as np
import pandas as pd

from analysis.enrich.periods import Periods
from analysis.runs.run_reader import Run
from analysis.words.service_figures import ClientSide
from locustfiles.contract.error_classes import ErrorClass


def in_periods(run: Run, stage: int, periods: Periods) -> pd.DataFrame:
    """The stage's requests that ended in them, settling and hold included."""
    records = run.records
    mine = records[(records["stage"] == stage).to_numpy()]
    ended = mine["ended"].to_numpy(dtype=float) + run.epoch
    begins = ended // periods.length * periods.length
    return mine[np.isin(begins, np.array(periods.begins, dtype=float))]


def client_side(ended: pd.DataFrame) -> ClientSide:
    """Of in_periods."""
    good = ended[ended["error"].isna().to_numpy()]
    latency = good["latency_ms"].to_numpy(dtype=float)
    return ClientSide(
        client_requests=len(ended),
        client_successes=len(good),
        client_throttled=int((ended["error"] == ErrorClass.THROTTLED).sum()),
        client_latency_mean_ms=_mean(latency),
        client_latency_p50_ms=_quantile(latency, 0.5),
        client_latency_p99_ms=_quantile(latency, 0.99),
        client_ttft_mean_ms=_mean(good["ttft_ms"].dropna().to_numpy(dtype=float)),
        client_prompt_tokens=_total(good["prompt_tokens"]),
        client_completion_tokens=_total(good["completion_tokens"]),
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _quantile(values: np.ndarray, share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None


def _total(counts: pd.Series) -> int | None:
    """None where one is not counted."""
    return None if counts.isna().any() or not len(counts) else int(counts.sum())
