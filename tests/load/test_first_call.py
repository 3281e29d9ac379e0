"""What a target's first call says of the others: of a typical line, its answer's length and time in proportion."""

import pytest

from locustfiles.common.planning.first_call import averaged, next_line, typical
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


LINES = [Prompt(str(n), "x", None, n) for n in range(1, 21)]  # of 1 to 20 tokens
TARGET = inputs({"users": [1]} | TIMES, BEDROCK).scenario.targets[0]  # max_tokens 10
ENDED = CALL._replace(answer_tokens=4, prompt_id="10")


def test_one_call_is_enough_where_the_answer_ran_into_max_tokens_or_its_length_is_not_known():
    assert next_line(TARGET, LINES, [], 0.0, None) == LINES[9]  # 10.5 on average; the first of the two nearest
    assert next_line(TARGET, LINES, [ENDED._replace(answer_tokens=10)], 0.0, None) is None
    assert next_line(TARGET, LINES, [ENDED._replace(answer_tokens=None)], 0.0, None) is None


def test_answers_that_end_by_themselves_are_asked_for_three_times_with_a_short_a_middle_and_a_long_prompt():
    second = next_line(TARGET, LINES, [ENDED], 0.0, None)
    assert second == LINES[3]  # a sixth up the 19 others
    made = [ENDED, ENDED._replace(prompt_id="4", answer_tokens=10)]
    third = next_line(TARGET, LINES, made, 0.0, None)
    assert third == LINES[17]  # five sixths up the 18 others: 15 of them, and lines 4 and 10, are shorter
    assert next_line(TARGET, LINES, [*made, ENDED._replace(prompt_id="17")], 0.0, None) is None
    assert next_line(TARGET, LINES[9:10], [ENDED], 0.0, None) is None  # of one line no other can be sent


@pytest.mark.parametrize(("budget_usd", "more"), [(0.24, False), (0.26, True)])
def test_further_calls_take_a_tenth_of_the_budget_at_most(budget_usd, more):
    # half a cent by others, one cent by this one and one to come: 2.5 cents
    assert (next_line(TARGET, LINES, [ENDED], 0.005, budget_usd) is not None) is more


def test_the_estimate_goes_by_the_average_of_several_calls_and_says_how_far_they_are_apart():
    lines = {"a": [Prompt("1", "x" * 160, None), Prompt("2", "x" * 160, None)]}
    target = BEDROCK | {"parameters": {"max_tokens": 100}}
    calls = [CALL._replace(prompt_id="1"), CALL._replace(prompt_id="2", latency_s=4.0, answer_tokens=30, usd=0.022)]
    found = ahead({"rate": [1]} | TIMES, target, prompts=lines, calls={"tokens": averaged(calls)})
    # $0.004 of prompt and 20 tokens on average
    assert found.about.usd / found.about.requests == pytest.approx(0.004 + 20 * 0.0006)
    assert "with calls like the first (answers of 10 to 30 tokens in 2 calls of tokens); at most" in found.text


def test_a_call_that_wrote_a_cache_is_none_of_the_usual_ones():
    writing, reading = ENDED._replace(usd=0.05, answer_tokens=10, wrote_cache=True), CALL._replace(prompt_id="10")
    assert next_line(TARGET, LINES, [writing], 0.0, None) == LINES[9]  # the same again, which reads
    assert averaged([writing, reading]).usd == 0.01
    lines = {"a": [Prompt("10", "x" * 160, None), Prompt("11", "x" * 160, None)]}
    for calls, more_usd in (
        ([writing, reading, reading], 0.0),  # what was written is read by all lines
        # each of the two lines writes its own, once: its prompt is $0.044, that of a reading call $0.004
        ([writing, reading, writing._replace(prompt_id="11")], 2 * (0.044 - 0.004)),
    ):
        found = ahead({"rate": [1]} | TIMES, BEDROCK, prompts=lines, calls={"tokens": averaged(calls)})
        assert found.about.usd == pytest.approx(found.about.requests * 0.01 + more_usd)
        assert found.most.usd >= found.most.requests * 0.05  # all of them may write


def test_a_search_is_taken_to_end_where_no_level_can_be_decided():
    find = {"find": {"up_to": 8, "slo": {"latency_s": {"p95": 5.0}}}} | TIMES
    # one user has an answer each 2 s: 20 in the last look's four windows of 10 s; p95 needs 72. Undecided twice at 1 user:
    # 0.01 s for it to come, 6 s of settling, 40 s, 2 s for the last answer and 2 s of drain
    found = ahead(find, BEDROCK)
    assert found.about[:2] == pytest.approx((2 * 50.01, 48.01))
    # windows of 36 s have 72 by the last look: 1, 2, 4, 3, 2, 3 users
    assert ahead(find | {"measure_s": 36.0}, BEDROCK).about.seconds == pytest.approx(6 * 46 + 0.15)


def test_a_search_is_taken_to_fail_at_once_where_the_first_call_was_beyond_a_limit():
    find = {"find": {"up_to": 8, "slo": {"latency_s": {"p50": 1.9}}}} | TIMES
    # missed at 1 user, twice: 0.01 s, 6 s, 10 s, 2 s and 2 s of drain
    assert ahead(find, BEDROCK).about.seconds == pytest.approx(2 * 20.01)
    early = {"find": {"up_to": 8, "slo": {"ttft_s": {"p50": 0.4}}}} | TIMES
    calls = {"tokens": CALL._replace(ttft_s=0.5)}
    assert ahead(early, BEDROCK | {"stream": True}, calls=calls).about.seconds == pytest.approx(2 * 20.01)
