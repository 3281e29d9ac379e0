"""genai-bench's files: times in s or ms, failures that it counts as none, starts that it does not keep, aggregates alone."""

import json
import shutil
import statistics

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.flat import steps
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

SECONDS, MILLISECONDS = DATA / "genai-bench" / "mixed-s", DATA / "genai-bench" / "mixed-ms"


def copied(tmp_path, change, metadata=True):
    """The folder with every level's document changed."""
    folder = tmp_path / "experiment"
    shutil.copytree(SECONDS, folder)
    for file in folder.glob("D40*.json"):
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))
    if not metadata:
        (folder / "experiment_metadata.json").unlink()
    return folder


def test_its_successes_have_the_endpoints_tokens_and_times():
    found = read_of("genai-bench", SECONDS)
    # of what the endpoint answered whole, it drops those under way at a level's end
    assert not tokens_of(successes(found)) - tokens_of_truth(whole(truth("genai-bench")))
    assert [(level.users, len(level.records)) for level in found.levels] == [(2, 14), (4, 13)]
    ttft = statistics.median(r.ttft_ms for r in successes(found))
    true = statistics.median(1000 * (r["first_token"] - r["arrival"]) for r in whole(truth("genai-bench")))
    assert ttft == pytest.approx(true, abs=6)
    assert found.version == "0.0.5"


def test_a_broken_connection_that_it_calls_500_has_no_status():
    failed = [r for r in records_of(read_of("genai-bench", SECONDS)) if r.error]
    # of the two levels: 2 + 4 refused with 429, 1 + 4 streams broken
    assert sorted((str(r.error), r.http_status) for r in failed if r.http_status) == [("throttled", 429)] * 6
    assert [str(r.error) for r in failed if r.http_status is None] == ["stream_broken"] * 5


def test_milliseconds_are_read_as_such():
    found = read_of("genai-bench", MILLISECONDS)
    assert statistics.median(r.ttft_ms for r in successes(found)) == pytest.approx(204, abs=6)
    assert {round(r.latency_ms) > 500 for r in successes(found)} == {True}


def test_a_file_without_a_unit_as_versions_before_003_write_it_is_in_seconds(tmp_path):
    folder = copied(tmp_path, lambda document: document.pop("_time_unit"), metadata=False)
    assert tokens_of(successes(read_of("genai-bench", folder))) == tokens_of(successes(read_of("genai-bench", SECONDS)))


def test_its_rates_are_counts_over_its_own_duration(tmp_path):
    run = run_of("genai-bench", SECONDS, tmp_path / "run", "--usd-per-hour", "3.6")
    two, four = steps(analyse([run])).to_dict("records")
    # 11 answers in 5.19305 s; 5 in 2.00311 s
    assert two["throughput_per_s"] == pytest.approx(11 / 5.193052, rel=1e-5)
    assert four["throughput_per_s"] == pytest.approx(5 / 2.00311, rel=1e-5)
    assert (two["error_rate"], four["error_rate"]) == (pytest.approx(3 / 14), pytest.approx(8 / 13))
    # 0.001 $ a second
    assert two["usd_per_transaction"] == pytest.approx(0.001 * 5.193052 / 11, rel=1e-5)
    # the endpoint writes a token in 20 ms
    assert two["tpot_p50_ms"] == pytest.approx(20.0, abs=0.1)


def test_a_level_without_requests_becomes_figures_alone(tmp_path):
    folder = copied(tmp_path, lambda document: document.update(individual_request_metrics=[]))
    run = run_of("genai-bench", folder, tmp_path / "run", "--usd-per-hour", "3.6")
    row = steps(analyse([run])).iloc[0]
    assert (row["requests"], row["successes"], row["failures"]) == (14, 11, 3)
    assert row["throughput_per_s"] == pytest.approx(11 / 5.193052, rel=1e-5)
    assert row["latency_p50_s"] == pytest.approx(0.781583, abs=1e-6)  # its own
    assert row["verdict"] == "SUSPECT" and "no request of it can be counted again" in row["reasons"]


def test_the_key_in_its_command_line_is_nowhere_in_the_run_folder(tmp_path):
    run = run_of("genai-bench", SECONDS, tmp_path / "run")
    assert "never-copied" in (SECONDS / "experiment_metadata.json").read_text()
    assert all("never-copied" not in file.read_text() for file in run.iterdir() if file.is_file())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["aggregated_metrics"].pop("run_duration"), "`aggregated_metrics.run_duration` is missing"),
        (lambda d: d["aggregated_metrics"].pop("num_concurrency"), "`aggregated_metrics.num_concurrency` is missing"),
        (lambda d: d.update(_time_unit="us"), "its times are in `us`, which is neither s nor ms"),
        (lambda d: d["individual_request_metrics"][0].update(e2e_latency="fast", error_code=None), "no number"),
        (lambda d: d.update(individual_request_metrics={"a": 1}), "no list"),
    ],
)
def test_a_file_of_another_shape_is_refused_by_the_key_and_the_version(tmp_path, capsys, change, words):
    line = refusal(capsys, "genai-bench", copied(tmp_path, change), tmp_path / "run")
    assert words in line and "genai-bench 0.0.5" in line


def test_a_file_that_was_cut_off_is_refused(tmp_path, capsys):
    folder = copied(tmp_path, lambda document: None)
    file = next(folder.glob("*concurrency_2*"))
    file.write_bytes(file.read_bytes()[:3000])
    assert "no whole JSON file" in refusal(capsys, "genai-bench", folder, tmp_path / "run")
