"""What steps of a Locust run cost."""

from dataclasses import dataclass, field

from analysis.locust_csv.prices import Price
from analysis.locust_csv.steps import Step
from analysis.locust_csv.token_means import Tokens

#: columns of cost.csv that stand in the step itself, and those of its cost
STEP_COLUMNS = (
    "run", "step", "users", "type", "name", "seconds", "successes", "failures", "error_rate", "successes_per_s",
    "failures_per_s", "latency_mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "p99_9_s", "start_at", "end_at", "basis", "not_comparable",
)  # fmt: skip
COST_COLUMNS = (
    "known_to", "price", "prompt_tokens_mean", "completion_tokens_mean", "cost_per_transaction", "priced_by", "cost_per_10k_transactions",
    "cost_per_1m_output_tokens", "minutes_per_1m_output_tokens", "ms_per_output_token",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CostRow:
    """A step at its price, in USD. What is not known (no success, no token mean) is None."""

    step: Step
    priced: Price
    tokens: Tokens = field(default_factory=Tokens)

    @property
    def price(self) -> str:
        return self.priced.short

    @property
    def priced_by(self) -> str:
        return "hour" if self.priced.hourly else "token"

    @property
    def prompt_tokens_mean(self) -> float | None:
        return self.tokens.prompt

    @property
    def completion_tokens_mean(self) -> float | None:
        return self.tokens.completion

    @property
    def cost_per_transaction(self) -> float | None:
        """Hourly price / successes per hour, or mean prompt tokens / 1000 x input price + mean output tokens / 1000 x output price."""
        rate = self.step.successes_per_s
        if self.priced.usd_per_hour is not None:
            return self.priced.usd_per_hour / (rate * 3600) if rate else None
        prompt, completion = self.tokens.prompt, self.tokens.completion
        if not self.step.successes or prompt is None or completion is None:
            return None
        return prompt / 1000 * (self.priced.input_usd_per_1k or 0) + completion / 1000 * (
            self.priced.output_usd_per_1k or 0
        )

    @property
    def cost_per_10k_transactions(self) -> float | None:
        cost = self.cost_per_transaction
        return None if cost is None else cost * 10_000

    @property
    def cost_per_1m_output_tokens(self) -> float | None:
        cost = self.cost_per_transaction
        return cost / self.tokens.completion * 1e6 if cost is not None and self.tokens.completion else None

    @property
    def minutes_per_1m_output_tokens(self) -> float | None:
        """1e6 / (successes/s x mean output tokens) / 60."""
        rate = self.step.successes_per_s
        return 1e6 / (rate * self.tokens.completion) / 60 if rate and self.tokens.completion else None

    @property
    def ms_per_output_token(self) -> float | None:
        """Mean latency / mean output tokens: of a whole call, its first token and its failures included."""
        latency = self.step.latency_mean_s
        return latency * 1000 / self.tokens.completion if latency is not None and self.tokens.completion else None

    @property
    def known_to(self) -> float | None:
        """How far the rate, and by the hour the cost, may be off, relative; None where nothing succeeded."""
        return round(self.step.rate_error, 2) if self.step.successes_per_s else None

    def interval(self) -> tuple[float, float]:
        """The cost per transaction, by the hour as well as the rate is known; by the token it does not depend on the rate."""
        cost = self.cost_per_transaction
        if cost is None:
            raise ValueError("no cost is known")
        if not self.priced.hourly:
            return cost, cost
        wide = self.step.rate_error
        return cost / (1 + wide), cost / (1 - wide) if wide < 1 else float("inf")

    def value(self, column: str) -> object:
        """A cell of cost.csv."""
        return getattr(self.step if column in STEP_COLUMNS else self, column)
