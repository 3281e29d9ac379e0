"""A Result of plain figures: what statistics of two stages take, without records."""

from analysis.verdicts.intervals import OUTPUT_TOKENS, THROUGHPUT, USD
from analysis.verdicts.stage_results import Result
from analysis.words.cost_figures import Cost
from analysis.words.spread import Spread
from analysis.words.stage_figures import Identity, Outcome, StageFigures, Throughput
from analysis.words.token_figures import Tokens


def made_result(
    *,
    users: int = 1,
    throughput: tuple[float, float, float] | None = None,
    tokens: tuple[float, float, float] | None = None,
    usd: tuple[float, float, float] | float | None = None,
    latency: Spread | None = None,
    requests: int = 100,
    failures: int = 0,
    run: str = "made",
    **groups,
) -> Result:
    """throughput, tokens, usd: (figure, low, high); a cost may be without its interval. groups: of StageFigures, as they are."""
    price, ends = (usd[0], usd[1:]) if isinstance(usd, tuple) else (usd, None)
    figures = StageFigures(
        identity=Identity(
            stage=users, target="p4d", model="m", service="sagemaker", payload="en", users=users, stream=True
        ),
        outcome=Outcome(
            requests=requests,
            successes=requests - failures,
            failures=failures,
            cancelled=0,
            error_rate=failures / requests if requests else None,
        ),
        latency=latency or Spread(n=0),
        tokens=Tokens(completion_tokens_per_s=tokens and tokens[0]),
        throughput=Throughput(
            throughput_per_s=throughput and throughput[0],
            throughput_low=throughput and throughput[1],
            throughput_high=throughput and throughput[2],
            transactions_per_minute=throughput and 60 * throughput[0],
        ),
        cost=Cost(
            usd_per_transaction=price,
            usd_per_transaction_ci_low=ends and ends[0],
            usd_per_transaction_ci_high=ends and ends[1],
            usd_per_10k_transactions=None if price is None else 10_000 * price,
            price_basis="hourly",
        ),
        run=run,
        **groups,
    )
    given = {THROUGHPUT: throughput and throughput[1:], OUTPUT_TOKENS: tokens and tokens[1:], USD: ends}
    return Result(figures, [], {c: i for c, i in given.items() if i}, None, "`p4d`")
