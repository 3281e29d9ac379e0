"""Files that are another encoding's, packed, empty, damaged beside whole ones, or of the wrong level: one line with what to do."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest

from analysis.__main__ import main
from tests.helpers.peer_files import DATA, changed, copied
from tests.helpers.peer_results import evalscope_folder, refusal

#: of each tool a file without which a level would be missing
FILES = {
    "aiperf": "concurrency_4/profile_export.jsonl",
    "fmbench": "per_inference_request_results.csv",
    "genai-bench": "mixed-s/D40_64_text-to-text_num_concurrency_4_time_2s.json",
    "guidellm": "benchmarks.json",
    "inference-perf": "per_request_lifecycle_metrics.json",
    "llmeter": "responses.jsonl",
    "vllm-bench": "openai-chat-infqps-concurrency4-mixed-20261128-014048.json",
}


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("x", content)
    return file.getvalue()


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "UTF-16, not UTF-8; save it as UTF-8: iconv -f UTF-16"),
        ("utf-16-le", "UTF-16 without a byte order mark, not UTF-8"),
        ("utf-32", "UTF-32, not UTF-8"),
    ],
)
def test_another_encoding_is_named_with_what_to_do(tool, encoding, told, tmp_path, capsys):
    path = copied(tool, tmp_path) / FILES[tool]
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    line = refusal(capsys, tool, tmp_path / tool, tmp_path / "run")
    assert told in line and path.name in line


@pytest.mark.parametrize(
    ("ending", "pack", "told"),
    [
        (".gz", gzip.compress, "packed by gzip; unpack it: gunzip "),
        (".bz2", bz2.compress, "packed by bzip2; unpack it: bunzip2 "),
        (".xz", lzma.compress, "packed by xz; unpack it: unxz "),
        (".zip", zipped, "packed by zip; unpack it: unzip "),
        (".zst", lambda content: b"\x28\xb5\x2f\xfd" + content[:100], "packed by zstd; unpack it: unzstd "),
    ],
)
@pytest.mark.parametrize("tool", ["aiperf", "guidellm", "vllm-bench"])
def test_a_packed_level_is_not_left_out_in_silence(tool, ending, pack, told, tmp_path, capsys):
    path = copied(tool, tmp_path) / FILES[tool]
    path.with_name(path.name + ending).write_bytes(pack(path.read_bytes()))
    path.unlink()
    assert f"{told}{path.name}{ending}" in refusal(capsys, tool, tmp_path / tool, tmp_path / "run")


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize("content", ["", "\n \n", "{}", "[[[["])
def test_an_emptied_or_damaged_file_of_a_level_is_named(tool, content, tmp_path, capsys):
    path = copied(tool, tmp_path) / FILES[tool]
    path.write_text(content)
    line = refusal(capsys, tool, tmp_path / tool, tmp_path / "run", *(["--users", "2"] if tool == "llmeter" else []))
    assert path.name in line or tool in line
    assert "empty; copy it again" in line or content.strip()


def test_bytes_that_are_no_utf8_are_named_by_their_place(tmp_path, capsys):
    path = copied("guidellm", tmp_path) / "benchmarks.json"
    path.write_bytes(path.read_bytes().replace(b'"successful"', b'"succ\xe9ssful"', 1))
    line = refusal(capsys, "guidellm", path, tmp_path / "run")
    assert "not UTF-8 (byte " in line and "iconv -f WINDOWS-1252" in line


def test_a_table_s_name_in_another_encoding_is_not_mangled(tmp_path, capsys):
    path = tmp_path / "levels.csv"
    path.write_bytes("target,users,latency_mean_s\nGröße,1,0.5\n".encode("cp1252"))
    assert "not UTF-8 (byte " in refusal(capsys, "table", path, tmp_path / "run")


def test_a_folder_or_a_file_beside_the_results_leads_to_them(tmp_path, capsys):
    folder = copied("guidellm", tmp_path)
    (folder / "logs").mkdir()
    (folder / "logs" / "run.log").write_text("x\n")
    (folder / "benchmarks.csv").write_text("a,b\n1,2\n")
    line = refusal(capsys, "guidellm", folder / "logs", tmp_path / "run")
    assert f"there are some above; give {folder / 'benchmarks.json'}" in line
    line = refusal(capsys, "guidellm", folder / "benchmarks.csv", tmp_path / "run")
    assert f"a CSV, which is not read, but there are some above; give {folder / 'benchmarks.json'}" in line


@pytest.mark.parametrize("tool", ["aiperf", "guidellm", "vllm-bench", "llmeter"])
def test_what_is_not_the_tool_s_beside_its_files_is_left_alone(tool, tmp_path):
    path = copied(tool, tmp_path) / FILES[tool]
    (path.parent / "other.json").write_text('{"a": 1}')
    (path.parent / "dangling.json").symlink_to("/nowhere")
    (path.parent / "folder.json").mkdir()
    users = ["--users", "2"] if tool == "llmeter" else []
    assert main(["import", tool, str(tmp_path / tool), "--run-dir", str(tmp_path / "run"), *users]) == 0


@pytest.mark.parametrize("tool", ["aiperf", "guidellm", "evalscope"])
def test_a_file_itself_is_read_as_its_folder_is(tool, tmp_path):
    path = DATA / tool / FILES.get(tool, "")
    if tool == "evalscope":
        path = evalscope_folder(tmp_path / "made") / "parallel_2_number_12" / "benchmark_data.db"
    assert main(["import", tool, str(path), "--run-dir", str(tmp_path / "run")]) == 0


def test_requests_that_are_missing_from_a_record_file_make_its_level_invalid(tmp_path):
    path = copied("aiperf", tmp_path) / FILES["aiperf"]
    lines = path.read_text().splitlines()
    counts = {"request_count": {"avg": 10.0}, "error_request_count": {"avg": 2.0}}  # beside two for warming up
    changed(path.with_name("profile_export_aiperf.json"), lambda d: d.update(counts))
    path.write_text("".join(line + "\n" for line in lines[:-3]))
    assert main(["import", "aiperf", str(tmp_path / "aiperf"), "--run-dir", str(tmp_path / "run")]) == 0
    problems = json.loads((tmp_path / "run" / "manifest.json").read_text())["problems"]
    told = "9 requests are in its records, 12 in its summary"
    assert [(p["text"], p["stages"]) for p in problems] == [(told, [2])]
