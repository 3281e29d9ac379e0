"""What a stage's requests held: bytes of bodies and media where there are media, and the calls of tools that answers ended in."""

from analysis.advice.answer_notes import answer_notes
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.prices.price import HourlyPrice
from tests.helpers.flat import flat
from tests.helpers.made_run import made_run, record, window

PRICE = {"p4d": HourlyPrice(usd_per_hour=36.0)}


def row_of(tmp_path, records):
    run = load_run(made_run(tmp_path, records, [window(1, 10, 20)]))
    (result,) = results_of(run, PRICE)
    return run, flat(result)


def test_means_are_of_what_was_sent_failures_too_where_there_are_media(tmp_path):
    records = [
        record(11, 1, request_bytes=100),
        record(12, 1, request_bytes=1000, media_bytes=600),
        record(13, 1, request_bytes=2200, media_bytes=1500, error="throttled"),
    ]
    _, row = row_of(tmp_path / "r", records)
    assert row["request_bytes_mean"] == (100 + 1000 + 2200) / 3
    assert row["media_bytes_mean"] == (600 + 1500) / 2  # of the two that had some


def test_without_media_nothing_is_said(tmp_path):
    _, row = row_of(tmp_path / "r", [record(11, 1, request_bytes=100)])
    assert (row["request_bytes_mean"], row["media_bytes_mean"]) == (None, None)


def test_calls_of_tools_are_told(tmp_path):
    records = [record(11 + i, 1, stop_reason="tool_use" if i < 3 else "end_turn") for i in range(4)]
    run, _ = row_of(tmp_path / "r", records)
    (note,) = [note for note in answer_notes(run) if "tool" in note]
    assert "3 of 4 successes (75 %) ended in a tool's call (tool_use 3): their output is the call's input" in note
    run, _ = row_of(tmp_path / "s", records[3:])
    assert [note for note in answer_notes(run) if "tool" in note] == []
