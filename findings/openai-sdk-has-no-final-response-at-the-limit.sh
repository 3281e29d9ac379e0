#!/usr/bin/env bash
# Guess: after a stream of Responses `get_final_response()` gives the whole answer, as `get_final_message()` of Anthropic's SDK and
#   the chats' `get_final_completion()` do, also where the answer met `max_output_tokens`: its usage is what is billed.
# What happens: the SDK keeps the answer of `response.completed` alone. A stream that ends in `response.incomplete`, as every
#   answer does that meets its limit, raises RuntimeError "Didn't receive a `response.completed` event", although that event has come,
#   with the text, the reason and the usage in it.
# Versions: openai 3.57.0; Python 3.11.
# Why it matters: load tests set a token limit, so that nearly every answer ends at it: a client that takes its counts from
#   `get_final_response()` records failures, or no tokens, of answers that were whole and are billed. What to do: read
#   `event.response` of whichever of the three closing events comes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check openai==3.57.0

cat >probe.py <<'PY'
import http.server
import json
import sys
import threading

import openai

TEXT = {"type": "output_text", "text": "One two", "annotations": []}
ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "incomplete", "content": [TEXT]}
USAGE = {
    "input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 11,
}


def response(status, **more):
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status, "error": None, "metadata": {},
        "incomplete_details": None, "instructions": None, "output": [], "parallel_tool_calls": True, "temperature": None,
        "tool_choice": "auto", "tools": [], "top_p": None, "max_output_tokens": 2,
    } | more


PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
EVENTS = [
    {"type": "response.created", "response": response("in_progress")},
    {"type": "response.output_item.added", "output_index": 0, "item": ITEM | {"status": "in_progress", "content": []}},
    {"type": "response.content_part.added", **PLACE, "part": TEXT | {"text": ""}},
    {"type": "response.output_text.delta", **PLACE, "delta": "One two", "logprobs": []},
    {"type": "response.output_text.done", **PLACE, "text": "One two", "logprobs": []},
    {"type": "response.content_part.done", **PLACE, "part": TEXT},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
    {
        "type": "response.incomplete",
        "response": response(
            "incomplete", output=[ITEM], usage=USAGE, incomplete_details={"reason": "max_output_tokens"}
        ),
    },
]


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for number, event in enumerate(EVENTS):
            data = json.dumps(event | {"sequence_number": number})
            self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", api_key="none", max_retries=0)
with client.responses.stream(model="m", input="Count.", max_output_tokens=2) as stream:
    last = list(stream)[-1]
    try:
        said = stream.get_final_response().status
    except RuntimeError as e:
        said = f"RuntimeError: {e}"
print(f"last event: {last.type}, {last.response.incomplete_details.reason}, {last.response.usage.output_tokens} tokens")
print(f"get_final_response: {said}")
if last.type != "response.incomplete" or not said.startswith("RuntimeError: Didn't receive a `response.completed`"):
    sys.exit("changed: an answer that met its limit has a final response")
PY
venv/bin/python probe.py
