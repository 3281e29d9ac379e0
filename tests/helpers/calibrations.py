"""A run and the endpoint's own log beside it, whose times differ by known errors."""

import json

from analysis.__main__ import main
from tests.helpers.made_run import made_run, streamed, window

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
