"""What conversations will take, cost and hold back, told before they are sent: every turn with its history, by hand.

A turn's question has 160 characters, 40 tokens by the first call, which took 40 in and 10 out. So turns of a conversation of three have
40, 90 and 140 tokens with answers of 10; at $0.1 and $0.6 a thousand they cost $0.010, $0.015 and $0.020, on average $0.015.
"""

import math
import types

import pytest

from locustfiles.common.planning.plan import Group
from locustfiles.common.planning.turns_ahead import pause_s
from locustfiles.common.stages.stage import Stage
from locustfiles.common.swarm.load_status import due_in
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.scenario.loads import Level, Load
from locustfiles.contract.scenario.mixes import Part
from tests.helpers.run_parts import arrived
from tests.helpers.spoken_sessions import conversation
from tests.load.test_estimate import BEDROCK, PROMPTS, TIMES, ahead, inputs
from tests.load.test_spend import record
from tests.load.test_spend_to_come import spend

QUESTION = {"user": "x" * 160}
THREE = {"a": [conversation(QUESTION, QUESTION, QUESTION)]}


def test_each_turn_costs_what_its_history_makes_it():
    """Requests as of prompts: see test_estimate."""
    found = ahead({"users": [1, 4]} | TIMES, BEDROCK, prompts=THREE)
    assert found.about == pytest.approx((18.01 + 18.03 + 2, 45.065, 45.065 * 0.015))
    assert found.most == pytest.approx((107.04, 230.13, 230.13 * 0.020))


def test_at_most_all_answers_in_the_history_are_as_long_as_they_may_be():
    """3 x 40 + 2 x 100 = 320 tokens: 0.032 + 100 x 0.0006 = $0.092; such calls are no quicker than the first."""
    found = ahead({"users": [1, 4]} | TIMES, BEDROCK | {"parameters": {"max_tokens": 100}}, prompts=THREE)
    assert found.most.usd == pytest.approx((23.505 + 94.06) * 0.092)


def test_without_max_tokens_each_answer_is_twice_the_first_ones():
    """3 x 40 + 2 x 20 = 160 tokens: 0.016 + 0.006 = $0.022 where calls are quick; with 20 out $0.028, of half as many."""
    found = ahead({"users": [1, 4]} | TIMES, BEDROCK | {"parameters": {}}, prompts=THREE)
    assert found.most.usd == pytest.approx(230.13 * 0.022)
    assert found.unlimited == ["tokens"]


def test_recorded_answers_are_as_long_as_they_are():
    """Of 400 characters, 100 tokens: the last turn has 40 + 100 + 40 + 100 + 40 = 320, whatever `max_tokens` is: $0.038."""
    recorded = {"a": [conversation(QUESTION | {"assistant": "y" * 400}, QUESTION | {"assistant": "y" * 400}, QUESTION)]}
    found = ahead({"users": [1, 4], "sessions": {"answers": "recorded"}} | TIMES, BEDROCK, prompts=recorded)
    assert found.most.usd == pytest.approx(230.13 * 0.038)


def test_an_arrival_brings_all_turns_of_a_conversation():
    """2/s of three turns: 2 s for 200 users and 45 s, three standard deviations and one more."""
    found = ahead({"rate": [2.0]} | TIMES, BEDROCK, prompts=THREE)
    assert found.most.requests == pytest.approx(3 * (94 + 3 * math.sqrt(94) + 1) + 0)
    assert found.most.usd == pytest.approx(found.most.requests * 0.020)


def test_the_most_that_a_call_asks_for_may_be_a_turns():
    prompts = {"a": [conversation(QUESTION, QUESTION | {"parameters": {"max_tokens": 70}})]}
    made = inputs({"users": [1]} | TIMES, BEDROCK, prompts=prompts)
    assert made.most_tokens(made.scenario.targets[0]) == 70


def test_pauses_are_those_of_turns_of_sessions_and_of_the_load():
    """Three turns: the load's before the first, the sessions' before the second, its own before the last."""
    own = conversation(QUESTION, QUESTION, QUESTION | {"think_s": 7})
    load = Load.model_validate(
        {"users": [1], "measure_s": 1, "think_s": 2, "sessions": {"think_s": {"low": 2, "high": 4}}}
    )
    assert pause_s(load, [own]) == pytest.approx((2 + 3 + 7) / 3)
    assert pause_s(Load.model_validate({"users": [1], "measure_s": 1, "think_s": 2}), THREE["a"]) == 2.0


@pytest.fixture
def guarded():
    """A guard that has seen one first turn of 1,000 tokens and an answer of 400; three questions of 4,000 characters, and answers
    of 500 tokens at most: a last turn has 3 x 1,000 x 1.25 + 2 x 500 = 4,750 tokens, at $0.1, and 400 out, at $0.5: $0.675."""
    question = {"user": "x" * 4000}
    found = spend(TokenPrice(input=0.1, output=0.5), {"a": [conversation(question, question, question)]})
    found.load_begins(("tokens", "a"))
    found.take(arrived(record(prompt_id="c", prompt_tokens=1000, completion_tokens=400)))
    return found


def test_a_budget_holds_back_a_last_turn_of_each_user(guarded):
    assert guarded.to_come_usd(3, None, 0.0) == pytest.approx(3 * 0.675)


def test_later_turns_say_nothing_of_how_long_a_first_one_is(guarded):
    guarded.take(arrived(record(prompt_id="c", prompt_tokens=2400, completion_tokens=400, session="s", turn=2)))
    assert guarded.to_come_usd(3, None, 0.0) == pytest.approx(3 * 0.675)


def test_a_dearer_call_than_that_counts_all_the_same(guarded):
    guarded.take(arrived(record(prompt_id="c", prompt_tokens=9000, completion_tokens=400, session="s", turn=3)))
    assert guarded.to_come_usd(3, None, 0.0) == pytest.approx(3 * 1.1)


@pytest.mark.parametrize(
    ("load", "payload", "parts", "said"),
    [
        ({"rate": [2.0]}, "talks", [], "conversations"),
        ({"rate": [2.0]}, "single", [], "requests"),
        ({"users": [2]}, "talks", [], None),
        ({"rate": [2.0]}, "single", ["single", "talks"], "conversations"),  # of a mix, as the report has it
    ],
)
def test_a_stage_under_way_says_what_is_due_at_its_rate(load, payload, parts, said):
    payloads = {"talks": [conversation(QUESTION)], "single": PROMPTS["a"]}
    asked = types.SimpleNamespace(
        scenario=types.SimpleNamespace(seed=1, retry=None), traces={}, payloads=payloads, cache_asked=lambda *_: None
    )
    run = types.SimpleNamespace(inputs=asked, tallies={}, clock=types.SimpleNamespace(now=lambda: 0.0))
    control = types.SimpleNamespace(run=run, alive=lambda: ["w"])
    mixed = tuple(Part("t", name, 0.5) for name in parts)
    level = Level((load.get("users") or [None])[0], (load.get("rate") or [None])[0])
    assert due_in(Stage(control, Group("t", payload, Load(**load, measure_s=2), [], parts=mixed), level, 1)) == said
