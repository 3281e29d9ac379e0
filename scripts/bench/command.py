"""What the benches' command lines share."""

import argparse

from locustfiles.contract.exit_codes import BAD_INPUT


class Parser(argparse.ArgumentParser):
    """Of `python -m scripts.bench.<name>`: its module's words and example, and one line for a mistake."""

    def __init__(self, name: str, words: str | None, example: str) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(
            prog=f"python -m scripts.bench.{name}", description=words, epilog=example, formatter_class=layout
        )

    def error(self, message):
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see --help\n")


def seconds(text: str) -> float:
    """A measured window's. Raises ArgumentTypeError."""
    if not 1 <= float(text) <= 600:
        raise argparse.ArgumentTypeError("give 1 to 600 seconds")
    return float(text)
