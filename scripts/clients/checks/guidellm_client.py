"""guidellm: a run of six requests over the chat route, streamed as it always does."""

import json
import pathlib
import tempfile

from scripts.clients.checks.peers import REQUESTS, ran
from scripts.clients.reporting import OPENAI, PROMPT, TOKENS, URL, check


def run(backend):
    with tempfile.TemporaryDirectory() as folder:
        data, out = pathlib.Path(folder) / "data.jsonl", pathlib.Path(folder) / "out.json"
        data.write_text((json.dumps({"prompt": PROMPT, "output_tokens_count": TOKENS}) + "\n") * REQUESTS)
        ran(
            "guidellm", "run", "--disable-console-interactive",
            "--backend", f"kind=openai_http,target={URL},model={OPENAI}{backend}",
            "--profile", "kind=concurrent,streams=2", "--constraint", f"kind=max_requests,count={REQUESTS}",
            "--data", f"kind=json_file,path={data}", "--output", f"kind=json,path={out}",
        )  # fmt: skip
        metrics = json.loads(out.read_text())["benchmarks"][0]["metrics"]
    assert metrics["request_totals"]["successful"] == REQUESTS, metrics["request_totals"]
    assert metrics["output_token_count"]["successful"]["mean"] == TOKENS


check("stream", lambda: run(",validate_backend=false"))
check("health", lambda: run(""))  # it asks GET /health first
