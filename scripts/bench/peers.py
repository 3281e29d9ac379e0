"""The peers: other load testers, each in an environment of its own, run as its users run it, and what each recorded by request.

genai-bench's and llmeter's answers name the request by AWS's header; guidellm keeps the id of the answer's events, which has
the endpoint's in it; aiperf sends an id of its own, which the endpoint notes.
"""

import json
import pathlib
import typing

from scripts.bench.child import PROMPT
from scripts.bench.client import Answer, Client, Load, noted, program
from scripts.bench.venvs import PEERS, python_of


def _llmeter_records(load: Load) -> dict[str, Answer]:
    """llmeter's own file; seconds."""
    found: dict[str, Answer] = {}
    for path in load.folder.glob("**/responses.jsonl"):
        for row in _whole_lines(path):
            if row["id"] and not row["error"]:
                first = row["time_to_first_token"]
                found[row["id"]] = Answer(None if first is None else first * 1000, row["time_to_last_token"] * 1000)
    return found


def _guidellm(load: Load, url: str) -> list[str]:
    """Its own command line, with as many rows of data as it can ask for: it ends where they end."""
    rows = int(load.users * (load.seconds + 5) / 0.5)
    data, out = load.folder / "prompts.jsonl", load.folder / "guidellm.json"
    data.write_text(
        (json.dumps({"prompt": PROMPT, "output_tokens_count": load.tokens}) + "\n") * rows, encoding="utf-8"
    )
    command = [str(python_of("guidellm").parent / "guidellm"), "run", "--disable-console-interactive"]
    command += ["--backend", f"kind=openai_http,target={url},model={load.model},validate_backend=false"]
    command += ["--profile", f"kind=concurrent,streams={load.users}"]
    command += ["--constraint", f"kind=max_duration,seconds={load.seconds:g}"]
    return [*command, "--data", f"kind=json_file,path={data}", "--output", f"kind=json,path={out}"]


def _guidellm_records(load: Load) -> dict[str, Answer]:
    """By the id of the answer's events, which has the endpoint's id of the request in it."""
    found: dict[str, Answer] = {}
    document = json.loads((load.folder / "guidellm.json").read_text(encoding="utf-8"))
    for row in (r for benchmark in document["benchmarks"] for r in benchmark["requests"]["successful"]):
        if row["response_id"]:
            first = row["time_to_first_token_ms"]
            found[row["response_id"].removeprefix("chatcmpl-")] = Answer(first, row["request_latency"] * 1000)
    return found


def _aiperf_records(load: Load) -> dict[str, Answer]:
    """By the id that it sends along as X-Request-ID; ms."""
    found: dict[str, Answer] = {}
    for path in load.folder.glob("aiperf/**/profile_export.jsonl"):
        for row in _whole_lines(path):
            if not row.get("error") and not row["metadata"]["was_cancelled"]:
                metrics = row["metrics"]
                first = metrics.get("time_to_first_token")
                answer = Answer(first and first["value"], metrics["request_latency"]["value"])
                found[row["metadata"]["x_request_id"]] = answer
    return found


def _whole_lines(path: pathlib.Path) -> typing.Iterator[dict]:
    """The last one may be torn."""
    with open(path, encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.endswith("\n"))


PEER_CLIENTS = {
    "genai-bench": Client(
        f"genai-bench {PEERS['genai-bench'][0]}, its Bedrock user (InvokeModelWithResponseStream)",
        lambda load, url: program(python_of("genai-bench"), "genai_bench_run", load, url),
        noted,
        streams_only=True,
    ),
    "llmeter": Client(
        f"llmeter {PEERS['llmeter'][0]}, its Bedrock Converse endpoints; its latency ends at the last token",
        lambda load, url: program(python_of("llmeter"), "llmeter_run", load, url),
        _llmeter_records,
        drain_s=60.0,
    ),
    "guidellm": Client(
        f"guidellm {PEERS['guidellm'][0]}, `guidellm run` on the chat completions; matched by the id of its answers",
        _guidellm,
        _guidellm_records,
        streams_only=True,
        drain_s=90.0,
    ),
    "aiperf": Client(
        f"aiperf {PEERS['aiperf'][0]}, `aiperf profile` on the chat completions; matched by the X-Request-ID that it sends",
        lambda load, url: program(python_of("aiperf"), "aiperf_run", load, url),
        _aiperf_records,
        drain_s=90.0,
    ),
}
