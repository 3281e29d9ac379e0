"""Conversations call by call: the history in each dialect's words by both transports, what a failed turn means, ids that follow."""

import pytest

from locustfiles.common.calls.session import Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.scenario.sessions import Sessions
from tests.helpers import calls
from tests.helpers.emulator_process import running_emulator
from tests.helpers.spoken_sessions import conversation, history_is_exact, hold, next_body, sessions_of
from tests.helpers.surfaces import RAW_CHAT, container
from tests.helpers.tokenizer_files import characters

pytestmark = pytest.mark.usefixtures("credentials")
CONFIG = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 2, "tokens_per_second": 2000, "seed": 1}},
    "models": {
        "m.claude": {"engine": "quick", "family": "claude"},
        "m.nova": {"engine": "quick", "family": "nova"},
        "m.mistral": {"engine": "quick", "family": "mistral-chat"},
        "m.qwen": {"engine": "quick", "family": "chat-completions"},
        "m.command-r": {"engine": "quick", "family": "cohere-command-r"},
        "m.oss": {"engine": "quick", "family": "openai-chat", "reasoning_tokens": 2},
        "thinking.claude": {"engine": "quick", "family": "claude", "reasoning_tokens": 3},
        "bad.claude": {"engine": "quick", "family": "claude", "faults": {"throttle": 0.4}, "fault_seed": 8},
        "silent.claude": {"engine": "quick", "family": "claude", "reasoning_tokens": 99},
    },
    "endpoints": {
        "chat": {"engine": "quick", "dialect": "openai-chat"},
        "stateful": {"engine": "quick", "dialect": "openai-chat", "session_s": 60},
    },
    "openai": {"gpt": {"engine": "quick"}},
}
#: surface -> its target; those that boto3 can ask first
AWS = {
    "converse": calls.converse("m.claude"),
    "converse, thinking": calls.converse("thinking.claude"),
    "claude": calls.invoke("m.claude", "claude"),
    "claude, thinking": calls.invoke("thinking.claude", "claude"),
    "nova": calls.invoke("m.nova", "nova"),
    "mistral-chat": calls.invoke("m.mistral", "mistral-chat"),
    "gpt-oss": calls.invoke("m.oss", "openai-chat"),
    "container": calls.tgi("chat", dialect="openai-chat"),
    "chat-completions": calls.invoke("m.qwen", "chat-completions"),
    "command-r": calls.invoke("m.command-r", "cohere-command-r"),
    "raw": container("chat", "raw", **RAW_CHAT),
}
ROUTES = ("openai-chat", "openai-responses", "anthropic-messages")
LINE = {"id": "c", "system": "Be brief.", "turns": [{"user": f"Question {n} of five"} for n in range(1, 6)]}
SPEC = StageSpec(1, "t", "p", 1)
PROMPT = conversation(*LINE["turns"], system=LINE["system"])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("sessions") / "truth.jsonl") as e:
        yield e


def route(url: str, dialect: str, **more: object) -> dict:
    target = {"service": "openai", "base_url": f"{url}/v1", "model_id": "gpt", "dialect": dialect}
    return target | {"parameters": {"max_tokens": 8}} | more


def sender_of(emulator, target: dict):
    return calls.sender_for(emulator, target)[0]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("surface", [*AWS, *ROUTES])
def test_each_turn_carries_what_was_said_before_it_in_every_dialect(emulator, surface, stream):
    """2 k messages with turn k: the system prompt, k of the user and k - 1 answers; 2 + 4 + … + 10 = 30 in all."""
    target = AWS.get(surface) or route(emulator.url, surface)
    sender = sender_of(emulator, target | {"stream": stream})
    session, records = hold(sender, "t", PROMPT, Sessions())
    assert [r.error_message for r in records] == [None] * 5
    assert [(r.turn, r.turns, r.call) for r in records] == [(n, 5, n) for n in range(1, 6)]
    assert {r.session for r in records} == {"local/1"}
    truth = calls.truth_of(emulator, {r.request_id for r in records})
    assert history_is_exact(sessions_of(records), truth, [LINE]) == 30
    assert session.ended


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("surface", AWS)
def test_both_transports_hold_the_same_conversation(emulator, surface, stream):
    found = []
    for transport in ("fast", "boto3"):
        target = AWS[surface] | {"name": "t", "stream": stream}
        scenario = calls.SCENARIO | {"targets": [target], "endpoint_url": emulator.url, "transport": transport}
        sender = calls.Sender(calls.Scenario.model_validate(scenario), calls.Clock(), lambda record: None)
        _, records = hold(sender, "t", PROMPT, Sessions())
        truth = calls.truth_of(emulator, {r.request_id for r in records})
        logged = [(truth[r.request_id]["heard"], truth[r.request_id]["said"]) for r in records]
        told = [(r.session, r.turn, r.turns, r.error, r.prompt_tokens, r.completion_tokens) for r in records]
        found.append((logged, told))
    assert found[0] == found[1] and len(found[0][0]) == 5


