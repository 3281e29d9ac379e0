"""Contents, tools and forms of answers over HTTP: both transports record the same, with what was sent and what was in it."""

import json

import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt, load_payload
from tests.helpers import bodies
from tests.helpers.both_transports import Pair, differences
from tests.helpers.calls import TOKENS, sender_for
from tests.helpers.contents import ANTHROPIC, CONVERSE, MEDIA_BYTES, OPENAI, PDF_BYTES, PNG_BYTES, RESPONSES, TOOL, user
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.surfaces import container, converse, invoke

pytestmark = pytest.mark.usefixtures("credentials")
LIMIT = {"max_tokens": TOKENS}
CALLED = {"role": "assistant", "content": [CONVERSE["toolUse"]]}
LATER = {"role": "system", "content": [{"text": "Be brief."}]}
#: what is said -> its messages and parameters, media bytes, tokens of the prompt by the endpoint's rule: four characters are one, and
#: what media count, an image a token for 750 points, all else one for 1024 bytes, both rounded up
SAID = {
    "picture": ([user({"text": "What is it?"}, CONVERSE["image"])], {}, len(PNG_BYTES), 3 + 1),
    "document": ([user({"text": "What is it?"}, CONVERSE["document"])], {}, len(PDF_BYTES), 3 + 1),
    "guarded": ([user(CONVERSE["guardContent"], {"text": "What is it?"})], {}, None, 6),  # 22 characters
    "found": ([user(CONVERSE["searchResult"], {"text": "What is it?"})], {}, None, 3),  # 12
    "later": ([user({"text": "One?"}), LATER], {}, None, 4),  # 4, a line's end, 9
}
RESULT = ([user({"text": "One?"}), CALLED, user(CONVERSE["toolResult"])], {"toolConfig": {"tools": [TOOL]}})


@pytest.fixture(scope="module")
def emulator():
    with running_emulator(bodies.CONFIG) as e:
        yield e


@pytest.fixture(scope="module")
def pair(emulator, credentials) -> Pair:
    named = {
        f"{api} {stream}": api_target | {"stream": stream}
        for api, api_target in TARGETS.items()
        for stream in (True, False)
    }
    return Pair(emulator.url, named)


TARGETS = {
    "converse": converse(bodies.NOVA, parameters=LIMIT),
    "nova": invoke(bodies.NOVA, parameters=LIMIT),
    "claude": invoke(bodies.CLAUDE, parameters=LIMIT),
    "chat": container("chat", "openai-chat", parameters=LIMIT),
}


def both(pair: Pair, name: str, prompt: Prompt):
    found = [pair.ask(transport, name, prompt) for transport in (0, 1)]
    told = differences(*found)
    late = {
        "latency_ms",
        "ttft_ms",
        "ttft_visible_ms",
        "last_token_ms",
        "max_gap_ms",
        "service_latency_ms",
        "response_bytes",
        "service_ttft_ms",
    }
    assert told.keys() - late == set(), told
    return found


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("said", SAID)
def test_converses_contents_are_answered_counted_and_recorded_alike_by_both(pair, said, stream):
    messages, parameters, media, tokens = SAID[said]
    prompt = Prompt("p", None, messages, None, parameters)
    fast, boto3 = both(pair, f"converse {stream}", prompt)
    assert (fast.error, fast.error_message, fast.stop_reason) == (None, None, "max_tokens")
    assert (fast.media_bytes, fast.prompt_tokens) == (media, tokens)
    body = build(pair.senders[0].scenario.target("t0" if stream else "t1"), prompt)
    assert fast.request_bytes == len(body.body) < boto3.request_bytes


@pytest.mark.parametrize("stream", [True, False])
def test_a_tools_result_is_taken_and_a_demanded_tool_is_called(pair, stream):
    fast, _ = both(pair, f"converse {stream}", Prompt("p", None, RESULT[0], None, RESULT[1]))
    assert (fast.error, fast.media_bytes) == (None, len(PNG_BYTES))
    wanted = {"toolConfig": {"tools": [TOOL], "toolChoice": {"tool": {"name": "look_up"}}}, "max_tokens": 200}
    fast, _ = both(pair, f"converse {stream}", Prompt("p", "When?", None, None, wanted))
    assert (fast.error, fast.stop_reason, fast.media_bytes) == (None, "tool_use", None)


