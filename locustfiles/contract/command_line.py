"""The command line that all commands share: one parser, one way to end.

What argparse finds wrong becomes one line, `error: place: what; remedy`, and exit code 1. Loads the standard library alone.
"""

import argparse
import collections.abc
import os
import re
import sys
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import BAD_INPUT, OK, complain
from locustfiles.contract.full_disk import FULL
from locustfiles.contract.nearest import nearest
from locustfiles.contract.version import build

#: what brings the load side and the analysis; the first alone comes with `.` in place of `.[analysis]`
INSTALL = "pip install -c constraints.txt -e '.[analysis]'"
#: argparse's words for a value that is no number
_KINDS = {"int": "not a whole number", "float": "not a number"}


class Parser(argparse.ArgumentParser):
    """Of one command, or of its sub-commands: layout and epilog as written, and one line for a mistake."""

    def __init__(self, *args: typing.Any, **options: typing.Any) -> None:
        super().__init__(*args, **{"formatter_class": argparse.RawDescriptionHelpFormatter} | options)

    def add_version(self) -> None:
        """`--version`: the product's version and revision."""
        self.add_argument("--version", action=_Version, nargs=0, help="print version and git revision, and end")

    def parse_known_args(  # type: ignore[override]  # argparse's own has an overload for each kind of namespace
        self, args: collections.abc.Sequence[str] | None = None, namespace: typing.Any = None
    ) -> tuple[typing.Any, list[str]]:
        """Nothing is left over: a sub-command tells of its own unknown options, and suggests one of its own."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest

    def error(self, message: str) -> typing.NoReturn:
        """Ends with exit code 1."""
        known = [option for action in self._actions for option in action.option_strings]
        complain(usage_error(message, self.prog, known, f"see {self.prog} --help"))
        raise SystemExit(BAD_INPUT)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(build())
        parser.exit(OK)


def usage_error(message: str, prog: str, options: collections.abc.Iterable[str], help_is: str) -> str:
    """What argparse says of a command line, as `place: what; remedy`. help_is: where all options are named."""
    if found := re.fullmatch(r"unrecognized arguments: (\S+).*", message, re.DOTALL):
        given = found[1].split("=")[0]
        if given.startswith("-"):
            return f"{given}: unknown option; {_nearest(given, options, help_is)}"
        return f"{given}: one argument too many; {help_is}"
    if found := re.fullmatch(r"argument (\S+): invalid choice: (.*) \(choose from (.*)\)", message, re.DOTALL):
        given, choices = found[2].strip("'\""), [choice.strip("'\"") for choice in found[3].split(", ")]
        if found[1].startswith("-"):
            return f"{found[1]} {given}: none of {', '.join(choices)}; {_nearest(given, choices, help_is)}"
        return f"{given}: no such {found[1].lower()}; {_nearest(given, choices, help_is)}"
    if found := re.fullmatch(r"argument (\S+): invalid (\w+) value: (.*)", message, re.DOTALL):
        return f"{found[1]} {found[3].strip(chr(39))}: {_KINDS.get(found[2], 'cannot be read')}; {help_is}"
    if found := re.fullmatch(r"argument (\S+): expected (.*) arguments?", message):
        count = found[2].replace("one", "a", 1)
        return f"{found[1]}: needs {count} value{'s' if count.isdigit() else ''}; {help_is}"
    if found := re.fullmatch(r"the following arguments are required: (.*)", message):
        return f"{prog}: {found[1].replace(', ', ' and ')} missing; {help_is}"
    if found := re.fullmatch(r"ambiguous option: (\S+) could match (.*)", message, re.DOTALL):
        return f"{found[1]}: may be {found[2].replace(', ', ' or ')}; write it in full"
    if found := re.fullmatch(r"argument (\S+): (.*)", message, re.DOTALL):
        return f"{found[1]}: {found[2]}" + ("" if ";" in found[2] else f"; {help_is}")
    return f"{prog}: {message}; {help_is}"


def _nearest(given: str, known: collections.abc.Iterable[str], help_is: str) -> str:
    close = nearest(given, known)
    return f"did you mean {close}? Else {help_is}" if close else help_is


def _say_no_more() -> None:
    """Python would try once more at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def ended(command: collections.abc.Callable[[], int]) -> int:
    """The command's exit code; for a user's mistake, a Python without our libraries among them, the line that tells of it."""
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who read it has what he wanted (`| head`)
        _say_no_more()
        return OK
    except OSError as e:
        if e.errno not in FULL or e.filename is not None:
            raise  # our own bug: of a file it is told where it is written
        _say_no_more()
        complain(f"standard output: {e.strerror}; make room where it goes, or send it elsewhere")
    except BadInput as e:
        complain(str(e))
    except ModuleNotFoundError as e:
        if (e.name or "").split(".")[0] in ("analysis", "locustfiles", "scripts", ""):
            raise  # our own bug
        complain(f"{sys.executable}: no package {e.name}; use .venv/bin/python, or {INSTALL} with this one")
    return BAD_INPUT
