"""Measurements of several clients, one after the other: each is kept, and what fails is noted while the rest goes on."""

import pathlib
import sys
import typing

from scripts.bench.client import Client
from scripts.bench.measure import ClientFailed, Figures, measure
from scripts.bench.venvs import Absent

QUIET = 0.05  # of a core, taken by other programs on those that are used


class Key(typing.NamedTuple):
    """What is measured. stream: streamed answers, else short calls."""

    client: str
    users: int
    stream: bool
    tls: bool

    @property
    def words(self) -> str:
        return f"{self.client}, {self.users} users, {kind(self.stream)}{', HTTPS' if self.tls else ''}"


class Part(typing.NamedTuple):
    """Clients that are measured side by side: all of them at each level, before the next."""

    clients: typing.Sequence[str]
    levels: typing.Sequence[int]
    stream: bool
    tls: bool


def kind(stream: bool) -> str:
    return "streams" if stream else "short calls"


class Measurements:
    """`figures` of all that could be measured, `left_out` the words on what could not."""

    def __init__(self, clients: dict[str, Client], seconds: float, tries: int, folder: pathlib.Path) -> None:
        self.clients, self.figures, self.left_out = clients, dict[Key, Figures](), list[str]()
        self._seconds, self._tries, self._folder = seconds, tries, folder
        self._failed: set[Key] = set()
        self._places = 0

    def run(self, part: Part) -> None:
        """Raises EndpointFailed."""
        for users in part.levels:
            for name in part.clients:
                self.of(Key(name, users, part.stream, part.tls))

    def of(self, key: Key, again: bool = False) -> Figures | None:
        """Measured now, unless it was before; `again`: anew. None where it cannot be. Raises EndpointFailed."""
        if key in self._failed or (key in self.figures and not again):
            return self.figures.get(key)
        if not key.stream and self.clients[key.client].streams_only:
            self._leave_out(key, f"{key.client}, short calls: it has no way to ask for a whole answer.")
            return None
        print(f"{key.words} ...", file=sys.stderr, flush=True)
        try:
            self.figures[key] = self._quietest(key)
        except Absent as e:
            self._leave_out(key, f"{key.client}: {e}.")
        except (ClientFailed, OSError, LookupError, TypeError, ValueError) as e:
            self._leave_out(key, f"{key.words}: {type(e).__name__}: {e}")
        return self.figures.get(key)

    def rows(self, stream: bool, tls: bool) -> list[tuple[str, Figures]]:
        """(client, figures) in the order of the clients, then of the levels."""
        found = [key for key in self.figures if (key.stream, key.tls) == (stream, tls)]
        names = list(self.clients)
        found.sort(key=lambda key: (names.index(key.client), key.users))
        return [(key.client, self.figures[key]) for key in found]

    def _leave_out(self, key: Key, words: str) -> None:
        """Its figures, if it had some, no longer count."""
        self._failed.add(key)
        self.figures.pop(key, None)
        if words not in self.left_out:
            self.left_out.append(words)

    def _quietest(self, key: Key) -> Figures:
        """The measurement that other programs disturbed least; chosen by their CPU alone, not by its result."""
        found = []
        for _ in range(self._tries):
            self._places += 1
            place = self._folder / str(self._places)
            found.append(measure(self.clients[key.client], key.users, key.stream, self._seconds, key.tls, place))
            if found[-1].others <= QUIET:
                break
        return min(found, key=lambda figures: figures.others)
