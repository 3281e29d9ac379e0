"""Mixes: what a scenario may say of them, and whose turn it is."""

import collections
import itertools

import pytest
import yaml

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.planning.plan import alone, plan
from locustfiles.common.prompts.shuffled_blocks import ShuffledBlocks
from locustfiles.common.recording.hour_spend import HourSpend
from locustfiles.common.stages.stage_windows import share, windows_of
from locustfiles.common.swarm.part_draws import PartDraws
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.mixes import Part, counts
from locustfiles.contract.scenario.scenario import Scenario, load_scenario
from tests.load.test_estimate import BEDROCK, CALL, ENDPOINT, HOURS, TIMES, ahead, inputs

TWO = [BEDROCK, ENDPOINT | {"payloads": ["b.jsonl"]}]
MIX = [{"target": "tokens", "weight": 3}, {"target": "hours"}]
USERS = TIMES | {"users": [2, 4]}

MISTAKES = {
    "one part": ([MIX[0]], "`mix` has one part, which is no mix"),
    "a target that is not there": (
        [MIX[0], {"target": "other"}],
        "names target `other`, which the scenario does not have",
    ),
    "a payload that is not there": (
        [MIX[0], {"target": "hours", "payload": "c"}],
        "has no payload `c` (file stem); it has b",
    ),
    "one twice": ([*MIX, MIX[0]], "two parts of target `tokens` with payload `a`"),
    "weights of too many digits": (
        [{"target": "tokens", "weight": 1.0001}, MIX[1]],
        "only in 20,001 requests (at most 1,000)",
    ),
    "a weight of nothing": ([{"target": "tokens", "weight": 0}, MIX[1]], "mix[0].weight"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_gets_a_line_that_says_what_to_mend(tmp_path, name):
    mix, said = MISTAKES[name]
    with pytest.raises(BadScenario, match="scenario.yaml:") as caught:
        written(tmp_path, mix=mix)
    assert said in str(caught.value) and ";" in str(caught.value)


def written(folder, targets=TWO, load=USERS, **more) -> Scenario:
    scenario = {"name": "s", "targets": targets, "region": "us-east-1", "payloads": ["a.jsonl"], "load": load}
    (folder / "scenario.yaml").write_text(yaml.safe_dump(scenario | more))
    return load_scenario(folder / "scenario.yaml")


def test_a_mix_takes_no_load_of_a_target_no_search_and_no_replay(tmp_path):
    own = [BEDROCK | {"load": USERS}, TWO[1]]
    for changed, said in (
        ({"targets": own}, "`load` of target `tokens`"),
        ({"load": TIMES | {"find": {"up_to": 8}}, "slo": {"error_rate": 0}}, "`find` is of one target"),
        ({"load": {"replay": "t.csv"}}, "`replay` is of one target"),
        ({"targets": [*TWO, BEDROCK | {"name": "third"}]}, "target `third` is in no part"),
        ({"payloads": ["a.jsonl", "c.jsonl"]}, "target `tokens` has several payloads; add `payload:`, one of a, c"),
    ):
        with pytest.raises(BadScenario) as caught:
            written(tmp_path, **({"mix": MIX} | changed))
        assert said in str(caught.value)


def test_arrivals_and_their_shape_belong_together(tmp_path):
    rate = TIMES | {"rate": [1]}
    for load in ({"arrivals": "gamma"}, {"cv": 2.0}, {"arrivals": "bursts"}, {"arrivals": "gamma", "burst_size": 3}):
        with pytest.raises(BadScenario, match="belong together"):
            written(tmp_path, load=rate | load)
    assert Load(**rate, arrivals="gamma", cv=2.0).dispersion == 4.0
    assert Load(**rate, arrivals="bursts", burst_size=7).dispersion == 7.0
    assert Load(**rate).dispersion == 1.0


def test_who_leaves_needs_one_moment_and_something_that_streams(tmp_path):
    streams = [BEDROCK | {"stream": True}]
    for targets, cancel, said in (
        (streams, {"share": 0.1}, "exactly one of"),
        (streams, {"share": 0.1, "after": "first_token", "after_s": 1.0}, "exactly one of"),
        (streams, {"share": 1.0, "after_s": 1.0}, "less than 1"),
        (streams, {"share": 0.12345, "after_s": 1.0}, "more than three decimals"),
        (streams, {"share": 0.1, "after_s": 60.0}, "below `request_timeout_s`"),
        (TWO[:1], {"share": 0.1, "after_s": 1.0}, "no target streams"),
    ):
        with pytest.raises(BadScenario) as caught:
            written(tmp_path, targets=targets, cancel=cancel)
        assert said in str(caught.value)
    assert written(tmp_path, targets=streams, cancel={"share": 0.07, "after_s": 1.0}).cancel.counts == (93, 7)


def test_weights_become_the_least_whole_numbers():
    assert counts([3, 1]) == [3, 1]
    assert counts([0.7, 0.2, 0.1]) == [7, 2, 1]
    assert counts([2.5, 1.0, 0.5]) == [5, 2, 1]
    assert counts([50, 25]) == [2, 1]


def test_every_block_has_each_choice_as_often_as_it_shall_in_an_order_by_seed():
    one, same, other = (list(itertools.islice(ShuffledBlocks([5, 2, 1], seed), 80)) for seed in "aab")
    assert one == same != other
    blocks = [one[at : at + 8] for at in range(0, 80, 8)]
    assert all(collections.Counter(block) == {0: 5, 1: 2, 2: 1} for block in blocks)
    assert len({tuple(block) for block in blocks}) > 5


def test_a_process_draws_on_in_a_stage_and_anew_in_the_next(tmp_path):
    draws = PartDraws(written(tmp_path, mix=MIX), "7/0")
    first = StageSpec(5, "tokens", "a", 4)
    drawn = [draws.next(first) for _ in range(2)] + [
        draws.next(StageSpec(5, "tokens", "a", 4, look=0)) for _ in range(2)
    ]
    assert sorted((s.stage, s.target, s.payload, s.part) for s in drawn) == [
        *[(5, "tokens", "a", 0)] * 3, (6, "hours", "b", 1),
    ]  # fmt: skip
    assert {s.first for s in drawn} == {5}
    assert {draws.next(StageSpec(7, "tokens", "a", 8)).first for _ in range(4)} == {7}


def test_a_stage_without_a_mix_is_its_own(tmp_path):
    spec = StageSpec(1, "tokens", "a", 1)
    assert PartDraws(written(tmp_path, targets=TWO[:1]), "7/0").next(spec) is spec


def test_the_plan_walks_the_levels_of_the_whole():
    made = inputs(USERS | {"repeat": 2}, *TWO, mix=MIX)
    groups = plan(made)
    assert [(g.repeat, [n.users for n in g.levels], g.stages) for g in groups] == [(1, [2, 4], 4), (2, [2, 4], 4)]
    assert [(g.target, g.payload, g.share) for g in alone(groups)] == [("tokens", "a", 0.75), ("hours", "b", 0.25)] * 2
    assert made.stems_of("tokens") == ["a"] and made.stems_of("hours") == ["b"]


def test_what_lies_ahead_of_a_mix_is_its_time_once_and_each_parts_calls():
    """Both parts' calls take 2 s, so that three quarters of the users wait for tokens. A level of n users makes n calls each 2 s;
    the whole takes as long as one target alone with these users."""
    alone_there = ahead(USERS, BEDROCK)
    mixed = ahead(USERS, *TWO, mix=MIX, calls={"tokens": CALL, "hours": HOURS})
    assert mixed.about.seconds == pytest.approx(alone_there.about.seconds)
    assert mixed.about.requests == pytest.approx(alone_there.about.requests)
    of_tokens, hours = 0.75 * alone_there.about.requests, 0.02 * alone_there.about.seconds
    assert mixed.about.usd == pytest.approx(0.01 * of_tokens + hours)


def test_targets_under_load_together_have_one_turn():
    """10 s of calls in turn: each is paid for all of them, as it is not where one has its turn after the other."""
    for together, seconds in ((frozenset(("a", "b")), 10.0), (frozenset(), 5.0)):
        spend = HourSpend()
        spend.together = together
        for second in range(10):
            spend.under_load("ab"[second % 2], second, second + 1)
        spend.under_load("a", 10, 10)
        assert (spend.seconds("a"), spend.seconds("b")) == (seconds, 9.0 if together else 5.0)


def test_windows_of_parts_are_one():
    parts = [Part("a", "p", 0.75), Part("b", "q", 0.25)]
    windows = windows_of(StageSpec(3, "a", "p", 8, repeat=2), parts, 100.0, Load(users=[8], measure_s=1.0))
    windows[0].measure_from, windows[0].ended_by, windows[0].whole = 101.0, "time", True
    share(windows)
    assert [(w.stage, w.target, w.mix, w.mix_share) for w in windows] == [
        (3, "a", [3, 4], 0.75),
        (4, "b", [3, 4], 0.25),
    ]
    assert {(w.measure_from, w.ended_by, w.whole, w.users, w.repeat) for w in windows} == {(101.0, "time", True, 8, 2)}
