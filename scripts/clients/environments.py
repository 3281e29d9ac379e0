"""A client's environment in a folder of its own, the endpoint that it is tried against, and what its script printed."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing

import yaml

from scripts.clients.catalog import Client
from scripts.clients.reporting import CHAT_ENDPOINT, CLAUDE, EMBEDDING, OPENAI, TGI_ENDPOINT

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKS = pathlib.Path(__file__).parent / "checks"
INSTALL_TIMEOUT_S, TRY_TIMEOUT_S = 900, 300
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
CONFIG = {
    "region": "us-east-1",
    "bearer_tokens": ["bedrock-api-key-example"],
    "engines": {
        # who names no limit gets an end of its own
        "e": {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 1000, "output": {"distribution": "fixed", "tokens": 40}},
    },
    "endpoints": {
        CHAT_ENDPOINT: {"engine": "e", "dialect": "openai-chat"},
        TGI_ENDPOINT: {"engine": "e", "dialect": "tgi"},
        "throttled-ep": {"engine": "e", "faults": {"throttle": 1.0}},
    },
    "models": {
        CLAUDE.removeprefix("us."): {
            "engine": "e",
            "family": "claude",
            "aliases": ["claude"],  # curl signs an id with a colon in its path as no other client does
            "anthropic_versions": ["bedrock-2023-05-31", "2026-10-21"],  # the second is what anthropic 2.14 names
        },
        "local.llama-v1:0": {"engine": "e", "family": "llama"},
        EMBEDDING: {"engine": "e", "family": "titan-embedding"},
        "openai.gpt-oss-20b-1:0": {"engine": "e", "family": "openai-chat"},
    }
    | {
        f"anthropic.{fault}": {"engine": "e", "family": "claude", "faults": {fault: 1.0}}
        for fault in ("throttle", "exception_mid_stream", "drop_mid_stream", "reset_mid_stream", "bad_crc")
    },
    "openai": {OPENAI: {"engine": "e"}},
}  # fmt: skip


class Absent(Exception):
    """A client that cannot be tried here; the text says why."""


@contextlib.contextmanager
def endpoint(folder: pathlib.Path) -> typing.Iterator[str]:
    """The local endpoint; gives its URL. Raises Absent."""
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    command = [sys.executable, "-m", "scripts.emulator", "--config", str(folder / "endpoint.yaml"), "--port", "0"]
    with (
        open(folder / "endpoint.log", "wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            first = process.stdout.readline() if process.stdout else ""
            if not first.startswith("listening on "):
                raise Absent(f"the local endpoint did not start; see {folder / 'endpoint.log'}")
            yield first.removeprefix("listening on ").strip()
        finally:
            process.terminate()


def _run(command: list, timeout_s: int, **more) -> subprocess.CompletedProcess:
    """Raises Absent where it cannot be started or does not end."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout_s, **more)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Absent(str(e)) from None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in _ANSI.sub("", text).splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def _install(command: list, **more) -> None:
    """Raises Absent with the last thing that it said."""
    done = _run(command, INSTALL_TIMEOUT_S, **more)
    if done.returncode:
        raise Absent(_last_line(done.stderr))


def made(client: Client, folder: pathlib.Path) -> tuple[list[str], str]:
    """The command that runs its script, and the version there is. Raises Absent."""
    if client.kind == "system":
        program = shutil.which(client.name)
        if program is None:
            raise Absent("not installed on this machine")
        version = _run([program, "--version"], TRY_TIMEOUT_S).stdout.split()[1]
        return [sys.executable, str(CHECKS / client.script)], version
    if client.kind == "npm":
        _install(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, *client.packages])
        package = folder / "node_modules" / client.packages[0] / "package.json"
        shutil.copy(CHECKS / client.script, folder)  # modules are looked for beside the script
        shutil.copy(CHECKS / "reporting.mjs", folder)
        return ["node", str(folder / client.script)], json.loads(package.read_text(encoding="utf-8"))["version"]
    python = str(folder / "bin/python")
    uv = [sys.executable, "-m", "uv"]  # pip searches for minutes where packages pin each other's botocore
    _install([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder])
    _install([*uv, "pip", "install", "--quiet", "--python", python, *client.packages])
    name = re.split(r"[\[=<>]", client.packages[0])[0]
    asked = f"from importlib.metadata import version; print(version({name!r}))"
    return [python, str(CHECKS / client.script)], _run([python, "-c", asked], TRY_TIMEOUT_S).stdout.strip()


def tried(command: list[str], url: str, folder: pathlib.Path) -> dict[str, str]:
    """Column -> outcome, of one client. Raises Absent where it said nothing at all."""
    done = _run(command, TRY_TIMEOUT_S, cwd=folder, env=_environment(url))
    (folder / "said.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    lines = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("check {")]
    if not lines:
        raise Absent(_last_line(done.stderr or done.stdout))
    return {line["column"]: _ANSI.sub("", line["outcome"]) for line in lines}


def _environment(url: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "OPENAI_", "ANTHROPIC_"))}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "LOCAL_ENDPOINT": url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_BEDROCK_RUNTIME_ENDPOINT": url,  # litellm's own name for it
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "NO_PROXY": "127.0.0.1",
    }
