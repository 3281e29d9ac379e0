"""What a target's first call says of the others: of a typical line, its answer's length and time in proportion."""

import pytest

from locustfiles.common.planning.first_call import typical
from locustfiles.common.prompts.payloads import Prompt
from tests.load.test_estimate import BEDROCK, CALL, TIMES, ahead, inputs


def test_answers_that_ran_into_max_tokens_are_as_long_as_each_line_asks_for():
    prompts = {"a": [Prompt(str(n), "x" * 160, None, parameters={"max_tokens": 10 * n}) for n in (1, 2, 3)]}
    call = CALL._replace(prompt_id="1", ttft_s=0.5)
    found = ahead({"users": [1]} | TIMES, BEDROCK, prompts=prompts, calls={"tokens": call})
    # 10 of its 10 tokens: the lines' answers have 20 on average, which take 0.5 + 1.5 x 20 / 10 = 3.5 s and cost
    # 0.004 + 20 x 0.0006. 0.01 s for the user to come; settling two rounds and 2 s; 10 s; the last answer; the drain
    assert found.about.seconds == pytest.approx(0.01 + 9 + 10 + 3.5 + 3.5)
    assert found.about.usd / found.about.requests == pytest.approx(0.016)
    ended = ahead({"users": [1]} | TIMES, BEDROCK, prompts=prompts, calls={"tokens": call._replace(prompt_id="2")})
    # 10 of its 20 tokens: the model had said all, and so it will
    assert ended.about.usd / ended.about.requests == pytest.approx(0.010)


def test_the_typical_line_is_of_the_mean_size():
    lines = [Prompt("short", "x", None, 10), Prompt("long", "x", None, 90), Prompt("middle", "x", None, 35)]
    assert typical(inputs({"users": [1]} | TIMES, BEDROCK).scenario.targets[0], lines).id == "middle"  # 45 on average
