"""Summaries without requests: their figures become a stage's, but for those that the files show to be of something else."""

import json

import pytest

from tests.helpers.peer_files import changed, copied, imported

LISTS = ("input_lens", "output_lens", "ttfts", "itls", "start_times", "generated_texts", "errors")


def alone(tmp_path, change=lambda document: None):
    """The first stage's figures of vllm bench's files as they are without --save-detailed, and the notes."""
    folder = copied("vllm-bench", tmp_path)

    def without_lists(document):
        for name in LISTS:
            document.pop(name)
        change(document)

    for path in folder.glob("*.json"):
        changed(path, without_lists)
    run = imported("vllm-bench", folder, tmp_path / "run")
    return run.manifest.stages[0].aggregates, " ".join(run.manifest.imported.notes)


def test_vllm_bench_without_its_requests_is_its_summary(tmp_path):
    told, notes = alone(tmp_path)
    assert (told["successes"], told["failures"]) == (10, 2)
    assert told["latency_mean_s"] == pytest.approx(0.816143, abs=1e-6)  # mean_e2el_ms 816.143
    assert told["prompt_tokens_mean"] == 58.0  # total_input_tokens 580 of 10 successes
    assert "keeps no requests" in notes


def test_its_ttft_is_left_out_where_it_ended_at_a_role_event(tmp_path):
    # p99_itl_ms 200 is the gap from the role event to the first token, ten usual ones (median_itl_ms 20), TTFT 1.7 ms
    told, notes = alone(tmp_path)
    assert not [name for name in told if name.startswith(("ttft", "tpot"))]
    assert "TTFT and TPOT are left out" in notes


def test_its_ttft_stays_where_it_ended_at_a_token(tmp_path):
    told, notes = alone(tmp_path / "a", lambda d: d.update(backend="openai", endpoint_type="openai"))
    assert told["ttft_mean_s"] == pytest.approx(0.001733, abs=1e-6)  # what the file says, of the completions route
    told, notes = alone(tmp_path / "b", lambda d: d.update(median_ttft_ms=201.6, p99_itl_ms=25.0))
    assert told["ttft_p50_s"] == pytest.approx(0.2016)
    assert "need not be a token" in notes


def test_failures_of_versions_that_do_not_count_them_are_the_rest(tmp_path):
    told, _ = alone(tmp_path, lambda d: d.pop("failed"))
    assert told["failures"] == 2  # 12 prompts, 10 completed


def test_aiperf_without_its_records_is_its_summary(tmp_path):
    folder = copied("aiperf", tmp_path)
    for path in folder.rglob("profile_export.jsonl"):
        path.unlink()
    summary = {
        "request_latency": {"unit": "ms", "avg": 800.0, "p50": 810.0, "p99": 980.0},
        "time_to_first_token": {"unit": "sec", "avg": 0.2},
        "request_count": {"unit": "requests", "avg": 9.0},
        "error_request_count": {"unit": "requests", "avg": 3.0},
        "benchmark_duration": {"unit": "sec", "avg": 4.0},
        "start_time": "2026-11-28T01:40:00",
    }
    for path in folder.rglob("*_aiperf.json"):
        changed(path, lambda d: d.update(summary))
    run = imported("aiperf", folder, tmp_path / "run")
    told = run.manifest.stages[0].aggregates
    assert (told["successes"], told["failures"], told["window_s"]) == (9, 3, 4.0)
    assert (told["latency_p50_s"], told["ttft_mean_s"]) == (0.81, 0.2)
    assert [s.users for s in run.manifest.stages] == [2, 4]


def test_inference_perf_without_its_requests_is_its_stages(tmp_path):
    folder = copied("inference-perf", tmp_path)
    (folder / "per_request_lifecycle_metrics.json").unlink()
    good = {"count": 9, "latency": {"request_latency": {"mean": 0.8, "median": 0.82}}, "output_len": {"mean": 41.7}}
    for number, path in enumerate(sorted(folder.glob("stage_*.json"))):
        stage = json.loads(path.read_text()) | {"successes": good, "failures": {"count": 1 + number}}
        path.write_text(json.dumps(stage))
    run = imported("inference-perf", folder, tmp_path / "run")
    assert [s.users for s in run.manifest.stages] == [2, 4]
    assert [s.aggregates["failures"] for s in run.manifest.stages] == [1, 2]
    assert run.manifest.stages[0].aggregates["latency_p50_s"] == 0.82
