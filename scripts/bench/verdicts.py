"""How far the analysis' verdicts can be trusted: real stages with a starved and with a healthy client, judged, beside the truth.

The client has one core, the local endpoint another; answers come on an exact timetable. A stage is wrong where its
published p99 TTFT is more than 10 % off the endpoint's own p99 TTFT of the same requests: by that the stages are counted,
not by what was done to them. Exit code 2: fewer than 95 % of the starved stages that are wrong were caught (SUSPECT or
INVALID), or more than one healthy stage that is right was called INVALID.
"""

import argparse
import datetime
import itertools
import pathlib
import sys
import tempfile
import time
import typing

from analysis.calibration.truth_log import read_truth
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.command import parser_of, seconds
from scripts.bench.endpoint import Endpoint, EndpointFailed, running_endpoint
from scripts.bench.machine import machine
from scripts.bench.measure import ClientFailed, cores
from scripts.bench.starve import Row, Sitting, rows_of, sit
from scripts.bench.table import markdown
from scripts.bench.watch import Pause

EXAMPLE = """example:
  python -m scripts.bench.verdicts
  python -m scripts.bench.verdicts --stages 5 --seconds 4"""
WRONG = 0.10  # error of the p99 TTFT
CAUGHT = 0.95  # of the starved stages that are wrong
INVALID_AT_MOST = 1  # of the healthy stages that are right
MORE = 3  # times as many starved stages as asked for, at most: not every starved one turns out wrong
VERDICTS = ("VALID", "SUSPECT", "INVALID")
HEALTHY = (1, 5, 20, 50, 100)
PAUSES = (Pause(0.3), Pause(1.0), Pause(0.3, times=4), Pause(3.0))
MORE_PAUSES = (Pause(0.5), Pause(0.4, times=3), Pause(2.0), Pause(0.05, times=6, gap_s=0.3))
STARVED = (
    Sitting((5, 20, 50, 100), pauses=PAUSES),
    Sitting((200,), repeat=2, transport="boto3"),
    Sitting((20, 100), neighbours=1),
    Sitting((50, 100, 200), neighbours=2),
    Sitting((5, 20, 50, 100), pauses=MORE_PAUSES),
    Sitting((50, 80, 120), transport="boto3"),
)
WORDS = """Error: of the published p99 TTFT, against the endpoint's own. Others: what other programs took of the client's core
/ the endpoint's. An endpoint that waits for its core reads a request late, and its truth begins there: no client can see that."""
TRUTH_S = 1.5  # the truth log is a second behind


def _stages(text: str) -> int:
    if not 1 <= int(text) <= 500:
        raise argparse.ArgumentTypeError(f"{text} stages are too few or too many; give 1 to 500")
    return int(text)


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("verdicts", __doc__, EXAMPLE)
    parser.add_argument(
        "--stages",
        type=_stages,
        default=20,
        metavar="N",
        help="healthy stages, and starved ones that turn out wrong (default: 20)",
    )
    parser.add_argument("--seconds", type=seconds, default=6.0, help="measured window of each (default: 6)")
    args = parser.parse_args(argv)
    if cores()[0] is None:
        complain("this machine: one core only, endpoint and client would starve each other; use one with two")
        return BAD_INPUT
    with tempfile.TemporaryDirectory(prefix="verdicts-") as place:
        folder = pathlib.Path(place)
        try:
            with running_endpoint(folder, cores()[0], tls=False) as endpoint:
                rows = measured(args.stages, args.seconds, endpoint, folder)
        except (EndpointFailed, ClientFailed) as e:
            complain(str(e))
            return BAD_INPUT
    print(report(rows, args.stages, args.seconds))
    return OK if not missed(rows, args.stages) else NOT_TRUSTED


