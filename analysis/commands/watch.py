"""`python -m analysis watch`: a run while it is under way."""

import argparse
import contextlib
import json
import os
import sys
import time
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK

if typing.TYPE_CHECKING:
    import rich.console

    from analysis.live.observer import Observer

EXAMPLE = """examples:
  python -m analysis watch runs/study
  python -m analysis watch runs/study --once
  python -m analysis watch runs/study --every 5 --json-lines

exit code: 0 fine, 1 bad input."""
BUSY_S = 0.05  # between two looks while there is more to read
#: whoever measures goes first; at 19 a machine whose cores are all busy would leave it next to nothing, and figures would be old
NICENESS, VARIABLE = 10, "SWARMLEDGER_WATCH_NICE"
PIPE = "-"  # the load test asks, by its standard output, and reads the answers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `watch`."""
    parser.add_argument(
        "folder",
        metavar="RUN",
        help="a run's folder (--run-dir of the load test), also one that is not there yet; - is how a load test asks",
    )
    parser.add_argument("--once", action="store_true", help="print how it stands now, and end")
    parser.add_argument("--every", type=float, default=2.0, metavar="S", help="seconds between two looks; default: 2")
    parser.add_argument("--json-lines", action="store_true", help="a JSON document a look, for machines")


def run(args: argparse.Namespace) -> int:
    """Follow it. Raises BadInput."""
    if not 0.1 <= args.every <= 3600:
        raise BadInput(f"--every {args.every:g}: not between 0.1 and 3600 s; give the seconds between two looks")
    os.nice(_niceness())
    with contextlib.suppress(KeyboardInterrupt):
        return _watch(args)
    return OK


def _niceness() -> int:
    """Raises BadInput."""
    said = os.environ.get(VARIABLE, str(NICENESS))
    if not (said.isdecimal() and int(said) <= 19):
        raise BadInput(
            f"{VARIABLE}={said[:20]}: no number from 0 to 19; unset it, or give one: the higher, the more it gives way"
        )
    return int(said)


def _watch(args: argparse.Namespace) -> int:
    from analysis.live.observer import Observer

    with contextlib.closing(Observer(None if args.folder == PIPE else args.folder)) as observer:
        if args.folder == PIPE:
            return _serve(observer)
        return _once(observer, args) if args.once else _follow(observer, args)


def _serve(observer: "Observer") -> int:
    """Answer each line until there are no more."""
    for line in sys.stdin:
        try:
            told = json.loads(line)
        except ValueError:
            raise BadInput("-: a line is no JSON; give the folder of a run, - is how a load test asks") from None
        for answer in observer.round(told):
            print(answer)
        sys.stdout.flush()
    return OK


def _settled(observer: "Observer") -> dict[str, typing.Any]:
    """The figures when all that is written has been read."""
    while True:
        figures = observer.figures({})
        if not observer.busy:
            return figures
        time.sleep(BUSY_S)


def _once(observer: "Observer", args: argparse.Namespace) -> int:
    """Raises NotARun where there is none."""
    from analysis.live.text import state
    from locustfiles.contract.run_folder import RunFolder

    RunFolder(args.folder).read_manifest()
    figures = _settled(observer)
    print(_document(figures) if args.json_lines else "\n".join(state(figures)))
    return OK


def _follow(observer: "Observer", args: argparse.Namespace) -> int:
    """Until the run has ended."""
    with _teller(observer, args) as tell:
        while True:
            for fetch in getattr(args, "again", ()):  # of a run in S3
                fetch()
            figures = _settled(observer)
            tell(figures)
            sys.stdout.flush()
            if figures["ended"]:
                return OK
            time.sleep(args.every)


@contextlib.contextmanager
def _teller(
    observer: "Observer", args: argparse.Namespace
) -> typing.Iterator[typing.Callable[[dict[str, typing.Any]], object]]:
    """What tells of each look: documents; on a terminal the live view; elsewhere lines."""
    import rich.console

    from analysis.live.text import Lines

    console, lines = rich.console.Console(), Lines()
    if args.json_lines:
        yield lambda figures: print(_document(figures))
    elif not console.is_terminal:
        yield lambda figures: sys.stdout.writelines(f"{line}\n" for line in lines.new(figures))
    else:
        with _view(observer, console) as tell:
            yield tell


@contextlib.contextmanager
def _view(
    observer: "Observer", console: "rich.console.Console"
) -> typing.Iterator[typing.Callable[[dict[str, typing.Any]], object]]:
    """The load test's own live view, in its place; what stays at last is the run in lines."""
    import rich.live
    from rich.text import Text

    from analysis.live.figures import NO_RECORDS
    from analysis.live.round import Round
    from analysis.live.screen import Screen
    from analysis.live.text import state

    screen = Screen()
    with rich.live.Live(console=console, auto_refresh=False, vertical_overflow="crop", transient=True) as live:

        def tell(figures: dict[str, typing.Any]) -> None:
            kept[:] = [figures]
            if figures["ended"] or figures["run"] is None:
                live.update(Text("\n".join(state(figures))), refresh=True)
                return
            room = [console.width, console.height]
            drawn = screen(Round(observer.load(figures), figures, NO_RECORDS, room))
            live.update(Text.from_ansi(drawn), refresh=True)

        kept: list[dict[str, typing.Any]] = []
        yield tell
    for line in [line for figures in kept for line in state(figures)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _document(figures: dict[str, typing.Any]) -> str:
    return json.dumps({"version": 1, "load": None, "figures": figures}, allow_nan=False)
