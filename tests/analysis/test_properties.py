"""Whatever was recorded: the steps table agrees with its definitions written as plain loops, and with itself.

All times lie on a grid of 1/64 s, which files of milliseconds and microseconds hold exactly.
"""

import dataclasses
import math
import random

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.cost.pricing import prices_of_run
from analysis.metrics.percentiles import LEVELS, percentile
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from analysis.words.columns import STEP_COLUMNS
from locustfiles.contract.manifest import WorkerEntry
from locustfiles.contract.record import RequestRecord
from tests.helpers import plain_metrics
from tests.helpers.flat import flat
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, record, window
from tests.helpers.plain_metrics import Setup

A, B = 10.0, 20.0  # the measured window
GRID = 1 / 64  # s
OFFSETS_MS = {"w1": 250.0, "w2": -46.875, "w3": 0.0}
RETRY = {"retry": {"attempts": 4, "base_s": 0.1, "max_s": 1.0}}
ERRORS = [None, None, None, None, "throttled", "server", "stream_broken", "client", "read_timeout", "cancelled"]
HOURLY = {"usd_per_hour": 37.688, "instance_count": 2}
BY_TOKENS = {"input": 0.00075, "output": 0.001}
CACHED = BY_TOKENS | {"cache_read": 0.0001, "cache_write": 0.0009}
ASKED_FOR = {"run", "stage", "repeat", "target", "model", "service", "instance_type", "instance_count", "payload"}
ASKED_FOR |= {"users", "rate", "stream"}
SAID = {"worker_cpu_max", "worker_lag_ms_max", "ended_by"}
JUDGED = {"errors", "verdict", "reasons", "slo", "slo_failed", "slo_open"}
BOUNDED = settings(max_examples=40, phases=[Phase.generate])  # shrinking takes minutes


@st.composite
def attempts(draw):
    """What one request was like, without its place in the run: fields of a record, lengths in steps of the grid."""
    length, error = draw(st.integers(1, 40) | st.integers(1, 300)), draw(st.sampled_from(ERRORS))
    counted = draw(st.integers(0, 9)) > (4 if error else 0)
    kind = draw(st.sampled_from(["service", "tokenizer"])) if counted else "none"
    fields = {
        "length": length,
        "error": error,
        "prompt_id": str(draw(st.integers(1, 6))),
        "prompt_tokens": draw(st.integers(1, 3000)) if counted else None,
        "completion_tokens": draw(st.integers(0, 200)) if counted and error in (None, "stream_broken") else None,
        "token_source": kind,
        "prompt_token_source": draw(st.sampled_from(["service", "payload"])) if counted else "none",
        "reconnect": draw(st.sampled_from([0, 0, 1, None])),
        "service_latency_ms": draw(st.sampled_from([None, 125.0, 250.0])),
        "lag_ms": draw(st.integers(0, 40)) / 8,
        "schedule_delay_ms": draw(st.integers(0, 64)) * 1000 * GRID,
        "cache_read_tokens": draw(st.sampled_from([None] * 12 + [0, 500])),
        "cache_write_tokens": draw(st.sampled_from([None] * 12 + [700])),
    }
    if draw(st.booleans()) and error in (None, "stream_broken", "throttled"):
        first = draw(st.integers(0, length))
        fields |= {"first": first, "last": draw(st.integers(first, length)), "chunks": draw(st.integers(1, 9))}
        fields |= {
            "hidden_reasoning": draw(st.integers(0, 3)) // 3,
            "reasoning_tokens": draw(st.sampled_from([None, 4])),
        }
    return fields


WISHES = st.lists(
    st.tuples(
        st.sampled_from(sorted(OFFSETS_MS)),
        st.integers(5 * 64, 22 * 64)
        | st.sampled_from([640, 1279, 1280]),  # first send, steps of the grid from the run's start
        st.lists(attempts(), min_size=1, max_size=3),
        st.integers(0, 60),  # pause between two attempts
        st.sampled_from([1, 1, 1, 1, 1, 2]),  # 2: the first attempt is missing
    ),
    max_size=14,
)


def records_of(wishes, asked: Setup, crowd: bool) -> list[RequestRecord]:
    """Around the window; `crowd` adds 150 successes in it, so that one or two without tokens are few.

    Without `retry` each attempt is a call. Other stages' records and a warm-up call lie in the same time.
    """
    if crowd:
        plain = {
            "length": 30,
            "error": None,
            "prompt_id": "9",
            "prompt_tokens": 400,
            "completion_tokens": 20,
            "reconnect": 0,
        }
        wishes = [*wishes, *(("w1", 640 + 4 * i, [plain], 0, 1) for i in range(150))]
    made, call = [record(2, 1, stage=0, phase="warmup", call=9001), record(12, 5, stage=2, call=9002)], 0
    for worker, at, tries, pause, first in wishes:
        call += 1
        for number, fields in enumerate(tries, start=first):
            same = {} if asked.open_loop else {"schedule_delay_ms": None}
            if asked.retry:
                same["prompt_id"] = tries[0]["prompt_id"]
                if fields is not tries[-1]:  # after a success nothing is tried again
                    same["error"] = fields["error"] or "throttled"
            made.append(one(worker, at, call, number if asked.retry else 1, fields | same))
            at += fields["length"] + pause
            call += not asked.retry
    return made


