"""When requests are due in the open loop: the process that was asked for, the same for a seed, also after it was dealt."""

import collections
import itertools
import math
import statistics
import types

import gevent
import pytest

from locustfiles.common.planning.arrivals import Arrival, BadTrace, arrivals, load_trace
from locustfiles.common.planning.plan import Group
from locustfiles.common.recording.messages import ArrivalsDealt
from locustfiles.common.stages.stage import Stage
from locustfiles.contract.scenario.loads import Level, Load

RATE = 200.0  # a second


def until(end_s: float, kind="poisson", seed="7/target/en/200.0/1", rate=RATE) -> list[float]:
    return [a.at_s for a in itertools.takewhile(lambda a: a.at_s < end_s, arrivals(rate, kind, seed))]


def dispersion(times: list[float], seconds: int) -> float:
    """Variance / mean of the counts per second: 1 for a Poisson process, above where arrivals bunch."""
    counts = collections.Counter(int(at) for at in times)
    per_s = [counts[second] for second in range(seconds)]
    return statistics.variance(per_s) / statistics.fmean(per_s)


def deal(times: list[float], offsets_s: dict[str, float], zero: float = 1000.0) -> dict[str, list[float]]:
    """What the master hands to each worker, by that worker's clock. All that is due within the 2 s that it deals ahead."""
    sent: dict[str, list[float]] = {worker: [] for worker in offsets_s}

    def send(message: ArrivalsDealt, worker: str) -> None:
        assert (message.run, message.stage) == ("r", 3)
        sent[worker] += [at for at, _, _ in message.due]

    control = types.SimpleNamespace(alive=lambda: list(offsets_s), offset_s=offsets_s.get, send=send)
    run = types.SimpleNamespace(run_id="r", clock=types.SimpleNamespace(now=lambda: zero))
    stage = types.SimpleNamespace(control=control, run=run, spec=types.SimpleNamespace(stage=3))
    Stage._deal(stage, (Arrival(at) for at in times), zero)
    return sent


def test_the_first_is_due_at_once():
    for kind in ("poisson", "constant"):
        assert next(arrivals(5.0, kind, "seed")) == Arrival(0.0, None, None)


@pytest.mark.parametrize("cv", [0.5, 1.0, 2.0])
def test_gamma_gaps_have_the_rate_and_the_coefficient_of_variation(cv):
    times = [a.at_s for a in itertools.islice(arrivals(RATE, "gamma", "seed", cv=cv), 100_001)]
    gaps = [y - x for x, y in itertools.pairwise(times)]
    # mean 1 / 200 s; its standard error is cv / sqrt(100,000): four of them
    assert statistics.fmean(gaps) == pytest.approx(0.005, rel=4 * cv / 316)
    # the sample's cv: of a gamma's kurtosis 3 + 6 cv^2 its relative error is sqrt((2 + 6 cv^2) / 4 n + cv^2 / n) < 1.1 % at cv 2
    assert statistics.stdev(gaps) / statistics.fmean(gaps) == pytest.approx(cv, rel=0.045)
    # counts per second have cv^2 of a Poisson process's variance, seen from far enough
    assert dispersion([t for t in times if t < 400], 400) == pytest.approx(cv**2, rel=0.35)


def test_bursts_come_whole_and_at_moments_of_a_poisson_process():
    times = [a.at_s for a in itertools.islice(arrivals(RATE, "bursts", "seed", burst_size=10), 100_000)]
    bursts = [times[at : at + 10] for at in range(0, len(times), 10)]
    assert all(len(set(one)) == 1 for one in bursts) and len({one[0] for one in bursts}) == 10_000
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(bursts)]
    # one every 10 / 200 s; of 10,000 gaps the mean is known to 1 %, the deviation to 1.4 %
    assert statistics.fmean(gaps) == pytest.approx(0.05, rel=0.04)
    assert statistics.stdev(gaps) == pytest.approx(0.05, rel=0.06)
    # counts per second vary as bursts do: ten times a Poisson process's variance
    assert dispersion([t for t in times if t < 400], 400) == pytest.approx(10, rel=0.35)


def test_the_first_moment_and_the_seed_are_as_of_other_arrivals():
    for kind, shape in (("gamma", {"cv": 2.0}), ("bursts", {"burst_size": 3})):
        one, other, third = (
            [a.at_s for a in itertools.islice(arrivals(5.0, kind, seed, **shape), 50)] for seed in ("7/a", "7/a", "8/a")
        )
        assert one == other != third and one[0] == 0.0


