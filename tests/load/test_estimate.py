"""What a run will take and cost, told before it: every kind of load and of price by hand.

Where nothing else is said: settling 3 s (at most 20), measuring 10 s, calls of 2 s, 40 tokens in and 10 out, $0.01 each, a
timeout of 15 s. Tokens cost $0.0001 in and $0.0006 out, so the prompt is $0.004 of the call.
"""

import math
import pathlib
import types

import pytest

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.planning.bisection import Search
from locustfiles.common.planning.estimate import Amount, Estimate, dollars, estimate
from locustfiles.common.planning.first_call import Call, call_of
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.plan import plan
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.prices.charge import Usage
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.scenario.scenario import Scenario

TOKENS = TokenPrice(input=0.1, output=0.6)  # a thousand
HOURLY = HourlyPrice(usd_per_hour=36.0, instance_count=2)  # 0.02 $/s
FACTS = {
    "latency_ms": 2000.0,
    "ttft_ms": 500.0,
    "prompt_tokens": 40,
    "completion_tokens": 10,
    "cache_read_tokens": None,
    "cache_write_tokens": None,
}
CALL = Call(latency_s=2.0, usd=0.01, answer_tokens=10, usage=Usage(40, 10))
HOURS = Call(latency_s=2.0, usd=None)
BEDROCK = {"name": "tokens", "service": "bedrock", "model_id": "m", "parameters": {"max_tokens": 10}}
ENDPOINT = {"name": "hours", "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.x"}
TIMES = {"settle_s": 3.0, "settle_at_most_s": 20.0, "measure_s": 10.0}
PROMPTS = {"a": [Prompt("1", "x" * 160, None)], "b": [Prompt("1", "x" * 160, None)]}


def inputs(
    load: dict, *targets: dict, payloads=("a.jsonl",), trace=None, prompts=PROMPTS, price=TOKENS, **more: object
) -> Inputs:
    scenario = {
        "name": "s",
        "targets": list(targets),
        "region": "us-east-1",
        "payloads": list(payloads),
        "pricing": "b.yaml",
    }
    scenario = Scenario.model_validate(scenario | {"load": load, "request_timeout_s": 15.0} | more)
    prices = {t["name"]: price if t["service"] == "bedrock" else HOURLY for t in targets}
    traces = {} if trace is None else {"t.csv": trace}
    return Inputs(scenario, pathlib.Path("s.yaml"), prompts, {}, prices, {}, "", traces)


def ahead(load: dict, *targets: dict, calls: dict | None = None, **more) -> Estimate:
    made = inputs(load, *targets, **more)
    calls = calls or {t["name"]: CALL if t["service"] == "bedrock" else HOURS for t in targets}
    return estimate(made, plan(made), {(name, made.stems_of(name)[0]): call for name, call in calls.items()})


def test_users_send_back_to_back():
    found = ahead({"users": [1, 4]} | TIMES, BEDROCK)
    # about: users come at 100 a second (0.01 and 0.03 s); it settles until each has begun within 2 s and made two calls,
    # 6 s; 10 s; the last answer 2 s; and 2 s of drain. 18.01 / 2 + 4 x 18.03 / 2 requests at $0.01
    assert found.about == pytest.approx((18.01 + 18.03 + 2, 45.065, 0.45065))
    # at most: settling 20 s; 10 s; the last answer 15 s: 45.01 and 45.03 s, and 15 + 2 s of drain. A call each 1 s and one more
    # of every user at each level: 46.01 + 4 x 46.03; no answer can be longer than the first one's 10 tokens: $0.01 each
    assert found.most == pytest.approx((107.04, 230.13, 2.3013))
    assert found.text == (
        "about 1 min, 45 requests and $0.45 with calls like the first; at most 2 min, 230 requests and $2.30 even if calls are "
        "twice as quick or answers as long as max_tokens"
    )


