"""What a run will take and cost, told before it: every kind of load and of price by hand."""

import pathlib

import pytest

from locustfiles.common.arrivals import Arrival
from locustfiles.common.estimate import Call, Estimate, dollars, estimate
from locustfiles.common.inputs import Inputs
from locustfiles.common.plan import plan
from locustfiles.common.price_book import HourlyPrice, PriceBook, TokenPrice
from locustfiles.common.scenario import Scenario
from locustfiles.common.search import Search

TOKENS = TokenPrice(input=0.00075, output=0.001)
HOURLY = HourlyPrice(usd_per_hour=36.0, instance_count=2)  # 0.02 $/s
CALL = Call(latency_s=2.0, usd=0.01)
BEDROCK = {"name": "tokens", "service": "bedrock", "model_id": "m"}
ENDPOINT = {"name": "hours", "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.x"}


def inputs(load: dict, *targets: dict, payloads=("a.jsonl",), trace: list[Arrival] | None = None) -> Inputs:
    scenario = {"name": "s", "targets": list(targets), "region": "us-east-1", "payloads": list(payloads), "pricing": "b.yaml"}
    scenario = Scenario.model_validate(scenario | {"load": load})
    prices = {t["name"]: TOKENS if t["service"] == "bedrock" else HOURLY for t in targets}
    traces = {} if trace is None else {"t.csv": trace}
    return Inputs(scenario, pathlib.Path("s.yaml"), {}, {}, PriceBook.model_construct(region="us-east-1"), prices, "", traces)


def ahead(load: dict, *targets: dict, calls: dict | None = None, **more) -> Estimate:
    made = inputs(load, *targets, **more)
    return estimate(made, plan(made), calls or {t["name"]: CALL for t in targets})


def test_users_send_back_to_back():
    found = ahead({"users": [1, 4], "settle_s": 3.0, "measure_s": 10.0}, BEDROCK)
    # each stage: 3 + 10 s and 2 s until the last answer. 15 / 2 and 4 x 15 / 2 requests, 0.01 $ each
    assert found.seconds == 30.0
    assert found.requests == pytest.approx(7.5 + 30)
    assert found.usd == pytest.approx(0.375)
    assert found.text == "about 1 min, at most about 38 requests and $0.38"


def test_users_that_think_send_less():
    found = ahead({"users": [4], "settle_s": 3.0, "measure_s": 10.0, "think_s": 1.0}, BEDROCK)
    assert found.requests == pytest.approx(4 * 15 / 3)


def test_a_rate_is_what_is_sent_however_long_a_call_takes():
    found = ahead({"rate": [0.5, 2.0], "settle_s": 3.0, "measure_s": 10.0}, BEDROCK)
    # arrivals go on until the last measured answer: 15 s each
    assert (found.seconds, found.requests) == (30.0, pytest.approx(0.5 * 15 + 2 * 15))


def test_an_endpoint_is_paid_by_the_second_whatever_is_sent():
    found = ahead({"users": [1, 4], "settle_s": 3.0, "measure_s": 10.0}, ENDPOINT, calls={"hours": Call(2.0, None)})
    # 30 s x 36 $/h x 2 / 3600
    assert found.usd == pytest.approx(0.60)
    assert found.unknown == []  # it needs no tokens


def test_payloads_repetitions_and_targets_add_up():
    load = {"users": [2], "settle_s": 3.0, "measure_s": 10.0, "repeat": 3}
    found = ahead(load, BEDROCK, ENDPOINT, payloads=["a.jsonl", "b.jsonl"], calls={"tokens": CALL, "hours": Call(7.0, None)})
    # six stages of 15 s with 15 requests at 0.01 $; six of 20 s with 2 x 20 / 7 requests at 0.02 $/s
    assert found.seconds == 6 * 15 + 6 * 20
    assert found.requests == pytest.approx(6 * 15 + 6 * 40 / 7)
    assert found.usd == pytest.approx(6 * 0.15 + 6 * 0.40)


def test_until_takes_at_most_its_longest():
    found = ahead({"users": [1], "settle_s": 0.0, "until": {"requests": 5, "at_most_s": 58.0}}, BEDROCK)
    assert (found.seconds, found.requests) == (60.0, 30.0)


