"""The measured clients by name: ours, and what is written as careful users write it."""

import csv
import json
import pathlib
import sys

import yaml

from scripts.bench.child import PROMPT
from scripts.bench.client import Answer, Client, Load, noted, program
from scripts.bench.endpoint import ROOT
from scripts.bench.peers import PEER_CLIENTS
from scripts.bench.venvs import Absent, python_of_checkout

LOCUST = str(pathlib.Path(sys.executable).parent / "locust")


def _ours(
    load: Load, url: str, transport: str | None = None, openai: bool = False, root: pathlib.Path = ROOT
) -> list[str]:
    target = {
        "name": "exact", "model_id": load.model, "stream": load.stream,
        "price": {"input": 0.0001, "output": 0.0004}, "parameters": {"max_tokens": load.tokens},
    }  # fmt: skip
    target |= {"service": "openai", "base_url": f"{url}/v1"} if openai else {"service": "bedrock", "api": "converse"}
    (load.folder / "prompts.jsonl").write_text(json.dumps({"prompt": PROMPT}) + "\n", encoding="utf-8")
    scenario = {
        "name": "bench", "targets": [target], "region": "us-east-1", "payloads": [str(load.folder / "prompts.jsonl")],
        "load": {"users": [load.users], "settle_s": 1, "measure_s": load.seconds}, "request_timeout_s": 30,
        "pricing": str(root / "configs/pricing/local-demo.yaml"), "confirm_above_usd": 1e6,
    }  # fmt: skip
    if transport:
        scenario["transport"] = transport
    path = load.folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    command = [LOCUST, "-f", str(root / "locustfiles/sweep.py"), "--scenario", str(path)]
    return [*command, "--run-dir", str(load.folder / "run"), "--headless", "--only-summary", *_quiet(root)]


def _quiet(root: pathlib.Path) -> list[str]:
    """Without the observer, a process for those who watch, which begins in mid-measurement on the client's core. Versions
    before it know no such option."""
    return ["--quiet"] if (root / "locustfiles/common/watching").is_dir() else []


def _our_records(load: Load) -> dict[str, Answer]:
    with open(load.folder / "run/requests.csv", encoding="utf-8", newline="") as file:
        return {
            row["request_id"]: Answer(float(row["ttft_ms"]) if row["ttft_ms"] else None, float(row["latency_ms"]))
            for row in csv.DictReader(file)
            if row["request_id"] and not row["error"]
        }


def _fasthttp(load: Load, user: str) -> list[str]:
    command = [LOCUST, "-f", str(ROOT / "scripts/bench/fasthttp_user.py"), user, "--headless", "--only-summary"]
    return [*command, "-u", str(load.users), "-r", str(load.users), "-t", f"{load.seconds:.0f}s"]


def before(checkout: pathlib.Path, openai: bool = False) -> Client:
    """Swarmledger as another checkout has it, in an environment of what that requires; where there can be none, with the
    libraries of this one, and the words say so."""
    words = f"Swarmledger as in {checkout.name}, with the libraries that it requires"
    try:
        locust = str(python_of_checkout(checkout).parent / "locust")
    except Absent as e:
        locust, words = LOCUST, f"Swarmledger as in {checkout.name}, with this environment's libraries ({e})"

    def command(load: Load, url: str) -> list[str]:
        return [locust, *_ours(load, url, openai=openai, root=checkout)[1:]]

    return Client(words + (", chat completions" if openai else ""), command, _our_records, root=checkout)


CLIENTS = {
    "ours": Client("Swarmledger, inside Locust, `--quiet`: nobody watches it", _ours, _our_records),
    "ours-boto3": Client("Swarmledger, `transport: boto3`", lambda load, url: _ours(load, url, "boto3"), _our_records),
    "boto3-loop": Client(
        "gevent and boto3: one session, one client, pool N+5, one attempt, jittered starts",
        lambda load, url: program(sys.executable, "boto3_loop", load, url),
        noted,
    ),
    "fasthttp": Client(
        "Locust's FastHttpUser, signed by botocore", lambda load, url: _fasthttp(load, "ConverseUser"), noted
    ),
    "ours-openai": Client(
        "Swarmledger, inside Locust, OpenAI's chat completions",
        lambda load, url: _ours(load, url, openai=True),
        _our_records,
    ),
    "fasthttp-openai": Client(
        "Locust's FastHttpUser, OpenAI's chat completions", lambda load, url: _fasthttp(load, "OpenAIUser"), noted
    ),
} | PEER_CLIENTS
