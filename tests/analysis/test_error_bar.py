"""The error bar of a report: what a calibration says of the run that it was made for, and of another one."""

import dataclasses
import json

import pytest
from matplotlib.axes import Axes

from analysis.__main__ import main
from analysis.calibration.error_bar import NOT_CALIBRATED, instrument_error
from analysis.runs.run_reader import load_run
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from tests.helpers.calibrations import calibrated, requests, truth, write
from tests.helpers.made_run import made_run, record, window


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
