"""`swarmledger COMMAND`, or `python -m analysis COMMAND`: everything that is done with a run after it."""

import atexit
import gc
import importlib
import os
import pathlib
import sys
import threading
import typing

from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.s3.address import is_address

SELDOM = (50_000, 20, 50)  # containers, and rounds, between two looks for garbage
MODULE, INSTALLED = "python -m analysis", "swarmledger"
EXAMPLE = """examples:
  python -m analysis report runs/study
  python -m analysis compare runs/monday runs/tuesday
  python -m analysis gate runs/study --slo configs/slo/chat.yaml
  python -m analysis cost --locust-csv results/chat --instance ml.p4d.24xlarge
  python -m analysis check configs/demo.yaml
  python -m analysis prices us.amazon.nova-lite-v1:0
  python -m analysis plan runs/study --transactions-per-minute 600
  python -m analysis watch runs/study
  python -m analysis calibrate runs/x --truth truth.jsonl
  python -m analysis merge runs/study swarmledger-spool-*.csv
  python -m analysis upload runs/study s3://load-tests/runs/study

exit code: 0 fine, 1 bad input, 2 the data cannot be trusted, 3 a limit of `gate` was missed."""
SAME = f"""

`{INSTALLED}` (after pip install -e '.[analysis]') and `{MODULE}` (in the repository) are the same command."""

#: command -> (module with add_arguments and run, what it does)
COMMANDS = {
    "report": ("analysis.commands.report", "report of one run or several: metrics, costs, recommendations"),
    "gate": ("analysis.commands.gate", "a run judged by its limits and against a baseline: for CI, by exit code"),
    "cost": ("analysis.commands.cost", "cost per transaction from any Locust run's CSV files"),
    "compare": (
        "analysis.commands.compare",
        "runs side by side: what differs, by how much, and what could have stayed unseen",
    ),
    "check": (
        "analysis.commands.check",
        "a scenario before its run: files, credentials, one call of each target, time and cost",
    ),
    "prices": ("analysis.commands.prices", "what a transaction costs and why; a region's price book kept up to date"),
    "plan": ("analysis.commands.plan", "what a wanted load will cost in a month, by every option that was measured"),
    "enrich": (
        "analysis.commands.enrich",
        "what the service tells of a run: CloudWatch, quotas, a container's metrics, beside the client's figures",
    ),
    "watch": ("analysis.commands.watch", "a run while it is under way: its stage, figures, verdict and cost so far"),
    "calibrate": ("analysis.commands.calibrate", "the instrument's own error, from the local endpoint's truth log"),
    "import": ("analysis.commands.import_", "result files of another load tester become a run folder"),
    "upload": ("analysis.commands.upload", "a run folder into S3, or what an upload that did not end has left"),
    "merge": ("analysis.commands.merge", "add the records that workers kept when they had lost their master"),
}


def main(argv: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    if argv is not None:
        return ended(lambda: _run(argv))
    # a process of its own: what libraries make while they load is no garbage, and looking for it takes a twentieth
    gc.set_threshold(*SELDOM)
    code = ended(lambda: _run(sys.argv[1:]))
    if threading.active_count() == 1:  # nobody is waited for
        _leave(code)
    return code


def _leave(code: int) -> typing.NoReturn:
    """The end, without taking apart all that libraries have made: for that a small report takes a twentieth of its time."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed before we began
            stream.flush()
    os._exit(code)


def _run(argv: list[str]) -> int:
    typed = INSTALLED if pathlib.Path(sys.argv[0]).stem == INSTALLED else MODULE
    parser = Parser(prog=typed, description="Analyse load test runs.", epilog=EXAMPLE.replace(MODULE, typed) + SAME)
    parser.add_version()
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((a for a in argv if a in COMMANDS), None)
    for name, (module, words) in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        if name == wanted:  # a command's libraries are loaded only for it
            loaded = importlib.import_module(module)
            command.set_defaults(run=loaded.run)
            command.epilog = loaded.EXAMPLE.replace(MODULE, typed)
            loaded.add_arguments(command)
    args = parser.parse_args(argv)
    if any(is_address(text.rpartition("=")[2]) for text in argv) and wanted != "upload":
        from analysis.runs.from_s3 import run_with_copies

        return run_with_copies(args)
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
