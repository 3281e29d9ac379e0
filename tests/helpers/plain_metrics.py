"""The steps table's figures once more, from their definitions: slow, plain loops over dicts, to compare the analysis with.

A record is a dict: a field of RequestRecord -> its value, None where it is missing, and `sent`, `ended` in seconds from
the run's start. A function returns None where the figure is not known.
"""

import itertools
import math

from locustfiles.contract.stop_reasons import BAD_STOPS
from tests.helpers.plain_costs import by_the_hour, by_tokens
from tests.helpers.plain_lengths import lengths
from tests.helpers.plain_records import Setup
from tests.helpers.plain_statistics import PERCENTILES, deviation, quantile, spread, student


def step(records: list[dict], a: float, b: float, asked: Setup) -> dict:
    """Column -> value. records: of one stage of a target that streams, every phase; [a, b): its window, s from the run's start."""
    measured = [r for r in records if r["phase"] == "measure"]
    wishes = wishes_of(records, asked.retry)
    row = (
        counts(measured, asked.retry)
        | times(measured)
        | shares(measured)
        | rates(records, a, b)
        | of_wishes(wishes, a, b, asked)
    )
    if asked.retry:
        row |= calls(wishes)
    row |= throughput_interval(records, [r for r in measured if r["error"] is None], a, b, asked.open_loop)
    if row["successes"] >= 20:
        row["batches"] = "too narrow" if 4 * row["latency_p95_s"] > b - a else ""
    good = sum(w["phase"] == "measure" and inside(w, asked) for w in wishes)
    return row | (
        by_the_hour(row, asked.price) if "usd_per_hour" in asked.price else by_tokens(row, measured, good, asked)
    )


def counts(measured: list[dict], retry: bool) -> dict:
    cancelled = failures = successes = reconnects = 0
    told, seen, asked, repeated = False, set(), set(), 0
    for r in measured:
        cancelled += r["error"] == "cancelled"
        failures += r["error"] not in (None, "cancelled")
        successes += r["error"] is None
        reconnects += r["reconnect"] == 1
        told = told or r["reconnect"] is not None
        call = (r["worker"], r["call"]) if retry else len(asked)
        if call not in asked:  # the attempts of one call are one question
            repeated += r["prompt_id"] in seen
        asked.add(call)
        seen.add(r["prompt_id"])
    n, stops = len(measured), [r["stop_reason"] for r in measured if r["error"] is None and r["stop_reason"]]
    bad = sum(stop.lower() in BAD_STOPS for stop in stops)
    return {
        "bad_stop_share": bad / successes if stops else None,
        "requests": n,
        "successes": successes,
        "failures": failures,
        "cancelled": cancelled,
        "left_by_client": None,  # these scenarios have no `cancel`
        "error_rate": failures / (n - cancelled) if n > cancelled else None,
        "lag_ms_max": max((r["lag_ms"] for r in measured), default=None),
        "reconnects": reconnects if told or not n else None,
        "prompts_distinct": len(seen),
        "prompt_repeat_share": repeated / len(asked) if n else None,
    }


def at_once(r: dict) -> bool:
    """Whether its deltas came as one: less than 0.1 ms for each after the first."""
    return r["last_token_ms"] - r["ttft_ms"] < 0.1 * (r["chunks"] - 1)


def times(measured: list[dict]) -> dict:
    latencies, ttfts, tpots, per_token, service, all_of_them = [], [], [], [], [], []
    streams = [r for r in measured if r["error"] is None and (r["chunks"] or 0) >= 2]
    held_back = 2 * sum(map(at_once, streams)) > len(streams)
    for r in measured:
        if r["error"] != "cancelled":
            all_of_them.append(math.inf if r["error"] else r["latency_ms"] / 1000)
        if r["error"] is not None:
            continue
        tokens = r["completion_tokens"]
        latencies.append(r["latency_ms"] / 1000)
        if r["ttft_ms"] is not None:
            ttfts.append(r["ttft_ms"] / 1000)
        known = (r["chunks"] or 0) >= 2 and (tokens or 0) >= 2 and not r["hidden_reasoning"]
        if known and not (at_once(r) if held_back else r["last_token_ms"] <= r["ttft_ms"]):
            tpots.append((r["last_token_ms"] - r["ttft_ms"]) / (tokens - 1))
        if tokens:
            per_token.append(r["latency_ms"] / tokens)
        if r["service_latency_ms"] is not None:
            service.append(r["service_latency_ms"] / 1000)
    return (
        spread("latency", "s", latencies)
        | spread("ttft", "s", ttfts)
        | spread("tpot", "ms", tpots)
        | gaps(measured)
        | {f"latency_{p}_all_s": quantile(all_of_them, n) if all_of_them else None for p, n in PERCENTILES.items()}
        | {"latency_per_output_token_p50_ms": quantile(per_token, 500) if per_token else None}
        | {"service_latency_p50_s": quantile(service, 500) if service else None}
    )


