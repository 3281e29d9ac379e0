"""What older versions of the tools count otherwise than the handed ones, in files of the forms that those versions write."""

import json
import statistics

import pytest

from tests.helpers.peer_files import changed, copied, imported
from tests.helpers.peer_results import DATA, read_of, successes


def guidellm(tmp_path, version: str, lacking: int, late_s: float):
    """The run of a file of that version in which one answer lacks so many of its closing lines, and ended so long after its token."""
    path = copied("guidellm", tmp_path) / "benchmarks.json"

    def older(document):
        document["metadata"]["guidellm_version"] = version
        for n, row in enumerate(document["benchmarks"][0]["requests"]["successful"]):
            times = row["info"]["timings"]
            times["request_iterations"] = 2 * times["token_iterations"] + 8 - lacking * (n == 0)
            times["last_request_iteration"] = times["last_token_iteration"] + (late_s if n == 0 else 0.0002)

    changed(path, older)
    return imported("guidellm", path, tmp_path / "run")


def cut(run):
    return run.records[run.records["error_message"].fillna("").str.startswith("the others' closing events")]


@pytest.mark.parametrize("version", ["0.5.4", "0.6.1"])
def test_an_error_event_before_guidellm_07_is_a_failure(version, tmp_path):
    # 50 tokens a second: an event 20 ms after the last token came when another was due
    run = guidellm(tmp_path, version, lacking=2, late_s=0.02)
    (row,) = cut(run).to_dict("records")
    assert row["error"] == "bad_response"
    assert row["completion_tokens"] != row["completion_tokens"]  # not known
    assert any(note.startswith("1 answers ended without the closing events") for note in run.manifest.imported.notes)


def test_a_finish_reason_that_comes_with_the_last_token_is_no_failure(tmp_path):
    assert cut(guidellm(tmp_path, "0.6.1", lacking=2, late_s=0.0002)).empty


def test_from_guidellm_07_on_its_own_failures_are_all(tmp_path):
    assert cut(guidellm(tmp_path, "0.7.4", lacking=2, late_s=0.02)).empty


def llmeter(tmp_path, ttft_s: float | None):
    """A file of 0.1.9: without start times, and with that TTFT where one is given."""
    folder = tmp_path / "llmeter"
    folder.mkdir()
    rows = [json.loads(line) for line in (DATA / "llmeter" / "responses.jsonl").read_text().splitlines()]
    for row in rows:
        del row["request_time"]
        if ttft_s and row["time_to_first_token"]:
            row["time_to_first_token"] = ttft_s
    (folder / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_of("llmeter", folder)


def test_ttft_of_llmeter_before_0110_that_ended_at_a_role_event_is_left_out(tmp_path):
    # 20 to 40 tokens at 20 ms after a wait of 200 ms: the answers are ten tokens longer than their tokens
    found = llmeter(tmp_path, ttft_s=0.005)
    assert {r.ttft_ms for r in successes(found)} == {None}
    assert any("here an empty role event" in note for note in found.notes)


def test_ttft_of_llmeter_before_0110_that_ended_at_a_token_is_kept_with_a_note(tmp_path):
    found = llmeter(tmp_path, ttft_s=None)
    assert statistics.median(r.ttft_ms for r in successes(found)) == pytest.approx(203, abs=8)
    assert any("which it need not be" in note for note in found.notes)


def test_answers_of_inference_perf_05_are_under_another_name(tmp_path):
    folder = copied("inference-perf", tmp_path)

    def older(rows):
        for row in rows:
            row["info"]["response_info"] = row["info"].pop("response_metrics", None)

    changed(folder / "per_request_lifecycle_metrics.json", older)
    columns = ["error", "completion_tokens", "token_source", "ttft_ms", "chunks"]
    old = imported("inference-perf", folder, tmp_path / "old").records[columns]
    assert old.equals(imported("inference-perf", DATA / "inference-perf", tmp_path / "new").records[columns])
    assert old["ttft_ms"].notna().sum() > 10


@pytest.mark.parametrize(("version", "source"), [("0.0.3", "tokenizer"), ("0.0.4", "none")])
def test_prompt_tokens_of_genai_bench_before_004_are_its_tokenizers(version, source, tmp_path):
    # read back: 40 where the service's usage said 17; 0.0.4 takes the usage, and what it does without it the file does not say
    folder = copied("genai-bench", tmp_path) / "mixed-s"
    changed(folder / "experiment_metadata.json", lambda d: d.update(benchmark_version=version))
    found = read_of("genai-bench", folder)
    assert {r.prompt_token_source for r in successes(found)} == {source}
    assert any("before 0.0.4 it takes no others" in note for note in found.notes) == (source == "tokenizer")
