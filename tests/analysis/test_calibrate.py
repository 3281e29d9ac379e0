"""Calibration: published times against the endpoint's own log."""

import json

import pytest

from analysis.__main__ import main
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from tests.helpers.calibrations import calibrated, requests, truth, truth_row, write
from tests.helpers.made_run import made_run, record, streamed, window


def row_of(data, figure):
    return next(row for row in data["errors_ms"] if row["figure"] == figure)


def test_known_errors_come_out_as_they_were_put_in(tmp_path):
    code, data, path = calibrated(tmp_path, requests(), truth())
    assert (code, data["passed"], data["problems"]) == (OK, True, [])
    ttft = row_of(data, "ttft")
    assert (ttft["n"], ttft["users"], ttft["stage"]) == (4, 4, 1)
    assert ttft["mean"] == pytest.approx(1.25)  # (0.5 + 1.0 + 1.5 + 2.0) / 4
    assert ttft["p50"] == pytest.approx(1.25)  # halfway from 1.0 to 1.5
    assert ttft["p99"] == pytest.approx(1.985)  # rank 0.99 * 3 = 2.97: 1.5 + 0.97 * 0.5
    assert ttft["max"] == pytest.approx(2.0)
    latency = row_of(data, "latency")
    assert latency["mean"] == pytest.approx(1.5)  # (1 + 1 + 1 + 3) / 4
    assert latency["p99"] == pytest.approx(2.94)  # 1 + 0.97 * 2
    assert latency["late_p99"] == pytest.approx(0.4)
    assert data["requests"] == {
        "recorded": 4,
        "endpoint": 4,
        "matched": 4,
        "unanswered": 0,
        "unreached": 0,
        "other_runs": 0,
    }
    assert (path / "report" / "calibration.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_on_stdout_is_the_markdown_file(tmp_path, capsys):
    _, _, path = calibrated(tmp_path, requests(), truth())
    printed = capsys.readouterr().out
    assert printed.strip() == (path / "report" / "calibration.md").read_text().strip()
    assert "| p4d | en | 4 users | latency | 4 | 1.50 | 1.00 | 2.94 | 3.00 | 0.40 | 0.40 | 0.40 |" in printed
    assert "**Passed**" in printed


def test_a_p99_above_the_bound_is_exit_code_2(tmp_path):
    code, data, _ = calibrated(tmp_path, requests(), truth(), "--bound-ms", "2.9")
    assert code == NOT_TRUSTED
    assert data["problems"] == [
        "the p99 latency error of stage 1 (`p4d`, 4 users) is 2.94 ms, above the bound of 2.9 ms"
    ]


def test_every_stage_has_a_row_and_must_keep_the_bound_by_itself(tmp_path):
    slow = [streamed(21 + n, 0.6, 0.108, 50, request_id=f"s{n}", users=8, stage=2, prompt_tokens=30) for n in range(2)]
    path = made_run(tmp_path / "made", requests() + slow, [window(1, 0, 10, users=4), window(2, 20, 30, users=8)])
    log = tmp_path / "truth.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in truth() + [truth_row(f"s{n}", 21 + n) for n in range(2)]))
    assert main(["calibrate", str(path), "--truth", str(log)]) == NOT_TRUSTED
    data = json.loads((path / "report" / "calibration.json").read_text())
    found = [(row["stage"], row["n"]) for row in data["errors_ms"] if row["figure"] == "ttft"]
    assert found == [(1, 4), (2, 2), (None, 6)]
    # stage 2: TTFT 108 - 100 = 8 ms, latency 600 - 590 = 10 ms
    assert [p.split(" (")[0] for p in data["problems"]] == [
        "the p99 TTFT error of stage 2",
        "the p99 latency error of stage 2",
    ]


def test_only_successes_of_measured_windows_are_compared(tmp_path):
    early = streamed(0.2, 0.7, 0.2, 50, request_id="w", users=4, phase="settle", prompt_tokens=30)
    broken = record(6, 0.7, request_id="b", users=4, error="stream_broken")
    rows = [*truth(), truth_row("w", 0.2), truth_row("b", 6)]
    code, data, _ = calibrated(tmp_path, [*requests(), early, broken], rows)
    assert (code, row_of(data, "ttft")["n"], data["requests"]["matched"]) == (OK, 4, 6)


def test_a_request_at_the_endpoint_that_nobody_recorded_is_exit_code_2(tmp_path):
    code, data, _ = calibrated(tmp_path, requests(), [*truth(), truth_row("lost", 5)])
    assert (code, data["problems"]) == (NOT_TRUSTED, ["1 requests at the endpoint were not recorded"])
    assert (data["requests"]["endpoint"], data["requests"]["recorded"]) == (5, 4)


def test_a_recorded_request_that_the_endpoint_never_had_is_exit_code_2(tmp_path):
    code, data, _ = calibrated(tmp_path, requests(), truth()[:3])
    assert (code, data["problems"]) == (NOT_TRUSTED, ["1 recorded requests are not in the truth log"])


def test_a_request_recorded_twice_is_exit_code_2(tmp_path):
    code, data, _ = calibrated(tmp_path, [*requests(), requests()[0]], truth())
    assert (code, data["problems"]) == (NOT_TRUSTED, ["1 requests were recorded more than once"])


def test_a_dropped_connection_is_matched_by_number_for_it_has_no_id(tmp_path):
    dropped = record(6, 0.1, users=4, error="stream_broken")
    refused = record(7, 0.1, users=4, error="connect")  # never sent: not at the endpoint
    code, data, _ = calibrated(tmp_path, [*requests(), dropped, refused], [*truth(), truth_row("d", 6, status=None)])
    assert (code, data["requests"]["unanswered"], data["requests"]["unreached"]) == (OK, 1, 1)
    (tmp_path / "b").mkdir()
    code, data, _ = calibrated(tmp_path / "b", [*requests(), dropped], truth())
    assert (code, data["problems"]) == (
        NOT_TRUSTED,
        ["1 recorded requests without a request id are not at the endpoint"],
    )


def test_requests_of_other_runs_in_the_same_log_are_left_out(tmp_path):
    # this run: 0 to 10 s on its own clock; the others came 5 s before it and 50 s after its start
    rows = [truth_row("before", -5), *truth(), truth_row("after", 50)]
    code, data, _ = calibrated(tmp_path, requests(), rows, ended_at=1_700_000_010.0)
    assert (code, data["requests"]["other_runs"], data["requests"]["endpoint"]) == (OK, 2, 4)
    assert data["notes"] == ["2 requests in the truth log came before or after this run; they are not its."]


def test_tokens_that_differ_are_exit_code_2(tmp_path):
    rows = truth()
    rows[2]["completion_tokens"] = 49
    code, data, _ = calibrated(tmp_path, requests(), rows)
    assert code == NOT_TRUSTED
    assert data["problems"] == ["output tokens of 1 of 4 answers differ (request r2: 50 recorded, 49 sent)"]


def test_a_first_token_before_it_was_sent_is_a_misreading(tmp_path):
    records = requests()
    records[0] = streamed(1, 0.591, 0.08, 50, request_id="r0", users=4, prompt_tokens=30)  # 20 ms too early
    code, data, _ = calibrated(tmp_path, records, truth())
    assert (code, data["problems"]) == (
        NOT_TRUSTED,
        ["the TTFT of 1 requests is shorter than the endpoint's: it was misread"],
    )


def test_a_run_without_streams_is_compared_by_latency_alone(tmp_path):
    records = [
        record(1 + n, 0.592, request_id=f"r{n}", users=4, completion_tokens=50, prompt_tokens=30) for n in range(4)
    ]
    rows = [truth_row(f"r{n}", 1 + n, first_token=None, last_token=None) for n in range(4)]
    code, data, _ = calibrated(tmp_path, records, rows)
    assert code == OK
    assert [row["figure"] for row in data["errors_ms"]] == ["latency"]
    assert row_of(data, "latency")["mean"] == pytest.approx(2.0)  # 592 - 590


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read (No such file or directory); give the file that the endpoint's --truth wrote"),
        ("", "holds no request; give the log of the endpoint that the run was sent to"),
        ('{"request_id": "r0"}\n', ":1: not a line of a truth log"),
        ("started_at,worker\n1,2\n", ":1: not a line of a truth log"),
        (json.dumps(truth_row("stranger", 1)) + "\n", "has no request id in common"),
    ],
)
def test_a_wrong_truth_log_is_told_in_one_line(tmp_path, capsys, text, said):
    path, log = write(tmp_path, requests(), [])
    log.unlink() if text is None else log.write_text(text)
    assert main(["calibrate", str(path), "--truth", str(log)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("error: ") and error.count("\n") == 1
    assert not (path / "report").exists()


def test_a_torn_last_line_of_the_truth_log_is_skipped_and_told(tmp_path):
    path, log = write(tmp_path, requests(), truth())
    log.write_text(log.read_text() + '{"request_id": "r9", "arr')
    assert main(["calibrate", str(path), "--truth", str(log)]) == OK
    data = json.loads((path / "report" / "calibration.json").read_text())
    assert data["notes"] == ["The truth log's last line was torn (the endpoint was writing); it was skipped."]


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as end:
        main(["calibrate", "--help"])
    assert end.value.code == 0
    assert "python -m analysis calibrate runs/x --truth truth.jsonl" in capsys.readouterr().out


@pytest.mark.parametrize("bound", ["0", "-1", "nan", "five"])
def test_a_bound_that_is_no_number_of_milliseconds_is_refused(tmp_path, capsys, bound):
    path, log = write(tmp_path, requests(), truth())
    with pytest.raises(SystemExit) as end:
        main(["calibrate", str(path), "--truth", str(log), f"--bound-ms={bound}"])
    assert end.value.code == BAD_INPUT
    assert "--bound-ms" in capsys.readouterr().err
