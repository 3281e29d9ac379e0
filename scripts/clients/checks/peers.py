"""What the load testers' scripts share: a small tokenizer, which they want, and their own command lines, run to the end."""

import pathlib
import subprocess
import sys

from scripts.clients import small_tokenizer
from scripts.clients.reporting import PROMPT

REQUESTS = 6


def make_tokenizer(folder: str) -> None:
    """One of the prompt's words."""
    small_tokenizer.make_tokenizer(folder, PROMPT, words=400)


def ran(program: str, *arguments: str) -> None:
    """One of this environment's programs; asserts that it ended well."""
    command = [str(pathlib.Path(sys.executable).parent / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=240)
    print(done.stdout[-5000:], done.stderr[-5000:])  # for the log
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    assert done.returncode == 0, lines[-1] if lines else f"exit code {done.returncode}"
