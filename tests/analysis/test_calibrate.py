"""Calibration: published times against the endpoint's own log."""

import dataclasses
import json

import pytest
from matplotlib.axes import Axes

from analysis.__main__ import main
from analysis.calibration.error_bar import NOT_CALIBRATED, instrument_error
from analysis.runs.run_reader import load_run
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from tests.helpers.made_run import made_run, record, streamed, window

CLOCK = 500.0  # the endpoint's clock when the run starts; only durations may matter
#: by request: the client's TTFT and latency error, ms
TTFT_ERRORS = [0.5, 1.0, 1.5, 2.0]
LATENCY_ERRORS = [1.0, 1.0, 1.0, 3.0]


def truth_row(name, at, **other):
    """The endpoint: first token 100 ms after the arrival, last token and last byte 590 ms after it."""
    stamps = {
        "arrival": CLOCK + at,
        "first_token": CLOCK + at + 0.1,
        "last_token": CLOCK + at + 0.59,
        "last_byte": CLOCK + at + 0.59,
    }
    row = {
        "request_id": name,
        "status": 200,
        "error": None,
        "fault": None,
        "prompt_tokens": 30,
        "completion_tokens": 50,
        "late_ms": 0.4,
    }
    return row | stamps | other


def requests():
    """Four streamed requests, recorded as the truth with known errors."""
    return [
        streamed(1 + n, 0.59 + latency / 1000, 0.1 + ttft / 1000, 50, request_id=f"r{n}", users=4, prompt_tokens=30)
        for n, (ttft, latency) in enumerate(zip(TTFT_ERRORS, LATENCY_ERRORS, strict=True))
    ]


def truth():
    return [truth_row(f"r{n}", 1 + n) for n in range(4)]


def write(folder, records, rows, **manifest):
    """(run folder, truth log)"""
    path = made_run(folder / "made", records, [window(1, 0, 10, users=4)], **manifest)
    log = folder / "truth.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path, log


def calibrated(folder, records, rows, *options, **manifest):
    """(exit code, calibration.json, run folder)"""
    path, log = write(folder, records, rows, **manifest)
    code = main(["calibrate", str(path), "--truth", str(log), *options])
    return code, json.loads((path / "report" / "calibration.json").read_text()), path


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


def test_the_report_carries_the_error_as_its_error_bar(tmp_path):
    _, _, path = calibrated(tmp_path, requests(), truth())
    assert main(["report", str(path)]) in (OK, NOT_TRUSTED)
    sentence = "Instrument error: p99 2.0 ms of TTFT, p99 2.9 ms of latency at 4 users, measured on 2023-11-14 on host."
    for name in ("report.md", "report.html", "summary.json"):
        assert sentence in (path / "report" / name).read_text(), name


def test_a_report_without_a_calibration_says_so_and_how_to_make_one(tmp_path):
    path, _ = write(tmp_path, requests(), truth())
    assert main(["report", str(path)]) in (OK, NOT_TRUSTED)
    assert NOT_CALIBRATED in (path / "report" / "report.md").read_text()
    assert "scripts/calibrate.sh" in (path / "report" / "report.html").read_text()


def test_a_calibration_made_elsewhere_or_at_fewer_users_says_what_it_does_not_cover(tmp_path):
    (tmp_path / "cal").mkdir()
    _, _, path = calibrated(tmp_path / "cal", requests(), truth(), "--bound-ms", "1", host="bench")
    wide = made_run(tmp_path / "wide", [record(1, 0.5, users=9)], [window(1, 0, 10, users=9)])
    main(["report", str(wide), "--calibration", str(path / "report" / "calibration.json")])
    text = (wide / "report" / "report.md").read_text()
    assert "measured on 2023-11-14 on bench, NOT within the bound of 1 ms or not equal in requests or tokens" in text
    assert "This run went up to 9 users, beyond it. This run was sent from host." in text


@pytest.mark.parametrize(
    ("keys", "schemes", "said"),
    [
        ({}, {"p4d": "http"}, ""),
        (
            {"transport": "boto3"},
            {"p4d": "http"},
            " It was measured with `transport: fast`, this run was sent with `transport: boto3`.",
        ),
        (
            {"stamps": "kernel"},
            {"p4d": "http"},
            " It was measured with `stamps: loop`, this run was sent with `stamps: kernel`.",
        ),
        ({}, {"p4d": "https"}, " It was measured over HTTP, this run was sent over HTTPS."),
        ({}, {}, ""),  # a run that did not note how it was sent
    ],
    ids=["alike", "transport", "stamps", "scheme", "not noted"],
)
def test_a_calibration_of_another_way_of_sending_says_so(tmp_path, keys, schemes, said):
    """boto3's own p99 error was 50.7 ms beside 13.9 ms of the fast path's, and HTTPS costs more than HTTP."""
    (tmp_path / "cal").mkdir()
    _, data, path = calibrated(tmp_path / "cal", requests(), truth(), schemes={"p4d": "http"})
    assert data["conditions"] == {"transport": "fast", "stamps": "loop", "schemes": ["http"], "in_flight": 1}
    assert "on host, over HTTP; `transport: fast`, `stamps: loop`" in (path / "report/calibration.md").read_text()
    other = made_run(tmp_path / "other", requests(), [window(1, 0, 10, users=4)], scenario_keys=keys, schemes=schemes)
    sentence = instrument_error(load_run(other), path / "report/calibration.json")
    assert sentence.startswith(
        "Instrument error: p99 2.0 ms of TTFT, p99 2.9 ms of latency at 4 users, measured on 2023-11-14 on host." + said
    )
    assert bool(said) == ("It was measured" in sentence)


def at_rate(users=None, rate=20.0, in_flight=3):
    return [dataclasses.replace(r, users=users, rate=rate, in_flight=in_flight) for r in requests()]


def test_an_open_loop_calibration_is_an_error_bar_too(tmp_path, monkeypatch):
    """By its rate, and by how many requests it had in flight: 3. It was said to have compared nothing, and its picture was empty."""
    drawn = []
    monkeypatch.setattr(Axes, "bxp", lambda ax, boxes, **_: drawn.append(boxes))
    run = made_run(tmp_path / "made", at_rate(), [window(1, 0, 10, users=None, rate=20.0)])
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in truth()))
    assert main(["calibrate", str(run), "--truth", str(tmp_path / "truth.jsonl")]) == OK
    assert len(drawn) == 2  # TTFT and latency, one level each
    bar = (
        "Instrument error: p99 2.0 ms of TTFT, p99 2.9 ms of latency at 20 requests/s, measured on 2023-11-14 on host."
    )
    assert instrument_error(load_run(run)) == bar
    for name, at_once, said in (("like", 3, ""), ("beyond", 4, " This run had up to 4 requests in flight, beyond it.")):
        other = made_run(tmp_path / name, at_rate(in_flight=at_once), [window(1, 0, 10, users=None, rate=20.0)])
        assert instrument_error(load_run(other), run / "report/calibration.json") == bar + said
    closed = made_run(tmp_path / "closed", requests(), [window(1, 0, 10, users=4)])
    assert (
        instrument_error(load_run(closed), run / "report/calibration.json")
        == bar + " This run went up to 4 users, beyond it."
    )


def test_a_calibration_that_is_none_is_told_in_one_line(tmp_path, capsys):
    path, log = write(tmp_path, requests(), truth())
    assert main(["report", str(path), "--calibration", str(log)]) == BAD_INPUT
    assert capsys.readouterr().err == (
        f"error: {log}: not a calibration.json that can be read; make one with `python -m analysis calibrate`\n"
    )


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
