"""Made-up runs for the tests of plots and HTML: stages and requests with the columns of the real files."""

import dataclasses
import datetime

import numpy as np
import pandas as pd

from analysis.advice.break_even import BreakEven
from analysis.advice.knee import Knee
from analysis.advice.pareto import pareto
from analysis.advice.recommend import Recommendation
from analysis.advice.report_model import Report
from analysis.advice.target_sentences import Sentence
from analysis.cost.price_rows import PriceRow
from analysis.verdicts.caution import trust_of
from analysis.verdicts.stage_results import Result, StageKey
from analysis.words.columns import METRICS, STEP_COLUMNS
from analysis.words.stage_figures import StageFigures
from locustfiles.contract.manifest import Manifest, StageWindow, WorkerEntry
from locustfiles.contract.version import Build

PAYLOADS = {"payload_en_1-500": (60, 480, 24), "payload_en_3000-3840": (3050, 3800, 30)}


def requests_of(target, payload, users, stage, stream, base_s, rng, fail_share=0.0, n=None):
    """Measured requests of one stage: latency grows with prompt and users."""
    low, high, out = PAYLOADS[payload]
    n = n or 30 * users
    prompt = rng.integers(low, high, n)
    ttft = base_s * (0.1 + prompt / 8000) * (1 + users / 12) * rng.lognormal(0, 0.2, n)
    latency = ttft + base_s * out * 0.02 * (1 + users / 15) * rng.lognormal(0, 0.15, n)
    failed = rng.random(n) < fail_share
    return pd.DataFrame(
        {
            "target": target, "payload": payload, "users": users, "run": "study", "stage": stage, "phase": "measure",
            "latency_ms": latency * 1000, "ttft_ms": ttft * 1000 if stream else np.nan,
            "prompt_tokens": prompt.astype(float), "completion_tokens": float(out),
            "error": pd.Series(np.where(failed, "throttled", None), dtype="object"),
        }
    )  # fmt: skip


def step_of(records, target, service, key, hourly, stream, window_s=30.0):
    """The stage's row, by the plain definitions (whole requests in the window)."""
    row = dict.fromkeys(STEP_COLUMNS, None)
    good = records[records["error"].isna()]
    first = records.iloc[0]
    n, ok = len(records), len(good)
    row |= {
        "run": "study", "stage": first["stage"], "repeat": 1, "target": target, "model": "Llama 2 13B", "service": service,
        "instance_type": key, "instance_count": 1 if hourly else None, "payload": first["payload"],
        "users": first["users"], "stream": stream, "window_s": window_s, "requests": n, "successes": ok,
        "failures": n - ok, "cancelled": 0, "error_rate": (n - ok) / n,
        "errors": f"throttled {n - ok}" if n > ok else None, "verdict": "VALID", "slo": "met",
        "price_basis": "hourly" if hourly else "tokens", "latency_n": ok, "throughput_per_s": ok / window_s,
        "transactions_per_minute": 60 * ok / window_s, "in_flight_mean": first["users"] * 0.99,
    }  # fmt: skip
    if not ok:
        return row | {"slo": "missed", "slo_failed": "error_rate"}
    for name, column in (("latency", "latency_ms"), ("ttft", "ttft_ms")):
        times = good[column].dropna() / 1000
        if len(times):
            row[f"{name}_mean_s"] = times.mean()
            for p in (50, 95, 99):
                row[f"{name}_p{p}_s"] = np.percentile(times, p)
            row[f"{name}_n"] = len(times)
    usd = hourly / (ok / window_s * 3600) if hourly else (good["prompt_tokens"].mean() * 0.75 + 24) / 1e6
    row |= {
        "prompt_tokens_mean": good["prompt_tokens"].mean(), "completion_tokens_mean": good["completion_tokens"].mean(),
        "prompt_tokens_per_s": good["prompt_tokens"].sum() / window_s,
        "completion_tokens_per_s": good["completion_tokens"].sum() / window_s,
        "usd_per_transaction": usd, "usd_per_transaction_low": usd, "usd_per_transaction_high": usd,
        "usd_per_10k_transactions": usd * 10_000,
        "usd_per_1m_output_tokens": usd / good["completion_tokens"].mean() * 1e6,
    }  # fmt: skip
    if hourly:
        row |= {f"usd_per_transaction_at_{p}pct": usd * 100 / p for p in (10, 30, 60)}
    if row["latency_p95_s"] > 2 or n > ok:
        row |= {"slo": "missed", "slo_failed": "latency_s.p95" if n == ok else "error_rate"}
    return row


