"""Quotas as token buckets: requests per second with a burst, and model tokens per minute as Bedrock counts them."""


class Bucket:
    """A bucket of `capacity` units that refills at `per_second`. Times are seconds of one monotonic clock."""

    def __init__(self, per_second: float, capacity: float):
        self._rate = per_second
        self._capacity = capacity
        self._level = capacity
        self._at: float | None = None

    def take(self, units: float, now: float) -> bool:
        """Take `units` if they are there."""
        if self._at is not None:
            self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        if units > self._level:
            return False
        self._level -= units
        return True

    def give_back(self, units: float) -> None:
        self._level = min(self._capacity, self._level + units)


class Quota:
    """The limits of one endpoint or model. Tokens are reserved as prompt + max_tokens at the start; what was
    not generated is given back at the end."""

    def __init__(self, limit):
        self._requests = limit.requests_per_second and Bucket(
            limit.requests_per_second, limit.burst or max(1.0, limit.requests_per_second)
        )
        self._tokens = limit.tokens_per_minute and Bucket(limit.tokens_per_minute / 60, limit.tokens_per_minute)

    def exceeded(self, tokens: int, now: float) -> str | None:
        """`requests` or `tokens`, whichever ran out; None admits the request and takes its share."""
        if self._requests and not self._requests.take(1, now):
            return "requests"
        if self._tokens and not self._tokens.take(tokens, now):
            return "tokens"
        return None

    def settle(self, reserved: int, used: int) -> None:
        """Give back what was reserved and not used."""
        if self._tokens:
            self._tokens.give_back(max(0, reserved - used))
