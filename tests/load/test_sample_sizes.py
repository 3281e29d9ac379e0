"""Stages that cannot decide their limits are told before the run, with what would make them decide."""

import pytest

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.planning.plan import plan
from locustfiles.common.planning.sample_sizes import too_small_samples
from locustfiles.common.stages.search import _too_few
from locustfiles.contract.statistics.binomial import decide, fewest
from tests.load.test_estimate import BEDROCK, CALL, ENDPOINT, HOURS, inputs

P95 = {"latency_s": {"p95": 3.0}}


def told(load: dict, *targets: dict, slo: dict = P95, **more) -> list[str]:
    made = inputs({"settle_s": 0.0} | load, *targets or (BEDROCK,), slo=slo, **more)
    return too_small_samples(made, plan(made), {"tokens": CALL, "hours": HOURS})  # both took 2 s


def test_the_fewest_answers_that_decide_a_percentile():
    # all n inside: q^n <= 2.5 %. 0.5^5 = 3.1 %, 0.5^6 = 1.6 %; 0.95^71 = 2.62 %, 0.95^72 = 2.49 %; 0.99^367 = 2.50 %, 0.99^368 = 2.48 %
    assert [fewest(q) for q in (0.5, 0.95, 0.99)] == [6, 72, 368]
    assert [decide(0, n, 0.95) for n in (71, 72)] == ["undecided", "met"]


def test_the_smallest_level_of_a_target_is_told_with_what_would_do():
    # one user, 2 s a call: 5 answers in 10 s. 72 take 144 s, with a tenth to spare 158.4; `until` may take twice that, 316.8
    assert told({"users": [1, 4], "measure_s": 10.0}) == [
        "target `tokens` at 1 user: about 5 answers in measure_s 10; p95 needs 72, all of them inside its limit: "
        "set measure_s: 159, or until: {requests: 72, at_most_s: 317}"
    ]


def test_enough_answers_are_not_mentioned():
    assert told({"users": [1, 4], "measure_s": 144.0}) == []
    assert "about 71 answers" in told({"users": [1, 4], "measure_s": 143.9})[0]
    # a thinking user needs 3 s a call
    assert "about 48 answers" in told({"users": [1], "think_s": 1.0, "measure_s": 144.0})[0]


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ({}, None),
        ({"latency_s": {"mean": 1.0}, "error_rate": 0.0}, None),  # no percentile
        ({"latency_s": {"p50": 1.0}}, "p50 needs 6,"),
        ({"latency_s": {"p99": 1.0, "p50": 0.5}}, "p99 needs 368,"),  # the strictest_percentile
        ({"latency_s": {"p99.9": 1.0, "p90": 0.5}}, "p99.9 needs 3,688,"),
        ({"ttft_s": {"p99": 1.0}}, None),  # it does not stream
        ({"ttft_s": {"p99": 1.0}, "latency_s": {"p95": 1.0}}, "p95 needs 72,"),
    ],
)
def test_only_limits_that_need_a_number_of_answers_count(slo, said):
    lines = told({"users": [1], "measure_s": 10.0}, slo=slo)
    assert lines == [] if said is None else said in lines[0]


def test_a_streams_ttft_counts():
    (line,) = told({"users": [1], "measure_s": 10.0}, BEDROCK | {"stream": True}, slo={"ttft_s": {"p99": 1.0}})
    assert "p99 needs 368," in line


def test_a_search_that_could_not_decide_says_how_many_would():
    assert _too_few("p95") == "the samples were too few to decide (p95 needs at least 72); measure longer"
    assert _too_few(None) == "the samples were too few to decide; measure longer"  # a mean without a success


LOADS = {
    # 0.5/s for 30 s: 15; 72 take 144 s
    "a rate": (
        {"rate": [0.5, 2.0], "measure_s": 30.0},
        "at 0.5 requests/s: about 15 answers in measure_s 30; ",
        "set measure_s: 159, or until: ",
    ),
    # 30 requests take 30 s at two users; 72 take 72 s, 79.2 with a tenth to spare
    "until too few": (
        {"users": [2], "until": {"requests": 30, "at_most_s": 90.0}},
        "at 2 users: about 30 answers in until.requests 30; ",
        "set until: {requests: 72, at_most_s: 159}",
    ),
    # 72 are asked for, 40 come in 40 s
    "until too short": (
        {"users": [2], "until": {"requests": 72, "at_most_s": 40.0}},
        "at 2 users: about 40 answers in until.at_most_s 40; ",
        "set until: {requests: 72, at_most_s: 159}",
    ),
    # a search measures up to four windows: 20 answers in 40 s; 158.4 s in four parts of 39.6
    "a search": (
        {"find": {"up_to": 8}, "measure_s": 10.0},
        "at 1 user: about 20 answers in measure_s 4 x 10; ",
        "set measure_s: 40, or until: ",
    ),
    "a replay": (
        {"replay": "t.csv"},
        "at 1.66667 requests/s: about 6 answers in the replay; ",
        ": replay more arrivals",
    ),
}


@pytest.mark.parametrize("name", LOADS)
def test_every_kind_of_load_is_told_what_would_do(name):
    load, where, remedy = LOADS[name]
    (line,) = told(
        load, trace=[Arrival(n * 0.6) for n in range(6)] if "replay" in load else None
    )  # 5 in 3 s after the first
    assert where in line and remedy in line, line


def test_there_is_one_line_a_target_and_none_of_one_that_has_not_answered():
    load = {"users": [1], "measure_s": 10.0, "repeat": 2}
    made = inputs({"settle_s": 0.0} | load, BEDROCK, ENDPOINT, payloads=["a.jsonl", "b.jsonl"], slo=P95)
    assert [
        line.split(" at ")[0] for line in too_small_samples(made, plan(made), {"tokens": CALL, "hours": HOURS})
    ] == ["target `tokens`", "target `hours`"]
    assert [line.split(" at ")[0] for line in too_small_samples(made, plan(made), {"hours": HOURS})] == [
        "target `hours`"
    ]
    # what is left of a run: its smallest level is 4 users, 4 x 36 / 2 = 72 answers in 36 s
    made = inputs({"settle_s": 0.0, "users": [1, 4], "measure_s": 36.0}, BEDROCK, slo=P95)
    left = [group._replace(levels=group.levels[1:]) for group in plan(made)]
    assert too_small_samples(made, left, {"tokens": CALL}) == []