def test_answers_may_be_as_long_as_max_tokens():
    found = ahead({"users": [1, 4]} | TIMES, BEDROCK | {"parameters": {"max_tokens": 100}})
    assert found.about.usd == pytest.approx(0.45065)
    # 0.004 + 100 x 0.0006 = $0.064 a call; such calls are no quicker than the first: 45.01 / 2 + 1 and 4 x (45.03 / 2 + 1)
    assert found.most.usd == pytest.approx((23.505 + 94.06) * 0.064)
    assert found.most.requests == pytest.approx(230.13)


def test_a_prompts_own_max_tokens_goes_before_the_targets():
    prompts = {"a": [Prompt("1", "x" * 160, None), Prompt("2", "x" * 160, None, parameters={"max_tokens": 100})]}
    found = ahead({"users": [1, 4]} | TIMES, BEDROCK, prompts=prompts)
    assert found.most.usd == pytest.approx((23.505 + 94.06) * 0.064)


def test_without_max_tokens_twice_the_first_answer_is_assumed_and_said():
    load = {"rate": [2.0]} | TIMES
    found = ahead(load, BEDROCK | {"parameters": {}})
    # 0.004 + 20 x 0.0006 = $0.016; 2 s for 200 users and 45 s at 2/s, three standard deviations and one
    assert found.most.usd == pytest.approx((94 + 3 * math.sqrt(94) + 1) * 0.016)
    assert found.unlimited == ["tokens"]
    assert found.text.endswith("as long as max_tokens (tokens without max_tokens: twice the first answer)")
    embedding = ahead(load, BEDROCK | {"parameters": {}}, calls={"tokens": Call(2.0, 0.004, 0, usage=Usage(40, 0))})
    assert embedding.unlimited == []  # it answers no tokens
    assert embedding.most.usd == pytest.approx((94 + 3 * math.sqrt(94) + 1) * 0.004)


def test_users_that_think_send_less():
    found = ahead({"users": [4], "think_s": 1.0} | TIMES, BEDROCK)
    # 2 s and two rounds of 3 s, 10 s, 2 s and 0.04 s; at most 45.04 s at a call each 2 s, and one more each
    assert found.about.requests == pytest.approx(4 * 20.04 / 3)
    assert found.most.requests == pytest.approx(4 * (45.04 / 2 + 1))


def test_settling_waits_for_the_calls_of_the_level_before_even_beyond_its_longest():
    found = ahead({"users": [1, 2], "settle_s": 0.0, "settle_at_most_s": 1.0, "measure_s": 10.0}, BEDROCK)
    # first 1 s, then about 2 s or at most 15 s; 10 s; about 2 or at most 15 s; drain
    assert found.about.seconds == pytest.approx(0.01 + 13 + 0.01 + 14 + 2)
    assert found.most.seconds == pytest.approx(0.01 + 26 + 0.01 + 40 + 17)


def test_a_rate_is_what_is_sent_however_long_a_call_takes():
    found = ahead({"rate": [0.5, 2.0]} | TIMES, BEDROCK)
    # settling needs five answers: 10 s and 2 s; 2.5 s and 2 s. First 200 users come in 2 s: 2 + 12 + 10 + 2 and 4.5 + 10 + 2 s
    assert found.about == pytest.approx((26 + 16.5 + 2, 13 + 33, 0.46))
    # 2 + 45 and 45 s: 23.5 and 90 requests, three standard deviations of a Poisson count and one
    most = 23.5 + 3 * math.sqrt(23.5) + 1 + 90 + 3 * math.sqrt(90) + 1
    assert found.most == pytest.approx((47 + 45 + 17, most, most * 0.01))


def test_retries_are_calls_and_take_time():
    found = ahead({"rate": [0.5]} | TIMES, BEDROCK, retry={"attempts": 3, "max_s": 5.0})
    assert found.about.requests == pytest.approx(13)
    # the last call takes 3 x (15 + 5) s: 2 + 20 + 10 + 60 s at 0.5/s
    assert found.most.seconds == pytest.approx(92 + 17)
    assert found.most.requests == pytest.approx(3 * (46 + 3 * math.sqrt(46) + 1))
    users = {"users": [1]} | TIMES
    # users make no more attempts in their time than calls: 90.01 s at one a second, and one
    assert ahead(users, BEDROCK, retry={"attempts": 3, "max_s": 5.0}).most.requests == pytest.approx(91.01)


