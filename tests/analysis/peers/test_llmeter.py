"""llmeter's files: two levels in one folder, retries and reasoning inside its times, the shapes of its versions."""

import json
import shutil
import statistics

import pytest

from tests.helpers.peer_results import (
    DATA,
    read_of,
    records_of,
    refusal,
    run_of,
    successes,
    tokens_of,
    tokens_of_truth,
    truth,
    whole,
)

FOLDER = DATA / "llmeter"
LINES = [json.loads(line) for line in (FOLDER / "responses.jsonl").read_text().splitlines()]


def folder_of(tmp_path, rows, config=None, **summary):
    """As llmeter leaves it, with these lines; `summary`: changed keys of summary.json."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = json.loads((FOLDER / "summary.json").read_text()) | summary
    (folder / "summary.json").write_text(json.dumps(told))
    if config:
        (folder / "run_config.json").write_text(json.dumps(config))
    return folder


def test_its_requests_have_the_endpoints_tokens_and_failures():
    found = read_of("llmeter", FOLDER)
    assert tokens_of(successes(found)) == tokens_of_truth(whole(truth("llmeter")))
    # the endpoint refused 4 and broke 3 streams by closing them and one by an error event
    failed = sorted(str(r.error) for r in records_of(found) if r.error)
    assert failed == ["bad_response"] + ["stream_broken"] * 3 + ["throttled"] * 4
    assert {r.http_status for r in records_of(found) if str(r.error) == "throttled"} == {429}


def test_its_times_are_the_endpoints_but_for_the_first_request():
    found = read_of("llmeter", FOLDER)
    ttft = statistics.median(r.ttft_ms for r in successes(found))
    true = statistics.median(1000 * (r["first_token"] - r["arrival"]) for r in whole(truth("llmeter")))
    assert ttft == pytest.approx(true, abs=8)
    assert any("first request of a run may have waited" in note for note in found.notes)


def test_the_summarys_level_is_cut_off_and_the_one_before_needs_its_users(tmp_path, capsys):
    earlier, last = read_of("llmeter", FOLDER).levels
    assert (earlier.users, len(earlier.records), last.users, len(last.records)) == (None, 12, 4, 12)
    line = refusal(capsys, "llmeter", FOLDER, tmp_path / "run")
    assert "how many users 1 of 2 levels had; add --users" in line
    run = run_of("llmeter", FOLDER, tmp_path / "run", "--users", "2")
    stages = json.loads((run / "manifest.json").read_text())["stages"]
    assert [(stage["users"], stage["records"]) for stage in stages] == [(2, 12), (4, 12)]


def test_one_level_alone_needs_nothing(tmp_path):
    folder = folder_of(tmp_path, LINES[12:])
    (level,) = read_of("llmeter", folder).levels
    assert (level.users, len(level.records)) == (4, 12)
    # the summary's 2.345 s from the first request on
    assert level.window[1] - level.window[0] == pytest.approx(2.345234, abs=1e-6)


def test_requests_that_the_summary_counts_and_the_file_lacks_make_the_level_invalid(tmp_path):
    (level,) = read_of("llmeter", folder_of(tmp_path, LINES[12:20])).levels
    assert level.problems == ["8 of 12 requests are in responses.jsonl"]


def test_a_run_of_before_019_has_no_start_times_and_is_laid_out_by_its_duration(tmp_path):
    old = ("id", "response_text", "input_prompt", "time_to_first_token", "time_to_last_token", "num_tokens_input")
    old = (*old, "num_tokens_output", "time_per_output_token", "error")
    folder = folder_of(tmp_path, [{key: row[key] for key in old} for row in LINES[:12]], clients=2)
    found = read_of("llmeter", folder)
    (level,) = found.levels
    assert any("does not keep when a request began" in note for note in found.notes)
    assert min(r.started_at for r in level.records) >= level.window[0]
    assert max(r.started_at + r.latency_ms / 1000 for r in level.records) <= level.window[1] + 1e-6


def test_tries_of_its_client_are_said(tmp_path):
    config = json.loads((FOLDER / "run_config.json").read_text())
    config["endpoint"]["__llmeter_state__"]["max_retries"] = 2
    notes = read_of("llmeter", folder_of(tmp_path, LINES[12:], config)).notes
    assert any("tried up to 2 times again" in note for note in notes)
    assert not any("again" in note for note in read_of("llmeter", FOLDER).notes)  # max_retries is 0 there


def test_the_time_to_visible_text_after_reasoning_is_not_taken_for_the_first_token(tmp_path):
    rows = [row | {"num_tokens_output_reasoning": 8} for row in LINES[12:] if row["error"] is None]
    (level,) = read_of("llmeter", folder_of(tmp_path, rows, total_requests=len(rows))).levels
    assert {r.ttft_ms for r in level.records} == {None}
    assert all(r.ttft_visible_ms is not None for r in level.records)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time_to_last_token": None, "error": None}, "time_to_last_token` is missing"),
        ({"request_time": "yesterday"}, "no time"),
        ({"num_tokens_output": "many"}, "no number"),
    ],
)
def test_a_line_of_another_shape_is_refused_by_its_place(tmp_path, capsys, change, words):
    folder = folder_of(tmp_path, [LINES[0], LINES[1] | change], total_requests=2)
    line = refusal(capsys, "llmeter", folder, tmp_path / "run")
    assert words in line and "line 2" in line


def test_a_torn_last_line_is_left_out_and_said(tmp_path):
    folder = tmp_path / "torn"
    shutil.copytree(FOLDER, folder)
    text = (folder / "responses.jsonl").read_text()
    (folder / "responses.jsonl").write_text(text[:-40])
    found = read_of("llmeter", folder)
    assert len(records_of(found)) == 23
    assert any("torn" in note for note in found.notes)
