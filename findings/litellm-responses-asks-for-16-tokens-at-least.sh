#!/usr/bin/env bash
# Guess: max_output_tokens of litellm.responses() reaches the server as it is given, as the official SDK hands it on; a
#   server that wants more says so.
# What happens: less than 16 becomes 16 without a word, for any server behind the provider `openai`, and so by LiteLLM's
#   proxy, too. 16 and more stay. Chat completions hand on what is given.
# Versions: litellm 1.108.7, openai 3.57.0.
# Why it matters: who measures short answers (a class, a yes or no) gets, waits for and pays up to 16 tokens of each on one
#   route and 5 on the other; times to the last token and costs of the two routes are of different work.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check litellm==1.108.7 openai==3.57.0

cat >probe.py <<'PY'
import http.server
import json
import sys
import threading

ANSWERS = {
    "/v1/responses": {
        "id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "parallel_tool_calls": True,
        "tool_choice": "auto", "tools": [], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        "output": [{"type": "message", "id": "i", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": "Yes", "annotations": []}]}],
    },
    "/v1/chat/completions": {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    },
}
asked = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"

import litellm  # noqa: E402
import openai  # noqa: E402

where = {"model": "openai/m", "api_base": url, "api_key": "example"}
for tokens in (5, 16, 17):
    litellm.responses(input="Is it late?", max_output_tokens=tokens, **where)
litellm.completion(messages=[{"role": "user", "content": "Is it late?"}], max_tokens=5, **where)
openai.OpenAI(base_url=url, api_key="example").responses.create(model="m", input="Is it late?", max_output_tokens=5)
found = [body.get("max_output_tokens", body.get("max_tokens")) for body in asked]
print("asked for by litellm.responses with 5, 16, 17:", found[:3])
print("by litellm.completion with 5:", found[3], "- by openai's responses.create with 5:", found[4])
if found != [16, 16, 17, 5, 5]:
    sys.exit("changed: litellm.responses hands on what it is given, or the others do not")
PY
LITELLM_LOCAL_MODEL_COST_MAP=True venv/bin/python probe.py
