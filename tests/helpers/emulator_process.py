"""Starts the local endpoint as a process of its own, for tests: `with running_emulator(config) as e: e.url`."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import typing
import urllib.request

import boto3
import yaml
from botocore.config import Config

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers import nursery
from tests.helpers.patience import LONGEST_S

ROOT = nursery.ROOT


@dataclasses.dataclass
class RunningEmulator:
    """A running endpoint. `truth` is its log, complete once it has stopped."""

    process: nursery.Forked | subprocess.Popen[str]
    stdout: typing.TextIO
    url: str
    truth: pathlib.Path | None
    errors: pathlib.Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def client(self, service: str, **settings):
        """An unmodified boto3 client for `bedrock-runtime` or `sagemaker-runtime`, without retries."""
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=60, read_timeout=60)
        keys = {"aws_access_key_id": EXAMPLE_ACCESS_KEY, "aws_secret_access_key": EXAMPLE_SECRET_KEY}
        settings = {"region_name": "us-east-1", "endpoint_url": self.url, "config": config, **keys, **settings}
        return boto3.session.Session().client(service, **settings)

    def said_to_type(self) -> list[str]:
        """The lines after `in another shell:`, which the endpoint of a scenario prints; the last one is the run."""
        said = iter(self.stdout.readline, "")
        for line in said:
            if line.startswith("in another shell"):
                break
        lines: list[str] = []
        while not lines or not lines[-1].startswith("locust "):
            lines.append(next(said).strip())
        return lines

    def stats(self) -> dict:
        with urllib.request.urlopen(f"{self.url}/-/stats", timeout=60) as answer:
            return json.load(answer)

    def stop(self) -> int:
        """End it with SIGTERM; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def truth_rows(self) -> list[dict]:
        """The truth log so far, one dict a request. Stop first to have all of it."""
        return [json.loads(line) for line in self.truth.read_text(encoding="utf-8").splitlines()]


def _started(
    arguments: list[str], folder: pathlib.Path, forked: bool
) -> tuple[nursery.Forked | subprocess.Popen[str], typing.TextIO]:
    """(the process, its standard output); its errors are in the folder's file of that name."""
    if not (forked and nursery.fits(dict(os.environ))):
        command = [sys.executable, "-m", "scripts.emulator", *arguments]
        with open(folder / "errors", "wb") as errors:
            started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert started.stdout
        return started, started.stdout
    pipe = folder / "stdout"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    process = nursery.start("emulator", arguments, dict(os.environ), pipe, folder / "errors")
    os.set_blocking(reading, True)
    return process, os.fdopen(reading)


def _first_line(stdout: typing.TextIO) -> str:
    """What it prints first, within the time limit; empty if it prints nothing."""
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(LONGEST_S)
    return lines[0] if lines else ""


@contextlib.contextmanager
def running_emulator(
    config: dict | str | pathlib.Path,
    truth: str | pathlib.Path | None = None,
    arguments: tuple[str, ...] = (),
    option: str = "--config",
    forked: bool = True,
):
    """Start with a configuration (a dict is written to a file first) on a free port and stop it at the end.
    option: `--scenario`, where `config` is one; forked: by the nursery, and not from nothing, as what is timed.
    Raises RuntimeError, with what it said, if it does not start or does not end with code 0."""
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(config, dict):
            path = pathlib.Path(folder) / "config.yaml"
            path.write_text(yaml.safe_dump(config), encoding="utf-8")
        else:
            path = pathlib.Path(config)
        given = [option, str(path), "--port", "0", *arguments, *(["--truth", str(truth)] if truth else [])]
        process, stdout = _started(given, pathlib.Path(folder), forked)
        e = RunningEmulator(
            process, stdout, "", pathlib.Path(truth) if truth else None, pathlib.Path(folder) / "errors"
        )
        try:
            line = _first_line(stdout)
            if not line.startswith("listening on "):
                process.kill()
                process.wait()
                raise RuntimeError(f"the emulator did not start: {e.errors.read_text()}")
            e.url = line.removeprefix("listening on ").strip()
            yield e
        finally:
            running = process.poll() is None
            code = e.stop()
            stdout.close()
        if running and code != 0:
            raise RuntimeError(f"the emulator ended with {code}: {e.errors.read_text()}")
