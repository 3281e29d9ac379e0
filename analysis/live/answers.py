"""What the observer answers: a function for each kind that can be wanted.

Each gets how the load stands, the figures, the records that have come since the last time, and its own argument of `want`; it
returns what is said as JSON, None: nothing this time.
"""

import typing

from analysis.live.json_lines import JsonLines
from analysis.live.lines import Lines
from analysis.live.otlp import Otlp
from analysis.live.prometheus import exposition
from analysis.live.round import Document, Round
from analysis.live.screen import Screen

Answer = typing.Callable[[Round], typing.Any]


def figures(now: Round) -> Document:
    return now.figures


def answers() -> dict[str, Answer]:
    """kind -> what answers it, in the order in which they are said. Made once for an observer: an answer may remember."""
    return {"figures": figures, "screen": Screen(), "lines": Lines(), "jsonl": JsonLines(),
            "metrics": exposition, "otlp": Otlp()}  # fmt: skip
