"""What targets' free labels are called in a table that has columns of its own."""

import typing


def label_heads(names: typing.Iterable[str], own: typing.Iterable[str]) -> list[str]:
    """Quality; `Model (label)` where the table has such a column, which a label must neither hide nor double."""
    taken, heads = {column.lower() for column in own}, []
    for name in names:
        head = name.capitalize()
        while head.lower() in taken:
            head += " (label)"
        taken.add(head.lower())
        heads.append(head)
    return heads
