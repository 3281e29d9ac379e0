"""What the measured programs share: their arguments, and the file that they note each answer in.

The standard library alone: peers run in environments of their own.
"""

import argparse
import json
import pathlib
import sys
import typing

from locustfiles.contract.command_line import Parser

PROMPT = (
    "Tell me about rivers that flow into the northern seas, one after the other, and how long each of them is. " * 3
)
EXAMPLE = """example:
  {prog} --url http://127.0.0.1:8800 --model bench --users 20 --tokens 50 --stream 1 --seconds 10 --out answers.jsonl"""
JITTER_S = 0.6  # users that start in one instant stay in lockstep
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # AWS's own documentation's


def arguments(description: str | None) -> argparse.Namespace:
    prog = f"python -m scripts.bench.{pathlib.Path(sys.argv[0]).stem}"
    parser = Parser(prog=prog, description=description, epilog=EXAMPLE.format(prog=prog))
    parser.add_argument("--url", required=True, help="the local endpoint")
    parser.add_argument("--model", required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True, help="tokens of an answer")
    parser.add_argument("--stream", type=int, choices=(0, 1), required=True)
    parser.add_argument("--seconds", type=float, required=True, help="end by yourself after so long")
    parser.add_argument("--out", required=True, help="file for the records, a JSON line each")
    parser.add_argument("--tokenizer", help="folder of a tokenizer, for those that need one")
    return parser.parse_args()


class Records:
    """A line an answer, written at once: the program is ended by a signal."""

    def __init__(self, path: str) -> None:
        self._file: typing.TextIO = open(path, "a", encoding="utf-8")

    def add(
        self, request_id: str | None, start: float, first: float | None, end: float, error: str | None = None
    ) -> None:
        """Times in seconds of one clock."""
        row = {
            "request_id": request_id,
            "ttft_ms": None if first is None else (first - start) * 1000,
            "latency_ms": (end - start) * 1000,
            "error": error,
        }
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
