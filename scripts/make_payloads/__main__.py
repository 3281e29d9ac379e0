"""Writes the payload files in payloads/: prompts made of passages and a question, sized by SmolLM2's tokenizer; and makes payload
and arrival files of published data sets and traces (`from`, `trace`), and prompts of exact lengths (`synthetic`).

    python -m scripts.make_payloads                        # the same seed gives the same bytes
    python -m scripts.make_payloads --seed 11 --out /tmp/other --only payload_en_1-500

A line is {"id", "prompt", "prompt_tokens"}. prompt_tokens counts the prompt alone, without a chat template.
"""

import importlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tokenizers import Tokenizer

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.exit_codes import OK
from scripts.make_payloads.passages import Passage, grammar, write_passage
from scripts.make_payloads.tokenizer import load_tokenizer

DISTINCT_TOKENS = 16  # one block of common prefix caches; no two prompts of a file agree in their first 16 tokens
QUESTION_RESERVE = 60  # tokens kept free for the question with its instruction
SEED = 7
COMMANDS = {
    "from": "scripts.make_payloads.convert",
    "synthetic": "scripts.make_payloads.synthetic",
    "trace": "scripts.make_payloads.traces",
}
EXAMPLE = """examples:
  python -m scripts.make_payloads --seed 7 --out payloads
  python -m scripts.make_payloads from ShareGPT_V3.json --out payloads/sharegpt.jsonl --sample 2000
  python -m scripts.make_payloads synthetic --tokenizer qwen --prompt-tokens 1000 --out payloads/1k.jsonl
  python -m scripts.make_payloads trace AzureLLMInferenceTrace_conv.csv --out traces/azure.csv"""


@dataclass(frozen=True)
class PayloadFile:
    """One file: prompts with minimum <= tokens < maximum."""

    stem: str
    minimum: int
    maximum: int
    prompts: int


FILES = [
    PayloadFile("payload_en_demo", 20, 60, 200),
    PayloadFile("payload_en_1-500", 1, 500, 120),
    PayloadFile("payload_en_500-1000", 500, 1000, 100),
    PayloadFile("payload_en_1000-2000", 1000, 2000, 100),
    PayloadFile("payload_en_2000-3000", 2000, 3000, 100),
    PayloadFile("payload_en_3000-3840", 3000, 3840, 100),
]


def make_lines(file: PayloadFile, seed: int, tokenizer: Tokenizer) -> list[dict]:
    """The file's lines, lengths spread evenly over the bucket and shuffled."""
    random = Random(f"{seed} {file.stem}")  # a string seeds by SHA-512: files do not depend on each other
    targets = _spread_targets(random, file)
    lines: list[dict] = []
    heads: set[tuple[int, ...]] = set()
    while len(lines) < file.prompts:
        target = targets[len(lines)]
        prompt = short_prompt(random) if file.stem.endswith("demo") else long_prompt(random, target, tokenizer)
        tokens = tokenizer.encode(prompt).ids
        head = tuple(tokens[:DISTINCT_TOKENS])
        if head in heads or not file.minimum <= len(tokens) < file.maximum:
            continue
        heads.add(head)
        name = f"{file.stem.removeprefix('payload_')}-{len(lines) + 1:03d}"
        lines.append({"id": name, "prompt": prompt, "prompt_tokens": len(tokens)})
    return lines


def _spread_targets(random: Random, file: PayloadFile) -> list[int]:
    # A prompt ends up about 30 tokens short of its target (the reserve, a sentence that did not fit); one that falls
    # out of the bucket is written again for the same target.
    lowest = file.minimum + 40
    step = max(file.maximum - lowest, 0) / file.prompts
    targets = [int(lowest + step * (number + random.random())) for number in range(file.prompts)]
    random.shuffle(targets)
    return targets


def short_prompt(random: Random) -> str:
    """One sentence with facts and a question about it, about 20 to 60 tokens."""
    passage = write_passage(random, random.choice(sorted(grammar()["kinds"])))
    wish = random.choice(["", "\nAnswer in one sentence.", "\nReply briefly."])
    return f"{passage.points[0]}\nQuestion: {passage.questions[0]}{wish}"


def long_prompt(random: Random, target: int, tokenizer: Tokenizer) -> str:
    """Titled passages of changing kinds that fill about `target` tokens, then a question about one of them."""
    room = target - QUESTION_RESERVE
    kinds = sorted(grammar()["kinds"])
    blocks: list[str] = []
    questions: list[str] = []
    number = 0
    while True:
        if number % len(kinds) == 0:
            random.shuffle(kinds)
        passage = write_passage(random, kinds[number % len(kinds)])
        number += 1
        room -= _count(tokenizer, passage.title + "\n") + _count(tokenizer, passage.points[0])
        if blocks and room < 0:
            break
        sentences, room = _fill_passage(random, passage, room, tokenizer)
        blocks.append(passage.title + "\n" + _paragraphs(random, sentences))
        questions += [ask for say, ask in zip(passage.points, passage.questions, strict=True) if say in sentences]
        if room < 0:
            break
    instruction = random.choice(grammar()["instructions"])
    return "\n\n".join(blocks) + f"\n\nQuestion: {random.choice(questions)}\n{instruction}\nAnswer:"


def _fill_passage(random: Random, passage: Passage, room: int, tokenizer: Tokenizer) -> tuple[list[str], int]:
    # The other facts are scattered among the filler, so that the answer is not always in the same place.
    rest = passage.points[1:] + passage.body
    random.shuffle(rest)
    sentences = [passage.points[0]]
    for sentence in rest:
        room -= _count(tokenizer, " " + sentence)
        if room < 0:
            break
        sentences.append(sentence)
    return sentences, room


def _paragraphs(random: Random, sentences: list[str]) -> str:
    paragraphs, start = [], 0
    while start < len(sentences):
        size = random.randint(4, 7)
        paragraphs.append(" ".join(sentences[start : start + size]))
        start += size
    return "\n".join(paragraphs)


def _count(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text).ids)


def main(argv: list[str] | None = None) -> int:
    typed = sys.argv[1:] if argv is None else argv
    for name, module in COMMANDS.items():
        if typed[:1] == [name]:
            return ended(lambda module=module: importlib.import_module(module).convert(typed[1:]))  # type: ignore[misc]
    parser = Parser(
        prog="python -m scripts.make_payloads",
        description="Write the payload files; the same seed gives the same bytes. `from FILE` makes one of a data set, `trace FILE` "
        "an arrival file of a recorded trace, `synthetic` prompts of exact lengths: see `from --help` and the others'.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("payloads"), help="folder, made if absent; default: %(default)s"
    )
    parser.add_argument("--only", action="append", choices=[file.stem for file in FILES], help="may be repeated")
    arguments = parser.parse_args(argv)
    return ended(lambda: _make(arguments.out, arguments.only, arguments.seed))


def _make(folder: Path, only: list[str] | None, seed: int) -> int:
    """Raises BadInput."""
    tokenizer = load_tokenizer()
    for file in FILES:
        if only and file.stem not in only:
            continue
        lines = make_lines(file, seed, tokenizer)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{file.stem}.jsonl").write_text(text, encoding="utf-8", newline="\n")
        except OSError as e:
            raise BadInput(f"--out {folder}: cannot be written ({e.strerror}); choose another folder") from None
        counts = [line["prompt_tokens"] for line in lines]
        mean = sum(counts) / len(counts)
        spread = f"{min(counts)} / {mean:.0f} / {max(counts)} tokens (min / mean / max)"
        print(f"{file.stem}.jsonl: {len(lines)} prompts, {spread}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
