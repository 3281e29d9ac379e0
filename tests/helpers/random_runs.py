"""Runs of any shape, drawn by hypothesis: what was asked for, the records around a window, and the row of its stage.

All times lie on a grid of 1/64 s, which files of milliseconds and microseconds hold exactly.
"""

import dataclasses

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from analysis.cost.pricing import prices_of_run
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.manifest import WorkerEntry
from locustfiles.contract.record import RequestRecord
from tests.helpers.flat import flat
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, record, window
from tests.helpers.plain_records import Setup

A, B = 10.0, 20.0  # the measured window
GRID = 1 / 64  # s
OFFSETS_MS = {"w1": 250.0, "w2": -46.875, "w3": 0.0}
RETRY = {"retry": {"attempts": 4, "base_s": 0.1, "max_s": 1.0}}
ERRORS = [None, None, None, None, "throttled", "server", "stream_broken", "client", "read_timeout", "cancelled"]
HOURLY = {"usd_per_hour": 37.688, "instance_count": 2}
BY_TOKENS = {"input": 0.00075, "output": 0.001}
CACHED = BY_TOKENS | {"cache_read": 0.0001, "cache_write": 0.0009}
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
        chunks = draw(st.integers(1, 9))
        bins = sorted(draw(st.lists(st.integers(0, 300), min_size=chunks - 1, max_size=chunks - 1)))
        fields |= {"first": first, "last": draw(st.integers(first, length)), "chunks": chunks}
        fields |= {
            "gaps": " ".join(map(str, bins)) or None,
            "max_gap_ms": draw(st.integers(1, 900)) / 4 if bins else None,
        }
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
