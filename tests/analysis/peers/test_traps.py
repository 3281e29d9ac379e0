"""What the tools' own numbers are not: each is put right where the file allows it, and told where it does not."""

import json

import pandas as pd
import pytest

from tests.helpers.peer_files import DATA, changed, copied, imported

VLLM = "openai-chat-infqps-concurrency2-mixed-20261128-014031.json"


def notes(run) -> str:
    return " ".join(run.manifest.imported.notes)


def test_ttft_of_vllm_bench_is_not_that_of_the_role_event(tmp_path):
    told = json.loads((DATA / "vllm-bench" / VLLM).read_text())
    run = imported("vllm-bench", DATA / "vllm-bench" / VLLM, tmp_path / "run")
    assert told["median_ttft_ms"] < 2  # what the tool says
    assert run.records["ttft_ms"].median() == pytest.approx(201.5, abs=1)
    assert "role event" in notes(run)


def test_ttft_of_vllm_bench_on_the_completions_route_stays_as_it_is(tmp_path):
    folder = copied("vllm-bench", tmp_path)
    for path in folder.glob("*.json"):
        changed(path, lambda d: d.update(backend="openai", endpoint_type="openai"))
    run = imported("vllm-bench", folder, tmp_path / "run")
    assert set(run.records["operation"]) == {"Completions"}
    assert run.records["ttft_ms"].median() < 5


def test_a_role_event_that_is_held_back_to_the_first_token_is_no_token(tmp_path):
    folder = copied("vllm-bench", tmp_path)

    def held(document):
        for n, gaps in enumerate(document["itls"]):
            if gaps:
                document["ttfts"][n], gaps[0] = document["ttfts"][n] + gaps[0], 0.0001

    for path in folder.glob("*.json"):
        changed(path, held)
    run = imported("vllm-bench", folder, tmp_path / "run")
    good = run.records[run.records["error"].isna()]
    assert run.records["ttft_ms"].median() == pytest.approx(201.5, abs=1)
    assert (good["chunks"] == good["completion_tokens"]).all()
    assert "role event" not in notes(run)


def test_start_times_that_a_file_lacks_are_laid_out_by_its_users(tmp_path):
    folder = copied("vllm-bench", tmp_path)
    before = imported("vllm-bench", folder, tmp_path / "before").records["started_at"]
    for path in folder.glob("*.json"):
        changed(
            path,
            lambda d: [d.pop(name, None) for name in ("start_times", "queue_times", "latencies", "failed", "rtfx")],
        )
    run = imported("vllm-bench", folder, tmp_path / "run")
    apart = (run.records["started_at"] - run.records["started_at"].min()) - (before - before.min())
    assert apart.abs().median() < 0.1  # s; of failures the time is not known, and they end at once
    assert set(run.records["prompt_token_source"]) == {
        "tokenizer",
        "none",
    }  # versions without start times counted themselves
    assert "does not keep when a request began" in notes(run)


def test_prompt_tokens_of_vllm_bench_are_the_services_only_where_its_version_takes_them(tmp_path):
    # read back: 0.16.0 has start times and its tokenizer's counts, 0.22.1 has `rtfx` and the service's, 0.18 `rtfx` and its tokenizer's
    for n, (lacking, source) in enumerate(
        [(["latencies", "rtfx"], "tokenizer"), (["latencies"], "none"), ([], "service")]
    ):
        folder = copied("vllm-bench", tmp_path / str(n))
        for path in folder.glob("*.json"):
            changed(path, lambda d, lacking=lacking: d.update(rtfx=0.0) or [d.pop(name) for name in lacking])
        good = imported("vllm-bench", folder, tmp_path / f"run{n}").records.dropna(subset="completion_tokens")
        assert set(good["prompt_token_source"]) == {source}


