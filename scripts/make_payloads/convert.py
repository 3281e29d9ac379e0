"""`python -m scripts.make_payloads from FILE`: a data set as it is published becomes a payload file, with its lengths as a picture and a
manifest that says what was left out and why."""

import argparse
import collections
import hashlib
import json
import pathlib
import random
import sys
import typing

from locustfiles.common.prompts.payloads import Prompt, prompt_of
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK
from scripts.make_payloads.forms import FORMS, Form, by_template, form_of
from scripts.make_payloads.lengths import Lengths
from scripts.make_payloads.rows import Bad, Row, rows_of
from scripts.make_payloads.whole_file import whole_file

EXAMPLE = """examples:
  python -m scripts.make_payloads from ShareGPT_V3_unfiltered_cleaned_split.json --out payloads/sharegpt.jsonl --sample 2000
  python -m scripts.make_payloads from test.parquet --template 'Question: {question}' --out payloads/questions.jsonl
  python -m scripts.make_payloads from own.csv --prompt text --tokenizer llama3 --max-tokens-of-prompt 4000 --out payloads/own.jsonl"""
SAID_EVERY = 100_000  # rows
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
    parser.add_argument(
        "--all-turns", action="store_true", help="of conversations all up to the user's last turn, not the first alone"
    )
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
    if found.limit and found.sample:
        raise BadInput("--limit, --sample: give one of them")
    return found


class Conversion:
    """What became of a file's rows."""

    def __init__(self, given: argparse.Namespace, form: Form | None) -> None:
        self._given, self.form = given, form
        self._counter = Counter(given.tokenizer) if given.tokenizer else None
        self.rows = 0
        self.bad: collections.Counter[str] = collections.Counter()
        self.lengths = Lengths("tokens" if self._counter else "characters")

    def lines(self) -> typing.Iterator[str]:
        """Payload lines; their id is the number of their row. Raises BadInput."""
        for row in rows_of(self._given.file):
            self.rows += 1
            if self.rows % SAID_EVERY == 0:
                print(f"  {self.rows:,} rows", file=sys.stderr, flush=True)
            try:
                yield self._line(row)
            except Bad as e:
                self.bad[str(e)] += 1

    def _line(self, row: Row | Bad) -> str:
        """Raises Bad, and BadInput for a first row of no known form."""
        if isinstance(row, Bad):
            raise row
        if self.form is None:
            self.form = form_of(row)
        if self.form is None:
            columns = ", ".join(f"`{key}`" for key in list(row)[:12])
            raise BadInput(
                f"{self._given.file}: its rows are of no form that is known; name the column of the prompt by --prompt: {columns}"
            )
        if not self.form.keys <= row.keys():
            raise Bad(f"no row of {self.form.name}: a key is missing")
        line = {"id": str(self.rows), **self.form.line(row, self._given.all_turns)}
        text = json.dumps(line, ensure_ascii=False)
        try:
            prompt = prompt_of(text, self.rows)
        except ValueError as e:
            raise Bad(str(e).partition(";")[0]) from None
        return self._counted(line, prompt, text)

    def _counted(self, line: Row, prompt: Prompt, text: str) -> str:
        """With its tokens, where there is a tokenizer. Raises Bad where they are too many."""
        if self._counter is None:
            self.lengths.add(prompt.prompt_tokens or sum(map(len, prompt.texts)))
            return text
        tokens = sum(map(self._counter.text, prompt.texts))
        most = self._given.max_tokens_of_prompt
        if most and tokens > most:
            raise Bad(f"more than {most} tokens")
        self.lengths.add(tokens)
        return json.dumps(line | {"prompt_tokens": tokens}, ensure_ascii=False)


def convert(argv: list[str]) -> int:
    """Raises BadInput. Exit code NOT_TRUSTED where more than a tenth of the rows had to be left out."""
    given = arguments(argv)
    form = next((form for form in FORMS if form.name == given.form), None)
    if given.prompt or given.template:
        form = by_template(given.template or "{" + given.prompt + "}")
    conversion = Conversion(given, form)
    with whole_file(given.out) as file:
        written = _write(file, conversion.lines(), given)
        if not written:
            why = "; ".join(f"{reason} ({n:,})" for reason, n in conversion.bad.most_common(3)) or "it has no rows"
            see = "see --help for --form, --prompt and --template"
            raise BadInput(f"{given.file}: no prompt found in {conversion.rows:,} rows: {why}; {see}")
    _tell(conversion, given, written)
    return NOT_TRUSTED if conversion.bad.total() * 10 > conversion.rows else OK


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
        "tokenizer": given.tokenizer,
        "sample": given.sample and {"of": conversion.lengths.n, "seed": given.seed},
        "rows": conversion.rows,
        "prompts": written,
        "left_out": dict(conversion.bad.most_common()),
        "lengths": {"unit": unit, **spread},
    }
    manifest, picture = given.out.with_suffix(MANIFEST), given.out.with_suffix(PICTURE)
    manifest.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    conversion.lengths.draw(picture, f"{given.out.stem}: {conversion.lengths.n:,} prompts of {given.file.name}")
    of = f", drawn from {conversion.lengths.n:,}" if given.sample else ""
    print(f"{given.out}: {written:,} prompts{of} of {conversion.rows:,} rows ({told['form']})")
    print(f"  {unit}: {', '.join(f'{name} {value:,}' for name, value in spread.items())}")
    for reason, n in conversion.bad.most_common():
        print(f"  left out: {n:,} rows, {reason}")
    print(f"  {picture}, {manifest}")


def _hash(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
