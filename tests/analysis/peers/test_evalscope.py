"""evalscope's database: times since boot, failures without a reason, pickles that nobody loads, and the shapes of its versions."""

import base64
import hashlib
import itertools
import json
import pickle
import shutil
import statistics

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.flat import steps
from tests.helpers.peer_results import (
    DATA,
    database,
    evalscope_folder,
    evalscope_rows,
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

TWO, FOUR = "parallel_2_number_12", "parallel_4_number_12"


@pytest.fixture
def both(tmp_path):
    """Two levels, as the tool leaves them."""
    evalscope_folder(tmp_path / "mixed", TWO)
    return evalscope_folder(tmp_path / "mixed", FOUR)


class Trap:
    """What runs code where a pickle of it is loaded."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle was loaded')",))


def test_its_requests_have_the_endpoints_tokens_deltas_and_times(both):
    found = read_of("evalscope", both)
    good, true = successes(found), whole(truth("evalscope"))
    assert tokens_of(good) == tokens_of_truth(true)
    assert sorted(r.chunks for r in good) == sorted(r["deltas"] for r in true)
    for ours, theirs in (("ttft_ms", "first_token"), ("last_token_ms", "last_token"), ("latency_ms", "last_byte")):
        median = statistics.median(1000 * (r[theirs] - r["arrival"]) for r in true)
        assert statistics.median(getattr(r, ours) for r in good) == pytest.approx(median, abs=8)
    assert [(level.users, len(level.records)) for level in found.levels] == [(2, 12), (4, 12)]


def test_its_failures_have_no_class_and_no_made_up_one(both):
    failed = [r for r in records_of(read_of("evalscope", both)) if r.error]
    assert len(failed) == 24 - len(whole(truth("evalscope")))
    assert {(str(r.error), r.http_status, r.error_message, r.completion_tokens) for r in failed} == {
        ("unknown", None, None, None)
    }


def test_seconds_since_boot_keep_their_distance_and_do_not_become_1970(both):
    records = records_of(read_of("evalscope", both))
    starts = sorted(row["start_time"] for level in (TWO, FOUR) for row in evalscope_rows(level))
    ours = sorted(r.started_at for r in records)
    assert ours[0] > 1.7e9
    assert [at - ours[0] for at in ours] == pytest.approx([at - starts[0] for at in starts], abs=1e-5)


def test_a_pickle_in_the_database_is_never_loaded(tmp_path):
    bomb = base64.b64encode(pickle.dumps(Trap())).decode()
    with pytest.raises(SystemExit):
        pickle.loads(base64.b64decode(bomb))  # it does go off
    rows = [row | {"response_messages": bomb, "request": bomb} for row in evalscope_rows(TWO)]
    assert len(records_of(read_of("evalscope", evalscope_folder(tmp_path, rows=rows)))) == 12


def test_the_database_is_not_written_to(tmp_path):
    file = evalscope_folder(tmp_path) / TWO / "benchmark_data.db"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    read_of("evalscope", tmp_path)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert sorted(f.name for f in file.parent.iterdir()) == ["benchmark_args.json", "benchmark_data.db"]


def before_13(row: dict, events: bool = True) -> dict:
    """A row as versions before 1.3 have it: the role event 2 ms after the start, a closing and a usage event behind the tokens."""
    columns = ("request", "start_time", "success", "completed_time", "latency", "prompt_tokens", "completion_tokens")
    old = {name: row[name] for name in columns} | {"first_chunk_latency": 0.002 if row["latency"] else None}
    gaps = json.loads(row["inter_token_latencies"] or "[]")
    tokens = [row["first_chunk_latency"], *gaps] if row["latency"] else []
    times = itertools.accumulate(tokens, initial=row["start_time"])
    whole = [row["start_time"] + 0.002, *list(times)[1:]]
    return old | ({"chunk_times": json.dumps([*whole, whole[-1], whole[-1]] if tokens else [])} if events else {})


def test_the_events_of_before_13_are_told_apart_and_its_ttft_is_to_the_first_token(tmp_path):
    rows = [before_13(row) for row in evalscope_rows(TWO)]
    good = successes(read_of("evalscope", evalscope_folder(tmp_path / "old", rows=rows)))
    newer = successes(read_of("evalscope", evalscope_folder(tmp_path / "new")))
    assert tokens_of(good) == tokens_of(newer)
    assert [r.chunks for r in good] == [r.chunks for r in newer]
    assert [r.ttft_ms for r in good] == pytest.approx(
        [r.ttft_ms for r in newer], abs=0.01
    )  # not the 2 ms of the role event
    assert [r.last_token_ms for r in good] == pytest.approx([r.last_token_ms for r in newer], abs=0.01)


def test_an_answer_of_before_13_without_the_others_closing_events_is_a_failure(tmp_path):
    rows = [before_13(row) for row in evalscope_rows(TWO)]
    cut = next(row for row in rows if row["success"])
    cut["chunk_times"] = json.dumps(json.loads(cut["chunk_times"])[:7])
    cut["completion_tokens"] = 15  # counted by its tokenizer
    found = read_of("evalscope", evalscope_folder(tmp_path, rows=rows))
    assert [(r.error, r.completion_tokens) for r in records_of(found) if r.error_message] == [("bad_response", None)]
    assert any(note.startswith("1 answers ended without the closing events") for note in found.notes)


def test_gaps_of_before_1111_begin_at_the_role_event_and_later_ones_do_not(tmp_path):
    def older(row: dict) -> dict:
        gaps = json.loads(row["inter_token_latencies"] or "[]")
        told = {key: value for key, value in row.items() if key not in ("is_stream", "request_id")}
        if not row["success"]:
            return told
        # the role event 2 ms after the start, so that the first gap is the rest of the time to the first token; one closing event
        events = [row["first_chunk_latency"] - 0.002, *gaps, 0.0]
        return told | {"first_chunk_latency": 0.002, "inter_token_latencies": json.dumps(events)}

    newer = successes(read_of("evalscope", evalscope_folder(tmp_path / "new")))
    good = successes(
        read_of("evalscope", evalscope_folder(tmp_path / "old", rows=[older(r) for r in evalscope_rows(TWO)]))
    )
    assert [(r.chunks, r.ttft_ms) for r in good] == [(r.chunks, pytest.approx(r.ttft_ms)) for r in newer]


def test_the_first_event_alone_is_no_first_token(tmp_path):
    rows = [before_13(row, events=False) for row in evalscope_rows(TWO)]
    found = read_of("evalscope", evalscope_folder(tmp_path, rows=rows))
    assert {(r.chunks, r.ttft_ms, r.last_token_ms) for r in successes(found)} == {(None, None, None)}
    assert any("takes the first event of a stream for its first token" in note for note in found.notes)


def test_its_gaps_between_tokens_have_percentiles(both, tmp_path):
    row = steps(analyse([run_of("evalscope", both, tmp_path / "run")])).iloc[0]
    # 50 tokens a second: 20 ms, by bins of 5 % within 2.5 %
    assert row["itl_p50_ms"] == pytest.approx(20, rel=0.03)
    assert row["itl_p99_ms"] >= row["itl_p50_ms"]


def test_an_open_loop_level_has_a_rate(tmp_path):
    folder = evalscope_folder(tmp_path)
    (folder / TWO).rename(folder / "rate_2.5_number_12")
    (level,) = read_of("evalscope", folder).levels
    assert (level.users, level.rate) == (None, 2.5)


def test_a_summary_alone_becomes_figures_alone(tmp_path):
    folder = tmp_path / "mixed" / TWO
    folder.mkdir(parents=True)
    for name in ("benchmark_args.json", "benchmark_summary.json", "benchmark_percentile.json"):
        shutil.copy(DATA / "evalscope" / TWO / name, folder)
    run = run_of("evalscope", tmp_path / "mixed", tmp_path / "run", "--usd-per-hour", "3.6")
    row = steps(analyse([run])).iloc[0]
    # of its summary: 10 of 12 in 3.4126 s at 2.9303/s, 0.6723 s, TTFT 202.09 ms; its 95 %: 0.862 s, 203.0552 ms
    assert (row["users"], row["requests"], row["successes"], row["window_s"]) == (2, 12, 10, 3.4126)
    assert row["error_rate"] == pytest.approx(2 / 12)
    assert (row["latency_mean_s"], row["ttft_mean_s"]) == (0.6723, pytest.approx(0.20209))
    assert (row["latency_p95_s"], row["ttft_p95_s"]) == (0.862, pytest.approx(0.2030552))
    # 0.001 $ a second
    assert row["usd_per_transaction"] == pytest.approx(0.001 / 2.9303)
    assert row["verdict"] == "SUSPECT"


@pytest.mark.parametrize("lacking", ["start_time", "success", "latency", "completion_tokens"])
def test_a_table_that_lacks_a_column_is_refused_by_it(tmp_path, capsys, lacking):
    rows = [{k: v for k, v in row.items() if k != lacking} for row in evalscope_rows(TWO)]
    folder = tmp_path / "mixed" / TWO
    folder.mkdir(parents=True)
    if lacking == "start_time":
        rows = [row | {"started": 1.0} for row in rows]
    database(folder / "benchmark_data.db", rows)
    line = refusal(capsys, "evalscope", tmp_path / "mixed", tmp_path / "run", "--users", "2")
    assert f"`{lacking}`" in line or lacking in line
    assert "evalscope 0.8 to 1.14" in line


def test_a_database_that_is_none_or_was_cut_off_is_refused(tmp_path, capsys):
    file = evalscope_folder(tmp_path / "mixed") / TWO / "benchmark_data.db"
    whole_file = file.read_bytes()
    for text in (b"no database at all", whole_file[:3000], b""):
        file.write_bytes(text)
        assert "benchmark_data.db: " in refusal(capsys, "evalscope", tmp_path / "mixed", tmp_path / "run")
