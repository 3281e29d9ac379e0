"""Files that are damaged, of another tool or of a form that no known version has: one line that says which, and never a traceback."""

import json
import shutil

import pytest

from analysis.__main__ import main
from tests.helpers.peer_files import DATA, changed, copied

TOOLS = ["aiperf", "guidellm", "inference-perf", "vllm-bench"]


def refused(tool, path, tmp_path, capsys, *options) -> str:
    """The one line, of an import that writes nothing."""
    assert main(["import", tool, str(path), "--run-dir", str(tmp_path / "run"), *options]) == 1
    assert not (tmp_path / "run").exists()
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


@pytest.mark.parametrize("tool", TOOLS)
def test_a_folder_without_files_is_named(tool, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert "an empty folder" in refused(tool, tmp_path / "empty", tmp_path, capsys)
    assert "not there" in refused(tool, tmp_path / "nowhere", tmp_path, capsys)


@pytest.mark.parametrize("tool", TOOLS)
def test_another_tool_s_files_are_recognised(tool, tmp_path, capsys):
    other = "guidellm" if tool != "guidellm" else "aiperf"
    assert f"looks like files of {tool}, not of {other}" in refused(other, copied(tool, tmp_path), tmp_path, capsys)


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("aiperf", "concurrency_2/profile_export_aiperf.json"),
        ("guidellm", "benchmarks.json"),
        ("inference-perf", "per_request_lifecycle_metrics.json"),
        ("vllm-bench", "openai-chat-infqps-concurrency2-mixed-20261128-014031.json"),
    ],
)
def test_a_file_that_is_cut_off_is_named(tool, name, tmp_path, capsys):
    path = copied(tool, tmp_path) / name
    path.write_bytes(path.read_bytes()[:-100])
    told = refused(tool, path.parent if tool == "aiperf" else path, tmp_path, capsys)
    assert path.name in told
    assert "cut off" in told


def test_a_torn_last_line_is_left_out_and_told(tmp_path, capsys):
    path = copied("aiperf", tmp_path) / "concurrency_2" / "profile_export.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    assert main(["import", "aiperf", str(path.parent), "--run-dir", str(tmp_path / "run")]) == 0
    assert "The last line of 1 record file was torn" in capsys.readouterr().out


def test_a_form_that_no_known_version_has_names_the_version_and_what_is_missing(tmp_path, capsys):
    path = copied("guidellm", tmp_path) / "benchmarks.json"

    def newer(document):
        document["metadata"]["guidellm_version"] = "1.4.0"
        document["benchmarks"][1]["calls"] = document["benchmarks"][1].pop("requests")

    changed(path, newer)
    told = refused("guidellm", path, tmp_path, capsys)
    assert "`benchmarks[1].requests` is missing; written by guidellm 1.4.0" in told
    assert "read are the files of guidellm 0.2 to 0.8" in told


def test_a_value_of_another_kind_is_named_by_its_place(tmp_path, capsys):
    path = copied("guidellm", tmp_path) / "benchmarks.json"
    changed(path, lambda d: d["benchmarks"][0]["requests"]["successful"][2].update(prompt_tokens="46"))
    told = refused("guidellm", path, tmp_path, capsys)
    assert '`benchmarks[0].requests.successful[2].prompt_tokens` is "46", no number' in told


def test_requests_of_which_no_one_says_the_stage_are_not_mixed(tmp_path, capsys):
    folder = copied("inference-perf", tmp_path)
    (folder / "stage_1_lifecycle_metrics.json").unlink()
    told = refused("inference-perf", folder, tmp_path, capsys)
    assert "which request was of which stage is not known (10 by the stages' files, 20 in" in told


def test_lists_of_different_lengths_are_refused(tmp_path, capsys):
    folder = copied("vllm-bench", tmp_path)
    for path in folder.glob("*.json"):
        changed(path, lambda d: d["ttfts"].pop())
    assert "different lengths (11, 12)" in refused("vllm-bench", folder, tmp_path, capsys)


def test_a_level_of_which_no_file_says_the_load_needs_users(tmp_path, capsys):
    folder = copied("aiperf", tmp_path)
    (folder / "concurrency_4" / "profile_export_aiperf.json").unlink()
    assert "1 of 2 levels had; add --users" in refused("aiperf", folder, tmp_path, capsys)
    assert main(["import", "aiperf", str(folder), "--run-dir", str(tmp_path / "run"), "--users", "4"]) == 0
    stages = json.loads((tmp_path / "run" / "manifest.json").read_text())["stages"]
    assert [stage["users"] for stage in stages] == [2, 4]


def test_a_folder_with_a_run_is_kept(tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["import", "guidellm", str(DATA / "guidellm"), "--run-dir", str(run)]) == 0
    before = (run / "manifest.json").read_bytes()
    capsys.readouterr()
    assert main(["import", "guidellm", str(DATA / "guidellm"), "--run-dir", str(run)]) == 1
    assert "already holds a run" in capsys.readouterr().err
    assert (run / "manifest.json").read_bytes() == before
    assert main(["import", "guidellm", str(DATA / "guidellm"), "--run-dir", str(run), "--overwrite"]) == 0
    assert (run / "manifest.json").read_bytes() != before  # its run_id is another
    shutil.rmtree(run)


def test_a_count_of_tokens_for_some_requests_only_is_refused(tmp_path, capsys):
    folder = copied("vllm-bench", tmp_path)
    for path in folder.glob("*.json"):
        changed(path, lambda d: d.update(output_lens=d["output_lens"][:2]))
    assert "different lengths (2, 12)" in refused("vllm-bench", folder, tmp_path, capsys)


@pytest.mark.parametrize("at", [-1e18, -5e8])
def test_a_time_that_no_calendar_has_is_refused(at, tmp_path, capsys):
    path = copied("guidellm", tmp_path) / "benchmarks.json"

    def damaged(document):
        row = document["benchmarks"][1]["requests"]["successful"][0]
        row["request_start_time"] = at
        row.get("info", {}).get("timings", {})["request_start"] = at

    changed(path, damaged)
    assert "s after 1970, no time" in refused("guidellm", path, tmp_path, capsys)


@pytest.mark.parametrize("tool", TOOLS)
def test_files_saved_again_with_a_byte_order_mark_are_read(tool, tmp_path):
    folder = copied(tool, tmp_path)
    for path in [*folder.rglob("*.json"), *folder.rglob("*.jsonl")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert main(["import", tool, str(folder), "--run-dir", str(tmp_path / "run")]) == 0