def made_up(targets=2, users=(1, 2, 4, 6, 8, 10), payloads=tuple(PAYLOADS), stream=True, seed=1, names=None, n=None):
    """(steps, records) of a sweep over `targets` targets, hourly and token-priced in turn."""
    rng = np.random.default_rng(seed)
    steps, records = [], []
    for i in range(targets):
        hourly = 37.688 / (1 + i // 2) if i % 2 == 0 else None
        name = names[i] if names else (f"llama2-13b-p4d-{i}" if hourly else f"bedrock-llama2-13b-{i}")
        key, service = ("ml.p4d.24xlarge", "sagemaker") if hourly else ("meta.llama2-13b-chat-v1", "bedrock")
        for payload in payloads:
            for level in users:
                fail = 0.08 if i == 0 and payload.endswith("3840") and level >= 8 else 0.0
                some = requests_of(name, payload, level, len(steps) + 1, stream, 0.6 + 0.25 * i, rng, fail, n)
                records.append(some)
                steps.append(step_of(some, name, service, key, hourly, stream))
    return frame(steps), pd.concat(records, ignore_index=True)


KINDS = {"number": "float64", "count": "Int64", "flag": "boolean", "text": "object"}


def frame(rows):
    """Rows -> the steps table, None where a value is not known."""
    table = pd.DataFrame(rows, columns=list(STEP_COLUMNS))
    return table.astype({m.name: KINDS[m.kind] for m in METRICS}).copy()


def figures_of(row):
    """A row of steps.csv, or a part of it, as the figures of a stage."""
    values = {m.path: row.get(m.name) for m in METRICS}

    def made(group, path):
        fields = {f.name: (f.type, (*path, f.name)) for f in dataclasses.fields(group)}
        return group(**{n: known(values[at]) if at in values else made(kind, at) for n, (kind, at) in fields.items()})

    return made(StageFigures, ())


def known(value):
    """A cell's value; None where it is empty."""
    return None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value


def result_of(row):
    """A stage of which nothing is known but its figures."""
    return Result(figures_of(row), [], {}, None, f"`{row.get('target')}`")


def with_steps(found, steps):
    """A Report with other stages."""
    results = [result_of(row) for row in steps.to_dict("records")]
    front = pareto(results, found.dataset, {}, "p95")
    return dataclasses.replace(found, results=results, candidates=results, pareto=front)


def doubted(found, cautions):
    """A Report of whose stages some have cautions. cautions: stage number -> its own."""

    def told(r):
        some = tuple(cautions.get(r.key.stage, ()))
        return dataclasses.replace(r, cautions=some, figures=dataclasses.replace(r.figures, trust=trust_of(some)))

    results = [told(r) for r in found.results]
    return dataclasses.replace(found, results=results, candidates=results)


SLO = {"latency_s": {"p95": 2.0}, "error_rate": 0.0, "cost_per_10k_transactions_usd": 50.0}


def manifest(steps, name="study"):
    stages = [
        StageWindow(
            int(s.stage),
            1,
            s.target,
            s.payload,
            int(s.users),
            None,
            1.7e9,
            1.7e9,
            1.7e9 + 5,
            1.7e9 + 35,
            1.7e9 + 36,
            "time",
        )
        for s in steps.itertuples()
    ]
    return Manifest(
        name=name, run_id="r1", status="complete", started_at=1.7e9, ended_at=1.7e9 + 900, scenario_file="configs/study.yaml",
        scenario={"name": name, "load": {"users": [1, 2]}}, seed=7, versions={"swarmledger": "1", "locust": "2.47"},
        git_revision="abc1234", host="bench-1",
        price_book={"file": "p.yaml", "region": "us-east-1", "as_of": "2024-04-15", "source": "AWS"},
        prices={}, payloads={"payload_en_1-500": {"file": "payloads/payload_en_1-500.jsonl", "sha256": "00ff", "prompts": 100}},
        workers=[WorkerEntry("w1", "bench-1", 0.4, 100, 100, 0)], stages=stages,
    )  # fmt: skip


def pair(hourly=37.688, capacity=20_760.0, tokens=0.002216, most=60_000.0):
    """The first study's break-even: one p4d against Llama 2 13B on Bedrock."""
    volumes = np.linspace(0, most, 241)
    curve = pd.DataFrame(
        {
            "transactions_per_hour": volumes,
            "usd_per_hour_hourly": hourly * np.ceil(volumes / capacity),
            "usd_per_hour_tokens": volumes * tokens,
        }
    )
    return BreakEven(
        "payload_en_3000-3840", "study", "llama2-13b-p4d-0", "study", "bedrock-llama2-13b-1", hourly, capacity, tokens,
        [(hourly / tokens, capacity), (2 * hourly / tokens, 2 * capacity), (3 * hourly / tokens, None)], curve,
        "The hourly target is cheaper from 17,007 transactions an hour.",
    )  # fmt: skip


def report(steps, records, slo=SLO, pick=None, knees=(), break_even=(), notes=(), dataset="payload_en_3000-3840"):
    """A Report around a made-up steps.csv and its requests. `pick`: stage number; `knees`: (target, users) pairs."""
    best = Recommendation(
        dataset, "the cheapest stage that meets every limit", ["latency p95 ≤ 2 s"], StageKey("study", pick) if pick else None,
        None, None, None, None, None, ["The best price-performance is this one."], [],
    )  # fmt: skip
    found = Report(
        runs={"study": manifest(steps)}, results=[], candidates=[], records={"study": records}, dataset=dataset, slo={"study": slo},
        recommendation=best,
        sentences=[
            Sentence(
                "study", dataset, "llama2-13b-p4d-0", "ml.p4d.24xlarge", True, 10, None, "met", "Ten users fit."
            )
        ],
        run_cost=[], knees=[Knee("study", t, dataset, users, None, "reached", None, "") for t, users in knees],
        tables={}, break_even=list(break_even), notes=list(notes),
        pricing={"study": {"file": "p.yaml", "region": "us-east-1", "as_of": "2024-04-15", "source": "AWS"}},
        prices=[PriceRow("study", "t", "$1 per hour", "book", "p.yaml", "t", "us-east-1", "2024-04-15", "AWS", "", "")],
        made_at=datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), made_by=Build("0.0.1", "def5678"),
    )  # fmt: skip
    return with_steps(found, steps)


def second_run(found, name="later"):
    """The same stages once more, as another run's."""
    more = [dataclasses.replace(r, figures=dataclasses.replace(r.figures, run=name)) for r in found.results]
    results = [*found.results, *more]
    records = found.records | {name: found.records["study"]}
    runs = found.runs | {name: found.runs["study"]}
    slo, pricing = (d | {name: d["study"]} for d in (found.slo, found.pricing))
    return dataclasses.replace(
        found, results=results, candidates=results, records=records, runs=runs, slo=slo, pricing=pricing
    )