def test_an_answer_without_the_usage_of_the_others_is_a_failure(tmp_path):
    for tool in ("aiperf", "inference-perf"):
        run = imported(tool, DATA / tool, tmp_path / tool)
        cut = run.records[run.records["error"] == "bad_response"]
        assert cut["error_message"].str.startswith("no usage came").all()
        assert f"{len(cut)} answers came without usage" in notes(run)


def test_without_any_usage_tokens_are_the_tokenizers_and_nothing_is_taken_for_a_failure(tmp_path):
    folder = copied("aiperf", tmp_path)
    for path in folder.rglob("profile_export.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            row["metrics"] = {k: v for k, v in row["metrics"].items() if not k.startswith("usage_")}
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = imported("aiperf", folder, tmp_path / "run")
    assert "bad_response" not in set(run.records["error"].dropna())
    assert set(run.records.loc[run.records["error"].isna(), "token_source"]) == {"tokenizer"}
    assert "lower bound" in notes(run)


def test_guidellm_s_assumed_output_tokens_are_left_out(tmp_path):
    folder = copied("guidellm", tmp_path)

    def without_usage(document):
        for benchmark in document["benchmarks"]:
            for row in benchmark["requests"]["successful"]:
                row.update(prompt_tokens=None, output_tokens=64)  # what was asked for

    changed(folder / "benchmarks.json", without_usage)
    run = imported("guidellm", folder, tmp_path / "run")
    assert run.records["completion_tokens"].isna().all()
    assert run.records["chunks"].max() == 40  # tokens that came, one an event
    assert "14 of 14 successes came without usage" in notes(run)


def test_requests_that_guidellm_did_not_keep_make_the_stage_invalid(tmp_path):
    folder = copied("guidellm", tmp_path)
    changed(folder / "benchmarks.json", lambda d: d["benchmarks"][0]["requests"]["successful"].pop())
    run = imported("guidellm", folder, tmp_path / "run")
    assert [p.stages for p in run.manifest.problems] == [[1]]
    assert "9 of 10 requests" in run.manifest.problems[0].text


def test_warm_up_requests_of_aiperf_are_no_stage_s(tmp_path):
    records = imported("aiperf", DATA / "aiperf", tmp_path / "run").records
    assert set(records.loc[records["phase"] == "warmup", "stage"]) == {0}
    assert (records["phase"] == "warmup").sum() == 4


def test_a_rate_goes_before_a_limit_on_what_is_in_flight(tmp_path):
    folder = copied("vllm-bench", tmp_path)
    for path in folder.glob("*.json"):
        changed(path, lambda d: d.update(request_rate=3.0))
    run = imported("vllm-bench", folder, tmp_path / "run")
    assert [(s.users, s.rate) for s in run.manifest.stages] == [(None, 3.0), (None, 3.0)]
    # the second request of the first file waited 0.0003 s for its turn
    assert run.records["schedule_delay_ms"].iloc[1] == pytest.approx(0.301, abs=0.001)
    assert "At most 2 requests were in flight" in notes(run)


def test_all_requests_at_once_are_as_many_users(tmp_path):
    folder = copied("vllm-bench", tmp_path)
    changed(folder / VLLM, lambda d: d.update(max_concurrency=None))
    run = imported("vllm-bench", folder / VLLM, tmp_path / "run")
    assert [s.users for s in run.manifest.stages] == [12]


def test_no_key_of_a_tool_s_files_comes_into_the_run_folder(tmp_path):
    run = imported("inference-perf", DATA / "inference-perf", tmp_path / "run")
    assert "not-a-key" in (DATA / "inference-perf" / "config.yaml").read_text()
    for path in run.path.iterdir():
        assert "not-a-key" not in path.read_text()


def test_nothing_is_known_of_the_client(tmp_path):
    records = imported("guidellm", DATA / "guidellm", tmp_path / "run").records
    for column in ("lag_ms", "in_flight", "response_bytes", "prompt_id"):
        assert pd.isna(records[column]).all()
