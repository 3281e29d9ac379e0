"""A run that has ended: what its report says, worked out once in a child process."""

import typing

from analysis.advice.analyse import analyse
from analysis.live.forked import Failed, Forked
from analysis.live.stage_rows import row
from locustfiles.contract.run_folder import RunFolder

Said = dict[str, typing.Any]


class Ended:
    """The report's headline and its rows of stages."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._of: tuple[typing.Any, ...] | None = None  # which files it was worked out of
        self._child: Forked | None = None
        self.said: Said | None = None
        self.rows: list[Said] | None = None

    def look(self) -> bool:
        """Whether all is known by now."""
        if self._of != (now := self._files()) and self._child is None:
            self._of, self.said, self.rows = now, None, None
            self._child = Forked(self._work)
        if self._child is not None:
            self._take(self._child)
        return self.said is not None

    @property
    def busy(self) -> bool:
        return self._child is not None

    def end(self) -> None:
        if self._child:
            self._child.end()
            self._child = None

    def forget(self) -> None:
        """The run goes on."""
        self.end()
        self._of = self.said = self.rows = None

    def _take(self, child: Forked) -> None:
        try:
            found = child.answer()
        except Failed as e:  # a folder that the report refuses says why
            found = {"headline": str(e), "rows": None}
        if found is None:
            return
        page = self._folder.report / "report.html"
        self.said = {"headline": found["headline"], "report": str(page) if page.exists() else None}
        self.rows, self._child = found["rows"], None

    def _files(self) -> tuple[typing.Any, ...]:
        found: list[typing.Any] = []
        for path in (self._folder.manifest, self._folder.requests):
            try:
                there = path.stat()
                found.append((there.st_ino, there.st_size, there.st_mtime_ns))
            except OSError:
                found.append(None)
        return tuple(found)

    def _work(self) -> Said:
        report = analyse([self._folder.path])
        return {"headline": report.recommendation.facts[0], "rows": [row(r) for r in report.results]}