@pytest.mark.parametrize(
    ("name", "messages", "media"), [("claude", ANTHROPIC, MEDIA_BYTES[0]), ("chat", OPENAI, MEDIA_BYTES[1])]
)
@pytest.mark.parametrize("stream", [True, False])
def test_other_apis_contents_are_answered_and_recorded_alike_by_both(pair, name, messages, media, stream):
    tools = {
        "claude": [{"name": "look_up", "input_schema": {"type": "object"}}],
        "chat": [{"type": "function", "function": {"name": "look_up"}}],
    }
    prompt = Prompt("p", None, messages, None, {"tools": tools[name]})
    fast, boto3 = both(pair, f"{name} {stream}", prompt)
    assert (fast.error, fast.error_message, fast.media_bytes) == (None, None, media)
    assert fast.request_bytes == boto3.request_bytes > media


MEMBERS = {
    "requestMetadata": {"team": "harbour"},
    "projectIdentifier": "team-a",
    "additionalModelResponseFieldPaths": ["/stop_sequence"],
    "outputConfig": {"effort": "high"},
}


@pytest.mark.parametrize("stream", [True, False])
def test_members_are_in_their_places_by_both(pair, stream):
    """Of InvokeModel two are headers; the others are no part of it."""
    fast, boto3 = both(pair, f"converse {stream}", Prompt("p", "Hello", None, None, MEMBERS))
    assert (fast.error, fast.error_message, fast.request_bytes < boto3.request_bytes) == (None, None, True)
    beside = {name: MEMBERS[name] for name in ("requestMetadata", "projectIdentifier")}
    plain, _ = both(pair, f"nova {stream}", Prompt("p", "Hello", None))
    named, _ = both(pair, f"nova {stream}", Prompt("p", "Hello", None, None, beside))
    assert (named.error, named.request_bytes) == (None, plain.request_bytes)


def test_bytes_that_are_no_picture_are_refused_as_bedrock_does(pair):
    wrong = json.loads(json.dumps(ANTHROPIC[:1]).replace("image/png", "image/gif"))
    record = pair.ask(0, "claude False", Prompt("p", None, wrong))
    assert (record.error, record.http_status) == ("client", 400)
    assert "image/gif media type" in record.error_message


def test_a_form_of_the_answer_is_kept(pair, emulator):
    """The example's own schema: an object with a time."""
    line = next(p for p in load_payload(ROOT / "payloads/examples/converse.jsonl") if p.id == "form")
    record = pair.ask(0, "converse False", Prompt("p", None, line.messages, None, line.parameters | {"max_tokens": 60}))
    assert (record.error, record.stop_reason) == (None, "end_turn")


@pytest.mark.parametrize("file", ["converse", "anthropic", "openai"])
def test_every_line_of_the_examples_is_answered(pair, emulator, file):
    name = {"converse": "converse", "anthropic": "claude", "openai": "chat"}[file]
    for prompt in load_payload(ROOT / f"payloads/examples/{file}.jsonl"):
        record = pair.ask(0, f"{name} True", prompt)
        assert (record.error, record.error_message) == (None, None), prompt.id
        assert (record.media_bytes is None) == (not prompt.files)


def test_responses_items_are_answered(emulator, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")
    target = {"service": "openai", "base_url": f"{emulator.url}/v1", "model_id": "exact", "dialect": "openai-responses"}
    sender, _ = sender_for(emulator, target | {"parameters": LIMIT})
    record = sender.call(
        1, sender.scenario.target("t"), Prompt("p", None, RESPONSES), StageSpec(1, "t", "p", 1), "measure"
    )
    assert (record.error, record.error_message, record.media_bytes) == (None, None, MEDIA_BYTES[2])
