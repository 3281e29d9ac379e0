"""tokenizer.json files whose tokens anybody can count."""

import pathlib

import tokenizers
from tokenizers import models, pre_tokenizers


def words(path: pathlib.Path) -> str:
    """Its tokens are the words between blanks; the path."""
    return _saved(path, pre_tokenizers.WhitespaceSplit())


def characters(path: pathlib.Path) -> str:
    """Its tokens are the characters, so that a count is a text's length; the path."""
    return _saved(path, pre_tokenizers.Split(tokenizers.Regex("."), "isolated"))


def _saved(path: pathlib.Path, pieces) -> str:
    tokenizer = tokenizers.Tokenizer(models.WordLevel({"[UNK]": 0}, "[UNK]"))
    tokenizer.pre_tokenizer = pieces
    tokenizer.save(str(path))
    return str(path)
