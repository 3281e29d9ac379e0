"""The truth log: one JSON line a request, and counters. Times are seconds of CLOCK_MONOTONIC, which
`time.perf_counter` reads on Linux in every process alike."""

import collections
import hashlib
import json
import pathlib
import typing
from collections.abc import Callable

import msgspec

from scripts.emulator.dialects.reasoning import said

LATENESS_STEP_MS = 0.1
_LATENESS_BINS = 2000
_encode = msgspec.json.Encoder().encode  # a tenth of the time that Python's takes


def _line(row: dict) -> bytes:
    try:
        return _encode(row) + b"\n"
    except UnicodeEncodeError:  # half a pair of escapes, in a name that a client gave
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def digest(role: str, text: str) -> str:
    """What stands in the log for a message: the first twelve digits of the SHA-256 of its role, a line break and its text."""
    return hashlib.sha256(f"{role}\n{text}".encode(errors="replace")).hexdigest()[:12]


def conversation(a) -> dict:
    """What the log has of the Answer's messages: those of its request, system prompt and results of tools too, and its own text;
    empty of prompts that are no chat, and where the answer calls tools."""
    call = getattr(a, "call", None)  # a request that was refused early asks for nothing
    messages = call.messages or () if call else ()
    text = said(a) if call and messages and not call.tools else ""
    heard = [digest(m["role"], m["content"]) for m in messages]
    return {"heard": heard, "said": digest("assistant", text) if text else None}


class Truth:
    """Collects finished requests in memory and appends them to the file when told to: each second and at the end."""

    def __init__(self, path: str | pathlib.Path | None):
        self._file = open(path, "wb") if path else None
        self.is_kept = path is not None
        self._lines: list[bytes] = []
        self._bins = [0] * (_LATENESS_BINS + 1)
        self._worst_ms = 0.0
        self._sends = 0
        self.requests = 0
        self.in_flight = 0
        self._by_status: collections.Counter = collections.Counter()
        self._by_operation: collections.Counter = collections.Counter()
        self._by_fault: collections.Counter = collections.Counter()
        self.watch: Callable[[dict, typing.Any], None] | None = None  # is given each row and its Answer, too

    def arrived(self) -> int:
        """Count a request in; returns how many were in flight when it came."""
        before = self.in_flight
        self.requests += 1
        self.in_flight += 1
        return before

    def late(self, ms: float) -> None:
        """A token left `ms` after it was due."""
        self._sends += 1
        at = int(ms / LATENESS_STEP_MS)
        self._bins[min(_LATENESS_BINS, at)] += 1
        if ms > self._worst_ms:
            self._worst_ms = ms

    def left(self, row: dict, answer: typing.Any = None) -> None:
        """Count a request out and keep its row."""
        if self.watch:
            self.watch(row, answer)
        self.in_flight -= 1
        self._by_status[str(row["status"]) if row["status"] is not None else "dropped"] += 1
        self._by_operation[row["operation"]] += 1
        if row["fault"]:
            self._by_fault[row["fault"]] += 1
        if self._file:
            self._lines.append(_line(row))

    def take(self) -> list[bytes]:
        """What is to be written."""
        lines, self._lines = self._lines, []
        return lines

    def write(self, lines: list[bytes]) -> None:
        """What was taken; in a thread of its own, for a busy disk holds up who writes."""
        if self._file and lines:
            self._file.write(b"".join(lines))
            self._file.flush()

    def flush(self) -> None:
        self.write(self.take())

    def close(self) -> None:
        self.flush()
        if self._file:
            self._file.close()

    def _quantile_ms(self, q: float) -> float | None:
        """Upper edge of the bin that holds the quantile; None without sends."""
        seen = 0
        for i, n in enumerate(self._bins):
            seen += n
            if n and seen >= q * self._sends:
                return round((i + 1) * LATENESS_STEP_MS, 1)
        return None

    def stats(self) -> dict:
        """Requests ended (by status, by operation and by fault), in flight, and the lateness of the endpoint's own token sends."""
        return {
            "requests": self.requests,
            "in_flight": self.in_flight,
            "by_status": dict(sorted(self._by_status.items())),
            "by_operation": dict(sorted(self._by_operation.items())),
            "by_fault": dict(sorted(self._by_fault.items())),
            "token_sends": self._sends,
            "lateness_ms": {
                "p50": self._quantile_ms(0.5),
                "p99": self._quantile_ms(0.99),
                "max": round(self._worst_ms, 3) if self._sends else None,
            },
        }
