"""The local endpoint as a process of its own, on a core of its own, with its truth log."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import typing

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
#: every name has `llama` in it: genai-bench tells the body's family by that
STREAM_MODEL, SHORT_MODEL = "local.llama-exact-v1:0", "local.llama-short-v1:0"
CONFIG = {
    "engines": {
        "exact": {"kind": "timed", "ttft_ms": 100, "tokens_per_second": 100},
        "short": {"kind": "timed", "ttft_ms": 0, "tokens_per_second": 10000},
    },
    "models": {
        STREAM_MODEL: {"engine": "exact", "family": "llama"},
        SHORT_MODEL: {"engine": "short", "family": "llama"},
    },
    "openai": {STREAM_MODEL: {"engine": "exact"}, SHORT_MODEL: {"engine": "short"}},
}
START_S, STOP_S = 30, 15


class EndpointFailed(Exception):
    """The endpoint did not start, or stopped."""


@dataclasses.dataclass
class Endpoint:
    process: subprocess.Popen
    truth: pathlib.Path
    url: str = ""
    ca_file: pathlib.Path | None = None  # of its certificate, when it serves HTTPS
    helpers: list["Endpoint"] = dataclasses.field(default_factory=list)  # that serve the same port

    @property
    def pids(self) -> list[int]:
        return [each.process.pid for each in (self, *self.helpers)]

    def died(self) -> bool:
        return any(each.process.poll() is not None for each in (self, *self.helpers))

    def requests(self) -> int:
        """Requests that came so far. The truth log is read, so that the endpoint is not disturbed; it is a second behind."""
        return sum(each.truth.read_bytes().count(b"\n") for each in (self, *self.helpers))

    def rows(self) -> typing.Iterator[dict]:
        """The truth log, of each process by itself; complete once the endpoint has stopped."""
        for each in (self, *self.helpers):
            with open(each.truth, "rb") as file:
                yield from map(json.loads, file)

    def stop(self) -> None:
        for each in self.helpers:
            each.stop()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running_endpoint(
    folder: pathlib.Path, core: int | None, tls: bool, spare: int | None = None, config: dict = CONFIG
) -> typing.Iterator[Endpoint]:
    """An endpoint with its files in `folder`, on `core`; with a `spare` core two processes on one port. Raises
    EndpointFailed."""
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    certificate, options = None, ["--share-port"] if spare is not None else []
    if tls:
        certificate, key = make_certificate(folder)
        options += ["--tls-cert", str(certificate), "--tls-key", str(key)]
    endpoint = _begun(folder, core, [*options, "--port", "0"], "endpoint", "truth")
    endpoint.ca_file = certificate
    try:
        endpoint.url = _url(endpoint.process, folder / "endpoint.log")
        if spare is not None:
            port = endpoint.url.rpartition(":")[2]
            endpoint.helpers.append(_begun(folder, spare, [*options, "--port", port], "endpoint-2", "truth-2"))
            _url(endpoint.helpers[0].process, folder / "endpoint-2.log")
        yield endpoint
    finally:
        endpoint.stop()


def _begun(folder: pathlib.Path, core: int | None, options: list[str], log: str, truth: str) -> Endpoint:
    command = [sys.executable, "-m", "scripts.emulator", "--config", str(folder / "endpoint.yaml"), *options]
    command += ["--truth", str(folder / f"{truth}.jsonl")]
    with open(folder / f"{log}.log", "wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, preexec_fn=pin_to(core))
    return Endpoint(process, folder / f"{truth}.jsonl")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def pin_to(core: int | None) -> typing.Callable[[], None] | None:
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def _url(process: subprocess.Popen, log: pathlib.Path) -> str:
    over = time.monotonic() + START_S
    while time.monotonic() < over and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("listening on "):
                return line.removeprefix("listening on ").strip()
        time.sleep(0.05)
    raise EndpointFailed(
        f"local endpoint: did not start: {log.read_text(errors='replace')[-500:]}; mend that, then measure again"
    )


def make_certificate(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """(certificate, key) for 127.0.0.1, signed by itself. Raises EndpointFailed."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as e:
        raise EndpointFailed(
            f"openssl: could not make a certificate ({e}); install openssl, or measure without TLS"
        ) from None
    return certificate, key
