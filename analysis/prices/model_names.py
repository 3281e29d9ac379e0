"""Model ids by the names that AWS bills them under: `Claude Sonnet 4.5` is anthropic.claude-sonnet-4-5-20250929-v1:0.

A name is an id's where both have the same words and the same numbers in the same order. Nothing is taken for its like: another
size or version of a model costs something else.
"""

import re
import typing

_PARTS = re.compile(r"v?\d+[a-z]*|[a-z]+")
#: ids end in them, and names have them not: what a model is trained for, the first version, a release's date
_SILENT = {"instruct", "it", "v1"}
_DATE = re.compile(r"[-@]20\d{6}")
#: names of which no rule makes the id
_ALIASES = {
    "TitanEmbeddingsV2-Text-input": "amazon.titan-embed-text-v2:0",
    "TitanEmbeddingV2-Text": "amazon.titan-embed-text-v2:0",
    "TitanEmbeddingsG1-Text-input": "amazon.titan-embed-text-v1",
    "TitanEmbeddingsG1-Text": "amazon.titan-embed-text-v1",
    "AmazonRerank-v1": "amazon.rerank-v1:0",
    "Cohere Rerank v3.5": "cohere.rerank-v3-5:0",
    "Nova 2.0 Sonic": "amazon.nova-2-sonic-v1:0",
}
Key = tuple[tuple[str, ...], tuple[str, ...]]


def key_of(name: str) -> Key:
    """What two names of one model share: their words in any order, their numbers in theirs."""
    text = re.sub(r"(\d)\.0\b", r"\1", name.lower().replace("+", " plus "))
    text = re.sub(r"([a-z])(\d)", lambda m: m[0] if m[1] == "v" else f"{m[1]} {m[2]}", text)
    parts = [part for part in _PARTS.findall(text) if part not in _SILENT]
    numbers = tuple(part for part in parts if part.isdigit())
    return tuple(sorted(part for part in parts if not part.isdigit())), numbers


def _keys_of_id(bare: str) -> set[Key]:
    """With its maker and without: the names do as they like."""
    whole = _DATE.sub("", re.sub(r"(-\d)?:\d+(k|:\w+)?$", "", bare))
    maker, _, model = whole.partition(".")
    return {key_of(model), key_of(f"{maker} {model}")}


class Names:
    """Finds the ids of a name. ids: all that are known, without a geography."""

    def __init__(self, ids: typing.Iterable[str]) -> None:
        self._ids: dict[Key, set[str]] = {}
        self._known = set(ids)
        for bare in self._known:
            for key in _keys_of_id(bare):
                self._ids.setdefault(key, set()).add(bare)

    def ids(self, name: str, also: typing.Iterable[str] = ()) -> list[str]:
        """Every id of the model of this name, and `also` those that the offer itself gives it; none is guessed."""
        alias = {_ALIASES[name]} if name in _ALIASES else set()
        return sorted(alias | self._ids.get(key_of(name), set()) | set(also))
