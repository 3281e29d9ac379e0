"""`python -m scripts.make_payloads from FILE`: a data set as it is published becomes a payload file, with its lengths as a picture and a
manifest that says what was left out and why."""

import argparse
import hashlib
import json
import pathlib
import random
import typing

from locustfiles.common.prompts.payloads import Prompt, prompt_of
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser
from scripts.make_payloads.conversations import conversation_of
from scripts.make_payloads.forms import FORMS, Form, by_template, form_of
from scripts.make_payloads.lengths import Lengths
from scripts.make_payloads.rows import Bad, Row
from scripts.make_payloads.taken import Taken, columns_of
from scripts.make_payloads.whole_file import whole_file

EXAMPLE = """examples:
  python -m scripts.make_payloads from ShareGPT_V3_unfiltered_cleaned_split.json --out payloads/sharegpt.jsonl --sample 2000
  python -m scripts.make_payloads from test.parquet --template 'Question: {question}' --out payloads/questions.jsonl
  python -m scripts.make_payloads from own.csv --prompt text --tokenizer llama3 --max-tokens-of-prompt 4000 --out payloads/own.jsonl"""
MANIFEST, PICTURE = ".manifest.json", ".png"


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="python -m scripts.make_payloads from", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("file", type=pathlib.Path, help="JSON lines, a JSON list, CSV or Parquet")
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        required=True,
        help="the payload file; its manifest (.manifest.json) and picture (.png) stand beside it",
    )
    parser.add_argument("--form", choices=[form.name for form in FORMS], help="default: by the keys of the first rows")
    parser.add_argument("--prompt", metavar="COLUMN", help="the column that is the prompt")
    parser.add_argument("--template", help="a prompt of several columns: 'Question: {question}'")
    _add_turns(parser)
    parser.add_argument("--tokenizer", help="counts prompts: a family (llama3, qwen, …) or a tokenizer.json")
    parser.add_argument(
        "--max-tokens-of-prompt", type=int, metavar="N", help="leave out longer ones; needs --tokenizer"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="the first N prompts alone")
    parser.add_argument("--sample", type=int, metavar="N", help="N prompts, drawn from all")
    parser.add_argument("--seed", type=int, default=0, help="of --sample (default: 0)")
    found = parser.parse_args(argv)
    if sum(bool(given) for given in (found.form, found.prompt, found.template)) > 1:
        raise BadInput("--form, --prompt, --template: give one of them")
    if found.max_tokens_of_prompt and not found.tokenizer:
        raise BadInput("--max-tokens-of-prompt: needs --tokenizer, which counts")
    if found.file.resolve() in {found.out.with_suffix(end).resolve() for end in (found.out.suffix, MANIFEST, PICTURE)}:
        raise BadInput(f"--out {found.out}: would be written over {found.file}; choose another name")
    if found.conversations and found.all_turns:
        raise BadInput(
            "--conversations, --all-turns: give one of them; the one sends turn by turn, the other all at once"
        )
    if found.limit and found.sample:
        raise BadInput("--limit, --sample: give one of them")
    return found


def _add_turns(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all-turns", action="store_true", help="of conversations all up to the user's last turn, not the first alone"
    )
    parser.add_argument(
        "--conversations",
        action="store_true",
        help="lines with `turns`, which are held turn by turn: of sharegpt, mt-bench, and whatever has messages",
    )


