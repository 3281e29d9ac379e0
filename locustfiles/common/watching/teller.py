"""What a run says outside the web UI, while it is under way and at its end.

| where | what |
|---|---|
| a terminal | the live view at its foot, a line of each stage that ends, then the recommendation |
| no terminal | a line of figures every --live-every s, a line of each stage that ends, then the recommendation |
| --json-lines | the same as documents, on standard output |
| --quiet | how it ended |

All but a plain line and bar is worked out by the observer. It is begun for it: on a terminal and for documents at once, else
after --live-every s, so that a run that is shorter begins none.
"""

import argparse
import json
import logging
import os
import signal
import sys
import time
import typing

import gevent
import gevent.event

from locustfiles.common.deployed import grace
from locustfiles.common.planning import confirm
from locustfiles.common.watching import options as watching_options
from locustfiles.common.watching import plain
from locustfiles.common.watching.json_stream import JsonStream
from locustfiles.common.watching.observer import SELDOM_S, Observer
from locustfiles.common.watching.screen import Screen, is_usable

log = logging.getLogger("swarmledger")
LOOK_S = 0.5
END_S = 30.0  # for the recommendation, at the end
UNDER_WAY = ("checking", "confirming", "running", "stopping")
Load = dict[str, typing.Any]


class Teller:
    """Of one process: the runs of a web UI one after the other."""

    def __init__(self, options: argparse.Namespace, observer: Observer, status: typing.Callable[[], Load]) -> None:
        self._observer, self._status, self._headless = observer, status, options.headless
        self._quiet, self._every_s = options.quiet, options.live_every
        to = watching_options.json_to()
        self._json = None if to is None else JsonStream(to)
        self.screen = Screen() if is_usable() and not self._quiet and not (self._json and _is_terminal(to)) else None
        self._greenlet: gevent.Greenlet | None = None
        self._began = 0.0  # monotonic
        self._heard_at = 0.0  # monotonic, the observer's last lines, or ours in their place
        self._said: set[str] = set()
        self._over = gevent.event.Event()  # the run's end has been told
        self._asks_observer = self._ending = False
        if self.screen:
            self.screen.begin()
            confirm.on_terminal.append(self.screen.away)
            gevent.signal_handler(signal.SIGTSTP, self._suspend)

    def begin(self) -> None:
        """A run begins."""
        self._began = self._heard_at = time.monotonic()
        self._said.clear()
        self._over.clear()
        self._asks_observer = False
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._go)

    def skip(self) -> bool:
        """By Ctrl-C, what is said at the end is not waited for; False where it is not the end."""
        if self._ending:
            self._over.set()
        return self._ending

    def interrupted(self, at_most_s: float) -> None:
        """Say what a stop waits for."""
        load = self._status()
        if load["state"] in UNDER_WAY[:3]:
            what = plain.stopping(load["users"]["in_flight"], at_most_s)
            log.warning("%s. A third Ctrl-C ends at once and loses them", what)

    def end(self, exit_code: int) -> None:
        """At the very end, behind what Locust says."""
        load = self._status()
        if self._greenlet and load["run"]:
            self._ending = True
            if self._asks_observer and load["run"]["stages_done"] and not self._over.is_set():
                self._await_end()
            self._greenlet.kill()
        self.close()
        if self._json:
            figures = json.loads(self._observer.latest.get("figures", b"null"))
            event = {"event": "end", "exit_code": exit_code, "folder": (load["run"] or {}).get("folder")}
            self._json.put([json.dumps(event | {"load": load, "figures": figures and figures | {"series": None}})])
            self._json.close()
        if self._headless and load["run"] and load["run"]["status"] != "failed":  # which has an error line
            sys.stderr.write(f"{plain.last_line(load, exit_code)}\n")
            sys.stderr.flush()
        self._observer.want(screen=None, lines=None, jsonl=None)

    def _await_end(self) -> None:
        self._look()
        self._observer.hurry()
        over = time.monotonic() + grace.at_most(END_S)
        while not self._over.is_set() and self._observer.is_there and time.monotonic() < over:
            self._over.wait(LOOK_S)

    def close(self) -> None:
        """The terminal as it was, on any way out."""
        if self.screen:
            self.screen.close()

    def _suspend(self) -> None:
        """By Ctrl-Z: the shell gets its terminal without the live view. Returns when the process goes on."""
        if self.screen:
            self.screen.away(True)
            os.kill(os.getpid(), signal.SIGSTOP)
            self.screen.away(False)

    def _go(self) -> None:
        while True:
            try:
                self._look()
            except Exception:  # our own bug: what is measured goes on
                log.exception("What the run says cannot be told")
                return self.close()
            moves = self.screen or self._json or 0 < self._every_s < 4 * SELDOM_S
            self._observer.answered.wait(LOOK_S if moves else SELDOM_S)

    def _look(self) -> None:
        load = self._status()
        under_way = load["state"] in UNDER_WAY
        self._ask(under_way)
        self._take()
        if self.screen:
            self.screen.show(self._frame(load) if under_way or self._ending else [])
        elif under_way and not self._quiet and self._every_s:
            self._say_plainly(load)

    def _ask(self, under_way: bool) -> None:
        """For what is to be shown."""
        if (self._quiet and not self._json) or self._over.is_set():
            if self._asks_observer:
                self._observer.want(screen=None, lines=None, jsonl=None)
                self._asks_observer = False
            return
        every_s = self._every_s or None
        wanted: dict[str, typing.Any] = {}
        if self.screen:
            columns, rows = self.screen.size()
            wanted = {"lines": {"every_s": None, "columns": columns}}
            wanted |= {"screen": [columns, rows]} if under_way else {"screen": None}
        elif not self._quiet and every_s and time.monotonic() - self._began >= every_s:
            wanted = {"lines": {"every_s": every_s}}
        if self._json:
            wanted |= {"jsonl": {"every_s": every_s}, "figures": True}
        if wanted:
            self._asks_observer = True
            self._observer.want(**wanted)

    def _take(self) -> None:
        """What the observer has answered, once."""
        latest, over = self._observer.latest, False
        if answer := latest.pop("jsonl", None):
            told = json.loads(answer)
            over = told["over"]
            if self._json:
                self._json.put(told["say"])
        if answer := latest.pop("lines", None):
            told, self._heard_at = json.loads(answer), time.monotonic()
            over = told["over"]
            for line in told["say"]:
                self._say(line)
        if over and not self._over.is_set():
            self._over.set()
            if not self._headless and not self._quiet:
                load = self._status()
                self._say(plain.last_line(load, load["run"]["exit_code"]))

    def _say(self, line: str) -> None:
        if line in self._said:  # an observer that was begun again tells all of it again
            return
        if not line.startswith("live:"):
            self._said.add(line)
        if self.screen:
            self.screen.write(f"{line}\n")
        else:
            log.info("%s", line)

    def _frame(self, load: Load) -> list[str]:
        columns = self.screen.size()[0] if self.screen else 80
        if self._ending:
            return ["The run has ended; its recommendation is being worked out (Ctrl-C goes without)"[:columns]]
        drawn = self._observer.latest.get("screen")
        return plain.frame(load, columns) if drawn is None else json.loads(drawn).split("\n")

    def _say_plainly(self, load: Load) -> None:
        """Where the observer cannot be begun, or is silent."""
        if time.monotonic() - self._heard_at >= 2 * self._every_s:
            self._heard_at += self._every_s
            log.info("%s", plain.line(load))


def _is_terminal(descriptor: int | None) -> bool:
    return descriptor is not None and os.isatty(descriptor)
