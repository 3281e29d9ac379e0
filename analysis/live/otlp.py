"""Sends a run's metrics by OTLP over HTTP, in a thread of its own: whatever the collector does, answers go on.

What is sent are sums from the run's start, so that an export that fails or comes late loses nothing: the next one has it all.
"""

import threading
import time
import typing

from analysis.live.otel import exported
from analysis.live.otlp_target import post
from analysis.live.round import Round
from locustfiles.contract.exit_codes import complain
from locustfiles.contract.otlp_settings import OtlpSettings, otlp_settings
from locustfiles.contract.version import versions

ENDED = ("ended", "idle")
FIRST_S = 1.0  # a run's first export: by then the pipe to the load test is known to work


class Otlp:
    """asked: {"to": URL or `env`, "flush": whether this is the end}. Answers {"sent", "failed", "flushed"}."""

    def __init__(self) -> None:
        self._settings: OtlpSettings | None = None
        self._thread: threading.Thread | None = None
        self._due = time.monotonic() + FIRST_S
        self._sent = self._failed = 0
        self._complained = False
        self._tried: State | None = None  # what the last export was of
        self._arrived: State | None = None

    def __call__(self, now: Round) -> dict[str, typing.Any]:
        self._settings = self._settings or otlp_settings(now.asked["to"])
        flush = bool(now.asked.get("flush"))
        run = (now.load.get("run") or {}).get("id")
        whole = (flush or now.load.get("state") in ENDED) and not now.behind
        state: State = run, now.tally.records if now.tally else 0, whole
        free = self._thread is None or not self._thread.is_alive()
        due = time.monotonic() >= self._due or (whole and (flush or self._tried != state))
        if run and free and due and self._arrived != state:
            self._begin(now, state)
        return {"sent": self._sent, "failed": self._failed, "flushed": whole and (self._arrived == state or not run)}

    def _begin(self, now: Round, state: "State") -> None:
        assert self._settings
        self._due, self._tried = time.monotonic() + self._settings.every_s, state
        body = exported(now, dict(self._settings.resource), versions()["swarmledger"])
        self._thread = threading.Thread(target=self._send, args=(self._settings, body, state), daemon=True)
        self._thread.start()

    def _send(self, settings: OtlpSettings, body: bytes, state: "State") -> None:
        problem = post(settings, body)
        if problem is None:
            self._arrived, self._complained, self._sent = state, False, self._sent + 1
            return
        self._failed += 1
        if not self._complained:
            self._complained = True
            complain(f"--otlp {settings.shown}: {problem}; it is tried again, and the next export has all of the run")


State = tuple[str | None, int, bool]  # run_id, its records so far, whether these are all
