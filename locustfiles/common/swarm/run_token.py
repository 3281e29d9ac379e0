"""The token that a run's workers show its master, so that nobody else reports to it, or ends it.

It is SWARMLEDGER_TOKEN, or what the file of SWARMLEDGER_TOKEN_FILE holds, as platforms mount secrets. Without one the master
makes its own and leaves it in a file that its user alone can read: workers of the same user on the same machine find it there,
others are given it by hand.
"""

import argparse
import contextlib
import functools
import hashlib
import hmac
import os
import pathlib
import secrets
import stat
import sys
import tempfile
import typing

from locustfiles.common.watching import screen
from locustfiles.contract.bad_input import BadInput

VARIABLE, FILE_VARIABLE = "SWARMLEDGER_TOKEN", "SWARMLEDGER_TOKEN_FILE"
MOST = 100  # masters of one user on one machine
_LEFT_HERE: dict[int, str] = {}  # port -> the token that this process has left for its workers


@functools.cache
def made_here() -> str:
    """This process's own; the processes of `--processes` are forked after it was made, and share it."""
    return secrets.token_hex(16)


def given() -> str | None:
    """By the environment. Raises BadInput."""
    token, file = os.environ.get(VARIABLE, "").strip(), os.environ.get(FILE_VARIABLE)
    return token or (_of_file(pathlib.Path(file)) if file else None)


@functools.cache
def _of_file(path: pathlib.Path) -> str:
    """Read once: a secret that is changed meanwhile is for the next run. Raises BadInput."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as e:
        why = e.strerror if isinstance(e, OSError) else "not a text"
        raise BadInput(
            f"{FILE_VARIABLE} {path}: cannot be read ({why}); mount the secret there, readable by this user"
        ) from None
    if not token:
        raise BadInput(f"{FILE_VARIABLE} {path}: is empty; put the run's token into it, a long random text")
    return token


def of_master(port: int) -> str:
    """A master that follows a killed one on its port goes on with that one's token: its workers know it."""
    if token := given():
        return token
    token = _left(port) or made_here()
    _leave(port, token)
    return token


def of_worker() -> list[str]:
    """Those that may be its master's: it may reach it by another port than the master's own, as through a tunnel."""
    if token := given():
        return [token]
    return [*filter(None, map(_read, _newest_first()[:MOST])), made_here()]


def proof(token: str, challenge: str, worker: str) -> str:
    """What a worker answers: the token itself never travels."""
    return hmac.new(token.encode(), f"{challenge}/{worker}".encode(), hashlib.sha256).hexdigest()


def proves(token: str, challenge: str, worker: str, answers: list[str]) -> bool:
    """Whether one of them is the right one."""
    right = proof(token, challenge, worker).encode()
    return any(hmac.compare_digest(right, answer.encode()) for answer in answers[: MOST + 1])


def _folder() -> pathlib.Path:
    return pathlib.Path(tempfile.gettempdir()) / f"swarmledger-{os.getuid()}"


def _is_ours(path: pathlib.Path) -> bool:
    """Nobody else can have put it there, or can read it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode) and not found.st_mode & 0o077


def _file(port: int) -> pathlib.Path:
    return _folder() / f"master-{port}.token"


def _newest_first() -> list[pathlib.Path]:
    """Files of masters that were killed stay."""
    found: list[tuple[float, pathlib.Path]] = []
    for path in _folder().glob("master-*.token") if _is_ours(_folder()) else ():
        with contextlib.suppress(OSError):  # its master has just ended
            found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def _left(port: int) -> str | None:
    return _read(_file(port)) if _is_ours(_folder()) else None


def _read(path: pathlib.Path) -> str | None:
    if not _is_ours(path):
        return None
    try:
        return path.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


def _leave(port: int, token: str) -> None:
    """Where it cannot be written every worker is given the token by hand."""
    path = _file(port)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not _is_ours(path.parent):
            return
        draft = path.with_suffix(f".{os.getpid()}")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="ascii") as opened:
            opened.write(token + "\n")
        draft.replace(path)
        _LEFT_HERE[port] = token


def forget(port: int, token: str) -> None:
    """At a master's end."""
    path = _file(port)
    with contextlib.suppress(OSError):
        if _left(port) == token:
            path.unlink()


def end_at_once(code: int) -> typing.NoReturn:
    """End the process where nothing else can be waited for; what runs at a usual end does not run then."""
    for port, token in _LEFT_HERE.items():
        forget(port, token)
    screen.close_all()
    os._exit(code)


def show(token: str, options: argparse.Namespace) -> None:
    """How other workers are started, once, on stderr alone: what is logged stands in log files and the web UI."""
    if options.processes or options.quiet or given():
        return
    host, port = options.master_bind_host, options.master_bind_port
    local = host in ("127.0.0.1", "localhost", "::1")
    where = f"--master-host {host if local else 'HOST'} --master-port {port}"
    more = " (on this machine; --master-bind-host 0.0.0.0 lets in others)" if local else ""
    sys.stderr.write(
        f"Workers of this user on this machine join by themselves; others with {VARIABLE}={token} locust -f ... "
        f"--scenario FILE --worker {where}{more}\n"
    )
    sys.stderr.flush()
