"""Points of charts: by hand, merged when there are many, and dollars that are those of the run."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.live import series
from locustfiles.contract.manifest import Part
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, record, steady, streamed, window
from tests.helpers.watching import seen


def points(folder, at=None):
    found = seen(folder, at=at)["series"]
    lengths = {len(values) for name, values in found.items() if isinstance(values, list) and name != "stages"}
    assert lengths == {len(found["t"])}
    return found


def test_points_by_hand(tmp_path):
    records = [
        record(0.2, 0.5, phase="settle", completion_tokens=10),  # ends at 0.7
        streamed(0.4, 1.0, ttft=0.5, tokens=20),  # 1.4
        record(1.0, 0.6, error="throttled", http_status=429),  # 1.6
        record(1.0, 0.7, error="server", http_status=500),  # 1.7
        record(1.0, 0.8, error="cancelled", http_status=None),  # 1.8
        record(3.0, 0.5, completion_tokens=4),  # 3.5
    ]
    folder = made_run(tmp_path / "r", records, [window(1, 0.3, 3.2)])
    found = points(folder)
    assert (found["every_s"], found["from"]) == (1.0, START)
    assert found["t"] == [START + n for n in range(4)]
    # the last point is of half a second, to the last end
    assert found["requests_per_s"] == [1, 4, 0, pytest.approx(2)]
    assert found["failures_per_s"] == [0, 2, 0, 0]
    assert found["throttled_per_s"] == [0, 1, 0, 0]
    assert found["output_tokens_per_s"] == [10, 20, 0, pytest.approx(8)]
    assert found["ttft_p50_s"] == [None, pytest.approx(0.5, rel=0.01), None, None]
    half_s = pytest.approx(0.5, rel=0.01)
    assert found["latency_p95_s"] == [half_s, pytest.approx(1.0, rel=0.01), None, half_s]
    assert found["stages"] == [[1, START + 0.3, START + 3.2]]


def test_there_are_never_more_points_than_a_chart_can_show(tmp_path):
    records = steady(1, 0, 1000, 2, 4.0, completion_tokens=7)
    folder = made_run(tmp_path / "r", records, [window(1, 0, 1000, users=2)])
    found = points(folder)
    # 1004 s at most 300 points: 4 s each
    assert (found["every_s"], len(found["t"])) == (4.0, 252)
    total = sum(n * found["every_s"] for n in found["requests_per_s"][:-1])
    late = sum(r.started_at + r.latency_ms / 1000 >= START + 1004 for r in records)
    assert total == len(records) - late


def test_points_that_were_merged_are_those_of_longer_ones(tmp_path, monkeypatch):
    records = [streamed(i * 0.1, 0.3 + (i % 7) / 10, 0.1 + (i % 5) / 50, 9) for i in range(400)]
    folder = made_run(tmp_path / "r", records, [window(1, 0, 40)])
    monkeypatch.setattr(series, "MOST", 11)  # of 41 s: 1, 2, then 4 s each
    merged = points(folder)
    monkeypatch.setattr(series, "SHORTEST_S", 4.0)
    assert points(folder) == merged
    assert merged["every_s"] == 4.0


def test_dollars_grow_to_what_the_run_has_cost(tmp_path):
    by_hour = [r for stage, a in ((1, 0), (3, 60)) for r in steady(stage, a, a + 20, 2, 0.5)]
    by_token = steady(2, 30, 50, 2, 0.5, target="bedrock", prompt_tokens=400, completion_tokens=30)
    failed = [record(50, 1, stage=2, target="bedrock", error="server", http_status=500)]
    records = sorted([*by_hour, *by_token, *failed], key=lambda r: r.started_at + r.latency_ms / 1000)
    stages = [window(1, 0, 20, users=2), window(2, 30, 50, users=2, target="bedrock"), window(3, 60, 80, users=2)]
    folder = made_run(tmp_path / "r", records, stages, targets=[P4D, BEDROCK])
    found, costs = points(folder), analyse([folder]).run_cost
    assert found["usd"] == sorted(found["usd"])
    # failures of unknown tokens at nothing, as the lower bound has it
    assert found["usd"][-1] == pytest.approx(sum(cost.usd_low for cost in costs), rel=1e-9)
    # by the hour it grows with the last end: of the first second at 0.75 s, of the sixth at 5.75 s
    assert found["usd"][0] == pytest.approx(0.75 * 37.688 / 3600)
    assert found["usd"][5] == pytest.approx(5.75 * 37.688 / 3600)


def test_dollars_are_not_known_where_successes_are_not_counted(tmp_path):
    records = steady(1, 0, 20, 2, 0.5, target="bedrock", completion_tokens=None)
    folder = made_run(tmp_path / "r", records, [window(1, 0, 20, users=2, target="bedrock")], targets=[BEDROCK])
    assert set(points(folder)["usd"]) == {None}


def test_between_the_parts_of_a_run_there_are_no_points(tmp_path):
    records = steady(1, 0, 10, 2, 0.5) + steady(2, 100_000, 100_010, 2, 0.5)
    part = Part("one", START, START + 12, "stopped")
    later = dataclasses.replace(part, run_id="two", started_at=START + 99_999, ended_at=START + 100_012)
    stages = [window(1, 0, 10, users=2), window(2, 100_000, 100_010, users=2)]
    folder = made_run(tmp_path / "r", records, stages, parts=[part, later])
    found = points(folder)
    assert found["every_s"] == 1.0
    gap = found["requests_per_s"].index(None)
    assert found["t"][gap - 1] < START + 12 < found["t"][gap + 1]
    assert found["t"][gap + 1] == START + 99_999
    assert found["usd"][gap] is None and found["usd"][gap - 1] == found["usd"][gap + 1]
    assert len(found["t"]) == 12 + 1 + 13


def test_the_stage_under_way_has_a_beginning_and_no_end(tmp_path):
    records = steady(1, 1, 10, 2, 0.5)
    folder = made_run(tmp_path / "r", records, [window(1, None, None, ended_by=None)], status="running", ended_at=None)
    assert points(folder, at=9)["stages"] == [[1, START + 1, None]]
