"""What many stages take: a save of the manifest, which every stage causes twice, and a report, at several numbers of stages.

The runs are made, not measured (many_stages.py): open-loop stages of one target, so many requests each. Every report is a process of
its own; with --before two builds take turns. Times are CPU, a save's the mean of many, a report's the median.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import typing

from locustfiles.contract.exit_codes import BAD_INPUT, OK, complain
from scripts.bench.command import parser_of
from scripts.bench.endpoint import ROOT
from scripts.bench.machine import machine
from scripts.bench.many_stages import make_run
from scripts.bench.table import UNKNOWN, markdown

EXAMPLE = """example:
  python -m scripts.bench.stages
  python -m scripts.bench.stages --stages 10,100,500 --records 200 --rounds 3 --before ../before"""
HEAD = (
    "stages",
    "build",
    "save (ms)",
    "a stage (µs)",
    "report (s)",
    "a stage (ms)",
    "wall (s)",
    "of before: save",
    "report",
)
#: CPU of a save: `SAVE RUN TIMES`, in the checkout whose code it is of
SAVE = """
import sys, time
from locustfiles.contract.run_folder import RunFolder
folder, times = RunFolder(sys.argv[1]), int(sys.argv[2])
manifest = folder.read_manifest()
folder.write_manifest(manifest)
began = time.process_time()
for _ in range(times):
    folder.write_manifest(manifest)
print((time.process_time() - began) / times)
"""
SAVES = 20


class Failed(Exception):
    """A child that did not do what it was asked for; the text is what it said."""


class Took(typing.NamedTuple):
    save_s: float
    report_s: float  # CPU
    wall_s: float


def _numbers(text: str) -> list[int]:
    found = [int(part) for part in text.split(",")]
    if not all(1 <= n <= 2000 for n in found):
        raise argparse.ArgumentTypeError(f"{text}: too few or too many stages; give numbers from 1 to 2000")
    return found


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("stages", __doc__, EXAMPLE)
    parser.add_argument(
        "--stages", type=_numbers, default=[10, 50, 100, 250, 500, 1000], metavar="N,N", help="how many"
    )
    parser.add_argument("--records", type=int, default=200, metavar="N", help="requests of each stage (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="reports of each (default: 3)")
    parser.add_argument(
        "--before", type=pathlib.Path, metavar="CHECKOUT", help="another checkout, measured beside this one"
    )
    args = parser.parse_args(argv)
    builds = ({"before": args.before.resolve()} if args.before else {}) | {"ours": ROOT}
    rows = []
    with tempfile.TemporaryDirectory(prefix="stages-") as place:
        try:
            for number in args.stages:
                run = make_run(pathlib.Path(place) / f"run-{number}", number, args.records).path
                rows += _rows(number, measured(run, builds, args.rounds))
                shutil.rmtree(run)
        except Failed as e:
            complain(str(e))
            return BAD_INPUT
    print(f"# Many stages\n\n{machine()}, {args.records} requests a stage.\n\n{markdown(HEAD, rows)}")
    return OK


def measured(run: pathlib.Path, builds: dict[str, pathlib.Path], rounds: int) -> dict[str, list[Took]]:
    """Raises Failed."""
    found: dict[str, list[Took]] = {name: [] for name in builds}
    for _ in range(rounds):
        for name, checkout in builds.items():
            print(f"{run.name}: {name} ...", file=sys.stderr, flush=True)
            saved, _, _ = _child(checkout, ["-c", SAVE, str(run), str(SAVES)])
            _, cpu_s, wall_s = _child(checkout, ["-m", "analysis", "report", str(run)])
            found[name].append(Took(float(saved), cpu_s, wall_s))
    return found


def _child(checkout: pathlib.Path, arguments: list[str]) -> tuple[str, float, float]:
    """What it printed, its CPU and wall seconds. Raises Failed."""
    before, began = os.times(), os.times().elapsed
    done = subprocess.run([sys.executable, *arguments], cwd=checkout, capture_output=True, text=True, check=False)
    now = os.times()
    if done.returncode:
        raise Failed(
            f"{checkout}: {' '.join(arguments[:3])} ended with {done.returncode}: {done.stderr[-300:]}; mend that first"
        )
    cpu_s = now.children_user + now.children_system - before.children_user - before.children_system
    return done.stdout, cpu_s, now.elapsed - began


def _rows(number: int, took: dict[str, list[Took]]) -> list[list[str]]:
    middle = {name: Took(*(statistics.median(each) for each in zip(*some, strict=True))) for name, some in took.items()}
    before, rows = middle.get("before"), []
    for name, one in middle.items():
        of_before = [UNKNOWN, UNKNOWN]
        if before and one is not before:
            of_before = [f"{one.save_s / before.save_s:.2f} x", f"{one.report_s / before.report_s:.2f} x"]
        save = [f"{1000 * one.save_s:.2f}", f"{1e6 * one.save_s / number:.1f}"]
        report = [f"{one.report_s:.1f}", f"{1000 * one.report_s / number:.0f}", f"{one.wall_s:.1f}"]
        rows.append([f"{number:,}", name, *save, *report, *of_before])
    return rows


if __name__ == "__main__":
    sys.exit(main())
