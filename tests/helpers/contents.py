"""Contents of every kind as each API has its own: messages that are taken, and media of a known size."""

import base64

#: a picture of one point, 69 bytes
PNG_BYTES = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
PNG = base64.b64encode(PNG_BYTES).decode()
PDF_BYTES = b"%PDF-1.7 of no pages"
PDF = base64.b64encode(PDF_BYTES).decode()
DATA_URL = f"data:image/png;base64,{PNG}"
TOOL = {
    "toolSpec": {
        "name": "look_up",
        "inputSchema": {"json": {"type": "object", "properties": {"day": {"type": "string"}}}},
    }
}
S3 = {"s3Location": {"uri": "s3://bucket/film.mp4"}}


def user(*parts: dict) -> dict:
    return {"role": "user", "content": list(parts)}


#: a member of Converse's content -> a block of it; blobs are base64
CONVERSE = {
    "text": {"text": "What is it?"},
    "image": {"image": {"format": "png", "source": {"bytes": PNG}}},
    "document": {
        "document": {"format": "pdf", "name": "report", "source": {"bytes": PDF}, "citations": {"enabled": True}}
    },
    "video": {"video": {"format": "mp4", "source": S3}},
    "audio": {"audio": {"format": "wav", "source": {"bytes": PDF}}},
    # an input may have any keys, those of media too
    "toolUse": {"toolUse": {"toolUseId": "t1", "name": "look_up", "input": {"bytes": "aGk=", "data": [1, None]}}},
    "toolResult": {
        "toolResult": {
            "toolUseId": "t1",
            "content": [{"json": {"bytes": "aGk="}}, {"image": {"format": "png", "source": {"bytes": PNG}}}],
            "status": "success",
        }
    },
    "guardContent": {"guardContent": {"text": {"text": "It is old.", "qualifiers": ["grounding_source"]}}},
    "cachePoint": {"cachePoint": {"type": "default", "ttl": "1h"}},
    "reasoningContent": {"reasoningContent": {"redactedContent": PDF}},
    "citationsContent": {"citationsContent": {"content": [{"text": "It is old."}], "citations": [{"title": "report"}]}},
    "searchResult": {"searchResult": {"source": "s", "title": "t", "content": [{"text": "c"}]}},
    "toolAddition": {"toolAddition": {"tool": {"name": "look_up"}}},
    "toolRemoval": {"toolRemoval": {"tool": {"name": "look_up"}}},
}
#: decoded bytes of those that have some
CONVERSE_BYTES = {
    "image": len(PNG_BYTES),
    "document": len(PDF_BYTES),
    "audio": len(PDF_BYTES),
    "toolResult": len(PNG_BYTES),
}

ANTHROPIC = [
    user(
        {"type": "text", "text": "What is it?", "cache_control": {"type": "ephemeral"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "report",
        },
        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "c"}]},
    ),
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Well.", "signature": "c2ln"},
            {"type": "tool_use", "id": "t1", "name": "look_up", "input": {"data": "aGk=", "type": "base64"}},
        ],
    },
    user(
        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "12:30"}], "is_error": False}
    ),
]
OPENAI = [
    {"role": "developer", "content": "Be brief."},
    user(
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": PDF, "format": "wav"}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
    ),
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"day": "Sunday"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "12:30"},
]
RESPONSES = [
    user(
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": DATA_URL, "detail": "low"},
        {"type": "input_file", "filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
    ),
    {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "12:30"},
]
#: of ANTHROPIC, OPENAI and RESPONSES
MEDIA_BYTES = (len(PNG_BYTES) + len(PDF_BYTES), len(PNG_BYTES) + 2 * len(PDF_BYTES), len(PNG_BYTES) + len(PDF_BYTES))
