"""Runs that ask for lengths and for caches: what was sent is exactly that, and the stages are judged by it."""

import json
import statistics

import pytest

from analysis.__main__ import main
from tests.helpers import folders, tokenizer_files
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import cluster, one_locust

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
#: prompt and answer tokens of a real trace's begin, 3,676 prompt tokens on average
TRACE = [(4808, 10), (3180, 8), (7433, 14), (34, 12), (4556, 10), (7436, 6), (327, 12), (1630, 9)]
PRICE = {"input": 0.001, "output": 0.002, "cache_read": 0.0001, "cache_write": 0.00125, "cache_write_1h": 0.002}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    words = tokenizer_files.words(tmp_path_factory.mktemp("tokenizer") / "t.json")
    quick = {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 500, "tokenizer": words}
    config = {
        "engines": {"quick": quick, "short": quick | {"output": {"distribution": "fixed", "tokens": 5}}},
        "models": {CLAUDE: {"engine": "quick", "family": "claude"}},
        "openai": {
            "caching": {"engine": "quick", "caches_prompts": True, "cache_minimum_tokens": 256},
            "forgetful": {"engine": "quick"},
            "short": {"engine": "short"},
        },
        "endpoints": {"lmi": {"engine": "short", "dialect": "lmi"}},
    }
    with running_emulator(config) as e:
        e.tokenizer = words
        yield e


def by_openai(endpoint, name: str, model: str, **more) -> dict:
    target = {"name": name, "service": "openai", "base_url": f"{endpoint.url}/v1", "model_id": model, "stream": True}
    return target | {"tokenizer": endpoint.tokenizer, "price": PRICE} | more


def by_converse(endpoint, name: str, **more) -> dict:
    target = {"name": name, "service": "bedrock", "model_id": CLAUDE, "stream": True, "price": PRICE}
    return target | {"tokenizer": endpoint.tokenizer} | more


def swept(endpoint, folder, targets: list[dict], load: dict, **keys):
    """(measured rows by target, manifest, rows of the report's steps by target)"""
    scenario = folders.make_scenario(folder, endpoint.url, targets, load, confirm_above_usd=1000, **keys)
    with one_locust(scenario, folder / "run") as process:
        assert process.wait() == 0, process.text
    return judged(folder / "run")


def judged(run):
    assert main(["report", str(run)]) in (0, 2)
    summary = json.loads((run / "report/summary.json").read_text())
    steps = {step["target"]: step for step in summary["steps"]}
    found = {name: [r for r in folders.rows(run) if r.phase == "measure" and r.target == name] for name in steps}
    return found, folders.manifest(run), steps


def whole(row: folders.Row) -> int:
    return row.prompt_tokens + (row.cache_read_tokens or 0) + (row.cache_write_tokens or 0)


def cautions(step: dict) -> set[str]:
    """But for those that a busy machine has."""
    kinds = set((step["cautions"] or "").split(", ")) - {""}
    return kinds & {
        "cache_below",
        "cache_above",
        "cache_untold",
        "cache_reads",
        "prompts_repeated",
        "prompt_lengths",
        "answer_lengths",
        "trace_lengths",
    }


@pytest.fixture(scope="module")
def cached(endpoint, tmp_path_factory):
    """Five targets, one payload of 20 synthetic prompts of 100 to 300 tokens behind 2,000 shared ones."""
    targets = [
        by_converse(endpoint, "point", prefix={"shared_tokens": 2000, "cache_point": "5m"}),
        by_converse(endpoint, "cold", prefix={"shared_tokens": 2000, "nonce": "start", "cache_point": "1h"}),
        by_openai(endpoint, "automatic", "caching", prefix={"share": 0.8, "cache_point": "automatic"}),
        by_openai(endpoint, "unasked", "caching", prefix={"shared_tokens": 1500}),
        by_openai(endpoint, "untold", "forgetful", prefix={"shared_tokens": 2000, "cache_point": "automatic"}),
    ]
    lengths = {"distribution": "uniform", "low": 100, "high": 300}
    synthetic = {"made": {"prompt_tokens": lengths, "completion_tokens": 4, "count": 20}}
    load = {"users": [4], "settle_s": 0.5, "settle_at_most_s": 0.5, "measure_s": 2}
    keys = {"synthetic": synthetic, "payloads": ["made"]}
    return swept(endpoint, tmp_path_factory.mktemp("cached"), targets, load, **keys)


def test_every_prompt_has_the_tokens_that_were_asked_for_whatever_the_cache(cached):
    found, _, steps = cached
    for name, rows in found.items():
        assert len(rows) > 20 and {whole(r) - r.asked_prompt_tokens for r in rows} == {0}, name
        assert {r.completion_tokens for r in rows} == {4} == {r.asked_completion_tokens for r in rows}
        assert {whole(r) - r.tokenizer_prompt_tokens for r in rows} == {0}
        assert (steps[name]["prompt_length_ratio"], steps[name]["completion_length_share"]) == (1, 1)


