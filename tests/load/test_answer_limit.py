"""The most tokens that an answer may have, by whatever name a request's parameters give it."""

import pytest

from locustfiles.contract.scenario.answer_limit import answer_limit


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, None),
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 40, "temperature": 0}, 40),
        ({"max_output_tokens": 7}, 7),
        ({"inferenceConfig": {"maxTokens": 512, "topP": 0.9}}, 512),
        ({"parameters": {"max_new_tokens": 64}}, 64),
        ({"textGenerationConfig": {"maxTokenCount": 9}}, 9),
        ({"max_tokens": 100, "max_completion_tokens": 300}, 300),
        ({"max_tokens": None, "max_completion_tokens": True}, None),
        ({"response_format": {"type": "json_object"}, "tools": [{"max_tokens": 5}]}, None),
    ],
)
def test_the_limit_is_found_by_every_name_that_an_api_gives_it(parameters, expected):
    assert answer_limit(parameters) == expected
