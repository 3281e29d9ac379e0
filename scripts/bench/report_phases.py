"""A report in a process of its own, which notes where its time went: `report_phases.py CHECKOUT RUN OUT PHASES.json`.

The phases are the analysis' own functions, timed from outside, so that the product needs no clock of its own and an earlier
build is told by the same ones. Times are CPU seconds of the process; what a phase calls that is a phase itself is only told there.
"""

import importlib
import json
import pathlib
import sys
import time
import typing

#: phase -> functions; what a build does not have is left out
PHASES = {
    "read": ("analysis.runs.run_reader:load_runs",),
    "figures": ("analysis.verdicts.measured:measured",),
    "intervals": (
        "analysis.verdicts.intervals:intervals_of",
        "analysis.verdicts.serial_intervals:series_intervals",
        "analysis.verdicts.pooled_intervals:pooled_intervals",
        "analysis.verdicts.pooled_intervals:pooled_series",
    ),
    "advice": ("analysis.advice.analyse:analyse",),
    "plots": ("analysis.report.plots.catalogue:draw_all",),
    "html": ("analysis.report.html:write_html",),
    "tables": (
        "analysis.report.summary_json:write_data",
        "analysis.report.workbook:write_workbook",
        "analysis.report.markdown:markdown",
    ),
}


class Phases:
    """CPU seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open = ["start"]
        self._since = 0.0

    def enter(self, phase: str) -> None:
        self._note()
        self._open.append(phase)

    def leave(self) -> None:
        self._note()
        self._open.pop()

    def _note(self) -> None:
        now, phase = time.process_time(), self._open[-1]
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now

    def timed(self, phase: str, function: typing.Callable) -> typing.Callable:
        def around(*args: typing.Any, **named: typing.Any) -> typing.Any:
            self.enter(phase)
            try:
                return function(*args, **named)
            finally:
                self.leave()

        return around


def watch(phases: Phases) -> None:
    """Put a clock around every phase's functions, by whatever name they have been imported."""
    found: list[tuple[str, typing.Any]] = []
    for phase, functions in PHASES.items():
        for module, _, name in (each.partition(":") for each in functions):
            try:
                found.append((phase, getattr(importlib.import_module(module), name)))
            except (ImportError, AttributeError):
                continue
    for phase, function in found:
        timed = phases.timed(phase, function)
        for loaded in [m for n, m in sys.modules.items() if n.split(".")[0] == "analysis"]:
            for name in [n for n, value in vars(loaded).items() if value is function]:
                setattr(loaded, name, timed)


def main() -> int:
    checkout, run, out, told = sys.argv[1:]
    sys.path[0] = checkout  # in place of this folder
    phases = Phases()
    main_of = importlib.import_module("analysis.__main__").main
    importlib.import_module("analysis.commands.report")
    watch(phases)
    phases.enter("other")
    code = main_of(["report", run, "--out", out])
    phases.leave()
    pathlib.Path(told).write_text(json.dumps(phases.seconds), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
