"""How often the analysis says that a figure became worse: simulated pairs of runs that do not differ, and that differ by 8 %.

Each repetition draws three runs of six levels (closed loop, log-normal times): two of one endpoint, and one of an endpoint that is
8 % slower. Asked are latency and TTFT p50 and p95, throughput, the cost of a transaction by the hour and the error rate, at each
level and over all levels together. Exit code 2: of the pairs that do not differ more than 5 % had a false `regressed` anywhere, or
of the figures where the analysis itself says that 8 % would be seen fewer than 80 % were. (`lasting` shows a limit, and is not judged.)
"""

import argparse
import dataclasses
import sys
import typing

import numpy as np

from analysis.verdicts.regressions import FAMILY_ERROR, Regression, regressions
from analysis.verdicts.stage_results import Result, results_of
from analysis.words.columns import columns
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK
from scripts.bench.command import parser_of
from scripts.bench.simulated_runs import PRICES, Truth, simulated_run
from scripts.bench.table import markdown

EXAMPLE = """example:
  python -m scripts.bench.regressions
  python -m scripts.bench.regressions --repetitions 20 --only plain,memory"""
SLOWER, POWER = 0.08, 0.80
ASKED = columns(
    lambda f: (
        f.latency.p50,
        f.latency.p95,
        f.ttft.p50,
        f.ttft.p95,
        f.throughput.throughput_per_s,
        f.cost.usd_per_transaction,
        f.outcome.error_rate,
    )
)
SAME_IN_ALL = ("error_rate",)  # what does not differ in the slower runs either
HEAD = (
    "case",
    "requests a level",
    "tolerance",
    "pairs",
    "false alarms",
    "8 % would be seen",
    "were",
    "over levels",
    "were",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """What is simulated. judged: whether the exit code goes by it."""

    words: str
    truth: Truth
    tolerance: float = 0.0
    slower: float = SLOWER
    judged: bool = True


CASES = {
    "plain": Case("independent requests", Truth()),
    "memory": Case(
        "30 % of the variance in common, correlated 0.8, windows of 170",
        Truth(window_s=170, users=(1, 2, 3, 4, 5, 6), memory=0.3, lasting=0.8),
    ),
    "long": Case("independent, longer windows", Truth(window_s=170, users=(1, 2, 3, 4, 5, 6))),
    "long-memory": Case(
        "10 % in common, correlated 0.5", Truth(window_s=170, users=(1, 2, 3, 4, 5, 6), memory=0.1, lasting=0.5)
    ),
    "tolerance": Case(
        "independent; 5 % allowed, 5 % or 13.5 % slower", Truth(window_s=170, users=(1, 2, 3, 4, 5, 6)), 0.05, 0.135
    ),
    "heavy": Case("independent, sigma 0.8", Truth(spread=0.8, window_s=60)),
    "lasting": Case(
        "30 % in common, correlated 0.8, in a window of 30 requests", Truth(memory=0.3, lasting=0.8), judged=False
    ),
}


@dataclasses.dataclass(slots=True)
class Tally:
    """Of one case. seen, seen_over: figures at a level, and over levels, of which the analysis says that the difference would be seen;
    whether they were."""

    pairs: int = 0
    alarms: int = 0
    seen: list[bool] = dataclasses.field(default_factory=list)
    seen_over: list[bool] = dataclasses.field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """What of the goal was not reached."""
        found, seen = [], self.seen + self.seen_over
        if self.alarms > FAMILY_ERROR * self.pairs:
            found.append(f"{self.alarms} of {self.pairs} pairs that do not differ had a false alarm")
        if sum(seen) < POWER * len(seen):
            found.append(f"of {len(seen)} differences that would be seen {sum(seen)} were")
        return found


def tallied(case: Case, repetitions: int, seed: int) -> Tally:
    """Simulated and asked so many times."""
    draw, found = np.random.default_rng(seed), Tally()

    def run(slower: float) -> list[Result]:
        truth = dataclasses.replace(case.truth, latency_s=case.truth.latency_s * (1 + slower))
        return results_of(simulated_run(truth, draw), PRICES)

    for _ in range(repetitions):
        base, same, slow = run(0.0), run(case.tolerance), run(case.slower)
        found.pairs += 1
        found.alarms += any(r.state == "regressed" for r in _asked(base, same, case.tolerance))
        for r in _asked(base, slow, case.tolerance):
            if r.column.name not in SAME_IN_ALL and r.smallest is not None and r.smallest <= case.slower:
                (found.seen if r.pair else found.seen_over).append(r.state == "regressed")
    return found


def _asked(base: list[Result], now: list[Result], tolerance: float) -> list[Regression]:
    return regressions(list(zip(base, now, strict=True)), ASKED, tolerance)


def row_of(case: Case, tally: Tally) -> list[str]:
    fewest, most = (n * case.truth.window_s / case.truth.latency_s for n in (case.truth.users[0], case.truth.users[-1]))

    def share(some: list[bool]) -> str:
        return f"{sum(some) / len(some):.0%}" if some else "–"

    return [
        case.words, f"{fewest:.0f} to {most:.0f}", f"{case.tolerance:.0%}", str(tally.pairs), str(tally.alarms), str(len(tally.seen)),
        share(tally.seen), str(len(tally.seen_over)), share(tally.seen_over),
    ]  # fmt: skip


def _some(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in CASES:
            raise argparse.ArgumentTypeError(f"{name} is no case; choose from {', '.join(CASES)}")
    return names


def _count(text: str) -> int:
    if not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} repetitions are too few or too many; give 1 to 10000")
    return int(text)


def main(argv: typing.Sequence[str] | None = None) -> int:
    parser = parser_of("regressions", __doc__, EXAMPLE)
    parser.add_argument("--repetitions", type=_count, default=200, metavar="N", help="of each case (default: 200)")
    parser.add_argument(
        "--only", type=_some, default=list(CASES), metavar="CASES", help="comma-separated; default: all"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    args = parser.parse_args(argv)
    rows, failed = [], []
    for name in args.only:
        print(f"{name}: {CASES[name].words} ...", file=sys.stderr, flush=True)
        tally = tallied(CASES[name], args.repetitions, args.seed)
        rows.append(row_of(CASES[name], tally))
        failed += [f"{name}: {why}." for why in tally.failed if CASES[name].judged]
    print("\n".join([markdown(HEAD, rows), *failed]))
    return NOT_TRUSTED if failed else OK


if __name__ == "__main__":
    sys.exit(main())
