"""`python -m analysis COMMAND`: everything that is done with a run after it."""

import argparse
import importlib
import sys
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import BAD_INPUT

EXAMPLE = """examples:
  python -m analysis report runs/study
  python -m analysis cost --locust-csv results/chat --instance ml.p4d.24xlarge
  python -m analysis check configs/demo.yaml
  python -m analysis calibrate runs/x --truth truth.jsonl
  python -m analysis merge runs/study swarmledger-spool-*.csv

exit code: 0 fine, 1 bad input, 2 the data cannot be trusted, 3 a limit was missed."""

#: command -> (module with add_arguments and run, what it does)
COMMANDS = {
    "report": ("analysis.commands.report", "report of one run or several: metrics, costs, recommendations"),
    "cost": ("analysis.commands.cost", "cost per transaction from any Locust run's CSV files"),
    "check": (
        "analysis.commands.check",
        "a scenario before its run: files, credentials, one call of each target, time and cost",
    ),
    "calibrate": ("analysis.commands.calibrate", "the instrument's own error, from the local endpoint's truth log"),
    "merge": ("analysis.commands.merge", "add the records that workers kept when they had lost their master"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> typing.NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run a command; its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = _Parser(
        prog="python -m analysis",
        description="Analyse load test runs.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((a for a in argv if a in COMMANDS), None)
    for name, (module, words) in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        if name == wanted:  # a command's libraries are loaded only for it
            command.set_defaults(run=importlib.import_module(module).run)
            importlib.import_module(module).add_arguments(command)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except BadInput as e:
        print(f"error: {e}", file=sys.stderr)
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