def test_an_endpoint_is_paid_by_the_second_whatever_is_sent():
    found = ahead({"users": [1, 4]} | TIMES, ENDPOINT)
    # 38.04 and 107.04 s x 36 $/h x 2 / 3600
    assert (found.about.usd, found.most.usd) == pytest.approx((0.7608, 2.1408))
    assert found.unknown == found.unlimited == []  # it needs no tokens


def test_payloads_repetitions_and_targets_add_up():
    calls = {"tokens": CALL, "hours": Call(7.0, None)}
    found = ahead({"users": [2], "repeat": 3} | TIMES, BEDROCK, ENDPOINT, payloads=["a.jsonl", "b.jsonl"], calls=calls)
    # six groups each: 0.02 + 6 + 10 + 2 s and 2 s of drain; 0.02 + 16 + 10 + 7 s and 7 s. All but the first begin with a call
    assert found.about.seconds == pytest.approx(6 * 20.02 + 5 * 2 + 6 * 40.02 + 5 * 7)
    assert found.about.requests == pytest.approx(6 * 18.02 + 5 + 6 * 2 * 33.02 / 7 + 5)
    assert found.about.usd == pytest.approx((6 * 18.02 + 5) * 0.01 + (6 * 40.02 + 35) * 0.02)
    assert found.most.seconds == pytest.approx(2 * (6 * (45.02 + 17) + 5 * 15))


def test_a_payload_of_longer_prompts_costs_more():
    prompts = {"a": [Prompt("1", "x" * 160, None)], "b": [Prompt("1", None, [{"role": "user", "content": "x" * 640}])]}
    load = {"users": [2]} | TIMES
    found = ahead(load, BEDROCK, payloads=["a.jsonl", "b.jsonl"], prompts=prompts)
    # 18.02 calls at $0.01; 19.02 at 4 x 0.004 + 0.006. At most: 2 x 46.02 and one more
    assert found.about.usd == pytest.approx(18.02 * 0.01 + 19.02 * 0.022)
    assert found.most.usd == pytest.approx(92.04 * 0.01 + 93.04 * 0.022)
    # a system text of 160 characters in both: (160 + 640) / (160 + 160) = 2.5
    found = ahead(load, BEDROCK | {"system": "y" * 160}, payloads=["a.jsonl", "b.jsonl"], prompts=prompts)
    assert found.about.usd == pytest.approx(18.02 * 0.01 + 19.02 * (2.5 * 0.004 + 0.006))


def test_the_calls_own_prompt_is_compared_with_the_mean_and_the_longest_one():
    prompts = {"a": [Prompt("1", "x" * 80, None), Prompt("2", "x" * 240, None)]}
    load = {"users": [2]} | TIMES
    told = ahead(load, BEDROCK, prompts=prompts, calls={"tokens": CALL._replace(prompt_id="1")})
    # of 80 characters for $0.004: the mean 160 for 0.008, the longest 240 for 0.012
    assert (told.about.usd, told.most.usd) == pytest.approx((18.02 * 0.014, 92.04 * 0.018))
    # not told which: it was like the mean
    mean = ahead(load, BEDROCK, prompts=prompts)
    assert (mean.about.usd, mean.most.usd) == pytest.approx((18.02 * 0.01, 92.04 * 0.012))
    counted = {"a": [Prompt("1", "x" * 80, None, prompt_tokens=40), Prompt("2", "x" * 240, None, prompt_tokens=60)]}
    # tokens that the file says go before characters: (40 + 60) / 2 / 40
    told = ahead(load, BEDROCK, prompts=counted, calls={"tokens": CALL._replace(prompt_id="1")})
    assert told.about.usd == pytest.approx(18.02 * (0.005 + 0.006))


