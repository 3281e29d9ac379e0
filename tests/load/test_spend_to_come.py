"""What is reserved for calls in flight: lines that reach a price step which none has yet, and models that a router chose."""

import pathlib

import pytest

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.recording.spend import Spend
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.run_parts import arrived
from tests.load.test_spend import HandClock, record

STEPPED = TokenPrice.model_validate(
    {"input": 0.1, "output": 0.5, "steps": [{"above": 2000, "input": 0.5, "output": 2.5}]}
)
CACHED = TokenPrice.model_validate(
    {"input": 0.1, "output": 0.5, "cache_read": 0.01, "cache_write": 0.125, "cache_write_1h": 0.2}
)
#: 4,000 characters are a size of 1,000, which a first call tells to be 1,000 tokens
SHORT, LONG = Prompt("1", "x" * 4000, None), Prompt("2", "x" * 8000, None)


def spend(price: TokenPrice, payloads: dict[str, list[Prompt]], model_id: str = "m") -> Spend:
    target = {"name": "tokens", "service": "bedrock", "model_id": model_id, "parameters": {"max_tokens": 500}}
    scenario = {"name": "s", "targets": [target], "region": "us-east-1", "budget_usd": 1.0}
    scenario |= {"payloads": [f"{stem}.jsonl" for stem in payloads], "load": {"users": [1], "measure_s": 10}}
    inputs = Inputs(Scenario.model_validate(scenario), pathlib.Path("s.yaml"), payloads, {}, {"tokens": price}, {}, "")
    return Spend(inputs, HandClock())


def to_come(found: Spend, payload: str, *calls, users: int = 3) -> float:
    """Of the closed loop with every record here."""
    found.load_begins(("tokens", payload))
    for call in calls:
        found.take(arrived(call))
    return found.to_come_usd(users, None, 0.0)


def test_a_line_above_a_step_is_reserved_for_before_the_first_of_them_is_sent():
    # the long line has about 2,000 tokens and, with the margin of 25 %, 2,500: 2,500 x 0.5 + 400 x 2.5, / 1,000 = 2.25
    found = spend(STEPPED, {"a": [SHORT, LONG]})
    assert to_come(found, "a", record()) == pytest.approx(3 * 2.25)
    # sent, it has 2,000 tokens: no step is reached, 0.2 + 0.2
    found.take(arrived(record(prompt_id="2", prompt_tokens=2000)))
    assert found.to_come_usd(3, None, 0.0) == pytest.approx(3 * 0.4)
    # and with 2,001: 2,001 x 0.5 / 1,000 + 1.0
    found.take(arrived(record(prompt_id="2", prompt_tokens=2001)))
    assert found.to_come_usd(3, None, 0.0) == pytest.approx(3 * 2.0005)


def test_only_lines_of_the_payload_that_is_sent_are_reserved_for():
    found = spend(STEPPED, {"a": [SHORT], "b": [LONG]})
    assert to_come(found, "a", record()) == pytest.approx(3 * 0.3)
    assert to_come(found, "b") == pytest.approx(3 * 2.25)


def test_a_longer_line_without_a_step_counts_when_it_was_sent():
    plain = TokenPrice(input=0.1, output=0.5)
    assert to_come(spend(plain, {"a": [SHORT, LONG]}), "a", record()) == pytest.approx(3 * 0.3)


def test_with_a_cache_in_use_the_longest_prompt_may_be_written_for_an_hour():
    # 3,000 tokens in all, of which 2,000 were read for 0.02: 3,000 x 0.2 / 1,000 + 0.2, not 0.1 + 0.02 + 0.2
    reads = record(cache_read_tokens=2000)
    assert to_come(spend(CACHED, {"a": [SHORT]}), "a", reads) == pytest.approx(3 * 0.8)


ROUTER = "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/amazon.nova:1"
PRO, CHEAP = (
    "us.amazon.nova-pro-v1:0",
    "amazon.nova-micro-v1:0",
)  # $0.0008 and $0.0032, $0.000035 and $0.00014 per 1,000


def routed(price: TokenPrice, *models: str | None) -> Spend:
    found = spend(price, {"a": [SHORT]}, ROUTER)
    for model in models:
        found.take(arrived(record(invoked_model=model)))
    return found


@pytest.mark.parametrize(
    ("price", "models", "usd"),
    [
        ((0.0003, 0.0012), [None], 0.0003 + 0.00048),
        ((0.0003, 0.0012), [PRO], 0.0008 + 0.00128),  # dearer than the target's own price
        ((0.0003, 0.0012), [CHEAP], 0.0003 + 0.00048),  # which the report bills
        ((0.0003, 0.0012), ["some.model-of-tomorrow"], 0.0003 + 0.00048),  # no other price is known
        ((0.0003, 0.0012), [CHEAP, PRO, None], 0.00078 + 2 * 0.00208),  # it may have been the dearest
        ((0.0003, 0.0012), [f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{PRO}"], 0.00208),
    ],
)
def test_a_routers_calls_count_by_the_price_of_the_model_that_answered(price, models, usd):
    found = routed(TokenPrice(input=price[0], output=price[1]), *models)
    assert found.usd() == pytest.approx(usd, rel=1e-9)


def test_what_a_routers_calls_count_by_is_said_once_a_model(caplog):
    caplog.set_level("INFO", "swarmledger")
    found = routed(TokenPrice(input=0.0003, output=0.0012), PRO, PRO, CHEAP)
    told = [r.getMessage() for r in caplog.records if "its router chose" in r.getMessage()]
    assert len(told) == 2 and f"`{PRO}`; the budget counts such calls by the dearer of $0.0008 in" in told[0]
    found.load_begins(("tokens", "a"))
    assert found.to_come_usd(2, None, 0.0) == pytest.approx(2 * 0.00208)  # the dearest model's
