"""How true and how cheap load clients are: each against the same local endpoint, whose truth log knows better.

Every client has one core, the endpoint another. Streams: ConverseStream, or chat completions on the OpenAI route, 50 tokens at
100 tokens/s, first token after 100 ms. Short calls: Converse or chat completions, 2 tokens at once. Errors are the client's
figure minus the endpoint's, ms.
"""

import argparse
import datetime
import importlib.metadata
import os
import pathlib
import platform
import sys
import tempfile

from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK, complain
from scripts.bench.client import Client
from scripts.bench.clients import CLIENTS, before
from scripts.bench.command import parser_of, seconds
from scripts.bench.endpoint import EndpointFailed
from scripts.bench.measure import ClientFailed, Figures, cores, measure
from scripts.bench.table import short_table, stream_table
from scripts.bench.venvs import Absent

EXAMPLE = """example:
  python -m scripts.bench.load --users 20,100 --peers ours,boto3-loop
  python -m scripts.bench.load --tls --peers ours --short-users 0
  python -m scripts.bench.load --peers ours --users 200 --before ../swarmledger-0.1.0"""
QUIET = 0.05  # of a core, taken by other programs on the two that are used
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


def _checkout(text: str) -> pathlib.Path:
    path = pathlib.Path(text).resolve()
    if not (path / "locustfiles/sweep.py").is_file():
        raise argparse.ArgumentTypeError(f"{text} has no locustfiles/sweep.py; give the folder of a checkout")
    return path


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
        type=_checkout,
        metavar="CHECKOUT",
        help="another checkout of Swarmledger, measured first, as `before`",
    )
    parser.add_argument("--tls", action="store_true", help="over HTTPS, with a certificate made for the purpose")
    args = parser.parse_args(argv)
    args.clients = {name: CLIENTS[name] for name in args.peers}
    if args.before:
        args.clients = {"before": before(args.before)} | args.clients
    return args


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    left_out: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            streams = _all(args, True, args.users, pathlib.Path(folder), left_out)
            shorts = _all(args, False, args.short_users, pathlib.Path(folder), left_out)
        except EndpointFailed as e:
            complain(str(e))
            return BAD_INPUT
    print(_report(args, streams, shorts, left_out))
    return OK if streams or shorts else NOT_TRUSTED


def _all(args, stream: bool, levels: list[int], folder: pathlib.Path, left_out: list[str]) -> list[tuple[str, Figures]]:
    """Every client at every level; what could not be measured is noted in `left_out`, and the rest goes on."""
    results = []
    kind = "streams" if stream else "short calls"
    for name, client in args.clients.items():
        if not stream and levels and client.streams_only:
            left_out.append(f"{name}, short calls: it has no way to ask for a whole answer.")
            continue
        for users in levels:
            print(f"{name}, {users} users, {kind} ...", file=sys.stderr, flush=True)
            try:
                place = folder / f"{name}-{users}-{kind.split(maxsplit=1)[0]}"
                results.append((name, _quietest(args, client, users, stream, place)))
            except Absent as e:
                left_out.append(f"{name}: {e}.")
                break
            except (ClientFailed, OSError, KeyError, ValueError) as e:
                left_out.append(f"{name}, {users} users, {kind}: {type(e).__name__}: {e}")
    return results


def _quietest(args, client: Client, users: int, stream: bool, place: pathlib.Path) -> Figures:
    """The measurement that other programs disturbed least; chosen by their CPU alone, not by its result."""
    found = []
    for attempt in range(args.tries):
        found.append(measure(client, users, stream, args.seconds, args.tls, place / str(attempt)))
        if found[-1].others <= QUIET:
            break
    return min(found, key=lambda figures: figures.others)


def _report(args, streams: list, shorts: list, left_out: list[str]) -> str:
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    pinned = (
        "endpoint and client on a core each"
        if cores()[0] is not None
        else "one core only: endpoint and client share it"
    )
    way = "HTTPS" if args.tls else "plain HTTP"
    lines = [f"# Load clients against the endpoint's truth, {way}", ""]
    lines += [f"{when}, {machine()}, {args.seconds:g} s measured of each, {pinned}.", ""]
    if streams:
        lines += ["Streams, 50 tokens at 100 tokens/s, first token after 100 ms:", "", stream_table(streams), ""]
    if shorts:
        lines += ["Short calls, 2 tokens at once:", "", short_table(shorts), ""]
    names = dict.fromkeys(name for name, _ in streams + shorts)
    lines += [f"- {name}: {args.clients[name].words}." for name in names]
    lines += [WORDS, *(f"- Not measured: {words}" for words in dict.fromkeys(left_out))]
    return "\n".join(lines)


def machine() -> str:
    """Cores, processor, and the versions that clients of ours and the plain ones stand on."""
    found = [line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = found[0].split(":", 1)[1].strip() if found else platform.machine()
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package in ("locust", "boto3", "gevent")
    )
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    sys.exit(main())
