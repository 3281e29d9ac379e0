"""genai-bench: a run of six requests by its Bedrock user and by its OpenAI user, both streamed."""

import json
import os
import pathlib
import tempfile

from scripts.clients.checks.peers import REQUESTS, make_tokenizer, ran
from scripts.clients.reporting import OPENAI, TOKENS, URL, check

KEYS = ["--aws-access-key-id", os.environ["AWS_ACCESS_KEY_ID"], "--aws-secret-access-key"]
KEYS += [os.environ["AWS_SECRET_ACCESS_KEY"], "--aws-region", "us-east-1"]


def run(*options):
    with tempfile.TemporaryDirectory() as folder:
        make_tokenizer(f"{folder}/tokenizer")
        ran(
            "genai-bench", "benchmark", *options, "--api-base", URL, "--task", "text-to-text",
            "--model-tokenizer", f"{folder}/tokenizer", "--traffic-scenario", f"D(20,{TOKENS})",
            "--num-concurrency", "2", "--max-requests-per-run", str(REQUESTS), "--max-time-per-run", "1",
            "--experiment-base-dir", folder, "--experiment-folder-name", "out",
        )  # fmt: skip
        runs = [json.loads(p.read_text()) for p in pathlib.Path(folder).glob("out/D*.json")]
    metrics = [run["aggregated_metrics"] for run in runs]
    assert [m["num_completed_requests"] >= REQUESTS and not m["error_rate"] for m in metrics] == [True], metrics


def stream():
    run("--api-backend", "aws-bedrock", *KEYS, "--api-model-name", "local.llama-v1:0")
    run("--api-backend", "openai", "--api-key", "none", "--api-model-name", OPENAI)


check("stream", stream)
