"""The effort that a request asks for is found wherever its API has it, recorded, and a column of the tables."""

import pytest

from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.scenario.asked_effort import asked_effort
from tests.helpers.both_transports import Pair
from tests.helpers.emulator_process import running_emulator


@pytest.mark.parametrize(
    ("parameters", "effort"),
    [
        ({"reasoning_effort": "high"}, "high"),  # OpenAI's chats, vLLM
        ({"reasoning": {"effort": "low", "summary": "auto"}}, "low"),  # Responses
        ({"outputConfig": {"effort": "max"}}, "max"),  # Converse
        ({"output_config": {"effort": "medium"}}, "medium"),  # Claude's own
        ({"additionalModelRequestFields": {"output_config": {"effort": "xhigh"}}}, "xhigh"),
        ({"additionalModelRequestFields": {"reasoningConfig": {"maxReasoningEffort": "low"}}}, "low"),  # Nova 2
        ({"effort": " very\nhigh "}, "very high"),
        ({"max_tokens": 5, "outputConfig": {"textFormat": {}}, "reasoning_effort": None, "effort": 3}, None),
        ({"output_config": "high", "reasoning": {"effort": " "}}, None),
    ],
)
def test_it_is_found_by_the_names_of_every_api(parameters, effort):
    assert asked_effort(parameters) == effort


@pytest.mark.usefixtures("credentials")
def test_a_record_has_what_its_line_or_target_asks_for():
    engine = {"kind": "timed", "ttft_ms": 2, "tokens_per_second": 2000, "seed": 1}
    config = {"engines": {"e": engine}, "models": {"m.claude": {"engine": "e", "family": "claude"}}}
    target = {
        "service": "bedrock",
        "model_id": "m.claude",
        "parameters": {"max_tokens": 4, "outputConfig": {"effort": "low"}},
    }
    with running_emulator(config) as e:
        pair = Pair(e.url, {"low": target, "none": target | {"parameters": {"max_tokens": 4}}})
        for transport in (0, 1):
            own = Prompt("p", "Hi", None, None, {"outputConfig": {"effort": "high"}})
            asked = [("low", Prompt("p", "Hi", None)), ("low", own), ("none", own), ("none", Prompt("p", "Hi", None))]
            assert [pair.ask(transport, *each).effort for each in asked] == ["low", "high", "high", None]
