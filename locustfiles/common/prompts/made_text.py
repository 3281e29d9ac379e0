"""English words in an order that nobody wrote, cut to an exact number of tokens by a tokenizer: counted again until it fits."""

import collections.abc
import random

TRIES = 40
MOST_CUT = 100  # characters
_WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem hand part place "
    "case week company system program question work government number night point home water room mother area money story fact "
    "month lot right study book eye job word business issue side kind head house service friend father power hour game line end "
    "member law car city community name president team minute idea kid body information back parent face others level office door "
    "health person art war history party result change morning reason research girl guy moment air teacher force education small "
    "large good new first last long great little own other old big high different next early young important few public bad same "
    "able say get make go know take see come think look want give use find tell ask work seem feel try leave call need become put "
    "mean keep let begin help talk turn start show hear play run move like live believe hold bring happen write provide sit stand "
    "lose pay meet include continue set learn lead understand watch follow stop create speak read allow add spend grow open walk "
    "win offer remember love consider appear buy wait serve die send expect build stay fall cut reach kill remain under over after "
    "before between through during without against among along across behind beyond near above below around within toward upon"
).split()


class TextMaker:
    """Of one tokenizer. count: the tokens of a text, without special ones."""

    def __init__(self, count: collections.abc.Callable[[str], int]) -> None:
        self._count = count
        one = count("the")
        words = list(dict.fromkeys(_WORDS))
        #: those that a further token is enough for, so that so many words more or less are so many tokens
        self._words = [word for word in words if count(f"the {word}") == one + 1] or words
        self._first = [word for word in words if count(word) == 1] or words

    def text(self, tokens: int, draw: random.Random) -> tuple[str, int]:
        """A text of so many tokens, and how many it has: others only where no text of this tokenizer was found to have them."""
        words = [draw.choice(self._first), *draw.choices(self._words, k=max(0, tokens - 1))]
        best, over = ("", 0), ""
        for _ in range(TRIES):
            text = " ".join(words)
            found = self._count(text)
            if found == tokens:
                return text, found
            if not best[0] or abs(found - tokens) < abs(best[1] - tokens):
                best = text, found
            apart = max(1, abs(found - tokens) // self._most(words, found))
            if found < tokens:
                words += draw.choices(self._words, k=apart)
            else:
                over = text
                if len(words) == 1:
                    break
                words = words[: max(1, len(words) - apart)]
        return self._cut(over, tokens) or best

    def _cut(self, text: str, tokens: int) -> tuple[str, int] | None:
        """Of a tokenizer whose tokens are parts of words: a text that is too long, without some of its last characters."""
        for end in range(len(text) - 1, max(0, len(text) - MOST_CUT), -1):
            if self._count(text[:end]) == tokens:
                return text[:end], tokens
        return None

    def _most(self, words: list[str], found: int) -> int:
        """Tokens of a word, rounded up: of a tokenizer of characters several, and whole steps would pass the length by."""
        return max(1, -(-found // len(words)))
