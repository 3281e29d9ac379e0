"""What is imported from each tool's files equals what the endpoint says of the same requests."""

import statistics
from collections import Counter

import pandas as pd
import pytest

from analysis.metrics.gaps import inter_token
from tests.helpers.peer_files import DATA, failure, imported, with_truth

#: tool -> ms by which its times of one request may be off: waking up late, connecting
ERROR_MS = {"aiperf": 25.0, "guidellm": 10.0, "inference-perf": 10.0, "vllm-bench": 10.0}
CLASSES = {
    "throttle": "throttled",
    "drop_mid_stream": "stream_broken",
    "exception_mid_stream": "bad_response",
}


@pytest.mark.parametrize("tool", sorted(ERROR_MS))
def test_every_request_has_the_endpoints_tokens_and_times(tool, tmp_path):
    pairs = with_truth(imported(tool, DATA / tool, tmp_path / "run"), tool)
    good = [(record, line) for record, line in pairs if not failure(line)]
    assert good
    for record, line in good:
        assert pd.isna(record["error"])
        assert (record["prompt_tokens"], record["completion_tokens"]) == (
            line["prompt_tokens"],
            line["completion_tokens"],
        )
        assert (record["prompt_token_source"], record["token_source"]) == ("service", "service")
        assert record["chunks"] == line["deltas"]
        for name in ("first_token_ms", "last_token_ms", "last_byte_ms"):
            own = {"first_token_ms": "ttft_ms", "last_byte_ms": "latency_ms"}.get(name, name)
            assert 0 <= record[own] - line[name] < ERROR_MS[tool]
    off = [record["ttft_ms"] - line["first_token_ms"] for record, line in good]
    assert statistics.median(off) < 5.0  # a role event comes 200 ms before the first token


@pytest.mark.parametrize("tool", ["aiperf", "inference-perf", "vllm-bench"])
def test_gaps_between_tokens_are_those_that_the_endpoint_kept(tool, tmp_path):
    records = imported(tool, DATA / tool, tmp_path / "run").records
    good = records[records["error"].isna()]
    found = inter_token(good)
    assert found.gaps == (good["chunks"] - 1).sum()
    assert found.mean == pytest.approx(20.0, abs=0.1)  # ms: 50 tokens/s; no gap of a role or a closing event
    assert found.p50 == pytest.approx(20.0, rel=0.025)


@pytest.mark.parametrize("tool", sorted(ERROR_MS))
def test_every_failure_has_its_class(tool, tmp_path):
    pairs = with_truth(imported(tool, DATA / tool, tmp_path / "run"), tool)
    failed = [(record, line) for record, line in pairs if failure(line)]
    assert {line["fault"] for _, line in failed} == set(CLASSES)
    # as many of each: which of those that failed at once is which, no file tells
    assert Counter(record["error"] for record, _ in failed) == Counter(CLASSES[line["fault"]] for _, line in failed)
    assert all(pd.isna(record["completion_tokens"]) for record, _ in failed)
    throttled = [record for record, line in failed if line["fault"] == "throttle"]
    assert {record["http_status"] for record in throttled} == {429}


@pytest.mark.parametrize("tool", sorted(ERROR_MS))
def test_a_stage_is_a_level_of_the_tool(tool, tmp_path):
    run = imported(tool, DATA / tool, tmp_path / "run")
    assert [stage.users for stage in run.manifest.stages] == [2, 4]
    for stage in run.manifest.stages:
        sent = run.records[run.records["stage"] == stage.stage]
        assert len(sent) == stage.records
        assert (sent["started_at"] >= stage.measure_from - 1e-6).all()
        assert (sent["started_at"] <= stage.measure_until).all()