def test_what_is_read_is_the_prefix_and_the_stage_is_judged_by_it(cached):
    found, manifest, steps = cached
    assert {(r.cache_read_tokens, r.cache_write_tokens) for r in found["point"]} == {(2000, 0)}
    # read nothing, written the number, the prefix and what stands between, for an hour
    assert {(r.cache_read_tokens, r.cache_write_tokens, r.cache_write_1h_tokens) for r in found["cold"]} == {
        (0, 2005, 2005)
    }
    # 0.8 / 0.2 x (mean length + 5) tokens in whole blocks
    mean = statistics.fmean(r.asked_prompt_tokens for r in found["automatic"])
    assert {r.cache_read_tokens % 128 for r in found["automatic"]} == {0}
    assert steps["automatic"]["cache_read_share"] == pytest.approx(0.8, abs=0.02 + 128 / mean)
    assert {name: cautions(step) for name, step in steps.items()} == {
        "point": set(),
        "cold": set(),
        "automatic": set(),
        "unasked": {"cache_reads"},
        "untold": {"cache_untold"},
    }
    asked = {stage["target"]: stage["cache_asked"] for stage in manifest["stages"]}
    assert asked["unasked"] is None and asked["cold"] == {"share": 0, "leeway": 0}
    assert asked["point"]["share"] == pytest.approx(steps["point"]["cache_read_share"], abs=0.03)


def test_no_two_requests_are_alike_and_repeats_are_no_reason_for_doubt(cached):
    found, _, steps = cached
    assert steps["point"]["prompt_repeat_share"] > 0.5  # of 20 lines
    assert "prompts_repeated" not in steps["unasked"]["cautions"]


def replay(folder) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{n * 0.2},{prompt},{answer}\n" for n, (prompt, answer) in enumerate(TRACE)]
    (folder / "trace.csv").write_text("timestamp,prompt_tokens,completion_tokens\n" + "".join(lines))
    named = str(folder / "trace.csv")
    return {"synthetic": {"made": {"trace": named}}, "payloads": ["made"]}, {"replay": named}


def test_a_traces_lengths_are_sent_exactly_and_held_where_the_server_can(endpoint, tmp_path):
    lmi = {"name": "lmi", "service": "sagemaker", "endpoint": "lmi", "dialect": "lmi", "stream": True}
    targets = [
        by_openai(endpoint, "plain", "short"),
        by_openai(endpoint, "held", "short", hold_length="min_tokens"),
        lmi | {"tokenizer": endpoint.tokenizer, "price": {"usd_per_hour": 1}, "hold_length": "ignore_eos"},
    ]
    keys, load = replay(tmp_path)
    found, manifest, steps = swept(endpoint, tmp_path, targets, load, **keys)
    for name, rows in found.items():
        assert [whole(r) for r in sorted(rows, key=lambda r: r.started_at - r.schedule_delay_ms / 1000)] == [
            n for n, _ in TRACE
        ], name
        assert sorted(r.asked_prompt_tokens for r in rows) == sorted(n for n, _ in TRACE)
        assert [s["trace_fit"]["off"] for s in manifest["stages"] if s["target"] == name] == [0]
    asked = sorted(n for _, n in TRACE)
    assert [sorted(r.completion_tokens for r in found[name]) for name in ("held", "lmi")] == [asked, asked]
    assert {r.completion_tokens for r in found["plain"]} == {5}
    assert [cautions(steps[name]) for name in ("plain", "held", "lmi")] == [{"answer_lengths"}, set(), set()]
    # 8 x 5 of 81 tokens
    assert steps["plain"]["completion_length_ratio"] == pytest.approx(40 / 81)


def test_two_workers_send_the_same_lengths_and_no_number_twice(endpoint, tmp_path):
    keys, load = replay(tmp_path)
    target = by_openai(endpoint, "caching", "caching", prefix={"nonce": "start"})
    scenario = folders.make_scenario(tmp_path, endpoint.url, [target], load, confirm_above_usd=1000, **keys)
    for run in ("first", "second"):
        with cluster(scenario, tmp_path / run, workers=2) as crew:
            assert crew.wait() == (0, [0, 0]), crew.text()
        rows = [r for r in folders.rows(tmp_path / run) if r.phase == "measure"]
        assert sorted(map(whole, rows)) == sorted(n for n, _ in TRACE) and len({r.worker for r in rows}) == 2
        assert {r.cache_read_tokens for r in rows} == {0}  # the second run's, too, though its lines are the same


def test_both_transports_record_the_same(endpoint, tmp_path):
    load = {"users": [1], "settle_s": 0, "settle_at_most_s": 0.1, "measure_s": 0.5}
    synthetic = {"made": {"prompt_tokens": 50, "completion_tokens": 4, "count": 5}}
    told = []
    for transport, prefixes in (
        ("fast", 2),
        ("boto3", 3),
    ):  # of one scenario's prefixes the other's run would have a warm cache
        target = by_converse(endpoint, "point", prefix={"shared_tokens": 1100 + prefixes, "cache_point": "1h"})
        found, _, _ = swept(
            endpoint, tmp_path / transport, [target], load, synthetic=synthetic, payloads=["made"], transport=transport
        )
        rows = found["point"]
        told.append({(r.prompt_tokens, r.cache_read_tokens - prefixes, r.cache_write_tokens) for r in rows})
        told.append({(r.completion_tokens, r.asked_completion_tokens, r.prompt_token_source) for r in rows})
    assert told == [{(55, 1100, 0)}, {(4, 4, "service")}] * 2
