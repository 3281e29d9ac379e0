"""`python -m analysis calibrate`: the instrument's own error, from the local endpoint's truth log."""

import argparse
import datetime
import json
import math
import pathlib

import pandas as pd

from analysis.calibration.compare import FIGURES, Calibration, ErrorRow, calibrate
from analysis.calibration.error_bar import FILE
from analysis.calibration.truth_log import read_truth
from analysis.report.frames import frame_of
from analysis.report.markdown import table
from analysis.report.summary_json import plain
from analysis.runs.run_reader import load_run
from analysis.words.level import level_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK

EXAMPLE = """examples:
  python -m analysis calibrate runs/x --truth truth.jsonl
  python -m analysis calibrate runs/x --truth truth.jsonl --bound-ms 10

truth.jsonl is what the local endpoint wrote while the run lasted (python -m scripts.emulator ... --truth truth.jsonl);
scripts/calibrate.sh does all of it on this machine.

exit code: 0 passed, 1 bad input, 2 a p99 error is above the bound, or requests or tokens differ."""
DEFINITIONS = (
    (
        "Error: the client's time minus the endpoint's, ms, of successes that began in a measured window. The client's runs from the "
        "send, the endpoint's from the arrival of the request's last byte, so the way there and back is part of the error."
    ),
    (
        "Endpoint late: the worst lateness of the endpoint's own sends in an answer, ms. The errors do not contain it (a late send is "
        "stamped late); where it is large, endpoint or machine was short of CPU, and the errors are the pair's, not the client's alone."
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calibrate`."""
    parser.add_argument("run_folder", metavar="RUN", help="folder of a run against the local endpoint")
    parser.add_argument("--truth", required=True, metavar="FILE", help="the endpoint's truth log")
    parser.add_argument(
        "--bound-ms",
        type=_bound,
        default=5.0,
        metavar="MS",
        help="limit on every stage's p99 error of TTFT and latency (default: 5)",
    )
    parser.add_argument("--out", metavar="FOLDER", help="where calibration.json, .md and .png go; default: RUN/report")


def _bound(text: str) -> float:
    value = float(text)  # argparse tells of a ValueError
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of milliseconds; give one above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Print the comparison and write its three files. Raises BadInput."""
    truth, torn = read_truth(args.truth)
    found = calibrate(load_run(args.run_folder), truth, args.bound_ms)
    if torn:
        found.notes.append("The truth log's last line was torn (the endpoint was writing); it was skipped.")
    text = markdown(found)
    _write(found, text, pathlib.Path(args.out) if args.out else found.path / "report")
    print(text)
    return OK if found.passed else NOT_TRUSTED


def markdown(found: Calibration) -> str:
    """Verdict, table and counts."""
    when = datetime.datetime.fromtimestamp(found.measured_at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    how = found.conditions
    way = "".join(f", over {scheme.upper()}" for scheme in how["schemes"])
    sent = f"`transport: {how['transport']}`, `stamps: {how['stamps']}`, up to {how['in_flight']:,} requests in flight"
    lines = [f"# Calibration of {found.run}", "", f"Measured {when} on {found.host}{way}; {sent}.", ""]
    if found.passed:
        words = f"every stage's p99 error of TTFT and latency is within {found.bound_ms:g} ms; requests and tokens are equal."
        lines.append(f"**Passed**: {words}")
    else:
        lines += ["**Not passed**:", "", *(f"- {problem}" for problem in found.problems)]
    lines += ["", table(_shown(found.rows)), "", _counts(found), ""]
    lines += [f"- {words}" for words in (*found.notes, *DEFINITIONS)]
    return "\n".join(lines) + "\n"


def _shown(rows: list[ErrorRow]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Target": row.target,
            "Payload": row.payload,
            "Level": "" if row.stage is None else level_text(row),
            "Error of": FIGURES[row.figure][0],
            "n": row.n,
            "mean (ms)": f"{row.mean:.2f}",
            "p50 (ms)": f"{row.p50:.2f}",
            "p99 (ms)": f"{row.p99:.2f}",
            "max (ms)": f"{row.max:.2f}",
            "endpoint late p50": f"{row.late_p50:.2f}",
            "endpoint late p99": f"{row.late_p99:.2f}",
            "endpoint late max": f"{row.late_max:.2f}",
        }
        for row in rows
    )


def _counts(found: Calibration) -> str:
    r = found.requests
    text = f"Requests: {r.endpoint:,} at the endpoint, {r.recorded:,} recorded, {r.matched:,} matched by request id"
    if r.unanswered:
        text += f"; {r.unanswered:,} ended before an id came"
    if r.unreached:
        text += f"; {r.unreached:,} never reached it"
    return f"{text}. Tokens: compared in {found.tokens_compared:,} answers."


def _write(found: Calibration, text: str, folder: pathlib.Path) -> None:
    """Raises BadInput."""
    from analysis.report.plots.calibration import error_by_users  # matplotlib takes a second to load
    from analysis.report.plots.style import save

    data = {
        "run": found.run,
        "host": found.host,
        "measured_at": found.measured_at,
        "bound_ms": found.bound_ms,
        "conditions": found.conditions,
        "passed": found.passed,
        "problems": found.problems,
        "requests": found.requests,
        "tokens_compared": found.tokens_compared,
        "errors_ms": frame_of(ErrorRow, found.rows),
        "notes": found.notes,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(plain(data), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        (folder / FILE).with_suffix(".md").write_text(text, encoding="utf-8")
        picture = (folder / FILE).with_suffix(".png")
        picture.unlink(missing_ok=True)
        if (fig := error_by_users(found)) is not None:
            save(fig, picture)
    except OSError as e:
        raise BadInput(f"{folder}: cannot be written ({e.strerror}); choose another place with --out") from None
