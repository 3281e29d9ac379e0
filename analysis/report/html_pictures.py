"""The plots as pictures inside the page, each with what it shows in words."""

import base64
import pathlib
import typing

import markupsafe

from analysis.advice.report_model import Report
from analysis.report.plots.alt_text import alt_text
from analysis.report.plots.catalogue import PLOTS, by_rate_file


class Picture(typing.NamedTuple):
    """A plot for the page: its PNG as a data URI, None with the reason where there was nothing to draw."""

    file: str
    title: str
    reads: str
    source: str | None
    absent: str
    alt: str


def pictures_of(report: Report, plots: typing.Sequence[pathlib.Path]) -> typing.Iterator[Picture]:
    """All that a report may have, in its order; `plots`: the PNGs that were drawn."""
    files = {p.name: p for p in plots}
    for plot in PLOTS:
        alt = alt_text(plot.file, plot.title, plot.reads, report)
        yield Picture(plot.file, plot.title, plot.reads, _data(files.get(plot.file)), plot.absent, alt)
        if by_rate := files.get(by_rate_file(plot)):
            title, reads = f"{plot.title}, open loop", f"{plot.reads} Stages of the open loop."
            yield Picture(by_rate.name, title, reads, _data(by_rate), "", f"{title}. {reads}")


def _data(path: pathlib.Path | None) -> markupsafe.Markup | None:
    if path is None:
        return None
    return markupsafe.Markup("data:image/png;base64,") + base64.b64encode(path.read_bytes()).decode()
