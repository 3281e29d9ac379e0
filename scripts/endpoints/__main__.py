"""`python -m scripts.endpoints`: the command line."""

import argparse
import sys

from locustfiles.contract.command_line import Parser, ended

PROG = "python -m scripts.endpoints"
WITH = "--with"
_EXAMPLE = f"""examples:
  {PROG} run configs/endpoints/llama3-8b.yaml -- locust -f locustfiles/sweep.py --scenario my.yaml --run-dir runs/my --headless --yes
  {PROG} deploy configs/endpoints/llama3-8b.yaml
  {PROG} list
  {PROG} delete llama3-8b
  {PROG} sweep-orphans --yes

`run` deletes the endpoint whatever happens; `{WITH} SPEC -- COMMAND` is the same.
What `deploy` leaves has an owner and an expiry, which sweep-orphans heeds.
Credentials and region are boto3's usual ones; scripts/endpoints/README.md lists the actions that they need."""
_CODES = "\n\nexit code: 0 fine, 1 bad input"
_RUN = f"""example:
  {PROG} run configs/endpoints/llama3-8b.yaml -- locust -f locustfiles/sweep.py --scenario my.yaml --run-dir runs/my --headless --yes

exit code: the command's, and 2 in place of 0 where something could not be deleted; 1 where the endpoint could not be had, 4 stopped
by a signal before the command began."""
#: command -> (what it does, an example)
COMMANDS = {
    "deploy": (
        "create what a spec says, and wait until it is in service; on failure and Ctrl-C all of it is deleted",
        f"example:\n  {PROG} deploy configs/endpoints/llama3-8b.yaml --dry-run{_CODES}, 4 stopped by a signal.",
    ),
    "wait": (
        "wait until an endpoint and its components are in service",
        f"example:\n  {PROG} wait llama3-8b --timeout 1800{_CODES}, 4 stopped by a signal.",
    ),
    "list": (
        "endpoints with status, age, instances, cost by the hour and so far, owner and expiry",
        f"example:\n  {PROG} list --region us-west-2 --json{_CODES}.",
    ),
    "delete": (
        "delete an endpoint and all that was created with it; what is gone already is fine",
        f"example:\n  {PROG} delete llama3-8b{_CODES}.",
    ),
    "sweep-orphans": (
        "delete what has expired, and what killed processes of this machine left",
        f"example:\n  {PROG} sweep-orphans --dry-run{_CODES}.",
    ),
    "run": (
        "deploy, wait, run a command, and delete whatever happens",
        _RUN,
    ),
}


def _arguments(argv: list[str]) -> argparse.Namespace:
    own, command = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    if own[:1] == [WITH]:
        own = ["run", *own[1:]]
    parser = Parser(prog=PROG, description="SageMaker endpoints for the time of a test.", epilog=_EXAMPLE)
    parser.add_version()
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (words, example) in COMMANDS.items():
        _options(
            name, commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.", epilog=example)
        )
    args = parser.parse_args(own)
    if command and args.command != "run":
        parser.error(f"argument --: only `run` takes a command; leave it out of `{args.command}`")
    if args.command == "run" and args.run_command:
        parser.error("argument --: the command stands behind two dashes; write run SPEC -- COMMAND …")
    args.run_command = command
    return args


def _options(name: str, command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    if name in ("deploy", "run"):
        add("spec", metavar="SPEC", help="an endpoint's file (YAML)")
    if name == "wait":
        add("name", metavar="NAME", help="the endpoint's, or its spec's file")
        add(
            "--timeout",
            type=_seconds,
            default=3600.0,
            metavar="S",
            help="give up after so many seconds (default: 3600)",
        )
    if name == "delete":
        add("names", nargs="+", metavar="NAME", help="the endpoints', or their specs' files")
    if name == "run":
        add("run_command", nargs="*", metavar="-- COMMAND …", help="what is run while the endpoint is there")
    add("--region", metavar="REGION", help="default: that of the spec or the journal, else boto3's")
    if name == "deploy":
        add("--no-wait", action="store_true", help="do not wait until it is in service")
        add("--dry-run", action="store_true", help="check the spec, and print what would be sent; nothing is")
    if name == "list":
        add("--all", action="store_true", help="also endpoints that were not created here")
        add("--json", action="store_true", help="print JSON")
        add("--pricing", metavar="FILE", help="a price book that goes before those that came with this")
    if name == "sweep-orphans":
        add("--dry-run", action="store_true", help="say what would be deleted, and end")
        add("--yes", action="store_true", help="do not ask")
    if name != "list":
        add("--every", type=_seconds, default=10.0, metavar="S", help="seconds between questions to AWS (default: 10)")
    if name != "list":
        add("--journal", metavar="DIR", help="where it is noted what is created (default: below ~/.local/state)")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds; give one above 0")
    return value


def _run(argv: list[str]) -> int:
    args = _arguments(argv)
    from scripts.endpoints import commands

    done = {
        "deploy": commands.deploy,
        "wait": commands.wait,
        "list": commands.list_,
        "delete": commands.delete,
        "sweep-orphans": commands.sweep_orphans,
        "run": commands.run,
    }
    return commands.ended_by_signal(lambda: done[args.command](args))


def main(argv: list[str] | None = None) -> int:
    return ended(lambda: _run(sys.argv[1:] if argv is None else argv))


if __name__ == "__main__":
    sys.exit(main())
