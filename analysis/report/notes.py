"""Notes on data and assumptions as a reader meets them: what is said of many targets is said once."""

import re
import typing

#: `Run monday, `p4d`: it answers in one piece …`, with or without the run
OF_TARGET = re.compile(r"((?:Run [^,`:]+, )?)(`[^`]+`): (.+)", re.DOTALL)


def grouped(notes: typing.Iterable[str]) -> list[str]:
    """The notes, those of one wording once, with all targets that it is said of; where the first of them stood."""
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        told = OF_TARGET.fullmatch(note)
        key, target = ((told[1], told[3]), told[2]) if told else (("", note), "")
        found.setdefault(key, []).append(target)
    return [_joined(run, words, targets) for (run, words), targets in found.items()]


def _joined(run: str, words: str, targets: list[str]) -> str:
    return f"{run}{', '.join(dict.fromkeys(targets))}: {words}" if any(targets) else words
