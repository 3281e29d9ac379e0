"""What a transaction costs once more, from its definition: by the hour and by tokens, in plain loops over dicts."""

import math

from tests.helpers.plain_records import Setup
from tests.helpers.plain_statistics import deviation, student

UNBILLED = {"throttled", "not_ready", "auth", "client", "connect", "unavailable"}


def by_the_hour(row: dict, price: dict) -> dict:
    if not row["successes"]:
        return {"price_basis": "hourly", "usd_per_transaction": None, "usd_per_1m_output_tokens": None}
    usd_per_s = price["usd_per_hour"] * price["instance_count"] / 3600
    usd = usd_per_s / row["throughput_per_s"]
    out, prompt = row["completion_tokens_per_s"], row["prompt_tokens_per_s"]
    slow, fast = row["throughput_low"], row["throughput_high"]
    return {
        "price_basis": "hourly",
        "usd_per_transaction_ci_low": usd_per_s / fast if slow is not None and slow > 0 else None,
        "usd_per_transaction_ci_high": usd_per_s / slow if slow is not None and slow > 0 else None,
        "usd_per_good_transaction": usd_per_s / row["goodput_per_s"] if row["goodput_per_s"] else None,
        "usd_per_transaction": usd,
        "usd_per_transaction_low": usd,
        "usd_per_transaction_high": usd,
        "usd_per_10k_transactions": 10_000 * usd,
        "usd_per_transaction_at_10pct": usd / 0.1,
        "usd_per_transaction_at_30pct": usd / 0.3,
        "usd_per_transaction_at_60pct": usd / 0.6,
        "usd_per_1m_output_tokens": usd_per_s / out * 1e6 if out else None,
        "usd_per_1m_tokens": usd_per_s / (out + prompt) * 1e6 if out and prompt is not None else None,
        "minutes_per_1m_output_tokens": 1e6 / out / 60 if out else None,
    }


def usd_of(r: dict, price: dict) -> float | None:
    if r["prompt_tokens"] is None or r["completion_tokens"] is None:
        return None
    usd = (r["prompt_tokens"] * price["input"] + r["completion_tokens"] * price["output"]) / 1000
    for kind in ("cache_read", "cache_write"):
        if r[f"{kind}_tokens"]:
            if price.get(kind) is None:
                return None
            usd += r[f"{kind}_tokens"] * price[kind] / 1000
    return usd


def failed_usd(r: dict, measured: list[dict], price: dict, max_tokens: int | None) -> tuple[float, float | None]:
    """(least, most) that a failure is billed; most is None where nothing bounds it.

    A class of UNBILLED costs nothing, known tokens cost what they cost. Once output had come the count may have grown
    after it was read, whatever the class: from what was counted to prompt and max_tokens, as with unknown tokens.
    """
    began, usd = r["ttft_ms"] is not None, usd_of(r, price)
    if r["error"] in UNBILLED and not began:
        return 0.0, 0.0
    least = usd or 0.0
    if usd is not None and not began:
        return least, least
    prompt = prompt_usd_of(r, price)
    if prompt is None:
        known = [(o, prompt_usd_of(o, price)) for o in measured]
        same = [usd for o, usd in known if usd is not None and o["prompt_id"] == r["prompt_id"]]
        anyone = [usd for _, usd in known if usd is not None]
        prompt = max(same or anyone, default=None)
    if max_tokens is None or prompt is None:
        return least, None
    return least, max(least, prompt + max_tokens * price["output"] / 1000)


def prompt_usd_of(r: dict, price: dict) -> float | None:
    """The prompt with what was read from and written to a cache."""
    return usd_of(r | {"completion_tokens": 0}, price)


def by_tokens(row: dict, measured: list[dict], inside_limits: int, asked: Setup) -> dict:
    price, max_tokens = asked.price, asked.max_tokens
    unknown = {"price_basis": "tokens", "usd_per_transaction": None, "usd_per_1m_output_tokens": None}
    n = row["successes"]
    if not n:
        return unknown
    rate = row["completion_tokens_per_s"]
    unknown["minutes_per_1m_output_tokens"] = 1e6 / rate / 60 if rate else None
    bills = [usd_of(r, price) for r in measured if r["error"] is None]
    known = [usd for usd in bills if usd is not None]
    if n - len(known) > 0.01 * n:
        return unknown | {"usd_per_transaction_low": None, "usd_per_transaction_high": None}
    least = most = sum(known) / len(known) * n  # one in a hundred may lack its count: taken at the mean
    for r in measured:
        if r["error"] is not None:
            low, high = failed_usd(r, measured, price, max_tokens)
            least, most = least + low, None if most is None or high is None else most + high
    unknown["usd_per_transaction_low"] = least / n
    if most is None:
        return unknown | {"usd_per_transaction_high": None}
    mean = sum(known) / len(known)
    if n >= 20 or (n >= 5 and deviation(known) > 1e-9 * mean):
        h = student(n - 1) * deviation(known) / math.sqrt(len(known)) / mean
        unknown["usd_per_transaction_ci_low"] = least / n - mean * (1 - math.exp(-h))
        unknown["usd_per_transaction_ci_high"] = most / n + mean * (math.exp(h + h * h / 2) - 1)
    if row["goodput_per_s"] is not None:
        unknown["usd_per_good_transaction"] = most / inside_limits if inside_limits else None
    usd, prompt, out = most / n, row["prompt_tokens_mean"], row["completion_tokens_mean"]
    return unknown | {
        "usd_per_transaction": usd,
        "usd_per_transaction_high": usd,
        "usd_per_10k_transactions": 10_000 * usd,
        "usd_per_1m_output_tokens": usd / out * 1e6 if out else None,
        "usd_per_1m_tokens": usd / (prompt + out) * 1e6 if prompt is not None and out else None,
    }
