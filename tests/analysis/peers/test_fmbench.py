"""FMBench's files: chunks of simultaneous requests, counts by its tokenizer, and the shapes of its versions."""

import csv
import statistics

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.flat import steps
from tests.helpers.peer_results import DATA, read_of, records_of, refusal, run_of, successes, truth, whole

FOLDER = DATA / "fmbench"
REQUESTS, CHUNKS, SUMMARY = "per_inference_request_results.csv", "all_metrics.csv", "all_metrics_summary.csv"
REGION = ("--region", "us-east-1")


def rows_of(name):
    with open(FOLDER / name, newline="") as file:
        return list(csv.DictReader(file))


def written(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path.parent


def test_its_requests_have_the_endpoints_times_and_its_own_tokenizers_counts():
    found = read_of("fmbench", FOLDER)
    good, true = successes(found), whole(truth("fmbench"))
    assert (len(good), len(records_of(found))) == (len(true), 30)
    assert statistics.median(r.ttft_ms for r in good) == pytest.approx(
        statistics.median(1000 * (r["first_token"] - r["arrival"]) for r in true), abs=8
    )
    # never the service's count, and marked so: 26 to 40 % more than were written
    assert {(r.prompt_token_source, r.token_source) for r in good} == {("tokenizer", "tokenizer")}
    counted = sum(r.completion_tokens for r in good)
    assert counted == sum(r.tokenizer_completion_tokens for r in good)
    assert 1.2 < counted / sum(r["completion_tokens"] for r in true) < 1.5


def test_requests_of_a_chunk_begin_together_and_chunks_follow_each_other():
    two, four = read_of("fmbench", FOLDER).levels
    for level, size in ((two, 2), (four, 4)):
        starts = sorted(r.started_at for r in level.records)
        assert [starts.count(at) for at in sorted(set(starts))] == [size] * 5
        assert level.window[0] == starts[0]
    # tokens by tokens/s of its chunks: 94 / 105.9 + 99 / 160.72 + 97 / 97.84 + 97 / 100.93 + 104 / 111.16
    assert two.window[1] - two.window[0] == pytest.approx(4.3917, abs=0.002)


def test_the_rate_is_all_successes_by_all_chunks_and_not_the_mean_of_the_chunks_rates(tmp_path):
    run = run_of("fmbench", FOLDER, tmp_path / "run", *REGION)
    two, four = steps(analyse([run])).to_dict("records")
    chunks = [row for row in rows_of(CHUNKS) if row["concurrency"] == "2"]
    elapsed = sum(float(c["all_prompts_token_count"]) / float(c["prompt_token_throughput"]) for c in chunks)
    assert two["transactions_per_minute"] == pytest.approx(60 * 9 / elapsed, rel=1e-4)
    # 9 of 10 and 9 of 20 answered
    assert (two["error_rate"], four["error_rate"]) == (pytest.approx(0.1), pytest.approx(0.55))
    # all prompts by all requests, (46 + … + 43) / 10 = 49.1 and not by the successes, as FMBench has it: 54.6
    assert two["prompt_tokens_mean"] == pytest.approx(
        statistics.mean(float(r["prompt_tokens"]) for r in rows_of(REQUESTS)[:10] if r["latency"])
    )
    assert two["verdict"] == "SUSPECT" and "in flight where 2.00 were due" in two["reasons"]


def test_chunks_alone_become_figures_of_all_their_counts(tmp_path):
    written(tmp_path / "metrics" / CHUNKS, rows_of(CHUNKS))
    found = steps(analyse([run_of("fmbench", tmp_path / "metrics", tmp_path / "run", *REGION)]))
    full = steps(analyse([run_of("fmbench", FOLDER, tmp_path / "full", *REGION)]))
    for name in ("requests", "successes", "failures", "transactions_per_minute", "window_s", "usd_per_transaction"):
        assert found[name].tolist() == pytest.approx(full[name].tolist(), rel=1e-4), name
    assert found["latency_p95_high_s"].isna().all()  # a mean of chunks' percentiles has no interval
    assert found["prompt_tokens_mean"].tolist() == pytest.approx([49.1, 49.1])  # 491 / 10, 982 / 20
    assert "FMBench's percentiles are means of its chunks' percentiles" in " ".join(
        read_of("fmbench", tmp_path / "metrics").notes
    )


def test_its_summary_alone_is_told_as_it_is_printed(tmp_path):
    written(tmp_path / "metrics" / SUMMARY, rows_of(SUMMARY))
    found = steps(analyse([run_of("fmbench", tmp_path / "metrics", tmp_path / "run", *REGION)]))
    assert found["transactions_per_minute"].tolist() == [121, 127]
    assert found["error_rate"].tolist() == [0.1, 0.55]
    assert found["requests"].isna().all()  # not told, and not 0
    # all prompts by the successes, which it prints, by all requests: 59 x 0.9, 118 x 0.45
    assert found["prompt_tokens_mean"].tolist() == pytest.approx([53.1, 53.1])


def test_a_folder_of_which_only_the_scored_summary_was_kept_is_read(tmp_path):
    file = tmp_path / "yyyy=2024" / "mm=03" / "dd=22" / "hh=19" / "mm=06" / "summary_metrics_for_dataset_w_scores.csv"
    row = {
        "experiment_name": "llama2-7b", "payload_file": "payload_en_1000-2000.jsonl", "instance_type": "ml.g5.xlarge",
        "concurrency": "1", "error_rate": "0.0", "prompt_token_count_mean": "1623", "completion_token_count_mean": "58",
        "latency_mean": "2.54", "transactions_per_minute": "28", "price_per_hour": "1.006", "price_per_txn": "0.0006", "score": "348.0",
    }  # fmt: skip
    found = steps(analyse([run_of("fmbench", written(file, [row]), tmp_path / "run", *REGION)])).iloc[0]
    assert (found["latency_mean_s"], found["transactions_per_minute"], found["users"]) == (2.54, 28, 1)
    # an ml.g5.xlarge is 1.408 $/h in the price book, and not the $1.006 of the file
    assert found["usd_per_transaction"] == pytest.approx(1.408 / 60 / 28)


def old(rows):
    """As versions of 1.0 write them: no payload, no first token, no uuid."""
    newer = (
        "payload_file",
        "time_to_first_token",
        "time_per_output_token",
        "time_to_last_token",
        "uuid",
        "instance_count",
    )
    return [{name: text for name, text in row.items() if name not in newer} for row in rows]


def test_the_requests_of_version_1_get_their_payload_from_their_chunk(tmp_path):
    written(tmp_path / "m" / REQUESTS, old(rows_of(REQUESTS)))
    written(tmp_path / "m" / CHUNKS, [row | {"payload_file": "payload_en_7.jsonl"} for row in rows_of(CHUNKS)])
    found = read_of("fmbench", tmp_path / "m")
    assert [(level.users, level.payload) for level in found.levels] == [(2, "payload_en_7"), (4, "payload_en_7")]
    assert {r.ttft_ms for r in records_of(found)} == {None}
    assert not any(level.subject.stream for level in found.levels)


def test_experiments_on_instances_and_on_bedrock_stand_side_by_side_with_their_prices(tmp_path):
    bedrock = {"experiment_name": "llama", "instance_type": "meta.llama3-8b-instruct-v1:0", "endpoint_name": "x"}
    rows = rows_of(REQUESTS)[:10]
    written(tmp_path / "m" / REQUESTS, rows + [row | bedrock for row in rows])
    first, second = (level.subject for level in read_of("fmbench", tmp_path / "m").levels)
    assert (first.service, first.instance_type, first.endpoint) == ("sagemaker", "ml.g5.xlarge", "mixed")
    assert (second.service, second.model) == ("bedrock", "meta.llama3-8b-instruct-v1:0")
    found = steps(analyse([run_of("fmbench", tmp_path / "m", tmp_path / "run", *REGION)]))
    assert found["price_basis"].tolist() == ["hourly", "tokens"]


def test_the_date_is_that_of_its_folder(tmp_path):
    folder = written(tmp_path / "yyyy=2024" / "mm=04" / "dd=15" / "hh=23" / "mm=14" / REQUESTS, rows_of(REQUESTS))
    # 2024-04-15T23:14:00Z
    assert read_of("fmbench", folder).levels[0].window[0] == 1713222840


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row | {"concurrency": "many"}, "`concurrency` is many, no number of users"),
        (lambda row: {k: v for k, v in row.items() if k != "latency"}, "`transactions_per_minute` is missing"),
    ],
)
def test_a_table_of_another_shape_is_refused_by_what_it_lacks(tmp_path, capsys, change, words):
    written(tmp_path / "m" / REQUESTS, [change(row) for row in rows_of(REQUESTS)])
    line = refusal(capsys, "fmbench", tmp_path / "m", tmp_path / "run", *REGION)
    assert words in line and "FMBench 1.0 to 2.1" in line


def test_a_file_that_was_cut_off_or_is_empty_is_refused(tmp_path, capsys):
    file = written(tmp_path / "m" / REQUESTS, rows_of(REQUESTS)) / REQUESTS
    text = file.read_bytes()
    for part, words in ((text[:-60], "cut off"), (text[: text.index(b"\n") + 1], "no row")):
        file.write_bytes(part)
        assert words in refusal(capsys, "fmbench", tmp_path / "m", tmp_path / "run", *REGION)


def test_a_row_that_is_cut_off_in_the_middle_of_the_file_is_refused(tmp_path, capsys):
    lines = (FOLDER / REQUESTS).read_text().splitlines()
    lines[3] = ",".join(lines[3].split(",")[:-2])
    file = tmp_path / REQUESTS
    file.write_text("\n".join(lines) + "\n")
    assert "row in line 4 is cut off" in refusal(capsys, "fmbench", file, tmp_path / "run")
