"""The observer's side of its pipe: a line of JSON in, some lines of `KIND JSON` out, the last of which is `done`."""

import json
import typing

from analysis.live.answers import Document, Round, answers
from analysis.live.figures import NO_RECORDS, NOTHING, Watched
from analysis.live.forked import Failed
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import complain


class Observer:
    """Watches whatever run the load is of."""

    def __init__(self, path: str | None = None) -> None:
        """path: of the run's folder; None: the load tells it."""
        self._path = path
        self._of: str | None = None  # of which folder `_watched` is
        self._watched: Watched | None = None
        self._answers = answers()
        self._said: set[str] = set()

    def round(self, told: Document) -> typing.Iterator[str]:
        """The lines that answer. Nothing that is odd in the folder ends it: it is said once, and not known."""
        load, want = told.get("load") or {}, told.get("want") or {}
        figures, records = self._figures(load)
        for kind, answer in self._answers.items():
            if not want.get(kind):
                continue
            try:
                found = answer(self._told(load, figures, records, want[kind]))
                if found is not None:
                    yield f"{kind} {json.dumps(found, allow_nan=False)}"
            except Exception as e:  # our own bug: the others are answered
                self._say(f"{kind}: cannot be told ({type(e).__name__}: {e}); tell us")
        yield "done"

    def _told(self, load: Document, figures: Document, records: typing.Any, asked: typing.Any) -> Round:
        of = self._watched
        if of is None:
            return Round(load, figures, records, asked)
        return Round(load, figures, records, asked, of.tally, of.scenario, of.behind)

    def figures(self, load: Document) -> Document:
        return self._figures(load)[0]

    def load(self, figures: Document) -> Document:
        """How the load stands, as far as the folder tells."""
        return self._watched.load(figures) if self._watched else {}

    @property
    def busy(self) -> bool:
        """Whether more will be known even if nothing more is written."""
        return self._watched is not None and self._watched.busy

    def close(self) -> None:
        if self._watched:
            self._watched.close()
            self._watched = None

    def _figures(self, load: Document) -> tuple[Document, typing.Any]:
        path = self._path or (load.get("run") or {}).get("folder")
        if path != self._of:
            self.close()
        self._of = path
        if path is None:
            return NOTHING, NO_RECORDS
        self._watched = self._watched or Watched(path)
        try:
            return self._watched.look(load), self._watched.records
        except (BadInput, Failed) as e:
            self._say(str(e))
        except OSError as e:
            self._say(f"{path}: cannot be read ({e.strerror}); see to the disk")
        except Exception as e:  # our own bug: what is measured goes on
            self._say(f"{path}: its figures cannot be worked out ({type(e).__name__}: {e}); tell us")
            self.close()
        return NOTHING, NO_RECORDS

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            complain(line)
