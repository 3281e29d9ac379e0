"""Progress of a sweep: a bar on a terminal, a line per stage everywhere (the log's)."""

import sys

import rich.console
import rich.progress


class Progress:
    """A bar over the planned seconds of a sweep; nothing at all where stderr is no terminal."""

    def __init__(self, stages: int, planned_s: float) -> None:
        columns = (
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TextColumn("{task.fields[state]}"),
            rich.progress.TimeRemainingColumn(),
        )
        console = rich.console.Console(stderr=True)
        # refreshed by hand once a second: a thread of its own would wake up in the middle of a measurement
        self._bar = rich.progress.Progress(
            *columns, console=console, auto_refresh=False, disable=not sys.stderr.isatty(), transient=True
        )
        self._stages = stages
        self._task = self._bar.add_task("starting", total=planned_s, state="")
        self._bar.start()

    def show(self, stage: int, done_s: float, state: str) -> None:
        """stage: number of the one under way; done_s: planned seconds that are over."""
        of = f" of {self._stages}" if self._stages else ""  # a search decides its stages as it goes
        text = f"stage {stage}{of}" if stage else "checking the endpoints"
        self._bar.update(self._task, description=text, completed=done_s, state=state)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.stop()