def test_poisson_gaps_are_exponential():
    times = [a.at_s for a in itertools.islice(arrivals(RATE, "poisson", "seed"), 100_001)]
    gaps = [y - x for x, y in itertools.pairwise(times)]
    # mean 1 / 200 s; its standard error is a share of 1 / sqrt(100,000) = 0.32 %: four of them
    assert statistics.fmean(gaps) == pytest.approx(0.005, rel=0.013)
    # an exponential's deviation is its mean; relative standard error sqrt(2 / n) = 0.45 %
    assert statistics.stdev(gaps) == pytest.approx(0.005, rel=0.02)
    # P(gap > t) = e^(-200 t): 36.8 % above the mean, 5 % above three of them; errors of 0.15 and 0.07 %
    assert sum(g > 0.005 for g in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.006)
    assert sum(g > 0.015 for g in gaps) / len(gaps) == pytest.approx(math.exp(-3), abs=0.003)
    # no gap tells the next: the correlation of neighbours has the standard error 1 / sqrt(n) = 0.32 %
    assert abs(statistics.correlation(gaps[:-1], gaps[1:])) < 0.013


def test_counts_per_second_are_poissons_for_every_seed():
    # the index of dispersion over 500 s has the standard error sqrt(2 / 499) = 0.063
    found = [dispersion(until(500, seed=f"seed {n}"), 500) for n in range(8)]
    assert all(0.75 < index < 1.25 for index in found)
    assert statistics.fmean(found) == pytest.approx(1.0, abs=0.09)  # 0.063 / sqrt(8) = 0.022, four of them


def test_four_workers_together_send_what_one_would():
    """Dealt in turn: together the same instants, in their own clocks; apart a quarter each, and never in bunches."""
    times = [at / 250 for at in until(500)]  # 500 s in 2 s: the same process at 250 times the rate
    offsets = {"w1": 0.0, "w2": 3.25, "w3": -1.5, "w4": 0.125}
    hands = deal(times, offsets)
    sizes = [len(hand) for hand in hands.values()]
    assert sum(sizes) == len(times) and max(sizes) - min(sizes) <= 1
    own = {worker: [(at - 1000.0 - offsets[worker]) * 250 for at in hand] for worker, hand in hands.items()}
    together = sorted(at for hand in own.values() for at in hand)
    assert together == pytest.approx([at * 250 for at in times], abs=1e-6)
    assert 0.75 < dispersion(together, 500) < 1.25
    for hand in own.values():
        assert hand == sorted(hand)
        # every fourth of a Poisson process: gaps are sums of four, counts vary a quarter as much (Erlang renewal, 1 / 4)
        assert 0.15 < dispersion(hand, 500) < 0.4
    # had each of the four its own hand at the same seed, all four would fire at one instant: variance / mean 4
    bunched = sorted(at for at in until(500, rate=RATE / 4) for _ in range(4))
    assert dispersion(bunched, 500) > 3


def test_one_worker_is_dealt_all():
    times = until(2.0)
    assert deal(times, {"only": 0.5})["only"] == pytest.approx([1000.5 + at for at in times])


def test_constant_arrivals_do_not_drift():
    # number / rate, and not a sum of gaps: 0.1 added a hundred thousand times is 1.9e-8 off
    times = [a.at_s for a in itertools.islice(arrivals(10.0, "constant", "seed"), 100_001)]
    assert times[100_000] == 10_000.0
    assert all(at == n / 10.0 for n, at in enumerate(times))
    assert sum([0.1] * 100_000) != 10_000.0


def test_one_seed_gives_one_stream_and_another_another():
    assert until(20) == until(20)
    assert until(20, seed="7/target/en/200.0/2")[1:5] != until(20)[1:5]  # another repetition
    assert until(20, "constant", seed="a") == until(20, "constant", seed="b")


def begun(repeat: int, seed: int = 7, target: str = "t", rate: float = 200.0) -> list[float]:
    """What a stage deals to its one worker when it begins, s from its first arrival."""
    group = Group(target, "en", Load(rate=[rate], measure_s=2), [], repeat)
    sent: list[float] = []
    inputs = types.SimpleNamespace(
        scenario=types.SimpleNamespace(seed=seed, retry=None), traces={}, cache_asked=lambda *_: None
    )
    run = types.SimpleNamespace(run_id="r", inputs=inputs, tallies={}, clock=types.SimpleNamespace(now=lambda: 1000.0))
    control = types.SimpleNamespace(run=run, alive=lambda: ["w"], offset_s=lambda worker: 0.0)
    control.send = lambda message, worker: sent.extend(at for at, _, _ in message.due)
    stage = Stage(control, group, Level(None, rate), 1)
    stage._begin_arrivals()
    gevent.sleep(0)
    stage._stop_arrivals()
    assert len(sent) > 200
    return [at - sent[0] for at in sent]


