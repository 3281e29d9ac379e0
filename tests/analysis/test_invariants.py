"""Whatever was recorded: what a change of the records does to the steps table, and what it leaves alone."""

import dataclasses
import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.metrics.percentiles import LEVELS
from analysis.words.columns import STEP_COLUMNS
from locustfiles.contract.record import RequestRecord
from tests.helpers.made_run import START
from tests.helpers.random_runs import ASKED, BOUNDED, HOURLY, OFFSETS_MS, WISHES, one, records_of, run_of, same


def on_other_workers(records, seed):
    """Each call on a worker drawn anew, with that worker's clock."""
    draw, of, moved = random.Random(seed), {}, []
    for r in records:
        if r.worker == "local":
            moved.append(r)
            continue
        if (r.worker, r.call) not in of:
            of[r.worker, r.call] = draw.choice(sorted(OFFSETS_MS)), len(of) + 1
        worker, call = of[r.worker, r.call]
        at = r.started_at + (OFFSETS_MS[worker] - OFFSETS_MS[r.worker]) / 1000
        moved.append(dataclasses.replace(r, worker=worker, call=call, started_at=at))
    return moved


@settings(BOUNDED, max_examples=12)
@given(seed=st.integers(0, 99), shift=st.integers(-50_000, 50_000), wishes=WISHES, asked=ASKED, crowd=st.booleans())
def test_order_workers_and_the_time_of_day_change_nothing(tmp_path_factory, seed, shift, wishes, asked, crowd):
    tmp, records = tmp_path_factory.mktemp("runs"), records_of(wishes, asked, crowd)
    row = run_of(tmp / "r", records, asked)
    mixed = random.Random(seed).sample(records, len(records))
    later = [dataclasses.replace(r, started_at=r.started_at + shift) for r in records]
    split = on_other_workers(records, seed)
    columns = [name for name in STEP_COLUMNS if name not in ("reasons", "cautions")]  # which are of workers, too
    others = [
        (run_of(tmp / "mixed" / "r", mixed, asked), columns),
        (run_of(tmp / "later" / "r", later, asked, shift=shift), columns),
        # the verdict judges each worker
        (run_of(tmp / "split" / "r", split, asked), [name for name in columns if name != "verdict"]),
    ]
    for other, names in others:
        assert {name: (row[name], other[name]) for name in names if not same(other[name], row[name])} == {}


#: how a figure goes with the unit of time: 1 a time, -1 a rate, 0 neither
POWER = {
    "throughput_per_s": -1,
    "transactions_per_minute": -1,
    "completion_tokens_per_s": -1,
    "prompt_tokens_per_s": -1,
}
POWER |= dict.fromkeys(("window_s", "minutes_per_1m_output_tokens", "latency_per_output_token_p50_ms"), 1)
POWER |= dict.fromkeys(
    ("requests", "successes", "failures", "cancelled", "error_rate", "in_flight_mean", "latency_n"), 0
)
POWER |= {
    "rate_achieved_per_s": -1,
    "goodput_per_s": -1,
    "throughput_low": -1,
    "intended_latency_p95_s": 1,
    "call_latency_p50_s": 1,
}
POWER |= {f"latency_{level}_all_s": 1 for level in LEVELS} | {"itl_mean_ms": 1, "itl_gaps": 0}
for _name, _unit in (("latency", "s"), ("ttft", "s"), ("tpot", "ms")):
    POWER |= {f"{_name}_{level}_{_unit}": 1 for level in ("mean", "p50", "p95", "p99", "p50_low", "p95_low")}
COSTS = ["usd_per_transaction", "usd_per_transaction_low", "usd_per_1m_output_tokens", "usd_per_good_transaction"]


@settings(BOUNDED, max_examples=10)
@given(wishes=WISHES, asked=ASKED, crowd=st.booleans())
def test_twice_as_slow_is_twice_the_time_half_the_rate_and_twice_the_hourly_cost(
    tmp_path_factory, wishes, asked, crowd
):
    tmp, records = tmp_path_factory.mktemp("runs"), records_of(wishes, asked, crowd)
    row = run_of(tmp / "r", records, asked)
    slow = run_of(tmp / "slow" / "r", [slower(r) for r in records], asked, scale=2.0)
    power = POWER | dict.fromkeys(COSTS, int(asked.price is HOURLY))
    for name, exponent in power.items():
        assert same(slow[name], None if row[name] is None else row[name] * 2.0**exponent), name


def slower(r: RequestRecord) -> RequestRecord:
    offset = OFFSETS_MS.get(r.worker, 0.0) / 1000
    values = {name: getattr(r, name) for name in ("latency_ms", "ttft_ms", "last_token_ms", "schedule_delay_ms")}
    doubled = {name: None if value is None else 2 * value for name, value in values.items()}
    return dataclasses.replace(r, started_at=START + 2 * (r.started_at - offset - START) + offset, **doubled)


@settings(BOUNDED, max_examples=15)
@given(
    at=st.integers(640, 1279),
    length=st.integers(1, 600),
    error=st.sampled_from(["throttled", "server", "stream_broken", "client", "read_timeout"]),
    wishes=WISHES,
    asked=ASKED,
    crowd=st.booleans(),
)
def test_one_more_failure_improves_nothing(tmp_path_factory, at, length, error, wishes, asked, crowd):
    tmp, records = tmp_path_factory.mktemp("runs"), records_of(wishes, asked, crowd)
    failure = one("w3", at, 8000, 1, {"length": length, "error": error, "prompt_id": "3"})
    row = run_of(tmp / "r", records, asked)
    worse = run_of(tmp / "worse" / "r", [*records, failure], asked)
    rates = ["throughput_per_s", "goodput_per_s", "completion_tokens_per_s"]
    for name in [*rates, "successes", "latency_n", "latency_mean_s", "latency_p95_s"]:
        assert same(worse[name], row[name]), name  # failures are no transactions, however quick
    assert worse["error_rate"] >= (row["error_rate"] or 0.0)
    for level in LEVELS:
        before = row[f"latency_{level}_all_s"]
        assert worse[f"latency_{level}_all_s"] >= (-math.inf if before is None else before), (
            level
        )  # nor is shed load fast
    for bound in ("usd_per_transaction_low", "usd_per_transaction_high", "usd_per_good_transaction"):
        assert worse[bound] is None or worse[bound] >= row[bound] * (1 - 1e-12), bound
