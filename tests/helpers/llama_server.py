"""llama.cpp's own OpenAI server with the demo's model: a server that nobody here wrote."""

import contextlib
import os
import subprocess
import sys
import typing

from scripts.emulator.engines.llama import weights
from tests.helpers.emulator_process import ROOT
from tests.helpers.patience import LONGEST_S


@contextlib.contextmanager
def running_llama_server(slots: int = 4) -> typing.Iterator[str]:
    """Its base URL, up to /v1."""
    command = [
        sys.executable,
        "-m",
        "scripts.emulator.engines.llama_process",
        str(weights(None)),
        str(slots),
        "512",
        "2",
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,  # the server ends with it
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"OMP_WAIT_POLICY": "passive", **os.environ},
    ) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()
            process.wait(LONGEST_S)