def test_until_takes_at_most_its_longest():
    load = {"users": [1], "settle_s": 0.0, "settle_at_most_s": 20.0, "until": {"requests": 5, "at_most_s": 58.0}}
    found = ahead(load, BEDROCK)
    # about: settle_s 0, 4 s; five calls and the one under way 12 s, 2 s, 0.01 s; drain. At most 20 + 58 + 15
    assert found.about[:2] == pytest.approx((18.01 + 2, 18.01 / 2))
    assert found.most[:2] == pytest.approx((93.01 + 17, 94.01))
    load["until"]["requests"] = 500
    assert ahead(load, BEDROCK).about.seconds == pytest.approx(4 + 58 + 2 + 0.01 + 2)
    load["until"] = {"relative_ci": 0.1, "at_most_s": 58.0}  # who knows
    assert ahead(load, BEDROCK).about.seconds == pytest.approx(4 + 58 + 2 + 0.01 + 2)


def test_a_replay_sends_its_arrivals_and_no_more():
    # 101 arrivals in 50 s, 200 users in 2 s, the last answer, and the drain
    found = ahead({"replay": "t.csv", "settle_s": 5.0}, BEDROCK, trace=[Arrival(n / 2) for n in range(101)])
    assert found.about == pytest.approx((50 + 2 + 2 + 2, 101, 1.01))
    assert found.most == pytest.approx((50 + 2 + 15 + 17, 101, 1.01))


def test_a_trace_says_how_long_prompts_and_answers_are():
    trace = [Arrival(0.0, None, 20), Arrival(1.0, None, 100)]
    found = ahead({"replay": "t.csv"}, BEDROCK, trace=trace)
    # prompts 0.004; answers (20 + 100) / 2 x 0.0006 = 0.036; at most 0.06
    assert (found.about.usd, found.most.usd) == pytest.approx((2 * 0.040, 2 * 0.064))
    trace = [Arrival(0.0, 40, 20), Arrival(1.0, 120, 100)]
    prompts = {"a": [Prompt("1", "x", None, prompt_tokens=40), Prompt("2", "x", None, prompt_tokens=200)]}
    found = ahead(
        {"replay": "t.csv"}, BEDROCK, trace=trace, prompts=prompts, calls={"tokens": CALL._replace(prompt_id="1")}
    )
    # prompts of (40 + 120) / 2 tokens at $0.0001; at most 200
    assert (found.about.usd, found.most.usd) == pytest.approx((2 * (0.008 + 0.036), 2 * (0.020 + 0.060)))


def test_a_search_is_taken_to_end_half_way_up_and_at_most_just_below_the_top():
    found = ahead({"find": {"up_to": 8, "slo": {"error_rate": 0.0}}} | TIMES, BEDROCK)
    # limits that hold up to the root of 8: 1, 2, 4, 3, 2, 3, together 15, squares 43; 18 + n / 100 s and 2 s of drain each
    assert found.about[:2] == pytest.approx((6 * 20 + 0.15, (15 * 18 + 0.43) / 2))
    # up to 7: 1, 2, 4, 8, 6, 7, 7, 8, together 43, squares 283; 20 s, a window four times as long with two holds of 15 s in it,
    # 15 s, and 17 s of drain
    assert found.most[:2] == pytest.approx((8 * 122 + 0.43, 43 * 106 + 2.83))
    assert found.most.usd == pytest.approx((43 * 106 + 2.83) * 0.01)


