"""Which build this is, and the versions of everything that touches a request. Loads nothing that it names."""

import dataclasses
import functools
import os
import pathlib
import re

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.visible import visible_lines

REVISION = "SWARMLEDGER_REVISION"  # of an image, whose code is no checkout
_REVISION = re.compile(r"[0-9a-f]{7,64}(-dirty)?")  # as `git describe --always --dirty` has it
ROOT = pathlib.Path(__file__).resolve().parents[2]  # of the checkout; site-packages when installed otherwise
#: build, sign, send, frame and read a request, schedule it, carry its record, count its tokens
DISTRIBUTIONS = (
    "locust",
    "gevent",
    "greenlet",
    "boto3",
    "botocore",
    "urllib3",
    "jmespath",
    "httptools",
    "tokenizers",
    "pyzmq",
)


@functools.cache
def product_version() -> str:
    """Of pyproject.toml where the code runs from a checkout: what was installed from it may be older. Else as installed;
    `unknown` where its folders were copied alone."""
    import tomllib

    try:
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    except (FileNotFoundError, tomllib.TOMLDecodeError, KeyError):
        import importlib.metadata  # takes longer to load than all else here

        try:
            return importlib.metadata.version("swarmledger")
        except importlib.metadata.PackageNotFoundError:
            return "unknown"


@functools.cache
def git_revision() -> str | None:
    """The checkout's commit, with `-dirty` where tracked files differ from it; without a checkout that of the environment, or None. A
    repository around the folder is not ours. Raises BadInput for a variable that is no commit."""
    return _checked_out() or _told()


def _told() -> str | None:
    text = os.environ.get(REVISION, "").strip()
    if text and not _REVISION.fullmatch(text):
        raise BadInput(
            f"{REVISION}: `{visible_lines(text)}` is no commit; give what git rev-parse HEAD says, or leave it out"
        )
    return text or None


def _checked_out() -> str | None:
    import subprocess

    if not (ROOT / ".git").exists():
        return None
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


@dataclasses.dataclass(frozen=True, slots=True)
class Build:
    """What made a report, or answers `--version`."""

    version: str
    git_revision: str | None

    def __str__(self) -> str:
        """`swarmledger 0.2.0 (revision 1a2b…)`"""
        return f"swarmledger {self.version}" + (f" (revision {self.git_revision})" if self.git_revision else "")


def build() -> Build:
    return Build(product_version(), git_revision())


def versions() -> dict[str, str]:
    """Of the product, of the interpreter with its TLS, and of every distribution that touches a request."""
    import importlib.metadata
    import platform
    import ssl

    found = {
        "swarmledger": product_version(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION.removeprefix("OpenSSL "),
    }
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # pyzmq and its like are others' dependencies
            continue
    return found
