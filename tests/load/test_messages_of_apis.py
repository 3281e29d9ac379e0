"""What is wrong in an API's own messages is said with its place, what is wrong, and what to do; what SDKs give back is taken."""

import json

import pytest

from locustfiles.common.prompts.messages import checked_messages
from tests.helpers.contents import ANTHROPIC, CONVERSE, OPENAI, PDF, PNG, RESPONSES, user

IMAGE = {"format": "png", "source": {"bytes": PNG}}
TEXT = {"type": "text", "text": "a"}
USED = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WRONG = {
    "an unknown format": (
        [user({"image": IMAGE | {"format": "bmp"}})],
        "`messages[0].content[0].image.format` is `bmp`; it must be one of png, jpeg, gif, webp",
    ),
    "an unknown member": (
        [user({"image": IMAGE | {"size": 3}})],
        "`messages[0].content[0].image` has an unknown key `size`; known",
    ),
    "no source": ([user({"image": {"format": "png"}})], "`messages[0].content[0].image` has no `source`; add it"),
    "no base64": (
        [user({"image": IMAGE | {"source": {"bytes": "?"}}})],
        "`messages[0].content[0].image.source.bytes` is not base64; write the file's bytes so",
    ),
    "two sources": (
        [user({"image": IMAGE | {"source": {"bytes": PNG, "s3Location": {"uri": "s3://bucket/a"}}}})],
        "`messages[0].content[0].image.source` must have exactly one of bytes, s3Location; it has 2",
    ),
    "a block that Converse has not": (
        [user({"picture": IMAGE})],
        "`messages[0].content[0]` has an unknown key `picture`; known are text",
    ),
    "a number": (
        [user({"toolResult": {"toolUseId": "t", "content": "a"}})],
        "`messages[0].content[0].toolResult.content` must be a list",
    ),
    "an empty id": (
        [user({"toolUse": {"toolUseId": "", "name": "f", "input": {}}})],
        "`messages[0].content[0].toolUse.toolUseId` is too short",
    ),
    "a blank text": ([user({"text": " "})], "`messages[0].content[0].text` is empty; write the prompt"),
    "an address": (
        [user({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}})],
        "`messages[0].content[0].source` is an address; fetching it is not the model's time; write the bytes as base64",
    ),
    "an address of a chat": (
        [user({"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}})],
        "`messages[0].content[0].image_url` is no data URL; fetching it is not the model's time",
    ),
    "an unknown source": (
        [user({"type": "document", "source": {"type": "pdf", "data": PDF}})],
        "`messages[0].content[0].source.type` is `pdf`; it must be one of base64, text, content and file",
    ),
    "a result of nothing": ([user({"type": "tool_result"})], "`messages[0].content[0]` has no `tool_use_id`; add it"),
    "a result's inside": (
        [user({"type": "tool_result", "tool_use_id": "t", "content": [{"text": "a"}]})],
        "`messages[0].content[0].content[0]` must be an object with `type`",
    ),
    "sound without its format": (
        [user({"type": "input_audio", "input_audio": {"data": PDF}})],
        "`messages[0].content[0].input_audio` has no `format`; add it",
    ),
    "a tool that answers nobody": (
        [user(TEXT), {"role": "tool", "content": "a"}],
        "`messages[1]` has no `tool_call_id`; add it",
    ),
    "calls of a user": (
        [{"role": "user", "content": "a", "tool_calls": [USED]}],
        "`messages[0].tool_calls` must be a list of calls in a message of role assistant",
    ),
    "arguments that are an object": (
        [user(TEXT), {"role": "assistant", "tool_calls": [USED | {"function": {"name": "f", "arguments": {}}}]}],
        "`messages[1].tool_calls[0].function.arguments` must be a text",
    ),
    "an item without its output": (
        [user(TEXT), {"type": "function_call_output", "call_id": "c"}],
        "`messages[1]` has no `output`; add it",
    ),
    "an unknown item": (
        [user(TEXT), {"type": "image"}],
        "`messages[1].type` is `image`, no item of OpenAI's Responses; it has function_call",
    ),
    "two APIs": (
        [user({"text": "a"}), {"role": "assistant", "content": None, "tool_calls": [USED]}],
        "`messages[0].content[0]` is in the form of Converse, `messages[1]` in that of OpenAI's chat; write the line in one form",
    ),
    "nothing said and nothing called": (
        [user(TEXT), {"role": "assistant", "content": None, "tool_calls": None}],
        "`messages[1].content` must be a text",
    ),
}


@pytest.mark.parametrize(("messages", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_place(messages, said):
    with pytest.raises(ValueError, match=r"`messages") as refused:
        checked_messages(messages)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


#: as SDKs give messages back, their empty keys too
GIVEN_BACK = {
    "openai": [
        user(TEXT),
        {"role": "assistant", "content": "", "refusal": None, "annotations": [], "audio": None, "tool_calls": [USED]},
        {"role": "tool", "tool_call_id": "c1", "content": ""},
        {"role": "assistant", "content": "So.", "refusal": None, "tool_calls": None},
    ],
    "responses": [
        *RESPONSES,
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "a"}],
        },
        {"type": "web_search_call", "id": "w", "status": "completed"},
    ],
    "anthropic": [*ANTHROPIC, {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}, TEXT]}],
    "converse": [
        user({"text": "a"}),
        {"role": "assistant", "content": [CONVERSE["reasoningContent"], CONVERSE["citationsContent"]]},
    ],
    "a developer's": OPENAI,
}


@pytest.mark.parametrize("messages", GIVEN_BACK.values(), ids=GIVEN_BACK)
def test_what_sdks_give_back_is_taken_as_it_is(messages):
    before = json.dumps(messages)
    assert json.dumps(checked_messages(messages)) == before
