"""95 % intervals of the figures that recommendations compare, so that a tie is called a tie.

Rates: means of twenty equal batches of the window that may be alike (`rate_half_width`), in the closed loop at least by the
spread of the requests themselves; where requests are longer than a quarter of the window it is too narrow, and `batches_of` says
so. The mean latency: what `until: {relative_ci: …}` looks at, from the send, with `retry:` also from a call's first send and, in
the open loop, from when it was due. Token costs: the spread of the calls' bills, from five successes on. The latency per token:
order statistics. Of the others nothing is said under 20 successes.
"""

import dataclasses
import itertools

import numpy as np

from analysis.cost.bill import Bill, interval_of, usd_by_tokens
from analysis.metrics.percentiles import percentile
from analysis.runs.rows import Rows
from analysis.runs.stage import Stage
from analysis.runs.window_share import share
from analysis.words.columns import Column, column
from analysis.words.stage_figures import StageFigures
from analysis.words.value_text import Interval
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.statistics.batch_means import BATCHES, MIN_VALUES, mean_half_width, rate_half_width
from locustfiles.contract.statistics.student_t import interval_of_mean, t_975

TOO_NARROW = "too narrow"
MIN_WIDTHS = 4  # a window of fewer p95 of latency tells too little of its rates

#: the columns that have an interval beside them
THROUGHPUT = column(lambda f: f.throughput.throughput_per_s)
OUTPUT_TOKENS = column(lambda f: f.tokens.completion_tokens_per_s)
LATENCY = column(lambda f: f.latency.mean)
CALL_LATENCY = column(lambda f: f.calls.call_latency.mean)
INTENDED_LATENCY = column(lambda f: f.open_loop.intended_latency.mean)
LATENCY_PER_TOKEN = column(lambda f: f.latency_per_output_token_p50_ms)
USD = column(lambda f: f.cost.usd_per_transaction)
USD_PER_1M_OUTPUT = column(lambda f: f.cost.usd_per_1m_output_tokens)

Intervals = dict[Column, Interval]


def intervals_of(stage: Stage, billed: Bill | None, tokens_per_s: float | None) -> Intervals:
    """The intervals of a stage's figures, of those that are known.

    billed: the bill of the calls that began in the window, where the target is priced by tokens. tokens_per_s: the stage's
    completion_tokens_per_s.
    """
    if stage.window is None:
        return {}
    if len(stage.good) < MIN_VALUES:
        return cost_intervals(stage, billed, {})
    found = _rates(stage, tokens_per_s)
    found |= _mean_latency(stage.good, LATENCY)
    if stage.calls is not None:
        found |= _mean_latency(stage.calls.good, CALL_LATENCY)
    if stage.open_loop:
        found |= _mean_latency(stage.perceived, INTENDED_LATENCY)
    found |= _latency_per_token(stage)
    return found | cost_intervals(stage, billed, found)


def cost_intervals(stage: Stage, billed: Bill | None, rates: Intervals) -> Intervals:
    """Of the costs: by tokens from the bill, by the hour from the intervals of the rates."""
    if isinstance(stage.price, HourlyPrice):
        per_s = stage.price.usd_per_hour_in_all / 3600
        tokens = _inverse(rates, OUTPUT_TOKENS, USD_PER_1M_OUTPUT, per_s * 1e6)
        return _inverse(rates, THROUGHPUT, USD, per_s) | tokens
    if billed is None or not isinstance(stage.price, TokenPrice):
        return {}
    return _token_costs(stage, stage.price, billed)


def with_intervals(figures: StageFigures, found: Intervals, batches: str) -> StageFigures:
    """The figures with those intervals that have columns of their own."""
    rate_low, rate_high = found.get(THROUGHPUT, (None, None))
    usd_low, usd_high = found.get(USD, (None, None))
    return dataclasses.replace(
        figures,
        throughput=dataclasses.replace(
            figures.throughput, batches=batches, throughput_low=rate_low, throughput_high=rate_high
        ),
        cost=dataclasses.replace(
            figures.cost, usd_per_transaction_ci_low=usd_low, usd_per_transaction_ci_high=usd_high
        ),
    )


def batches_of(stage: Stage) -> str:
    """TOO_NARROW where requests are so long beside the window that the interval of a rate claims too much."""
    if stage.window is None or len(stage.good) < MIN_VALUES:
        return ""
    a, b = stage.known_window
    return TOO_NARROW if MIN_WIDTHS * stage.good["latency_ms"].quantile(0.95) / 1000 > b - a else ""


