"""The local endpoint's truth log: what it received and sent, stamped by its own monotonic clock."""

import json
import pathlib

import pandas as pd

from locustfiles.contract.bad_input import BadInput

TIMES = ("arrival", "first_token", "last_token", "last_byte")  # seconds, CLOCK_MONOTONIC
COLUMNS = ("request_id", *TIMES, "prompt_tokens", "completion_tokens", "late_ms")


def read_truth(path: str | pathlib.Path) -> tuple[pd.DataFrame, int]:
    """(a row a request with COLUMNS, a missing value NaN; torn last lines that were skipped, 0 or 1).

    Raises BadInput for a file that is missing, empty or no truth log.
    """
    path = pathlib.Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as e:
        why = getattr(e, "strerror", None) or "it is no text"
        raise BadInput(
            f"--truth {path}: cannot be read ({why}); give the file that the endpoint's --truth wrote"
        ) from None
    torn = int(bool(lines) and not lines[-1].endswith("\n"))  # the endpoint is in mid-write, or was killed there
    rows = [_row(path, number, line) for number, line in enumerate(lines[: len(lines) - torn], start=1)]
    if not rows:
        raise BadInput(f"--truth {path}: holds no request; give the log of the endpoint that the run was sent to")
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS[1:], "float64")), torn


def _row(path: pathlib.Path, number: int, line: str) -> dict:
    """Raises BadInput."""
    try:
        row = json.loads(line)
        found = {name: row[name] for name in COLUMNS}
        if not isinstance(found["request_id"], str) or not isinstance(found["arrival"], float | int):
            raise TypeError
        if any(isinstance(value, str) for name, value in found.items() if name != "request_id"):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise BadInput(
            f"{path}:{number}: not a line of a truth log; give the file that `python -m scripts.emulator … --truth` wrote"
        ) from None
    return found
