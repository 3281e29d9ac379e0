"""What an answer bills beside plain tokens, collected while it is read."""

import collections
import typing

from locustfiles.common.dialects.guardrail_usage import coverage_of, units_of
from locustfiles.common.dialects.one_line import one_line
from locustfiles.common.dialects.token_counts import whole_number
from locustfiles.common.transport.limits import MAX_TOKENS
from locustfiles.contract.keys import redact


class Billing:
    """Of one answer."""

    def __init__(self) -> None:
        self._assessed: collections.Counter[str] | None = None  # by guardrails: what each assessment took
        self.reason: object = None  # why a guardrail intervened, or that it did not
        self.tier: object = None  # what a body of OpenAI's routes says; a header goes before it
        self.invoked_model: str | None = None
        self.units: float | None = None
        self._five: tuple[int | None] | None = None  # tokens written to a cache for five minutes; None: not told

    def invoke(self, model_id: object) -> None:
        if isinstance(model_id, str) and model_id:
            self.invoked_model = one_line(model_id, 256)

    def assess(self, found: collections.Counter[str]) -> None:
        """A guardrail's assessments, of which several events may tell the same."""
        self._assessed = found if self._assessed is None else self._assessed | found

    def take(self, units: object) -> None:
        """A model's own units; what is no number leaves them as they are."""
        if type(units) in (int, float) and 0 <= units <= MAX_TOKENS:  # type: ignore[operator]
            self.units = float(units)  # type: ignore[arg-type]

    def for_five_minutes(self, tokens: object, told: bool) -> None:
        """Tokens written to a cache that are kept for the shorter time; what is no count is told and not known."""
        self._five = (whole_number(tokens),) if told else self._five

    def finish(self, parsed: typing.Any, unreadable: typing.Container[str]) -> str | None:
        """Put it into a ParsedAnswer; why its counts of what was written to a cache are not believed, if so: none are kept."""
        parsed.invoked_model, parsed.billed_units = self.invoked_model, self.units
        parsed.guardrail_units = units_of(self._assessed) if self._assessed else None
        parsed.guardrail_coverage = coverage_of(self._assessed) if self._assessed else None
        if isinstance(self.reason, str) and self.reason.strip():
            parsed.guardrail_reason = one_line(redact(self.reason), 200)
        if parsed.served_tier is None and isinstance(self.tier, str):
            parsed.served_tier = one_line(self.tier, 64)
        parsed.unclear_cache_time = "cache_write_1h_tokens" in unreadable
        hour, written = parsed.cache_write_1h_tokens or 0, parsed.cache_write_tokens or 0
        if hour <= written:
            self._split(parsed, written)
            return None
        parsed.prompt_tokens = parsed.cache_write_tokens = parsed.cache_write_1h_tokens = None
        what = f"{hour} tokens were written to a cache for an hour, of {written} in all"
        return f"{what}; check what counts at this address"

    def _split(self, parsed: typing.Any, written: int) -> None:
        """Tokens written for five minutes and for an hour are all that were written; else it is not known how many are which."""
        if self._five is None:
            return
        five, hour = self._five[0], parsed.cache_write_1h_tokens
        if hour is None and five == written:
            parsed.cache_write_1h_tokens = 0
        elif five is None or hour is None or five + hour != written:
            parsed.cache_write_1h_tokens, parsed.unclear_cache_time = None, True
