"""What a run says to machines: a JSON document for each stage that begins or ends, and one of the figures at a fixed rhythm.

Each is {"event": "live" | "stage", "load": …, "figures": …} as live.json has them, without the series of the charts. An event of a
stage also has its number, whether it "begins" or "ends", and, once it has ended, its `row` of steps.csv. The load test adds the
`end`.
"""

import json

from analysis.live.lines import ROUND_S, UNDER_WAY, run_of
from analysis.live.round import Document, Round


class JsonLines:
    """Remembers what it has said. now.asked: {"every_s": seconds between two events `live`, null: none}. It answers {"say":
    [document as text, …], "over": whether the run's end is known}."""

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, run: str | None) -> None:
        self._run, self._last, self._over = run, float("-inf"), False
        self._begun: set[int] = set()
        self._told: set[int] = set()

    def __call__(self, now: Round) -> Document | None:
        load, figures = now.load, now.figures | {"series": None}
        if (run := run_of(now)) != self._run:
            self._begin(run)
        said: list[str] = []
        for row in figures["stages"]:
            if row["stage"] not in self._told:
                self._told.add(row["stage"])
                said += self._begins(load, figures, row["stage"])  # one that was over before it was seen
                said.append(_stage(load, figures, row["stage"], "ends", row))
        number = (load.get("stage") or {}).get("stage")
        if number is not None:
            said += self._begins(load, figures, number)
        at, every_s = load.get("at") or 0.0, now.asked["every_s"]
        if every_s is not None and load.get("state") in UNDER_WAY and at - self._last >= every_s - ROUND_S / 2:
            self._last = at
            said.append(_written({"event": "live", "load": load, "figures": figures}))
        was_over, self._over = self._over, figures["ended"] is not None
        return {"say": said, "over": self._over} if said or self._over != was_over else None

    def _begins(self, load: Document, figures: Document, number: int) -> list[str]:
        new = number not in self._begun
        self._begun.add(number)
        return [_stage(load, figures, number, "begins", None)] if new else []


def _stage(load: Document, figures: Document, number: int, what: str, row: Document | None) -> str:
    return _written({"event": "stage", "stage": number, "what": what, "row": row, "load": load, "figures": figures})


def _written(event: Document) -> str:
    return json.dumps(event, allow_nan=False)
