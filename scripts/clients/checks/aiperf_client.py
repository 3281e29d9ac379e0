"""aiperf: a run of six requests over the chat route, whole and streamed."""

import json
import pathlib
import tempfile

from scripts.clients.checks.peers import REQUESTS, make_tokenizer, ran
from scripts.clients.reporting import OPENAI, TOKENS, URL, check


def run(*options):
    with tempfile.TemporaryDirectory() as folder:
        make_tokenizer(f"{folder}/tokenizer")
        ran(
            "aiperf", "profile", "-m", OPENAI, "--url", URL, "--endpoint-type", "chat", "--ui", "none",
            "--tokenizer", f"{folder}/tokenizer", "--request-count", str(REQUESTS), "--concurrency", "2",
            "--isl", "20", "--osl", str(TOKENS), "--use-server-token-count", "--artifact-dir", f"{folder}/out", *options,
        )  # fmt: skip
        [found] = pathlib.Path(folder).glob("out/**/profile_export_aiperf.json")
        told = json.loads(found.read_text())
    assert told["request_count"]["avg"] == REQUESTS, told["request_count"]
    assert told["output_sequence_length"]["avg"] == TOKENS, told["output_sequence_length"]


check("plain", run)
check("stream", lambda: run("--streaming"))
