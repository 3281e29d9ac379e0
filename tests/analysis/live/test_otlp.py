"""Metrics by OTLP: a collector that is slow, down or refuses costs the observer nothing, and its user one line."""

import time

import numpy as np
import pytest

from analysis.live.figures import NO_RECORDS, NOTHING
from analysis.live.otlp import Otlp
from analysis.live.round import Round
from analysis.live.tally import ADVISED, Entry, Key, Tally
from tests.helpers.collector import collector
from tests.helpers.live_document import load
from tests.helpers.patience import until


@pytest.fixture
def tally() -> Tally:
    """Stage 3: successes of 0.3 and 0.5 s, 12 tokens of their prompts, and one that was throttled in 0.02 s."""
    it, entry = Tally(), Entry()
    entry.latency["success"].add(np.array([0.3, 0.5]))
    entry.latency["throttled"].add(np.array([0.02]))
    entry.tokens["input"], entry.usd = 12, 0.25
    it.entries[Key(3, "t", "p", "measure")] = entry
    it.records = 3
    return it


def asked(to: str, tally: Tally, flush: bool = False, **of_load: object) -> Round:
    return Round(load("n", "/runs/n") | of_load, NOTHING, NO_RECORDS, {"to": to, "flush": flush}, tally)


def flushed(otlp: Otlp, to: str, tally: Tally) -> None:
    until(lambda: otlp(asked(to, tally, flush=True))["flushed"], "all came")


def test_a_collector_gets_the_sums_by_their_conventional_names(tally):
    with collector() as sink:
        flushed(Otlp(), sink.url, tally)
        points = sink.points("gen_ai.client.inference.duration")
        of, point = points[0]
        assert (of["swarmledger.stage"], of["swarmledger.phase"], "error.type" in of) == (3, "measure", False)
        assert (point.count, point.sum, list(point.explicit_bounds)) == (2, 0.8, list(ADVISED))
        # 0.3 is in (0.16, 0.32], the sixth, and 0.5 in (0.32, 0.64]
        assert list(point.bucket_counts) == [0] * 5 + [1, 1] + [0] * 8
        assert (points[1][0]["error.type"], points[1][1].count) == ("throttled", 1)
        assert [p.as_int for _, p in sink.points("gen_ai.client.inference.usage.input_tokens")] == [12]
        assert [p.as_double for _, p in sink.points("swarmledger.cost.tokens")] == [0.25]
        assert [p.as_double for _, p in sink.points("swarmledger.users.planned")] == [8]
        assert "swarmledger.requests.in_flight" not in sink.names()  # not known
        assert sink.resource["swarmledger.run.id"] == "r1"


def test_while_a_collector_does_not_answer_the_observer_goes_on(tally):
    with collector(answer_s=float("inf")) as sink:
        otlp = Otlp()
        until(lambda: otlp(asked(sink.url, tally, flush=True)) and sink.came, "it was asked")
        for _ in range(20):  # each comes back, and begins no second export, while the first is waited for
            assert otlp(asked(sink.url, tally, flush=True)) == {"sent": 0, "failed": 0, "flushed": False}
        assert (len(sink.came), sink.answered) == (1, 0)
        sink.let_go.set()
        flushed(otlp, sink.url, tally)


def test_a_collector_that_refuses_is_told_of_once_and_without_its_key(tally, monkeypatch, capsys):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    with collector(status=401) as sink:
        otlp = Otlp()
        until(lambda: otlp(asked(sink.url, tally, flush=True))["failed"] >= 3, "three tries")
        assert sink.came[0][1]["api-key"] == "hidden"
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "it answered 401" in said[0] and "hidden" not in said[0]


def test_nobody_there_is_told_of_once_and_nothing_is_lost(tally, capsys):
    otlp = Otlp()
    until(lambda: otlp(asked("http://127.0.0.1:9", tally, flush=True))["failed"] >= 2, "two tries")
    assert capsys.readouterr().err.count("cannot be reached (Connection refused)") == 1


def test_nothing_is_sent_before_it_is_due_nor_twice(tally):
    with collector() as sink:
        otlp = Otlp()
        until(lambda: otlp(asked(sink.url, tally))["sent"] == 1, "the first")
        tally.records += 1
        for _ in range(20):
            otlp(asked(sink.url, tally))
            time.sleep(0.01)
        assert len(sink.came) == 1  # the next is due in ten seconds
        until(lambda: otlp(asked(sink.url, tally, state="ended"))["flushed"], "the end is not waited for")
        for _ in range(20):
            otlp(asked(sink.url, tally, state="ended"))
        assert len(sink.came) == 2
