"""Names as they fit into a picture: short, never two alike, and nothing in them taken for a formula."""

import typing


def short_names(names: typing.Iterable[str], most: int = 34) -> dict[str, str]:
    """name -> at most `most` characters, cut in the middle; two names never become the same."""
    cut = {name: _middle_cut(name, most) for name in names}
    if len(set(cut.values())) < len(cut):  # alike at both ends: told from where they differ
        differs = _differs([name for name in cut if len(name) > most])
        cut = {name: _cut_to(name, differs, most) for name in cut}
    shown: dict[str, str] = {}
    for name, wanted in cut.items():
        short, tries = wanted, 2
        while short in shown.values():
            end = f" ({tries})"
            short, tries = f"{name[: most - len(end) - 1]}…{end}", tries + 1
        shown[name] = short
    return shown


def _middle_cut(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-(most - most // 2 - 1) :]}"


def _differs(names: list[str]) -> int:
    """Where the first word begins that is not the same in all of them."""
    first, last = min(names), max(names)
    at = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    while at and first[at - 1].isalnum():
        at -= 1
    return at


def _cut_to(name: str, differs: int, most: int) -> str:
    """`anthropi…07-with-a-long-end…`: a little of the beginning, then from where long names differ."""
    lead = most // 4
    if len(name) <= most or differs <= lead:
        return _middle_cut(name, most)
    rest, room = name[differs:], most - lead - 1
    return f"{name[:lead]}…{rest if len(rest) <= room else rest[: room - 1] + '…'}"


def literal(words: str) -> str:
    """Text that Matplotlib shows as it is: a pair of dollar signs would start a formula."""
    return words.replace("$", r"\$")
