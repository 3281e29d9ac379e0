"""What stands before every prompt: a text that all share, which a prompt cache may keep, and a number that no two share."""

import typing

import pydantic

from locustfiles.contract.scenario.field_types import Count, Text
from locustfiles.contract.strict_yaml import Strict

_TEXTS = ("shared_tokens", "share", "file")


class Prefix(Strict):
    """One of shared_tokens, share and file, or none of them with `nonce: start`."""

    shared_tokens: Count | None = None  # a text of so many, by the target's tokenizer
    share: typing.Annotated[float, pydantic.Field(gt=0, lt=1)] | None = None  # of a prompt of mean length
    file: Text | None = None  # a text of one's own
    prefixes: Count = 1  # so many different ones, of which a request has any
    nonce: typing.Literal["after_prefix", "start"] = "after_prefix"  # where what no two requests share begins
    # what a cache is asked for: a point behind the prefix, what the service does by itself, or nothing
    cache_point: typing.Literal["none", "automatic", "5m", "1h"] = "none"

    @pydantic.model_validator(mode="after")
    def _whole(self) -> typing.Self:
        given = [name for name in _TEXTS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"`{given[0]}` and `{given[1]}` both say what the prefix is; keep one")
        if not given and self.nonce != "start":
            raise ValueError("says no prefix; add one of `shared_tokens`, `share` and `file`, or `nonce: start`")
        if not given and (self.cache_point != "none" or self.prefixes > 1):
            raise ValueError(
                "has nothing to cache; add one of `shared_tokens`, `share` and `file`, or keep `nonce` alone"
            )
        if self.file is not None and self.prefixes > 1:
            raise ValueError("`file` is one prefix; remove `prefixes`, or have them made by `shared_tokens`")
        return self

    @property
    def has_text(self) -> bool:
        """Whether requests share one; else there is a number alone."""
        return any(getattr(self, name) is not None for name in _TEXTS)

    @property
    def asks_for_a_cache(self) -> bool:
        return self.cache_point != "none"

    @property
    def ttl(self) -> typing.Literal["5m", "1h"] | None:
        """For how long a cache point keeps it; None: there is no point."""
        return self.cache_point if self.cache_point in ("5m", "1h") else None


def check_prefix(prefix: Prefix | None, system: str | None, cache_system: bool) -> None:
    """Whether a target can have it. Raises ValueError."""
    if prefix is None:
        return
    if prefix.nonce == "start" and system is not None:
        raise ValueError(
            "`prefix` with `nonce: start` stands before everything, and so does `system`; write the system text into the prefix's `file`"
        )
    if prefix.ttl and cache_system:
        raise ValueError("`prefix.cache_point` and `cache_system` each set a cache point; keep one")