class Conversion:
    """Of a file's rows into payload lines, whose id is the number of their row."""

    def __init__(self, given: argparse.Namespace, form: Form | None) -> None:
        self._given, self.form = given, form
        self._counter = Counter(given.tokenizer) if given.tokenizer else None
        self.taken = Taken(given.file)
        self.lengths = Lengths("tokens" if self._counter else "characters")

    def lines(self) -> typing.Iterator[str]:
        """Raises BadInput."""
        return self.taken.lines(self._line)

    def _line(self, row: Row) -> str:
        """Raises Bad, and BadInput for a first row of no known form."""
        if self.form is None:
            self.form = form_of(row)
        if self.form is None:
            see = f"name the column of the prompt by --prompt: {columns_of(row)}"
            raise BadInput(f"{self._given.file}: its rows are of no form that is known; {see}")
        if not self.form.keys <= row.keys():
            raise Bad(f"no row of {self.form.name}: a key is missing")
        if self._given.conversations:
            made = conversation_of(self.form.name, row, self.form.line)
        else:
            made = self.form.line(row, self._given.all_turns)
        line = {"id": str(self.taken.rows), **made}
        text = json.dumps(line, ensure_ascii=False)
        try:
            prompt = prompt_of(text, self.taken.rows)
        except ValueError as e:
            raise Bad(str(e).partition(";")[0]) from None
        return self._counted(line, prompt, text)

    def _counted(self, line: Row, prompt: Prompt, text: str) -> str:
        """With its tokens, where there is a tokenizer. Raises Bad where they are too many."""
        if self._counter is None:
            self.lengths.add(sum(map(len, prompt.texts)))
            return text
        tokens = sum(map(self._counter.text, prompt.texts))
        most = self._given.max_tokens_of_prompt
        if most and tokens > most:
            raise Bad(f"more than {most} tokens")
        self.lengths.add(tokens)
        return json.dumps(line | {"prompt_tokens": tokens}, ensure_ascii=False)


def convert(argv: list[str]) -> int:
    """The exit code. Raises BadInput."""
    given = arguments(argv)
    form = next((form for form in FORMS if form.name == given.form), None)
    if given.prompt or given.template:
        form = by_template(given.template or "{" + given.prompt + "}")
    conversion = Conversion(given, form)
    taken = conversion.taken
    with whole_file(given.out) as file:
        written = _write(file, conversion.lines(), given)
        if not written:
            why = "; ".join(f"{reason} ({n:,})" for reason, n in taken.bad.most_common(3)) or "it has no rows"
            see = "see --help for --form, --prompt and --template"
            raise BadInput(f"{given.file}: no prompt found in {taken.rows:,} rows: {why}; {see}")
    _tell(conversion, given, written)
    return taken.exit_code


def _write(file: typing.TextIO, lines: typing.Iterator[str], given: argparse.Namespace) -> int:
    """How many; --sample keeps as many in memory (Vitter's algorithm R)."""
    if not given.sample:
        written = 0
        for line in lines:
            file.write(f"{line}\n")
            written += 1
            if written == given.limit:
                break
        return written
    draw, kept = random.Random(given.seed), list[str]()
    for number, line in enumerate(lines):
        if len(kept) < given.sample:
            kept.append(line)
        elif (place := draw.randrange(number + 1)) < given.sample:
            kept[place] = line
    file.writelines(f"{line}\n" for line in kept)
    return len(kept)


def _tell(conversion: Conversion, given: argparse.Namespace, written: int) -> None:
    """The manifest, the picture, and what a person wants to know."""
    spread, unit = conversion.lengths.spread(), conversion.lengths.unit
    told = {
        "source": {"name": given.file.name, "sha256": _hash(given.file)},
        "form": conversion.form.name if conversion.form else None,
        "template": given.template or (given.prompt and "{" + given.prompt + "}"),
        "all_turns": given.all_turns,
        "conversations": given.conversations,
        "tokenizer": given.tokenizer,
        "sample": given.sample and {"of": conversion.lengths.n, "seed": given.seed},
        "rows": conversion.taken.rows,
        "prompts": written,
        "left_out": dict(conversion.taken.bad.most_common()),
        "lengths": {"unit": unit, **spread},
    }
    manifest, picture = given.out.with_suffix(MANIFEST), given.out.with_suffix(PICTURE)
    manifest.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    conversion.lengths.draw(picture, f"{given.out.stem}: {conversion.lengths.n:,} prompts of {given.file.name}")
    of = f", drawn from {conversion.lengths.n:,}" if given.sample else ""
    print(f"{given.out}: {written:,} prompts{of} of {conversion.taken.rows:,} rows ({told['form']})")
    print(f"  {unit}: {', '.join(f'{name} {value:,}' for name, value in spread.items())}")
    conversion.taken.tell_left_out()
    print(f"  {picture}, {manifest}")


def _hash(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
