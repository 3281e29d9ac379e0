"""The measured clients: how each is started, and where it leaves what it recorded."""

import csv
import dataclasses
import json
import os
import pathlib
import sys
import typing

import yaml

from scripts.bench.child import ACCESS_KEY, PROMPT, SECRET_KEY
from scripts.bench.endpoint import ROOT, SHORT_MODEL, STREAM_MODEL, Endpoint
from scripts.bench.venvs import PEERS, Absent, python_of, python_of_checkout

LOCUST = str(pathlib.Path(sys.executable).parent / "locust")
STREAM_TOKENS, SHORT_TOKENS = 50, 2


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What a client is asked to send, and where its files go."""

    users: int
    stream: bool
    seconds: float  # it goes on for so long, unless it is ended before
    folder: pathlib.Path

    @property
    def model(self) -> str:
        return STREAM_MODEL if self.stream else SHORT_MODEL

    @property
    def tokens(self) -> int:
        return STREAM_TOKENS if self.stream else SHORT_TOKENS

    @property
    def out(self) -> pathlib.Path:
        return self.folder / "records.jsonl"


class Answer(typing.NamedTuple):
    """What a client recorded of one answer, ms."""

    ttft_ms: float | None
    latency_ms: float


class Client(typing.NamedTuple):
    """`command(load, url)` is what is run; `read(load)` what it recorded, by request id. `streams_only`: it has no way to
    ask for a whole answer."""

    words: str
    command: typing.Callable[[Load, str], list[str]]
    read: typing.Callable[[Load], dict[str, Answer]]
    streams_only: bool = False
    drain_s: float = 0.0  # how long to let it end by itself: it writes its records late
    root: pathlib.Path = ROOT  # whose code it runs


def plain_environment(endpoint: Endpoint) -> dict[str, str]:
    """The caller's without anything of AWS's or a proxy's; the example credentials; the endpoint."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("AWS_", "LOCUST_")) and not k.lower().endswith("_proxy")
    }
    kept |= {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint.url, "ENABLE_UI": "false", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    if endpoint.ca_file:
        kept["AWS_CA_BUNDLE"] = str(endpoint.ca_file)
    return kept


def environment(endpoint: Endpoint, load: Load, root: pathlib.Path) -> dict[str, str]:
    """A measured client's, with what its program is told. root: whose code it runs."""
    return plain_environment(endpoint) | {
        "PYTHONPATH": str(root), "BENCH_URL": endpoint.url, "BENCH_MODEL": load.model, "BENCH_TOKENS": str(load.tokens),
        "BENCH_STREAM": str(int(load.stream)), "BENCH_OUT": str(load.out),
    }  # fmt: skip


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
    return [*command, "--run-dir", str(load.folder / "run"), "--headless", "--only-summary"]


def _our_records(load: Load) -> dict[str, Answer]:
    with open(load.folder / "run/requests.csv", encoding="utf-8", newline="") as file:
        return {
            row["request_id"]: Answer(float(row["ttft_ms"]) if row["ttft_ms"] else None, float(row["latency_ms"]))
            for row in csv.DictReader(file)
            if row["request_id"] and not row["error"]
        }


def _program(python: str | pathlib.Path, module: str, load: Load, url: str) -> list[str]:
    command = [str(python), "-m", f"scripts.bench.{module}", "--url", url, "--model", load.model]
    command += ["--users", str(load.users), "--tokens", str(load.tokens), "--stream", str(int(load.stream))]
    return [*command, "--seconds", str(load.seconds), "--out", str(load.out)]


def _noted(load: Load) -> dict[str, Answer]:
    """What a program noted by child.Records."""
    rows = [
        json.loads(line)
        for line in load.out.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]
    return {r["request_id"]: Answer(r["ttft_ms"], r["latency_ms"]) for r in rows if r["request_id"] and not r["error"]}


def _fasthttp(load: Load, user: str) -> list[str]:
    command = [LOCUST, "-f", str(ROOT / "scripts/bench/fasthttp_user.py"), user, "--headless", "--only-summary"]
    return [*command, "-u", str(load.users), "-r", str(load.users), "-t", f"{load.seconds:.0f}s"]


def _llmeter_records(load: Load) -> dict[str, Answer]:
    """llmeter's own file; seconds."""
    found: dict[str, Answer] = {}
    for path in load.folder.glob("**/responses.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            row: dict = json.loads(line) if line.endswith("\n") else {"id": None}
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
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            row: dict = json.loads(line) if line.endswith("\n") else {"error": "torn"}
            if row.get("error"):
                continue
            metrics = row["metrics"]
            first = metrics.get("time_to_first_token")
            found[row["metadata"]["x_request_id"]] = Answer(
                first and first["value"], metrics["request_latency"]["value"]
            )
    return found


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
    "ours": Client("Swarmledger, inside Locust", _ours, _our_records),
    "ours-boto3": Client("Swarmledger, `transport: boto3`", lambda load, url: _ours(load, url, "boto3"), _our_records),
    "boto3-loop": Client(
        "gevent and boto3: one session, one client, pool N+5, one attempt, jittered starts",
        lambda load, url: _program(sys.executable, "boto3_loop", load, url),
        _noted,
    ),
    "fasthttp": Client(
        "Locust's FastHttpUser, signed by botocore", lambda load, url: _fasthttp(load, "ConverseUser"), _noted
    ),
    "ours-openai": Client(
        "Swarmledger, inside Locust, OpenAI's chat completions",
        lambda load, url: _ours(load, url, openai=True),
        _our_records,
    ),
    "fasthttp-openai": Client(
        "Locust's FastHttpUser, OpenAI's chat completions", lambda load, url: _fasthttp(load, "OpenAIUser"), _noted
    ),
    "genai-bench": Client(
        f"genai-bench {PEERS['genai-bench'][0]}, its Bedrock user (InvokeModelWithResponseStream)",
        lambda load, url: _program(python_of("genai-bench"), "genai_bench_run", load, url),
        _noted,
        streams_only=True,
    ),
    "llmeter": Client(
        f"llmeter {PEERS['llmeter'][0]}, its Bedrock Converse endpoints; its latency ends at the last token",
        lambda load, url: _program(python_of("llmeter"), "llmeter_run", load, url),
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
        lambda load, url: _program(python_of("aiperf"), "aiperf_run", load, url),
        _aiperf_records,
        drain_s=90.0,
    ),
}
