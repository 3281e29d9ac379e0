"""What a measured client is: the load that it is asked for, how it is started, and where it leaves what it recorded."""

import dataclasses
import json
import os
import pathlib
import typing

from scripts.bench.child import ACCESS_KEY, SECRET_KEY
from scripts.bench.endpoint import ROOT, SHORT_MODEL, STREAM_MODEL, Endpoint

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
        kept["AWS_CA_BUNDLE"] = kept["SSL_CERT_FILE"] = str(endpoint.ca_file)
    return kept


def environment(endpoint: Endpoint, load: Load, root: pathlib.Path) -> dict[str, str]:
    """A measured client's, with what its program is told. root: whose code it runs."""
    return plain_environment(endpoint) | {
        "PYTHONPATH": str(root), "BENCH_URL": endpoint.url, "BENCH_MODEL": load.model, "BENCH_TOKENS": str(load.tokens),
        "BENCH_STREAM": str(int(load.stream)), "BENCH_OUT": str(load.out),
    }  # fmt: skip


def program(python: str | pathlib.Path, module: str, load: Load, url: str) -> list[str]:
    command = [str(python), "-m", f"scripts.bench.{module}", "--url", url, "--model", load.model]
    command += ["--users", str(load.users), "--tokens", str(load.tokens), "--stream", str(int(load.stream))]
    return [*command, "--seconds", str(load.seconds), "--out", str(load.out)]


def noted(load: Load) -> dict[str, Answer]:
    """What a program noted by child.Records."""
    rows = [
        json.loads(line)
        for line in load.out.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]
    return {r["request_id"]: Answer(r["ttft_ms"], r["latency_ms"]) for r in rows if r["request_id"] and not r["error"]}
