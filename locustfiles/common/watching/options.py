"""What a run says outside the web UI, by option: all, or little, and in which form."""

import argparse
import logging
import os
import sys
import typing

from locustfiles.common.watching import metrics_out
from locustfiles.common.watching.child import require
from locustfiles.common.watching.screen import is_usable, speak_above
from locustfiles.contract.bad_input import BadInput

EVERY_S = 10.0
_JSON_TO: list[int] = []  # the descriptor that was standard output before anybody else could write there


class _Quiet(argparse.Action):
    """Locust says a word before anything of ours is asked, at the level that is known by then."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        namespace.quiet, namespace.loglevel = True, "WARNING"


def add(add_argument: typing.Callable) -> None:
    add_argument(
        "--live-every",
        type=float,
        default=EVERY_S,
        env_var="SWARMLEDGER_LIVE_EVERY",
        help="Seconds between two lines of figures where there is no terminal, and between two of --json-lines; 0: none",
    )
    add_argument(
        "--quiet",
        action=_Quiet,
        nargs=0,
        default=False,
        help="Say only what went wrong, what to mind, and how the run ended",
    )
    add_argument(
        "--json-lines",
        action="store_true",
        default=False,
        help="Write a JSON document a line on standard output: stages as they begin and end, figures, the end",
    )
    metrics_out.add(add_argument)


def prepare(options: argparse.Namespace) -> None:
    """Before anything is said, in a master as in a worker. Raises BadInput."""
    metrics_out.prepare(options)
    for option, asked in (
        ("--otlp", options.otlp),
        ("--metrics-port", options.metrics_port),
        ("--json-lines", options.json_lines),
    ):
        if asked and not options.worker:
            require(option)
    if not (options.live_every == 0 or 0.5 <= options.live_every <= 3600):
        raise BadInput(f"--live-every {options.live_every:g}: neither 0 nor between 0.5 and 3600 s; give seconds")
    if options.quiet and not options.logfile:
        for name in ("", "locust", "swarmledger"):
            logging.getLogger(name).setLevel(logging.WARNING)
    elif options.quiet:  # what is in the file disturbs nobody
        for name in ("", "locust"):
            logging.getLogger(name).setLevel(logging.INFO)
    if options.json_lines and not _JSON_TO:
        sys.stdout.flush()
        _JSON_TO.append(os.dup(1))
        os.dup2(2, 1)
    if options.worker:
        if options.processes:
            speak_above()
    elif options.headless:
        _no_mixtures(options)


def json_to() -> int | None:
    """Where the documents go; None: nobody wants them."""
    return _JSON_TO[0] if _JSON_TO else None


def _no_mixtures(options: argparse.Namespace) -> None:
    """Locust's tables add up all stages. Every two seconds they come with --print-stats alone; at the end not where there is the
    live view, unless --print-stats or --only-summary asks for them."""
    asked = options.print_stats or options.only_summary
    options.only_summary = not options.print_stats or options.quiet
    if options.quiet or (is_usable() and not asked):
        logging.getLogger("locust.stats_logger").addFilter(lambda record: False)