def test_a_replay_sends_its_arrivals_and_no_more():
    # 101 arrivals in 50 s
    found = ahead({"replay": "t.csv", "settle_s": 5.0}, BEDROCK, trace=[Arrival(n / 2) for n in range(101)])
    assert found.seconds == pytest.approx(52.0)  # until the last answer
    assert found.requests == pytest.approx(101)
    assert found.usd == pytest.approx(1.01)


def test_a_short_replay_of_long_calls_sends_its_arrivals_and_no_more():
    # 11 arrivals in 1 s, answers of 10 s: nothing is due in the 10 s until the last answer
    trace = [Arrival(n / 10) for n in range(11)]
    found = ahead({"replay": "t.csv"}, BEDROCK, trace=trace, calls={"tokens": Call(10.0, 0.01)})
    assert found.seconds == pytest.approx(11.0)
    assert found.requests == pytest.approx(11)
    assert found.usd == pytest.approx(0.11)


def test_a_search_is_taken_to_go_to_the_top():
    load = {"find": {"up_to": 8, "slo": {"error_rate": 0.0}}, "settle_s": 3.0, "measure_s": 10.0}
    found = ahead(load, BEDROCK)
    # 1, 2, 4, 8, three halvings between 4 and 8 and two visits of the boundary, all taken at 8: nine stages of 15 s
    assert found.seconds == 9 * 15
    assert found.requests == pytest.approx((1 + 2 + 4 + 6 * 8) * 15 / 2)


def test_a_search_of_rates_sends_its_rates():
    load = {"find": {"up_to": 4.0, "of": "rate", "slo": {"error_rate": 0.0}}, "settle_s": 3.0, "measure_s": 10.0}
    # 1, 2, 4 and four more at 4 requests/s
    found = ahead(load, BEDROCK)
    assert (found.seconds, found.requests) == (7 * 15, pytest.approx((1 + 2 + 5 * 4) * 15))


def test_a_search_ends_when_its_time_is_over():
    load = {"find": {"up_to": 64, "slo": {"error_rate": 0.0}, "at_most_s": 50.0}, "settle_s": 3.0, "measure_s": 10.0}
    # three whole stages: 1, 2 and 4 users
    found = ahead(load, BEDROCK)
    assert (found.seconds, found.requests) == (45.0, pytest.approx(7 * 15 / 2))


def test_no_search_needs_more_stages_than_were_told():
    for up_to in (1, 2, 3, 8, 50, 64):
        load = {"find": {"up_to": up_to, "slo": {"error_rate": 0.0}}, "settle_s": 3.0, "measure_s": 10.0}
        told = ahead(load, BEDROCK)
        for truth in range(up_to + 1):
            search, requests, stages = Search(up_to), 0.0, 0
            while (users := search.next()) is not None:
                search.note(users, "met" if users <= truth else "missed")
                requests, stages = requests + users * 15 / 2, stages + 1
            assert stages * 15 <= told.seconds and requests <= told.requests, (up_to, truth)


def test_a_price_that_is_not_known_is_said_and_not_taken_as_nothing():
    load = {"users": [1], "settle_s": 3.0, "measure_s": 10.0}
    calls = {"tokens": Call(2.0, None), "hours": Call(2.0, None)}
    found = ahead(load, BEDROCK, ENDPOINT, payloads=["a.jsonl", "b.jsonl"], calls=calls)
    assert found.unknown == ["tokens"]  # once, however many groups
    # the endpoint's two stages alone: 30 s x 0.02 $
    assert found.usd == pytest.approx(0.60)
    assert found.text == "about 1 min, at most about 30 requests and $0.60, without tokens, whose tokens are not known"


def test_only_what_is_still_to_come_is_told():
    made = inputs({"users": [1, 4], "settle_s": 3.0, "measure_s": 10.0}, BEDROCK)
    (group,) = plan(made)
    left = [group._replace(levels=group.levels[1:])]
    assert estimate(made, left, {"tokens": CALL}).requests == pytest.approx(30)
    assert estimate(made, [], {}) == Estimate(0.0, 0.0, 0.0, [])


@pytest.mark.parametrize(
    ("usd", "text"), [(0.0, "$0.00"), (0.001234, "$0.0012"), (0.01, "$0.01"), (3.902828, "$3.90"), (1234.5, "$1,234.50")]
)
def test_dollars_are_never_rounded_to_nothing(usd, text):
    assert dollars(usd) == text


def test_minutes_are_rounded_up_and_thousands_set_apart():
    assert Estimate(61.0, 3000.4, 1.25, []).text == "about 2 min, at most about 3,000 requests and $1.25"
