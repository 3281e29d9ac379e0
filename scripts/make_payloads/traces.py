"""`python -m scripts.make_payloads trace FILE`: a recorded trace as it is published becomes the CSV that `load: {replay: FILE}` takes.

| form | by | times |
|---|---|---|
| azure | TIMESTAMP, ContextTokens, GeneratedTokens | dates to 100 ns |
| burstgpt | Timestamp, Request tokens, Response tokens | seconds; a request without response tokens had failed, and is left out |
| mooncake | timestamp, input_length, output_length | milliseconds |

Sources: github.com/Azure/AzurePublicDataset, github.com/HPMLL/BurstGPT, github.com/kvcache-ai/Mooncake. Any other file: --time and its
unit.
"""

import argparse
import datetime
import pathlib
import re
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser
from scripts.make_payloads.rows import Bad, Row
from scripts.make_payloads.taken import Taken, columns_of
from scripts.make_payloads.whole_file import whole_file

EXAMPLE = """examples:
  python -m scripts.make_payloads trace AzureLLMInferenceTrace_conv.csv --to-s 600 --out traces/azure.csv
  python -m scripts.make_payloads trace conversation_trace.jsonl --scale 2 --out traces/mooncake.csv
  python -m scripts.make_payloads trace own.csv --time at --unit ms --prompt-tokens input --completion-tokens output --out traces/own.csv"""
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_FRACTION = re.compile(r"(\.\d{6})\d+")  # of a second: more digits than a datetime has


class Columns(typing.NamedTuple):
    """Where a trace has what; unit: one of UNITS or `date`."""

    time: str
    unit: str
    prompt: str | None = None
    completion: str | None = None


FORMS = {
    "azure": Columns("TIMESTAMP", "date", "ContextTokens", "GeneratedTokens"),
    "burstgpt": Columns("Timestamp", "s", "Request tokens", "Response tokens"),
    "mooncake": Columns("timestamp", "ms", "input_length", "output_length"),
}


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="python -m scripts.make_payloads trace", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("file", type=pathlib.Path, help="CSV, JSON lines or Parquet")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the CSV for `replay:`")
    parser.add_argument("--time", metavar="COLUMN", help="of a file of another form: when a request came")
    parser.add_argument("--unit", choices=[*UNITS, "date"], default="s", help="of --time (default: s)")
    parser.add_argument("--prompt-tokens", metavar="COLUMN")
    parser.add_argument("--completion-tokens", metavar="COLUMN")
    parser.add_argument("--scale", type=float, default=1.0, help="times so long: 2 is half the rate (default: 1)")
    parser.add_argument("--from-s", type=float, default=0.0, help="begin so many seconds after the trace does")
    parser.add_argument("--to-s", type=float, help="end before so many seconds of the trace")
    found = parser.parse_args(argv)
    if found.file.resolve() == found.out.resolve():
        raise BadInput(f"--out {found.out}: is the trace itself; choose another name")
    if not 0 < found.scale < 1e6:
        raise BadInput("--scale: must be above 0")
    return found


class Trace:
    """The arrivals of a file, from its first on."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._columns = (
            Columns(given.time, given.unit, given.prompt_tokens, given.completion_tokens) if given.time else None
        )
        self._first: float | None = None
        self.form: str | None = None
        self.taken = Taken(given.file)
        self.written, self.last_s = 0, 0.0

    def lines(self) -> typing.Iterator[str]:
        """Raises BadInput."""
        yield "timestamp,prompt_tokens,completion_tokens\n"
        for line in self.taken.lines(self._line):
            self.written += 1
            yield line

    def _line(self, row: Row) -> str | None:
        """None outside of the window. Raises Bad, and BadInput for a first row of no known form."""
        columns = self._columns = self._columns or self._known(row)
        at = _time(row.get(columns.time), columns.unit)
        if self._first is None:
            self._first = at
        at_s, prompt, completion = at - self._first, _count(row, columns.prompt), _count(row, columns.completion)
        if at_s < self.last_s:
            raise Bad("before the row above it")
        self.last_s = at_s
        if not self._given.from_s <= at_s < (self._given.to_s or float("inf")):
            return None
        return f"{(at_s - self._given.from_s) * self._given.scale:.6f},{prompt or ''},{completion or ''}\n"

    def _known(self, row: Row) -> Columns:
        for name, columns in FORMS.items():
            if {columns.time, columns.prompt} <= row.keys():
                self.form = name
                return columns
        see = f"name the column of the time by --time: {columns_of(row)}"
        raise BadInput(f"{self._given.file}: is of no form that is known; {see}")


def _time(value: object, unit: str) -> float:
    """Seconds. Raises Bad."""
    try:
        if unit != "date":
            return float(value) * UNITS[unit]  # type: ignore[arg-type]
        if isinstance(value, datetime.datetime):
            return value.timestamp()
        return datetime.datetime.fromisoformat(_FRACTION.sub(r"\1", str(value).strip())).timestamp()
    except (TypeError, ValueError):
        raise Bad("no time") from None


def _count(row: Row, column: str | None) -> int | None:
    """Tokens; None where the trace does not tell. Raises Bad for none at all: such a request failed, or was no request."""
    value = row.get(column) if column else None
    if value in (None, ""):
        return None
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        raise Bad("a length that is no number") from None
    if number < 1:
        raise Bad("without tokens: it failed, or was no request")
    return number


def convert(argv: list[str]) -> int:
    """The exit code. Raises BadInput."""
    given = arguments(argv)
    trace = Trace(given)
    with whole_file(given.out) as file:
        file.writelines(trace.lines())
        if trace.written < 2:
            see = "widen it by --from-s and --to-s, or see --time and --unit"
            raise BadInput(f"{given.file}: {trace.written} arrivals in the window; {see}")
    span = (min(trace.last_s, given.to_s or trace.last_s) - given.from_s) * given.scale
    rate = f", {(trace.written - 1) / span:.3g} requests/s" if span > 0 else ""
    of = f"{trace.taken.rows:,} rows ({trace.form or 'own columns'})"
    print(f"{given.out}: {trace.written:,} arrivals of {of} in {span:,.1f} s{rate}")
    trace.taken.tell_left_out()
    return trace.taken.exit_code
