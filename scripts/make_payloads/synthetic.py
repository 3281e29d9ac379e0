"""`python -m scripts.make_payloads synthetic`: a payload file of prompts of exact lengths by a tokenizer, as a scenario's `synthetic:`
makes them."""

import argparse
import json
import pathlib
import typing

import pydantic
import yaml

from locustfiles.common.planning.arrivals import load_trace
from locustfiles.common.prompts.synthetic import inexact, lengths_of, made_lines
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.scenario.synthetic import Synthetic
from scripts.make_payloads.whole_file import whole_file

EXAMPLE = """examples:
  python -m scripts.make_payloads synthetic --tokenizer qwen --prompt-tokens 1000 --completion-tokens 100 --count 200 --out payloads/1k.jsonl
  python -m scripts.make_payloads synthetic --tokenizer llama3 --prompt-tokens '{distribution: normal, mean: 1000, deviation: 300}' --out payloads/n.jsonl
  python -m scripts.make_payloads synthetic --tokenizer qwen --trace traces/azure.csv --out payloads/azure.jsonl

A length is a number or {distribution: uniform | normal | lognormal, low, high, mean, deviation}."""  # noqa: E501


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="python -m scripts.make_payloads synthetic", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the payload file")
    parser.add_argument("--tokenizer", required=True, help="counts: a family (llama3, qwen, …) or a tokenizer.json")
    parser.add_argument("--prompt-tokens", metavar="LENGTHS", help="of a prompt")
    parser.add_argument("--completion-tokens", metavar="LENGTHS", help="of its answer: the line's `max_tokens`")
    parser.add_argument("--trace", metavar="CSV", help="in their place: the lengths of a trace's arrivals")
    parser.add_argument(
        "--count", type=int, metavar="N", help="prompts (default: 200, of a trace one for each arrival)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    return parser.parse_args(argv)


def _spec(given: argparse.Namespace) -> Synthetic:
    """Raises BadInput."""
    names = {"prompt_tokens": given.prompt_tokens, "completion_tokens": given.completion_tokens}
    wanted = {"trace": given.trace, "count": given.count}
    try:
        wanted |= {name: yaml.safe_load(text) for name, text in names.items() if text is not None}
        return Synthetic.model_validate({name: value for name, value in wanted.items() if value is not None})
    except yaml.YAMLError:
        raise BadInput("--prompt-tokens, --completion-tokens: no number and no {distribution: …}; see --help") from None
    except pydantic.ValidationError as e:
        first = e.errors()[0]
        option = f"--{str(first['loc'][0]).replace('_', '-')}" if first["loc"] else "--prompt-tokens, --trace"
        raise BadInput(f"{option}: {first['msg'].removeprefix('Value error, ')}; see --help") from None


def convert(argv: list[str]) -> int:
    """The exit code. Raises BadInput."""
    given = arguments(argv)
    spec, counter, seed_text = _spec(given), Counter(given.tokenizer), f"{given.seed}/synthetic/{given.out.stem}"
    trace = [(a.prompt_tokens, a.max_tokens) for a in load_trace(given.trace)] if given.trace else []
    lines = made_lines(given.out.stem, lengths_of(spec, trace, seed_text), counter.text, seed_text)
    with whole_file(given.out) as file:
        for line in lines:
            row: dict[str, typing.Any] = {"id": line.id, "prompt": line.text, "prompt_tokens": line.prompt_tokens}
            row |= {"parameters": line.parameters} if line.parameters else {}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    counts = [line.prompt_tokens or 0 for line in lines]
    spread = f"{min(counts):,} / {sum(counts) / len(counts):,.0f} / {max(counts):,} tokens (min / mean / max)"
    print(f"{given.out}: {len(lines):,} prompts, {spread}")
    if off := inexact(lines):
        print(
            f"{len(off):,} of them are not exactly as long as asked: {given.tokenizer} makes no text of such a length"
        )
    return OK