def test_a_repetition_draws_its_own_arrivals_and_the_same_run_the_same():
    first = begun(repeat=1)
    assert begun(repeat=1) == first
    for other in (begun(repeat=2), begun(repeat=1, seed=8), begun(repeat=1, target="u")):
        assert not set(other[1:]) & set(first[1:])


# --- recorded traces ---


def trace(tmp_path, text: str | bytes):
    path = tmp_path / "trace.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_trace_is_read_from_its_first_arrival_on_in_the_order_of_time(tmp_path):
    path = trace(
        tmp_path,
        "timestamp,prompt_tokens,completion_tokens\n1700000002.5,400,\n1700000000.5,100,20\n\n1700000001.0,,8\n",
    )
    assert load_trace(path) == [Arrival(0.0, 100, 20), Arrival(0.5, None, 8), Arrival(2.0, 400, None)]


def test_a_trace_of_timestamps_alone_with_a_byte_order_mark_and_other_columns(tmp_path):
    path = trace(tmp_path, b"\xef\xbb\xbfuser,timestamp\r\nann,3\r\nbob,4.25\r\n")
    assert load_trace(str(path)) == [Arrival(0.0, None, None), Arrival(1.25, None, None)]


NO_SECONDS = "not seconds and token counts of at least 1; mend the line"
BAD_LINES = {
    "text": ("timestamp\n1\nnoon\n3\n", 3),
    "a date": ("timestamp\n2024-04-15T12:00:00\n", 2),
    "nothing": ("timestamp,prompt_tokens\n1,5\n,5\n", 3),
    "not a number": ("timestamp\n1\nnan\n", 3),
    "infinite": ("timestamp\n1\n2\n1e999\n", 4),
    "too few cells": ("prompt_tokens,timestamp\n5,1\n5\n", 3),
    "no tokens": ("timestamp,prompt_tokens\n1,5\n2,0\n", 3),
    "negative tokens": ("timestamp,completion_tokens\n1,-5\n2,1\n", 2),
    "half a token": ("timestamp,prompt_tokens\n1,5\n2,7.5\n", 3),
    "after an empty line": ("timestamp\n1\n\nx\n", 4),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_line_that_cannot_be_replayed_is_named_with_its_file(tmp_path, name):
    text, line = BAD_LINES[name]
    path = trace(tmp_path, text)
    with pytest.raises(BadTrace) as e:
        load_trace(path)
    assert str(e.value) == f"{path}:{line}: {NO_SECONDS}"


COLUMNS = "timestamp,prompt_tokens,completion_tokens"
NO_COLUMN = f":1: no column `timestamp`; the header must be {COLUMNS} (the last two are optional)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", NO_COLUMN),
        (  # Azure's published traces
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.97,4808,10\n",
            ":1: columns of other names; rename `TIMESTAMP` to `timestamp`, `ContextTokens` to `prompt_tokens`, "
            "`GeneratedTokens` to `completion_tokens` (the time in seconds)",
        ),
        (  # would be replayed without its lengths
            "timestamp,input_length,output_length\n0,50,5\n1000,50,6\n",
            ":1: columns of other names; rename `input_length` to `prompt_tokens`, `output_length` to `completion_tokens` "
            "(the time in seconds)",
        ),
        ("time\n1\n2\n", ":1: columns of other names; rename `time` to `timestamp` (the time in seconds)"),
        ("timestamp\n", ": fewer than two arrivals, no rate to replay; give more"),
        ("timestamp\n5\n", ": fewer than two arrivals, no rate to replay; give more"),
        ("timestamp\n5\n5\n5\n", ": all arrivals have one timestamp; give seconds with fractions"),
        (b"timestamp\n\xff\xfe\n", ": cannot be read (it is not UTF-8 text); check the path"),
    ],
)
def test_a_file_that_is_no_trace_is_told_with_its_name_and_the_remedy(tmp_path, text, said):
    path = trace(tmp_path, text)
    with pytest.raises(BadTrace) as e:
        load_trace(path)
    assert str(e.value) == f"{path}{said}"


def test_a_trace_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadTrace, match=r"none\.csv: cannot be read \(No such file or directory\); check the path"):
        load_trace(tmp_path / "none.csv")
