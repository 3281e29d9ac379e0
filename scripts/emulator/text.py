"""The simulated model's language: how it counts a prompt and which words it answers with.

Without a tokenizer, one token is four characters of the prompt, the last one rounded up. With `tokenizer:
path/to/tokenizer.json` the prompt is counted by that tokenizer. An answer's tokens are words of a fixed list;
some have characters of two to four bytes, so that a cut inside a character can happen."""

import functools
import hashlib
import math

CHARACTERS_PER_TOKEN = 4

WORDS = tuple(
    " " + w
    for w in (
        "the of and to in is that for it as with on be at by this from or are an was which but not have one "
        "all we can more when will their there been if out so said what up its about into than them only "
        "other new some could time these two may then do first any my now such like our over man me even most "
        "made after also did many before must through back years where much your way well down should because "
        "each just those people how too little state good very make world still own see men work long get "
        "here between both life being under never day same another know while last might us great old year "
        "off come since against go came right used take three river stone window garden morning paper copper "
        "signal number model answer question market letter winter harbour café naïve façade über Straße "
        "Ångström łąka żółw señor año 東京 漢字 日本 한국 Ελλάδα Москва €100 ½ → ≈ 🙂 🚲 measure latency token stream "
        "batch price cost server client request second minute "
    ).split()
)


@functools.lru_cache(maxsize=8)
def _tokenizer(path: str):
    from tokenizers import Tokenizer  # only where a configuration names one

    return Tokenizer.from_file(path)


def count_tokens(prompt: str, tokenizer: str | None = None) -> int:
    """Prompt tokens, at least 1."""
    if tokenizer:
        return max(1, len(_tokenizer(tokenizer).encode(prompt).ids))
    return max(1, math.ceil(len(prompt) / CHARACTERS_PER_TOKEN))


def token_ends(prompt: str, tokenizer: str | None = None) -> list[int]:
    """Where each whole token ends in the text."""
    if tokenizer:
        return [end for _, end in _tokenizer(tokenizer).encode(prompt).offsets]
    return list(range(CHARACTERS_PER_TOKEN, len(prompt) + 1, CHARACTERS_PER_TOKEN))


def digest(seed: int, prompt: str) -> int:
    """A stable 64-bit number of a seed and a prompt: the same request always gets the same answer."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{prompt}".encode(), digest_size=8).digest())


@functools.lru_cache(maxsize=1024)
def words(start: int, count: int) -> tuple[tuple[str, int], ...]:
    """`count` tokens as (text, id), walking the list from a place and with a stride that `start` picks."""
    n = len(WORDS)
    stride = next(s for s in range(1 + start // n % (n - 1), 2 * n) if math.gcd(s, n) == 1)
    return tuple((WORDS[i], i) for i in ((start + k * stride) % n for k in range(count)))