def gaps(measured: list[dict]) -> dict:
    """Between deltas, of all streams together: each gap the middle of its bin, percentiles by rank."""
    streams = [r for r in measured if r["error"] is None and (r["chunks"] or 0) >= 2 and r["gaps"]]
    each = []
    for r in streams:
        for cell in r["gaps"].split():
            k, _, n = cell.partition("*")
            each += [0.01 * 1.05 ** (int(k) - 0.5) if int(k) else 0.0] * int(n or 1)
    each.sort()
    ranks = {p: -(-share * len(each) // 1000) for p, share in PERCENTILES.items()}
    return {
        **{f"itl_{p}_ms": each[rank - 1] if each else None for p, rank in ranks.items()},
        "itl_mean_ms": sum(r["last_token_ms"] - r["ttft_ms"] for r in streams) / len(each) if each else None,
        "itl_max_ms": max((r["max_gap_ms"] for r in streams), default=None),
        "itl_gaps": len(each) or None,
    }


def shares(measured: list[dict]) -> dict:
    """Means of the token counts that are known, and who counted."""
    good, row = [r for r in measured if r["error"] is None], {}
    counts = {"prompt_tokens": [whole_prompt(r) for r in good]}
    counts |= {name: [r[name] for r in good] for name in ("completion_tokens", "reasoning_tokens")}
    for name, all_ in counts.items():
        known = [n for n in all_ if n is not None]
        row[f"{name}_mean"] = sum(known) / len(known) if known else None
    media = [r["media_bytes"] for r in measured if r["media_bytes"] is not None]
    sent = [r["request_bytes"] for r in measured if r["request_bytes"] is not None] if media else []
    row["media_bytes_mean"] = sum(media) / len(media) if media else None
    row["request_bytes_mean"] = sum(sent) / len(sent) if sent else None
    whole = sum(n for n in counts["prompt_tokens"] if n is not None)
    told = [r["cache_write_tokens"] for r in good if r["cache_write_tokens"] is not None]
    row["cache_write_share"] = sum(told) / whole if whole and told else None
    told = [r["cache_read_tokens"] for r in good if r["cache_read_tokens"] is not None]
    row["cache_read_share"] = sum(told) / whole if whole and told else None
    row |= lengths(good, "prompt", counts["prompt_tokens"]) | lengths(good, "completion", counts["completion_tokens"])
    for prefix, sources in (("", ("service", "tokenizer")), ("prompt_", ("service", "tokenizer", "payload"))):
        for source in sources:
            by = [r for r in good if r[f"{prefix}token_source"] == source]
            row[f"{prefix}{source}_token_share"] = len(by) / len(good) if good else None
    return row


def whole_prompt(r: dict) -> float | None:
    """With what was read from and written to a cache."""
    return (
        None
        if r["prompt_tokens"] is None
        else r["prompt_tokens"] + (r["cache_read_tokens"] or 0) + (r["cache_write_tokens"] or 0)
    )


def share(start: float, end: float, a: float, b: float) -> float:
    """What part of [start, end] lies in [a, b)."""
    if end <= start:
        return 1.0 if a <= start < b else 0.0
    return max(0.0, min(end, b) - max(start, a)) / (end - start)


def rates(records: list[dict], a: float, b: float) -> dict:
    done = busy = 0.0
    written, read_in = [], []  # (tokens, share) of each success that has a share
    for r in records:
        sent, ended = r["sent"], r["ended"]
        busy += max(0.0, min(ended, b) - max(sent, a))
        if r["error"] is not None:
            continue
        done += share(sent, ended, a, b)
        first = None if r["ttft_ms"] is None else sent + r["ttft_ms"] / 1000
        last = None if r["last_token_ms"] is None else sent + r["last_token_ms"] / 1000
        streamed = first is not None and last is not None
        written.append((r["completion_tokens"], share(first, last, a, b) if streamed else share(sent, ended, a, b)))
        read_in.append((whole_prompt(r), share(sent, ended if first is None else first, a, b)))
    return {
        "window_s": b - a,
        "throughput_per_s": done / (b - a),
        "transactions_per_minute": 60 * done / (b - a),
        "in_flight_mean": busy / (b - a),
        "completion_tokens_per_s": token_rate(written, b - a),
        "prompt_tokens_per_s": token_rate(read_in, b - a),
    }


def token_rate(credited: list[tuple[float | None, float]], window_s: float) -> float | None:
    inside = [(tokens, part) for tokens, part in credited if part > 0]
    uncounted = [tokens for tokens, _ in inside if tokens is None]
    if len(uncounted) > 0.01 * len(inside):
        return None
    return sum(tokens * part for tokens, part in inside if tokens is not None) / window_s


def wishes_of(records: list[dict], retry: bool) -> list[dict]:
    """What users asked for, and how it ended: each request or, with `retry:`, the attempts of one number on one worker.

    `began` and `delay`: of the first attempt; `waited` and `ttft`, s: from its send; `sent`, `ended`, `error`: of the last.
    """
    found: dict[object, list[dict]] = {}
    for r in records:
        found.setdefault((r["worker"], r["call"]) if retry else len(found), []).append(r)
    wishes = []
    for tries in found.values():
        tries.sort(key=lambda r: r["attempt"])
        first, last = tries[0], tries[-1]
        if first["attempt"] == 1:
            wish = {name: last[name] for name in ("sent", "ended", "error")} | {
                "phase": first["phase"],
                "attempts": len(tries),
            }
            wish |= {
                "first": first,
                "delay": (first["schedule_delay_ms"] or 0.0) / 1000,
                "waited": last["ended"] - first["sent"],
            }
            wish["ttft"] = None if last["ttft_ms"] is None else last["sent"] + last["ttft_ms"] / 1000 - first["sent"]
            wishes.append(wish)
    return wishes


def inside(wish: dict, asked: Setup) -> bool:
    """Whether it succeeded and each of its times keeps the limit on the highest percentile of it that has one."""
    if wish["error"] is not None:
        return False
    for name, value in (("latency_s", wish["waited"]), ("ttft_s", wish["ttft"])):
        limits = {
            int(statistic[1:]): limit for statistic, limit in asked.slo.get(name, {}).items() if statistic != "mean"
        }
        if limits and (value is None or wish["delay"] + value > limits[max(limits)] + 1e-9):
            return False
    return True


def of_wishes(wishes: list[dict], a: float, b: float, asked: Setup) -> dict:
    row: dict = {"goodput_per_s": None, "good_share": None}
    if any(statistic != "mean" for name in ("latency_s", "ttft_s") for statistic in asked.slo.get(name, {})):
        row["goodput_per_s"] = sum(share(w["sent"], w["ended"], a, b) for w in wishes if inside(w, asked)) / (b - a)
        ended = [w for w in wishes if w["phase"] == "measure" and w["error"] != "cancelled"]
        row["good_share"] = sum(inside(w, asked) for w in ended) / len(ended) if ended else None
    if not asked.open_loop:
        return row
    begun = [w for w in wishes if w["phase"] == "measure"]
    good = [w for w in begun if w["error"] is None]
    delays = [w["first"]["schedule_delay_ms"] for w in begun if w["first"]["schedule_delay_ms"] is not None]
    row["rate_achieved_per_s"] = len(begun) / (b - a)
    row |= {f"schedule_delay_p{n}_ms": quantile(delays, 10 * n) if delays else None for n in (50, 99)}
    row["schedule_delay_max_ms"] = max(delays, default=None)
    row |= spread("intended_latency", "s", [w["delay"] + w["waited"] for w in good])
    return row | spread("intended_ttft", "s", [w["delay"] + w["ttft"] for w in good if w["ttft"] is not None])


def calls(wishes: list[dict]) -> dict:
    begun = [w for w in wishes if w["phase"] == "measure"]
    n, failed, cancelled, attempts, first_try, waited, ttfts = len(begun), 0, 0, 0, [], [], []
    for w in begun:
        attempts += w["attempts"]
        cancelled += w["error"] == "cancelled"
        failed += w["error"] not in (None, "cancelled")
        if w["first"]["error"] is None:
            first_try.append(w["first"]["latency_ms"] / 1000)
        if w["error"] is None:
            waited.append(w["waited"])
            if w["ttft"] is not None:
                ttfts.append(w["ttft"])
    return (
        {
            "calls": n,
            "calls_failed": failed,
            "call_error_rate": failed / (n - cancelled) if n > cancelled else None,
            "attempts_per_call_mean": attempts / n if n else None,
        }
        | spread("first_attempt_latency", "s", first_try)
        | spread("call_latency", "s", waited)
        | spread("call_ttft", "s", ttfts)
    )


def throughput_interval(records: list[dict], good: list[dict], a: float, b: float, open_loop: bool) -> dict:
    """Twenty equal batches of the window, as many as they are independent ones; in the closed loop at least the spread of the
    latencies. good: the successes that began in the window; nothing under 20."""
    if len(good) < 20:
        return {"throughput_low": None, "throughput_high": None}
    length, rate_of = (b - a) / 20, []
    for n in range(20):
        begin = a + n * length
        done = sum(share(r["sent"], r["ended"], begin, begin + length) for r in records if r["error"] is None)
        rate_of.append(done / length)
    mean, alike = sum(rate_of) / 20, 0.0
    squares = sum((rate - mean) ** 2 for rate in rate_of)
    if squares:
        alike = sum((x - mean) * (y - mean) for x, y in itertools.pairwise(rate_of)) / squares
        alike = min(max(alike + (1 + 4 * alike) / 20, 0.0), 0.8)
    fewer = (1 + alike) / (1 - alike)
    half = student(round(19 / fewer)) * deviation(rate_of) / math.sqrt(20 / fewer)
    if not open_loop:
        latencies = [r["latency_ms"] for r in good]
        apart = deviation(latencies) / (sum(latencies) / len(good))
        half = max(half, student(len(good) - 1) * apart / math.sqrt(len(good)) * mean)
    return {"throughput_low": max(0.0, mean - half), "throughput_high": mean + half}
