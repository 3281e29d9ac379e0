"""JSON documents on standard output, a line each: written in a thread, for whoever reads them may be slow."""

import os
import typing

import gevent
import gevent.queue

from locustfiles.common.deployed import grace

MOST_WAITING = 1000  # documents
END_S = 30.0  # at the end they are waited for


class JsonStream:
    """One that is read no more takes nothing any more."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._waiting: gevent.queue.Queue = gevent.queue.Queue()
        self._gone = False
        self._writer = gevent.spawn(self._write)

    def put(self, lines: typing.Iterable[str]) -> None:
        for line in lines:
            if not self._gone and self._waiting.qsize() < MOST_WAITING:
                self._waiting.put(line.encode() + b"\n")

    def close(self) -> None:
        self._waiting.put(None)
        self._writer.join(grace.at_most(END_S))

    def _write(self) -> None:
        pool = gevent.get_hub().threadpool
        while (line := self._waiting.get()) is not None:
            try:
                while line:
                    line = line[pool.apply(os.write, (self._to, line)) :]
            except OSError:
                self._gone = True
                return