def measured(stages: int, seconds: float, endpoint: Endpoint, folder: pathlib.Path) -> list[Row]:
    """Healthy stages, then starved ones until so many are wrong, or MORE times as many were run. Raises ClientFailed."""
    rows: list[Row] = []
    repeat, rest = divmod(stages, len(HEALTHY))
    healthy = [Sitting(HEALTHY, repeat=repeat)] if repeat else []
    healthy += [Sitting(HEALTHY[:rest])] if rest else []
    for number, sitting in enumerate(itertools.chain(healthy, itertools.cycle(STARVED))):
        starved = [r for r in rows if r.starved]
        if len(wrong(starved)) >= stages or len(starved) >= MORE * stages:
            return rows
        words = ", ".join(dict.fromkeys(sitting.words(n + 1) for n in range(sitting.stages)))
        print(f"{words}; users {', '.join(map(str, sitting.levels))} ...", file=sys.stderr, flush=True)
        watch = sit(sitting, endpoint, folder / str(number), seconds)
        time.sleep(TRUTH_S)
        truth, _ = read_truth(endpoint.truth)
        rows += rows_of(sitting, folder / str(number) / "run", truth, watch)
    raise AssertionError("the starved sittings never end")


def wrong(rows: typing.Iterable[Row]) -> list[Row]:
    return [r for r in rows if r.error is not None and r.error > WRONG]


def right(rows: typing.Iterable[Row]) -> list[Row]:
    return [r for r in rows if r.error is not None and r.error <= WRONG]


def missed(rows: list[Row], stages: int) -> list[str]:
    """What of the goal was not reached, a sentence each."""
    bad, good = wrong(r for r in rows if r.starved), right(r for r in rows if not r.starved)
    caught = sum(r.verdict != "VALID" for r in bad)
    invalid = sum(r.verdict == "INVALID" for r in good)
    found = []
    if len(bad) < stages:
        found.append(f"only {len(bad)} starved stages turned out wrong, of {stages} that were wanted")
    if caught < CAUGHT * len(bad):
        found.append(f"only {caught} of {len(bad)} starved stages that are wrong were caught, below {CAUGHT:.0%}")
    if invalid > INVALID_AT_MOST:
        found.append(f"{invalid} healthy stages that are right were called INVALID, more than {INVALID_AT_MOST}")
    return found


def confusion(rows: list[Row]) -> list[list[str]]:
    """Head and rows: what was done and whether it is wrong x the verdicts."""
    table = [["client", "true p99 TTFT error", *VERDICTS]]
    for starved in (True, False):
        for pick, words in ((wrong, "above 10 %"), (right, "up to 10 %")):
            some = pick(r for r in rows if r.starved == starved)
            table.append(
                [
                    "starved" if starved else "healthy",
                    words,
                    *(str(sum(r.verdict == v for r in some)) for v in VERDICTS),
                ]
            )
    return table


def report(rows: list[Row], stages: int, seconds: float) -> str:
    """Markdown: every stage, the confusion table, and whether the goal was reached."""
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = [
        "client",
        "users",
        "requests",
        "published p99",
        "true p99",
        "error",
        "lag p99",
        "CPU",
        "others",
        "verdict",
        "reason",
    ]
    cells = [
        [
            r.done, str(r.users), str(r.requests), _ms(r.published_ms), _ms(r.true_ms), _share(r.error), _ms(r.lag_p99_ms), _share(r.cpu),
            " / ".join(map(_share, r.others)) if r.others else "–", r.verdict, r.reasons,
        ]
        for r in rows
    ]  # fmt: skip
    table = confusion(rows)
    lines = [
        "# Verdicts beside the truth",
        "",
        f"{when}, {machine()}, windows of {seconds:g} s. TTFT and lag in ms.",
        WORDS,
        "",
    ]
    lines += [markdown(head, cells), "", markdown(table[0], table[1:]), "", summary(rows)]
    return "\n".join([*lines, *(f"Goal missed: {sentence}." for sentence in missed(rows, stages))])


def summary(rows: list[Row]) -> str:
    bad, good = wrong(r for r in rows if r.starved), right(r for r in rows if not r.starved)
    caught = sum(r.verdict != "VALID" for r in bad)
    invalid, suspect = (sum(r.verdict == v for r in good) for v in ("INVALID", "SUSPECT"))
    text = f"Of {len(bad)} starved stages that are wrong {caught} were caught. "
    text += (
        f"Of {len(good)} healthy stages that are right {invalid} were called INVALID, {suspect} SUSPECT without need."
    )
    if disturbed := wrong(r for r in rows if not r.starved):
        seen = sum(r.verdict != "VALID" for r in disturbed)
        text += f" {len(disturbed)} healthy ones turned out wrong (others had the core, or the endpoint's); {seen} of them were caught."
    return text


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


if __name__ == "__main__":
    sys.exit(main())
