"""How true and how cheap load clients are: each against the same local endpoint, whose truth log knows better.

Every client has one core, the endpoint another. Streams: ConverseStream, or chat completions on the OpenAI route, 50 tokens at
100 tokens/s, first token after 100 ms. Short calls: Converse or chat completions, 2 tokens at once. Errors are the client's
figure minus the endpoint's, ms.
"""

import argparse
import datetime
import pathlib
import sys
import tempfile

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench import page
from scripts.bench.clients import CLIENTS, before
from scripts.bench.command import checkout, parser_of, seconds
from scripts.bench.endpoint import EndpointFailed
from scripts.bench.machine import machine
from scripts.bench.measure import cores, spare_core
from scripts.bench.measurements import QUIET, Measurements, Part
from scripts.bench.most import WORDS as MOST_WORDS
from scripts.bench.most import climb, most_table
from scripts.bench.ratios import ratio_table
from scripts.bench.table import short_table, stream_table

EXAMPLE = """example:
  python -m scripts.bench.load --users 20,100 --peers ours,boto3-loop
  python -m scripts.bench.load --tls --peers ours --short-users 0
  python -m scripts.bench.load --peers ours --users 200 --before ../swarmledger-0.1.0
  python -m scripts.bench.load --peers ours --short-users 0 --most
  python -m scripts.bench.load --page --seconds 5 --before ../swarmledger-0.1.0"""
WORDS = """- Error: the client's time minus the endpoint's, of requests that arrived in the window; the way there and back is part of it.
- Endpoint late: how late the endpoint's own sends were, by its own timetable (the worst of each answer). The errors do not
  contain it; where it is large, endpoint or machine was short of CPU, and the errors are the pair's.
- Lost: arrived at the endpoint in the window and not recorded as a success by the client.
- CPU: of the client in the window, start-up left out, per request that ended in it. Other programs: what they took of the two cores."""


def _levels(text: str) -> list[int]:
    levels = [int(part) for part in text.split(",")]
    if not levels or min(levels) < 0 or max(levels) > 2000:
        raise argparse.ArgumentTypeError(
            f"{text} users are too few or too many; give numbers from 0 to 2000, apart by commas"
        )
    return [level for level in levels if level]


def _peers(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in CLIENTS]:
        raise argparse.ArgumentTypeError(f"no client {unknown[0]}; give some of {', '.join(CLIENTS)}")
    return names


def _tries(text: str) -> int:
    if not 1 <= int(text) <= 20:
        raise argparse.ArgumentTypeError(f"{text} tries are too few or too many; give 1 to 20")
    return int(text)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = parser_of("load", __doc__, EXAMPLE)
    parser.add_argument(
        "--users",
        type=_levels,
        default=[20, 100, 200],
        help="levels of streaming users, 0 for none (default: 20,100,200)",
    )
    parser.add_argument(
        "--short-users", type=_levels, default=[20], help="levels for short calls, 0 for none (default: 20)"
    )
    parser.add_argument("--seconds", type=seconds, default=10.0, help="measured seconds of each (default: 10)")
    parser.add_argument("--peers", type=_peers, default=list(CLIENTS), help=f"default: {','.join(CLIENTS)}")
    parser.add_argument(
        "--tries", type=_tries, default=1, metavar="N",
        help=f"measure again, N times at most, while other programs take over {QUIET:g} of a core; the quietest counts (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--before",
        type=checkout,
        metavar="CHECKOUT",
        help="another checkout of Swarmledger, measured first, as `before`",
    )
    parser.add_argument("--tls", action="store_true", help="over HTTPS, with a certificate made for the purpose")
    parser.add_argument(
        "--most", action="store_true", help="seek the most streams on one core, HTTP and HTTPS, in place of --users"
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help="all that the page of the bench has, in one run; --seconds and --before count",
    )
    args = parser.parse_args(argv)
    args.clients = {name: CLIENTS[name] for name in args.peers}
    if args.before:
        builds = {"before": before(args.before)}
        if args.page or "ours-openai" in args.clients:
            builds["before-openai"] = before(args.before, openai=True)
        args.clients = builds | args.clients
    return args


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Measurements(args.clients, args.seconds, args.tries, pathlib.Path(folder))
        try:
            for part in _parts(args):
                bench.run(part)
            climbers = [name for name in args.clients if name in page.CLIMBERS or not args.page]
            for tls in _ways(args):
                climb(bench, climbers, tls)
        except EndpointFailed as e:
            complain(str(e))
            return BAD_INPUT
    print(_report(args, bench, climbers))
    return OK if bench.figures else NOT_TRUSTED


def _parts(args: argparse.Namespace) -> list[Part]:
    if args.page:
        return page.parts(list(args.clients))
    names = list(args.clients)
    streams = [] if args.most else [Part(names, args.users, True, args.tls)]
    return [*streams, Part(names, args.short_users, False, args.tls)]


def _ways(args: argparse.Namespace) -> list[bool]:
    """In which the most streams are sought: whether over TLS."""
    return [True] if args.most and args.tls else [False, True] if args.most or args.page else []


def _report(args: argparse.Namespace, bench: Measurements, climbers: list[str]) -> str:
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    pinned = (
        "endpoint and client on a core each"
        if cores()[0] is not None
        else "one core only: endpoint and client share it"
    )
    pinned += "" if spare_core() is None else ", the endpoint's second process on a third"
    ways = [tls for tls in (False, True) if bench.rows(True, tls) or bench.rows(False, tls)] or [args.tls]
    way = " and ".join("HTTPS" if tls else "plain HTTP" for tls in ways)
    lines = [f"# Load clients against the endpoint's truth, {way}", ""]
    lines += [f"{when}, {machine()}, {args.seconds:g} s measured of each, {pinned}.", ""]
    for tls in ways:
        over = ", over HTTPS" if tls else ""
        if streams := bench.rows(True, tls):
            lines += [
                f"Streams, 50 tokens at 100 tokens/s, first token after 100 ms{over}:",
                "",
                stream_table(streams),
                "",
            ]
        if shorts := bench.rows(False, tls):
            lines += [f"Short calls, 2 tokens at once{over}:", "", short_table(shorts), ""]
    if _ways(args):
        lines += ["The most streams on one core:", "", most_table(bench, climbers, _ways(args)), ""]
    if ratios := ratio_table(bench):
        lines += ["Side by side:", "", ratios, ""]
    names = dict.fromkeys(key.client for key in bench.figures)
    lines += [f"- {name}: {args.clients[name].words}." for name in args.clients if name in names]
    lines += [WORDS, *([MOST_WORDS] if _ways(args) else []), *(f"- Not measured: {words}" for words in bench.left_out)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
