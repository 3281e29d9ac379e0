"""Names and tags by which what was created is found again: by the next command, from any machine."""

import datetime
import typing
import uuid

MARK = "-swarmledger-"  # in names of models and endpoint configurations: what lists are asked for
OWNER, EXPIRES_AT, RUN, ENDPOINT = (f"swarmledger:{name}" for name in ("owner", "expires-at", "run", "endpoint"))
_MOST = 63  # characters of a name


class Kind(typing.NamedTuple):
    """A kind of resource: as operations name it, and in words."""

    name: str
    words: str

    @property
    def key(self) -> str:
        return f"{self.name}Name"

    @property
    def arn(self) -> str:
        return f"{self.name}Arn"


COMPONENT = Kind("InferenceComponent", "inference component")
ENDPOINT_KIND = Kind("Endpoint", "endpoint")
CONFIG = Kind("EndpointConfig", "endpoint configuration")
MODEL = Kind("Model", "model")
#: what is deleted before what
ORDER = (COMPONENT, ENDPOINT_KIND, CONFIG, MODEL)
BY_NAME = {kind.name: kind for kind in ORDER}


class Item(typing.NamedTuple):
    """One resource by its kind and name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.words} {self.name}"


def new_run() -> str:
    """The id of a deployment: eight hexadecimal digits."""
    return uuid.uuid4().hex[:8]


def marked(endpoint: str, run: str, number: int = 1) -> str:
    """The name of a model or an endpoint configuration: `chat-swarmledger-3f9a2c1d`, `…-2`."""
    tail = f"{MARK}{run}" + (f"-{number}" if number > 1 else "")
    return f"{endpoint[: _MOST - len(tail)]}{tail}"


def tags(
    endpoint: str, run: str, owner: str, expires_at: datetime.datetime, more: dict[str, str]
) -> list[dict[str, str]]:
    """As AWS takes them."""
    own = {OWNER: owner, EXPIRES_AT: stamp(expires_at), RUN: run, ENDPOINT: endpoint}
    return [{"Key": key, "Value": value} for key, value in {**more, **own}.items()]


def stamp(at: datetime.datetime) -> str:
    """`2026-11-29T16:40:00Z`"""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stamp(text: str | None) -> datetime.datetime | None:
    """None for a text that is none."""
    try:
        return datetime.datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