def test_a_search_ends_when_its_time_is_over():
    found = ahead({"find": {"up_to": 64, "slo": {"error_rate": 0.0}, "at_most_s": 50.0}} | TIMES, BEDROCK)
    # a stage needs 13 s before the end: begun after 0 and 20.01 s: 1 and 2 users
    assert found.about[:2] == pytest.approx((2 * 20 + 0.03, (18.01 + 2 * 18.02) / 2))
    # at most three, the last of which begins by 37 s and takes at most 122.04 s. No more is sent than 4 users send in all that time
    assert found.most.seconds == pytest.approx(37 + 122.04)
    assert found.most.requests == pytest.approx((37 + 122.04) * 4 * 106.04 / 105.04)
    none = ahead({"find": {"up_to": 64, "slo": {"error_rate": 0.0}, "at_most_s": 5.0}} | TIMES, BEDROCK)
    assert (none.about[:2], none.most[:2]) == ((0.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize("of", ["users", "rate"])
def test_no_search_needs_more_than_was_told(of):
    for up_to in (1, 2, 3, 8, 11, 50, 64):
        load = {"find": {"up_to": up_to, "of": of, "slo": {"error_rate": 0.0}, "at_most_s": 1e6}} | TIMES
        told = ahead(load, BEDROCK).most
        for step in range(200):
            truth, search, seconds, requests = (
                up_to * (0.9**step if of == "rate" else step / 199),
                Search(up_to, of),
                0.0,
                0.0,
            )
            while (level := search.next()) is not None:
                search.note(level, "met" if level <= truth else "missed")
                ramp_s = level / 100 if of == "users" else 2.0
                seconds += ramp_s + 92
                mean = level * (ramp_s + 75)
                requests += mean + level if of == "users" else mean + 3 * math.sqrt(mean) + 1
            assert seconds <= told.seconds + 1e-6 and requests <= told.requests + 1e-6, (up_to, truth)


def test_a_price_that_is_not_known_is_said_and_not_taken_as_nothing():
    calls = {"tokens": Call(2.0, None), "hours": HOURS}
    found = ahead({"users": [1]} | TIMES, BEDROCK, ENDPOINT, payloads=["a.jsonl", "b.jsonl"], calls=calls)
    assert found.unknown == ["tokens"]  # once, however many groups
    # the endpoint alone: twice 18.01 and 2 s of drain, and a call of 2 s, x 0.02 $
    assert found.about.usd == pytest.approx(42.02 * 0.02)
    assert found.text.endswith("; without tokens, whose tokens or units are not known")


def test_only_what_is_still_to_come_is_told():
    made = inputs({"users": [1, 4]} | TIMES, BEDROCK)
    (group,) = plan(made)
    left = [group._replace(levels=group.levels[1:])]
    assert estimate(made, left, {("tokens", "a"): CALL}).about.requests == pytest.approx(4 * 18.04 / 2)
    assert estimate(made, [], {}) == Estimate(Amount(0.0, 0.0, 0.0), Amount(0.0, 0.0, 0.0), [], [], [])


def test_a_call_is_read_from_its_records_fields():
    # 40 x 0.0001 + 10 x 0.0006
    call = call_of(types.SimpleNamespace(**FACTS, prompt_id="7"), TOKENS)
    assert call == Call(2.0, pytest.approx(0.01), 10, "7", 0.5, usage=Usage(40, 10))
    assert call_of(types.SimpleNamespace(**FACTS, prompt_id="7"), HOURLY)[:5] == (2.0, None, 10, "7", 0.5)
    assert call_of(types.SimpleNamespace(**FACTS | {"completion_tokens": None}, prompt_id="7"), TOKENS).usd is None


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0.0, "$0.00"), (0.001234, "$0.0012"), (0.0147, "$0.015"), (0.0996, "$0.10"), (1234.567, "$1,234.57")],
)
def test_dollars_are_never_rounded_to_nothing(usd, text):
    assert dollars(usd) == text


def test_minutes_are_rounded_up_and_thousands_set_apart():
    assert Amount(61.0, 3000.4, 1.25).text == "2 min, 3,000 requests and $1.25"


def test_a_target_whose_first_call_failed_is_in_nothing_and_is_named():
    load = {"users": [1]} | TIMES
    both = ahead(load, BEDROCK, ENDPOINT, calls={"tokens": CALL})
    assert both[:2] == ahead(load, BEDROCK)[:2]
    assert both.text.endswith("; without hours, whose first call failed")
