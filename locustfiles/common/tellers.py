"""Which function tells what an answer says, by dialect."""

import typing

from locustfiles.common import answers, container_answers, text_answers
from locustfiles.common.reading import Draft

_Event = typing.Callable[[Draft, typing.Any, float], None]
#: dialect -> what tells a chunk of Bedrock's InvokeModelWithResponseStream
CHUNKS: dict[str, _Event] = {
    "claude": answers.claude_event,
    "nova": answers.nova_event,
    "llama": text_answers.llama_event,
    "mistral": text_answers.mistral_event,
    "mistral-chat": container_answers.bedrock_chat_event,
    "titan-text": text_answers.titan_event,
    "cohere-command": text_answers.command_event,
    "cohere-command-r": text_answers.command_r_event,
    "deepseek": text_answers.deepseek_event,
    "openai-chat": container_answers.bedrock_chat_event,
}
#: dialect -> what tells a line of a container's stream
LINES: dict[str, _Event] = {
    "tgi": container_answers.text_generation_event,
    "lmi": container_answers.text_generation_event,
    "openai-chat": container_answers.openai_event,
    "openai-completions": container_answers.openai_event,
    "raw": container_answers.raw_event,
}
WHOLES: dict[str, typing.Callable[[Draft, typing.Any], None]] = {
    "converse": answers.converse_whole,
    "claude": answers.claude_whole,
    "nova": answers.converse_whole,
    "llama": text_answers.llama_whole,
    "mistral": text_answers.mistral_whole,
    "mistral-chat": container_answers.openai_whole,
    "titan-text": text_answers.titan_whole,
    "titan-embedding": text_answers.embedding_whole,
    "cohere-command": text_answers.command_whole,
    "cohere-command-r": text_answers.command_r_whole,
    "cohere-embedding": text_answers.embedding_whole,
    "deepseek": text_answers.deepseek_whole,
    "tgi": container_answers.text_generation_whole,
    "lmi": container_answers.text_generation_whole,
    "openai-chat": container_answers.openai_whole,
    "openai-completions": container_answers.openai_whole,
    "hf-embedding": text_answers.embedding_whole,
    "raw": container_answers.raw_whole,
}
