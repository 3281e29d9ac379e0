"""A budget holds in real dollars, by the report's bill, whatever a target is billed by: steps, caches, profiles, units, shares."""

import json

import pytest

from analysis.cost.run_cost import run_cost
from analysis.runs.run_reader import load_run
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import one_locust

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
EMULATOR = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 200, "seed": 3}},  # 10 tokens: 65 ms
    "models": {SONNET: {"engine": "quick", "family": "claude", "cache_minimum_tokens": 100}},
    "openai": {"served": {"engine": "quick", "caches_prompts": True}},
    "endpoints": {"shared": {"engine": "quick", "dialect": "tgi", "inference_components": ["one"]}},
}
USERS = 3
LOAD = {"users": [USERS], "settle_s": 0, "measure_s": 30}
STEPS = {"input": 0.002, "output": 0.02, "steps": [{"above": 500, "input": 0.01, "output": 0.1}]}
CACHED = {"input": 0.01, "output": 0.01, "cache_read": 0.001, "cache_write": 0.0125, "cache_write_1h": 0.02}
QUERY = {"units": {"query": 0.005}}
SHARE = {"usd_per_hour": 36.0, "share": 0.5}  # half a cent a second


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running_emulator(EMULATOR) as e:
        yield e


def lines(characters: int, marked: bool) -> list[dict]:
    """Prompts of their own, each tenth eight times as long; marked: to be cached for an hour."""
    found = []
    for n in range(200):
        text = f"Line {n}: " + "tell me of it. " * (characters // 15 * (1 if n % 10 or marked else 8))
        point = [{"cachePoint": {"type": "default", "ttl": "1h"}}] if marked else []
        messages = [{"role": "user", "content": [{"type": "text", "text": text}, *point]}]
        found.append({"id": str(n), "messages": messages} if marked else {"id": str(n), "prompt": text})
    return found


def claude(model_id: str = SONNET, **more: object) -> dict:
    return folders.bedrock(model_id, name="t", **more)


def target_of(kind: str, url: str) -> dict:
    openai = {"name": "t", "service": "openai", "base_url": f"{url}/v1", "model_id": "served"}
    hosted = folders.sagemaker("shared", name="t", inference_component="one", price=SHARE)
    return {
        "steps": claude(price=STEPS),
        "an hour's cache": claude(price=CACHED),
        "a geographic profile": claude(f"us.{SONNET}"),
        "OpenAI's cache": openai | {"api_key_env": "NO_KEY", "parameters": {"max_tokens": 10}, "price": CACHED},
        "queries": claude(price=QUERY),
        "a share": {k: v for k, v in hosted.items() if k != "instance_type"},
    }[kind]


#: budget, and the price that is really billed
KINDS = {
    "steps": (0.4, TokenPrice.model_validate(STEPS)),
    "an hour's cache": (0.4, TokenPrice.model_validate(CACHED)),
    # the published price outside the global profile: $3.30 and $16.50 per million
    "a geographic profile": (0.03, TokenPrice(input=0.0033, output=0.0165)),
    "OpenAI's cache": (0.2, TokenPrice.model_validate(CACHED)),
    "queries": (0.4, TokenPrice.model_validate(QUERY)),
    "a share": (0.01, HourlyPrice.model_validate(SHARE)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_ends_before_its_budget_is_passed(served, tmp_path, kind):
    budget_usd, price = KINDS[kind]
    scenario = folders.make_scenario(
        tmp_path, served.url, [target_of(kind, served.url)], LOAD, budget_usd=budget_usd, pricing=None
    )
    payload = lines(600, marked=kind == "an hour's cache")
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in payload))
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 3, process.text
    assert folders.manifest(tmp_path / "run")["stages"][-1]["ended_by"] == "budget"
    rows = folders.rows(tmp_path / "run")
    (cost,) = run_cost(load_run(tmp_path / "run"), {"t": price})
    assert cost.usd is not None
    assert cost.usd <= budget_usd + USERS * cost.usd / len(rows)  # what was in flight
    assert cost.usd >= 0.2 * budget_usd  # and it was not stopped at once
    if kind == "an hour's cache":
        assert sum(r.cache_write_1h_tokens or 0 for r in rows) > 0
    if kind == "OpenAI's cache":
        assert sum(r.cache_write_tokens or 0 for r in rows) > 0


def test_a_book_in_dollars_per_token_spends_nothing_or_keeps_the_budget(served, tmp_path):
    """$3 and $15 per million, written as per token."""
    book = tmp_path / "per-token.yaml"
    book.write_text(
        "region: us-east-1\ncurrency: USD\nas_of: 2026-11-01\nsource: a table per token\n"
        f"models:\n  {SONNET}: {{input: 0.000003, output: 0.000015}}\n"
    )
    before = served.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, served.url, [claude()], LOAD, budget_usd=0.001, pricing=str(book))
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 1, process.text
    assert "per token" in process.text and served.stats()["requests"] == before