def _rates(stage: Stage, tokens_per_s: float | None) -> Intervals:
    """Of throughput and of output tokens a second.

    Tokens are credited over the whole request here, so that answers of one length are known as exactly as requests are:
    between first and last token they bunch. The interval is extended to the figure itself, which counts them so.
    """
    successes = stage.records[stage.records["error"].isna()]
    sent, ended, tokens = (successes[name].to_numpy() for name in ("sent", "ended", "completion_tokens"))
    edges = np.linspace(*stage.known_window, BATCHES + 1)
    counts, rates = np.column_stack((np.ones(len(sent)), tokens)), []
    for a, b in itertools.pairwise(edges):
        near = (sent < b) & (ended >= a)
        rates.append(share(sent[near], ended[near], a, b) @ counts[near] / (b - a))
    requests, written = np.transpose(rates)
    found = {THROUGHPUT: interval_of_rate(requests, stage.good, np.ones(len(stage.good)), stage.open_loop)}
    if tokens_per_s and not np.isnan(tokens).any():
        lengths = stage.good["completion_tokens"].to_numpy()
        low, high = interval_of_rate(written, stage.good, lengths, stage.open_loop)
        found[OUTPUT_TOKENS] = min(low, tokens_per_s), max(high, tokens_per_s)
    return found


def interval_of_rate(rates: np.ndarray, successes: Rows, counts: np.ndarray, open_loop: bool) -> Interval:
    """By the batches' rates of counts; counts: what each success adds.

    In the closed loop a user's requests are a renewal process: over n of them a rate of counts w by lengths l is known to
    sd(w / mean w - l / mean l) / sqrt(n) of it (Ross, Stochastic Processes, 3.6) if they are independent, and no better.
    """
    mean, half = float(rates.mean()), rate_half_width(rates.tolist())
    latency, n = successes["latency_ms"].to_numpy(), len(counts)
    if not open_loop and counts.any() and latency.any():
        apart = float(np.std(counts / counts.mean() - latency / latency.mean(), ddof=1))
        half = max(half, mean * t_975(n - 1) * apart / n**0.5)
    return max(0.0, mean - half), mean + half


def _inverse(found: Intervals, rate: Column, cost: Column, usd: float) -> Intervals:
    """The interval of usd / rate; none where the rate's reaches 0."""
    low, high = found.get(rate, (0.0, 0.0))
    return {cost: (usd / high, usd / low)} if low > 0 else {}


def _mean_latency(successes: Rows, of: Column) -> Intervals:
    """Of the latencies in the order in which they ended, as they came to the rule that ends a stage."""
    seconds = successes["latency_ms"].to_numpy()[np.argsort(successes["ended"].to_numpy(), kind="stable")] / 1000
    half = mean_half_width(seconds)
    return {} if half is None else {of: (max(0.0, float(seconds.mean() - half)), float(seconds.mean() + half))}


def _latency_per_token(stage: Stage) -> Intervals:
    tokens = stage.good["completion_tokens"]
    values = np.sort((stage.good["latency_ms"] / tokens.where(tokens > 0)).dropna().to_numpy())
    if len(values) < MIN_VALUES:
        return {}
    p50 = percentile(values, 0.5)
    if p50.low is None or p50.high is None:  # never so of so many values
        return {}
    return {LATENCY_PER_TOKEN: (p50.low, p50.high)}


def _token_costs(stage: Stage, price: TokenPrice, billed: Bill) -> Intervals:
    """Bounds of the bill, widened by the sampling error of the successes' part."""
    n = len(stage.good)
    per_transaction = interval_of(billed, n)
    if per_transaction is None or billed.low is None or billed.high is None:
        return {}
    found = {USD: per_transaction}
    usd, tokens = usd_by_tokens(stage.good, price), stage.good["completion_tokens"].to_numpy()
    usd, tokens = usd[~np.isnan(usd)], tokens[~np.isnan(usd)]
    if tokens.sum() > 0:
        # standard error of a ratio of sums (Cochran, Sampling Techniques, 6.3)
        ratio, known = usd.sum() / tokens.sum(), len(tokens)
        error = np.sqrt(((usd - ratio * tokens) ** 2).sum() * known / (known - 1)) / tokens.sum()
        low, high = interval_of_mean(ratio, error, known)
        mean = tokens.mean()
        found[USD_PER_1M_OUTPUT] = (
            (billed.low / n / mean - (ratio - low)) * 1e6,
            (billed.high / n / mean + (high - ratio)) * 1e6,
        )
    return found
