"""A service that says how much was written to a cache, not for how long: the budget holds by the dearer, the report tells both."""

import json
import subprocess
import sys

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.locust_process import environment, one_locust
from tests.helpers.patience import LONGEST_S

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
EMULATOR = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 200, "seed": 3}},  # 10 tokens: 65 ms
    "models": {
        SONNET: {"engine": "quick", "family": "claude", "cache_minimum_tokens": 50, "splits_cache_writes": False}
    },
}
PRICE = {"input": 0.01, "output": 0.01, "cache_read": 0.001, "cache_write": 0.0125, "cache_write_1h": 0.02}
BUDGET_USD, USERS = 0.3, 3
LOAD = {"users": [USERS], "settle_s": 0, "measure_s": 30}


def line(n: int) -> dict:
    """200 tokens of 4 characters for an hour, then 100 for five minutes, then 10 that are not cached; no two lines are alike."""
    hour, five = (f"Line {n}, part {part}: ".ljust(size, ".") for part, size in ((1, 800), (2, 400)))
    content = []
    for text, ttl in ((hour, "1h"), (five, "5m")):
        content += [{"type": "text", "text": text}, {"cachePoint": {"type": "default", "ttl": ttl}}]
    content.append({"type": "text", "text": "Go on with it, and do not stop, please. "})
    return {"id": str(n), "messages": [{"role": "user", "content": content}]}


#: of a call in USD: 10 tokens in and 10 out, 300 read from the cache, and 300 written to it, all for five minutes or all for an hour; in
#: truth 200 of them are for an hour, 0.2 x 0.02 + 0.1 x 0.0125
FRESH, READ, LOW, HIGH, TRUE = 0.0002, 0.0003, 0.00375, 0.006, 0.00525


def test_mixed_times_that_nobody_splits_keep_the_budget_and_widen_the_reports_interval(tmp_path):
    with running_emulator(EMULATOR) as served:
        target = folders.bedrock(SONNET, name="t", price=PRICE)
        scenario = folders.make_scenario(tmp_path, served.url, [target], LOAD, budget_usd=BUDGET_USD, pricing=None)
        (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(line(n)) + "\n" for n in range(400)))
        with one_locust(scenario, tmp_path / "run") as process:
            assert process.wait() == 3, process.text
    assert folders.manifest(tmp_path / "run")["stages"][-1]["ended_by"] == "budget"
    rows = folders.rows(tmp_path / "run")
    assert {(row.error, row.prompt_tokens, row.completion_tokens) for row in rows} == {(None, 10, 10)}
    written = [row for row in rows if row.cache_write_tokens]  # the other ones are lines that were sent before
    assert {(row.cache_write_tokens, row.cache_write_1h_tokens, row.cache_read_tokens) for row in written} == {
        (300, None, 0)
    }
    known = len(rows) * FRESH + (len(rows) - len(written)) * READ
    low, true, high = (known + len(written) * each for each in (LOW, TRUE, HIGH))
    assert 0.2 * BUDGET_USD < true < high <= BUDGET_USD + USERS * (FRESH + HIGH)  # in flight
    command = [sys.executable, "-m", "analysis", "report", str(tmp_path / "run"), "--out", str(tmp_path / "report")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=LONGEST_S)
    assert "for how long a cache keeps what was written is not known" in done.stdout, done.stderr
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["total_cost_usd_low"] == pytest.approx(low) and summary["total_cost_usd_high"] == pytest.approx(high)
    (step,) = summary["steps"]
    measured = [row for row in rows if row.phase == "measure"]
    share = sum(1 for row in measured if row.cache_write_tokens) / len(measured)
    mean = FRESH + (1 - share) * READ + share * TRUE
    assert step["usd_per_transaction_ci_low"] < step["usd_per_transaction_low"] < mean
    assert mean < step["usd_per_transaction_high"] < step["usd_per_transaction_ci_high"]
