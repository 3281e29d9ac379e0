"""Tries public clients against the local endpoint and prints a table: what each can do with it, in which version."""

import argparse
import pathlib
import sys
import tempfile

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.exit_codes import OK
from scripts.clients.catalog import CLIENTS, COLUMNS, Client
from scripts.clients.environments import Absent, endpoint, made, tried

_EXAMPLE = """example:
  python -m scripts.clients                          all of them: a quarter of an hour, three gigabytes, gone at the end
  python -m scripts.clients --only openai,curl
  python -m scripts.clients --keep /tmp/clients      environments and logs stay there

exit code: 0 fine, 1 bad input. A client that fails is a row of the table, not an error."""
_MOST_CHARACTERS = 80  # of an outcome, in the table


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(prog="python -m scripts.clients", description=__doc__, epilog=_EXAMPLE)
    parser.add_version()
    parser.add_argument("--only", metavar="NAMES", help="these clients, by comma (default: all)")
    parser.add_argument("--keep", metavar="DIR", help="a folder for environments and logs, which stay")
    return parser.parse_args(argv)


def _chosen(only: str | None) -> list[Client]:
    """Raises BadInput."""
    names = [client.name for client in CLIENTS]
    wanted = only.split(",") if only else names
    if unknown := [name for name in wanted if name not in names]:
        raise BadInput(f"--only {only}: {unknown[0]} is no client here; choose from {', '.join(names)}")
    return [client for client in CLIENTS if client.name in wanted]


def _cell(outcome: str | None) -> str:
    if outcome is None:
        return "–"
    text = outcome if len(outcome) <= _MOST_CHARACTERS else outcome[: _MOST_CHARACTERS - 1] + "…"
    return text.replace("|", "\\|").replace("<", "&lt;")


def row(client: Client, version: str, outcomes: dict[str, str]) -> str:
    cells = [client.shown or client.name, version, *(_cell(outcomes.get(column)) for column in COLUMNS)]
    return f"| {' | '.join(cells)} |"


def absent_row(client: Client, why: str) -> str:
    return f"| {client.shown or client.name} | not tried: {_cell(why)} |{' |' * len(COLUMNS)}"


def table(clients: list[Client], folder: pathlib.Path) -> list[str]:
    """One row a client, each said on stderr as it comes."""
    lines = [f"| client | version | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 2) + "|"]
    for client in clients:
        place = folder / client.name
        place.mkdir(parents=True, exist_ok=True)
        try:
            command, version = made(client, place)
            with endpoint(place) as url:
                lines.append(row(client, version, tried(command, url, place)))
        except Absent as e:
            lines.append(absent_row(client, str(e)))
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def _table(args: argparse.Namespace) -> int:
    """Raises BadInput."""
    clients = _chosen(args.only)
    if args.keep:
        print("\n".join(table(clients, pathlib.Path(args.keep).resolve())))
        return OK
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(clients, pathlib.Path(folder))))
    return OK


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    return ended(lambda: _table(args))


if __name__ == "__main__":
    sys.exit(main())