def test_recorded_answers_are_the_history_whatever_the_model_says(emulator):
    turns = [{"user": "One", "assistant": "First."}, {"user": "Two", "assistant": "Second."}, {"user": "Three"}]
    session, _ = hold(
        sender_of(emulator, calls.converse("m.claude")), "t", conversation(*turns), Sessions(answers="recorded"), 2
    )
    texts = [(m["role"], m["content"][0]["text"]) for m in next_body(session)["messages"]]
    assert texts == [
        ("user", "One"),
        ("assistant", "First."),
        ("user", "Two"),
        ("assistant", "Second."),
        ("user", "Three"),
    ]


def test_a_failed_turn_ends_the_session(emulator):
    """Of the seed's draws the third is a throttle."""
    sender = sender_of(emulator, calls.converse("bad.claude"))
    for _ in range(6):
        session, records = hold(sender, "t", PROMPT, Sessions())
        assert session.ended
        assert [r.error for r in records[:-1]] == [None] * (len(records) - 1)
        assert records[-1].error == "throttled" or records[-1].turn == 5
        if records[-1].error:
            break
    assert records[-1].error == "throttled" and records[-1].turn < 5


def test_a_session_that_goes_on_leaves_the_failed_turn_out_of_its_history(emulator):
    sender = sender_of(emulator, calls.converse("bad.claude"))
    failed = []
    while not failed:
        session, records = hold(sender, "t", PROMPT, Sessions(after_failure="go_on"))
        failed = [r.turn for r in records if r.error and r.turn < 5]
    assert [r.turn for r in records] == [1, 2, 3, 4, 5]
    truth = calls.truth_of(emulator, {r.request_id for r in records})
    for record in records:
        heard = len(truth[record.request_id]["heard"])
        gone = sum(turn < record.turn for turn in failed)
        assert record.error or heard == 2 * (record.turn - gone)  # its question and its answer are missing


def test_an_answer_of_reasoning_alone_ends_the_session(emulator):
    """All eight tokens are thought: there is nothing to go on with, and a blank message would be refused."""
    session, records = hold(sender_of(emulator, calls.converse("silent.claude")), "t", PROMPT, Sessions())
    assert session.ended and [(r.turn, r.error, r.session_ended) for r in records] == [(1, None, "no_text")]


def test_reasoning_of_answers_without_a_call_does_not_go_back(emulator):
    session, _ = hold(sender_of(emulator, calls.invoke("thinking.claude", "claude")), "t", PROMPT, Sessions(), 1)
    said = next_body(session)["messages"][1]
    assert said["role"] == "assistant" and isinstance(said["content"], str)


def test_a_turns_parameters_are_its_own(emulator):
    prompt = conversation(
        {"user": "One", "parameters": {"max_tokens": 3}}, {"user": "Two"}, parameters={"max_tokens": 5}
    )
    _, records = hold(sender_of(emulator, calls.converse("m.claude")), "t", prompt, Sessions())
    assert [r.completion_tokens for r in records] == [3, 5]


def test_sagemaker_opens_a_session_with_the_first_turn_and_the_others_go_to_it(emulator):
    """The container refuses an id that it has not given."""
    target = calls.tgi("stateful", stream=False, dialect="openai-chat") | {"session_id": "NEW_SESSION"}
    session, records = hold(sender_of(emulator, target), "t", PROMPT, Sessions())
    assert [r.error_message for r in records] == [None] * 5
    other, _ = hold(sender_of(emulator, target), "t", PROMPT, Sessions(), 1)
    ids = [s._headers({"X-Amzn-SageMaker-Session-Id": "NEW_SESSION"}, "w/1") for s in (session, other)]
    assert ids[0] != ids[1] and all(len(one["X-Amzn-SageMaker-Session-Id"]) == 36 for one in ids)


def test_a_place_in_a_header_takes_the_sessions_id(emulator):
    """`host.example_1/27`: letters and digits of it, the end of a long one, for a prefix-aware id has 64 characters at most."""
    target = calls.tgi("chat", dialect="openai-chat") | {
        "prefix_aware_id": "{session}",
        "custom_attributes": "id={session}",
    }
    session = Session(sender_of(emulator, target).scenario.target("t"), PROMPT, Sessions(), SPEC)
    first = session.next("host.example_1", 27).body.headers
    again = session.next("host.example_1", 28).body.headers
    assert first["X-Amzn-SageMaker-Prefix-Aware-Id"] == again["X-Amzn-SageMaker-Prefix-Aware-Id"] == "host-example-1-27"
    assert first["X-Amzn-SageMaker-Custom-Attributes"] == "id=host-example-1-27"
    long = Session(session.target, PROMPT, Sessions(), SPEC).next("w" * 80, 5).body.headers
    assert long["X-Amzn-SageMaker-Prefix-Aware-Id"] == "w" * 62 + "-5"


def test_the_tokenizer_counts_all_that_is_sent(emulator, tmp_path):
    """One token a character: system prompt and questions so far, 9 + 18 k, and the answers before."""
    target = calls.converse("m.claude") | {"tokenizer": str(characters(tmp_path / "tokenizer.json"))}
    _, records = hold(sender_of(emulator, target), "t", PROMPT, Sessions())
    asked = [9 + 18 * r.turn for r in records]
    before = [sum(r.tokenizer_completion_tokens for r in records[:n]) for n in range(5)]
    assert [r.tokenizer_prompt_tokens for r in records] == [a + b for a, b in zip(asked, before, strict=True)]
