"""95 % intervals of the figures that recommendations compare, so that a tie is called a tie.

Rates: means of ten equal batches of the window, Student's t. They are taken as independent; requests longer
than a tenth of the window make the interval too narrow, and `interval_columns` says so. Token costs: the spread of the calls' bills.
The latency per token: order statistics. Under 20 successes nothing is said.
"""

import numpy as np

from analysis.bill import Bill, usd_by_tokens
from analysis.percentiles import percentile
from analysis.stage import Stage
from analysis.windows import share
from locustfiles.common.price_book import HourlyPrice

BATCHES = 10
T_9 = 2.262157  # Student's t, 9 degrees of freedom, 97.5 %
Z = 1.959964  # normal, 97.5 %
FEWEST = 20
TOO_NARROW = "too narrow"

Interval = tuple[float, float]


def intervals_of(stage: Stage, billed: Bill | None) -> dict[str, Interval]:
    """Column of the steps table -> its interval, of those that are known.

    billed: the bill of the calls that began in the window, where the target is priced by tokens.
    """
    if stage.window is None or len(stage.good) < FEWEST:
        return {}
    successes = stage.records[stage.records["error"].isna()]
    sent, ended = successes["sent"].to_numpy(), successes["ended"].to_numpy()
    tokens = successes["completion_tokens"].to_numpy()
    first = sent + successes["ttft_ms"].fillna(0).to_numpy() / 1000
    last = sent + successes["last_token_ms"].fillna(successes["latency_ms"]).to_numpy() / 1000
    found = {"throughput_per_s": _batch_means(sent, ended, np.ones(len(sent)), stage.window)}
    if not np.isnan(tokens).any():
        found["completion_tokens_per_s"] = _batch_means(first, last, tokens, stage.window)
    found |= _latency_per_token(stage)
    if isinstance(stage.price, HourlyPrice):
        per_s = stage.price.usd_per_hour_in_all / 3600
        found |= _inverse(found, "throughput_per_s", "usd_per_transaction", per_s)
        found |= _inverse(found, "completion_tokens_per_s", "usd_per_1m_output_tokens", per_s * 1e6)
    elif billed is not None and billed.high is not None and billed.standard_error is not None:
        found |= _token_costs(stage, billed)
    return found


def interval_columns(found: dict[str, Interval], batches: str) -> dict[str, float | str]:
    """The columns of the steps table that these intervals fill."""
    row: dict[str, float | str] = {"batches": batches}
    for column, name in (("throughput_per_s", "throughput"), ("usd_per_transaction", "usd_per_transaction_ci")):
        if column in found:
            row[f"{name}_low"], row[f"{name}_high"] = found[column]
    return row


def batches_of(stage: Stage) -> str:
    """TOO_NARROW where neighbouring batches share so many requests that the interval of a rate claims too much."""
    if stage.window is None or len(stage.good) < FEWEST:
        return ""
    a, b = stage.window
    return TOO_NARROW if stage.good["latency_ms"].quantile(0.95) / 1000 > (b - a) / BATCHES else ""


def _batch_means(start: np.ndarray, end: np.ndarray, weight: np.ndarray, window: Interval) -> Interval:
    """Interval of the credited weight a second."""
    edges = np.linspace(*window, BATCHES + 1)
    rates = [(share(start, end, a, b) * weight).sum() / (b - a) for a, b in zip(edges, edges[1:])]
    half = T_9 * np.std(rates, ddof=1) / np.sqrt(BATCHES)
    return float(np.mean(rates) - half), float(np.mean(rates) + half)


def _inverse(found: dict[str, Interval], rate: str, cost: str, usd: float) -> dict[str, Interval]:
    """The interval of usd / rate; none where the rate's reaches 0."""
    low, high = found.get(rate, (0.0, 0.0))
    return {cost: (usd / high, usd / low)} if low > 0 else {}


def _latency_per_token(stage: Stage) -> dict[str, Interval]:
    tokens = stage.good["completion_tokens"]
    values = np.sort((stage.good["latency_ms"] / tokens.where(tokens > 0)).dropna().to_numpy())
    if len(values) < FEWEST:
        return {}
    p50 = percentile(values, 0.5)
    return {"latency_per_output_token_p50_ms": (p50.low, p50.high)}


def _token_costs(stage: Stage, billed: Bill) -> dict[str, Interval]:
    """Bounds of the bill, widened by the sampling error of the successes' part."""
    n = len(stage.good)
    half = Z * billed.standard_error / n
    found = {"usd_per_transaction": (billed.low / n - half, billed.high / n + half)}
    usd, tokens = usd_by_tokens(stage.good, stage.price), stage.good["completion_tokens"].to_numpy()
    known = ~np.isnan(usd) & ~np.isnan(tokens)
    if known.any() and tokens[known].sum() > 0:
        # standard error of a ratio of sums (Cochran, Sampling Techniques, 6.3)
        ratio = usd[known].sum() / tokens[known].sum()
        error = np.sqrt(((usd[known] - ratio * tokens[known]) ** 2).sum()) / tokens[known].sum()
        scale = 1e6 / (tokens[known].mean() * n)
        found["usd_per_1m_output_tokens"] = (
            billed.low * scale - Z * error * 1e6,
            billed.high * scale + Z * error * 1e6,
        )
    return found