def one(worker: str, at: int, call: int, attempt: int, fields: dict) -> RequestRecord:
    sent = at * GRID
    phase = "settle" if sent < A else "measure" if sent < B else "hold"
    spot = {"worker": worker, "call": call, "attempt": attempt, "phase": phase}
    if "first" in fields:
        spot |= {"ttft_ms": fields["first"] * 1000 * GRID, "last_token_ms": fields["last"] * 1000 * GRID}
    kept = {name: value for name, value in fields.items() if name not in ("length", "first", "last")}
    made = record(sent, fields["length"] * GRID, **(spot | kept))
    return dataclasses.replace(made, started_at=made.started_at + OFFSETS_MS[worker] / 1000)


def run_of(path, records, asked: Setup, shift=0.0, scale=1.0):
    """The row of stage 1. shift, s; scale stretches all times."""
    hourly = "usd_per_hour" in asked.price
    target = (P4D | {"instance_count": 2} if hourly else BEDROCK) | {"parameters": {}}
    if asked.max_tokens is not None:
        target["parameters"] = {"max_tokens": asked.max_tokens}
    records = [dataclasses.replace(r, target=target["name"]) for r in records]
    level = {"users": None, "rate": 3.0 / scale} if asked.open_loop else {"users": 4}
    stages = [window(stage, scale * A + shift, scale * B + shift, target=target["name"], **level) for stage in (1, 2)]
    offsets = OFFSETS_MS | {"local": 0.0}
    of = {w: sum(r.worker == w for r in records) for w in offsets}
    workers = [WorkerEntry(w, "host", offsets[w], n, n, 0) for w, n in of.items()]
    slo = {name: {s: scale * limit for s, limit in limits.items()} for name, limits in asked.slo.items()}
    keys = {"scenario_keys": RETRY} if asked.retry else {}
    prices = {target["name"]: asked.price}
    folder = made_run(
        path,
        records,
        stages,
        targets=[target],
        prices=prices,
        slo=slo,
        workers=workers,
        started_at=START + shift,
        **keys,
    )
    run = load_run(folder)
    first, _ = results_of(run, prices_of_run(run).of_target)
    return flat(first)


def same(found, expected) -> bool:
    if expected is None or isinstance(expected, (str, bool)):
        return found == expected
    return found is not None and found == pytest.approx(expected, rel=1e-9, abs=1e-9)


LIMITS: list[dict] = [{}, {"latency_s": {"mean": 1.0}}, {"latency_s": {"p50": 3.0, "p99": 2.0}}]
LIMITS.append({"latency_s": {"p95": 3.0}, "ttft_s": {"p95": 1.0}})
ASKED = st.builds(
    Setup,
    price=st.sampled_from([HOURLY, BY_TOKENS, CACHED]),
    max_tokens=st.sampled_from([None, 100]),
    retry=st.booleans(),
    slo=st.sampled_from(LIMITS),
    open_loop=st.booleans(),
)


@BOUNDED
@given(wishes=WISHES, asked=ASKED, crowd=st.booleans())
def test_every_figure_is_what_its_definition_says(tmp_path_factory, wishes, asked, crowd):
    path = tmp_path_factory.mktemp("runs") / "r"
    row = run_of(path, records_of(wishes, asked, crowd), asked)
    records = [r for r in plain_metrics.read(path / "requests.csv", START, OFFSETS_MS) if r["stage"] == 1]
    expected = plain_metrics.step(records, A, B, asked)
    assert expected.keys() <= set(STEP_COLUMNS)
    assert {name: (row[name], value) for name, value in expected.items() if not same(row[name], value)} == {}


def test_every_column_has_a_plain_definition(tmp_path):
    """But for what a stage was asked for, what its worker said of itself, and the verdicts."""
    found: set[str] = set()
    for price in (HOURLY, BY_TOKENS):
        asked = Setup(price, 100, True, LIMITS[3], True)
        path = tmp_path / str(len(price)) / str("input" in price) / "r"
        run_of(path, records_of([], asked, crowd=True), asked)
        records = [r for r in plain_metrics.read(path / "requests.csv", START, OFFSETS_MS) if r["stage"] == 1]
        found |= plain_metrics.step(records, A, B, asked).keys()
    assert set(STEP_COLUMNS) - found == ASKED_FOR | SAID | JUDGED


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
    columns = [name for name in STEP_COLUMNS if name != "reasons"]  # which name workers
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
POWER |= {f"latency_{level}_all_s": 1 for level in LEVELS}
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


@settings(max_examples=100)
@given(values=st.lists(st.integers(0, 1000), min_size=3, max_size=500))
def test_the_interval_of_a_percentile_contains_it(values):
    ordered = np.sort(np.array(values, dtype=float))
    for q in LEVELS.values():
        found = percentile(ordered, q)
        assert found.value == pytest.approx(plain_metrics.quantile(values, round(100 * q)))
        assert found.low is None or found.low <= found.value
        assert found.high is None or found.high >= found.value


def test_a_failure_may_have_cost_what_its_prompt_costs_with_its_tokens_written_to_a_cache(tmp_path):
    # 20 prompt tokens and 8,000 written to the cache; the same prompt then fails and tells nothing
    spot = {"target": "bedrock", "prompt_id": "1"}
    success = record(11, 1, prompt_tokens=20, completion_tokens=50, cache_write_tokens=8000, **spot)
    failure = record(13, 1, error="read_timeout", **spot)
    row = run_of(tmp_path / "r", [success, failure], Setup(CACHED, 100, False, {}, False))
    # success: (20 x 0.00075 + 50 x 0.001 + 8000 x 0.0009) / 1000 = 0.007265
    assert row["usd_per_transaction_low"] == pytest.approx(0.007265)
    # failure, at most: (20 x 0.00075 + 100 x 0.001 + 8000 x 0.0009) / 1000 = 0.007315, and not the 0.000115 without its cache
    assert row["usd_per_transaction_high"] >= 0.007265 + 0.007315 - 1e-12
