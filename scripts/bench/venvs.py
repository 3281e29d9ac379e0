"""Peers' environments: a virtual environment each, in a cache folder, never in ours."""

import os
import pathlib
import shutil
import subprocess
import sys

#: peer -> (version measured, what pip installs)
PEERS = {
    "genai-bench": ("0.0.5", ["genai-bench==0.0.5", "boto3"]),
    "llmeter": ("0.2.0", ["llmeter==0.2.0", "boto3"]),
}
INSTALL_TIMEOUT_S = 600


class Absent(Exception):
    """A client that cannot be measured here; the text says why."""


def python_of(peer: str) -> pathlib.Path:
    """The interpreter of a peer's environment, made on first use. Raises Absent."""
    version, packages = PEERS[peer]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "swarmledger-bench" / f"{peer}-{version}"
    python = folder / "bin/python"
    if (folder / "installed").is_file():
        return python
    print(f"Installing {peer} {version} into {folder} (once) ...", file=sys.stderr, flush=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    try:
        _run([sys.executable, "-m", "venv", "--clear", folder])
        _run(pip)
    except Absent as e:
        shutil.rmtree(folder, ignore_errors=True)
        raise Absent(f"{peer} {version} cannot be installed: {e}") from None
    (folder / "installed").touch()
    return python


def _run(command: list) -> None:
    """Raises Absent with the last thing that it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Absent(str(e)) from None
    if done.returncode:
        raise Absent((done.stderr.strip().splitlines() or ["no message"])[-1])
