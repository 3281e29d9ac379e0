"""The most that a usage may be billed where it does not say all."""

from locustfiles.contract.prices.charge import Usage
from locustfiles.contract.prices.price import Rates


def at_most(usage: Usage, rates: Rates) -> Usage:
    """With cached tokens that have no price among the others, and written ones of which it is not known for how long they
    are kept at the dearer of both prices."""
    write, hour = usage.cache_write_tokens or 0, usage.cache_write_1h_tokens
    if hour is None:
        hour = write if (rates.cache_write_1h or 0.0) > (rates.cache_write or 0.0) else 0
    counts = {"cache_read": usage.cache_read_tokens or 0, "cache_write": write - hour, "cache_write_1h": hour}
    kept = {kind: 0 if getattr(rates, kind) is None else count for kind, count in counts.items()}
    return usage._replace(
        prompt_tokens=(usage.prompt_tokens or 0) + sum(counts.values()) - sum(kept.values()),
        cache_read_tokens=kept["cache_read"],
        cache_write_tokens=kept["cache_write"] + kept["cache_write_1h"],
        cache_write_1h_tokens=kept["cache_write_1h"],
    )
