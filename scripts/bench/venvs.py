"""Environments of what is measured beside this checkout: a virtual environment each, in a cache folder, never in ours."""

import hashlib
import importlib.util
import os
import pathlib
import platform
import shutil
import subprocess
import sys

#: peer -> (version measured, what is installed)
PEERS = {
    "genai-bench": ("0.0.5", ["genai-bench==0.0.5", "boto3"]),
    "llmeter": ("0.2.0", ["llmeter==0.2.0", "boto3"]),
    "guidellm": ("0.8.1", ["guidellm==0.8.1"]),
    "aiperf": ("0.13.0", ["aiperf==0.13.0"]),
}
INSTALL_TIMEOUT_S = 900


class Absent(Exception):
    """A client that cannot be measured here; the text says why."""


def python_of(peer: str) -> pathlib.Path:
    """The interpreter of a peer's environment, made on first use. Raises Absent."""
    version, packages = PEERS[peer]
    return _made(f"{peer}-{version}", f"{peer} {version}", packages)


def python_of_checkout(checkout: pathlib.Path) -> pathlib.Path:
    """That of an environment with what another checkout's requirements.txt and constraints.txt name; the same files share
    one. Raises Absent."""
    found = [f for f in (checkout / "requirements.txt", checkout / "constraints.txt") if f.is_file()]
    if not found:
        raise Absent(f"{checkout.name} has no requirements.txt")
    said = platform.python_version().encode() + b"".join(f.read_bytes() for f in found)
    packages = [part for f in found for part in (("-r" if f.name == "requirements.txt" else "-c"), str(f))]
    return _made(f"swarmledger-{hashlib.sha256(said).hexdigest()[:12]}", f"what {checkout.name} requires", packages)


def _made(name: str, words: str, packages: list[str]) -> pathlib.Path:
    """Raises Absent."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "swarmledger-bench" / name
    python = folder / "bin/python"
    if (folder / "installed").is_file():
        return python
    print(f"Installing {words} into {folder} (once) ...", file=sys.stderr, flush=True)
    try:
        for command in _commands(folder, python, packages):
            _run(command)
    except Absent as e:
        shutil.rmtree(folder, ignore_errors=True)
        raise Absent(f"{words} cannot be installed: {e}") from None
    (folder / "installed").touch()
    return python


def _commands(folder: pathlib.Path, python: pathlib.Path, packages: list[str]) -> list[list]:
    """By uv where this environment has it: of guidellm's and aiperf's packages pip makes minutes."""
    if importlib.util.find_spec("uv"):
        uv = [sys.executable, "-m", "uv"]
        venv = [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder]
        return [venv, [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *packages]]
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", "--clear", folder], [*pip, *packages]]


def _run(command: list) -> None:
    """Raises Absent with the last thing that it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Absent(str(e)) from None
    if done.returncode:
        raise Absent(" ".join(done.stderr.split())[-300:] or "no message")
