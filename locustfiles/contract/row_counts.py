"""Whether requests.csv still holds the rows that the manifest counts: of each stage, and of all parts together."""

import collections
import collections.abc
import csv
import pathlib

from locustfiles.contract.manifest import Manifest, Problem
from locustfiles.contract.requests_file import STAGE

NO_STAGE = -1  # of damaged lines


def rows_by_stage(path: pathlib.Path) -> collections.Counter[int]:
    """stage -> whole lines of it in the file; none where there is no file."""
    counts: collections.Counter[int] = collections.Counter()
    if not path.exists():
        return counts
    with open(path, "rb") as file:
        next(file, b"")
        for line in file:
            if line.endswith(b"\n"):
                counts[_stage(line)] += 1
    return counts


def _stage(line: bytes) -> int:
    cells: list[str] = []
    if b'"' in line:
        cells = next(csv.reader([line.decode("utf-8", errors="replace")]), [])
    else:
        cells = line.decode("utf-8", errors="replace").split(",", STAGE + 1)
    return int(cells[STAGE]) if len(cells) > STAGE and cells[STAGE].isdecimal() else NO_STAGE


def rows_gone(manifest: Manifest, by_stage: collections.abc.Mapping[int, int]) -> list[Problem]:
    """What is missing, or too much, a sentence each. by_stage: damaged lines are counted as of no stage."""
    found, short = [], 0
    for stage in manifest.stages:
        gone = (stage.records or 0) - by_stage.get(stage.stage, 0)
        if gone > 0:
            short += gone
            text = f"{gone} of the stage's {stage.records} records that were written are gone from requests.csv"
            found.append(Problem(text, [stage.stage]))
    rows = [part.rows for part in manifest.parts]
    known = [n for n in rows if n is not None]
    if not rows or len(known) < len(rows):  # of a version before these counts
        return found
    rest = sum(known) - sum(by_stage.values()) - short
    if rest > 0:
        text = (
            f"{rest} records that were written, of warm-up calls or of stages that are measured again, are gone from requests.csv: "
            "what the run has cost is more than is said"
        )
        found.append(Problem(text, []))
    elif rest + short < 0 and manifest.parts[-1].ended_at is not None:
        found.append(
            Problem(f"requests.csv holds {-rest - short} records that the run did not write; put back its own file")
        )
    return found
