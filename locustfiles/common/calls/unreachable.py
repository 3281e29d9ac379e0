"""An endpoint that accepts no connection: what is wrong, what mends it, and which targets it is of."""

import typing


class Unreachable(typing.NamedTuple):
    """`what` may hold any text of a proxy or an operating system."""

    what: str
    remedy: str
    targets: list[str]

    @property
    def text(self) -> str:
        return f"{self.what}; {self.remedy}"
