"""Runs whose truth is known, drawn at random: closed loops with log-normal times that may remember, as the analysis reads them."""

import dataclasses
import pathlib
import typing

import numpy as np
import pandas as pd

from analysis.runs.run_reader import Run
from locustfiles.contract.manifest import Manifest, StageWindow
from locustfiles.contract.prices.price import HourlyPrice, Price
from locustfiles.contract.record import KINDS
from locustfiles.contract.scenario.scenario import Scenario

START = 1_700_000_000.0
TARGET = {
    "name": "made",
    "service": "sagemaker",
    "endpoint": "made",
    "dialect": "tgi",
    "instance_type": "ml.g5.2xlarge",
}
PRICES: dict[str, Price] = {"made": HourlyPrice(usd_per_hour=1.515, instance_count=1)}


@dataclasses.dataclass(frozen=True, slots=True)
class Truth:
    """What a simulated endpoint does. Latencies are log-normal around `latency_s`; TTFT is about a fifth of each."""

    latency_s: float = 1.0
    spread: float = 0.3  # sigma of the log
    memory: float = 0.0  # share of that variance which all users have in common and which lasts
    lasting: float = 0.8  # correlation of the common part from one request to the next
    error_rate: float = 0.005
    window_s: float = 30.0
    users: tuple[int, ...] = (1, 2, 4, 8, 16, 32)  # so that levels have about 30 to 960 requests


def simulated_run(truth: Truth, draw: np.random.Generator, name: str = "made") -> Run:
    """A run of one target with a stage for each number of users."""
    frames, stages, window_s = [], [], truth.window_s
    for number, n in enumerate(truth.users, start=1):
        a = 10.0 + (number - 1) * (window_s + 40 * truth.latency_s)
        frames.append(_stage(truth, draw, number, n, a, a + window_s))
        stage = StageWindow(number, 1, "made", "en", n, None, START, ended_by="time", whole=True)
        end = START + a + window_s
        stages.append(dataclasses.replace(stage, measure_from=START + a, measure_until=end, hold_until=end))
    records = _whole(pd.concat(frames, ignore_index=True))
    scenario = {
        "name": "made", "region": "us-east-1", "targets": [TARGET], "payloads": ["en.jsonl"],
        "load": {"users": list(truth.users), "measure_s": window_s}, "pricing": "made.yaml",
    }  # fmt: skip
    manifest = Manifest(
        name=name, run_id=name, status="complete", started_at=START, ended_at=START + 1e5, scenario_file="made.yaml", scenario=scenario,
        seed=1, versions={}, git_revision=None, host="made", price_book={}, prices={}, payloads={}, workers=[], stages=stages,
        problems=[],
    )  # fmt: skip
    return Run(name, pathlib.Path(name), manifest, Scenario.model_validate(scenario), records, START, [], [], [])


def _stage(truth: Truth, draw: np.random.Generator, stage: int, users: int, a: float, b: float) -> pd.DataFrame:
    """Users that each send when their last answer has come, from some requests before the window until after it."""
    each = int(3 * truth.window_s / truth.latency_s) + 30
    own = truth.spread * (1 - truth.memory) ** 0.5 * draw.standard_normal((users, each))
    common = truth.spread * truth.memory**0.5 * _lasting(each, truth.lasting, draw)
    latency = truth.latency_s * np.exp(own + common)
    ttft = latency * np.exp(0.15 * draw.standard_normal((users, each))) / 5
    failed = draw.random((users, each)) < truth.error_rate
    ended = a - 5 * truth.latency_s * draw.random((users, 1)) - truth.latency_s + np.cumsum(latency, axis=1)
    sent = ended - latency
    took = sent < b
    user = np.broadcast_to(np.arange(users)[:, None], took.shape)
    sent, latency, ttft, failed, user = (x[took] for x in (sent, latency, ttft, failed, user))
    last_ms = np.where(failed, np.nan, 1000 * latency)
    return pd.DataFrame(
        {
            "started_at": START + sent, "sent": sent, "ended": sent + latency, "latency_ms": 1000 * latency,
            "ttft_ms": np.where(failed, np.nan, 1000 * np.minimum(ttft, latency)), "last_token_ms": last_ms,
            "phase": np.where(sent < a, "settle", "measure"), "error": pd.Series(failed).map({True: "server", False: None}), "user": user,
            "stage": stage, "users": users, "in_flight": users, "completion_tokens": np.where(failed, np.nan, 50.0),
        }
    )  # fmt: skip


def _lasting(n: int, correlation: float, draw: np.random.Generator) -> np.ndarray:
    """A series of variance 1 that remembers."""
    found, noise = np.empty(n), draw.standard_normal(n)
    found[0] = noise[0]
    for i in range(1, n):
        found[i] = correlation * found[i - 1] + (1 - correlation**2) ** 0.5 * noise[i]
    return found


def _whole(records: pd.DataFrame) -> pd.DataFrame:
    """With all columns of a record, as the reader of run folders gives them."""
    n = len(records)
    given: dict[str, typing.Any] = {
        "worker": "local", "target": "made", "service": "sagemaker", "operation": "InvokeEndpoint", "payload": "en", "repeat": 1,
        "attempt": 1, "reconnect": 0.0, "chunks": 50.0, "hidden_reasoning": 0, "prompt_token_source": "service", "token_source": "service",
        "prompt_tokens": 100.0, "response_bytes": 100, "lag_ms": 0.1, "http_status": 200.0, "stop_reason": "stop",
    }  # fmt: skip
    records = records.assign(**given, call=np.arange(n), prompt_id=np.arange(n).astype(str))
    empty = {
        c: pd.Series([None] * n, dtype="str") if k is str else np.full(n, np.nan)
        for c, k in KINDS.items()
        if c not in records
    }
    records = records.assign(**empty)
    return records.astype({c: "str" for c, kind in KINDS.items() if kind is str})
