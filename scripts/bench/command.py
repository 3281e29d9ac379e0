"""What the benches' command lines share."""

import argparse
import pathlib

from locustfiles.contract.command_line import Parser


def parser_of(name: str, words: str | None, example: str) -> Parser:
    """Of `python -m scripts.bench.<name>`: its module's words and example."""
    return Parser(prog=f"python -m scripts.bench.{name}", description=words, epilog=example)


def seconds(text: str) -> float:
    """A measured window's. Raises ArgumentTypeError."""
    if not 1 <= float(text) <= 600:
        raise argparse.ArgumentTypeError(f"{text} seconds is too short or too long; give 1 to 600")
    return float(text)


def checkout(text: str) -> pathlib.Path:
    """The folder of one. Raises ArgumentTypeError."""
    path = pathlib.Path(text).resolve()
    if not (path / "locustfiles/sweep.py").is_file():
        raise argparse.ArgumentTypeError(f"{text} has no locustfiles/sweep.py; give the folder of a checkout")
    return path
