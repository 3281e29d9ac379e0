"""What the control plane holds: resources by kind and name, their states, their tags, and pages of them."""

import base64
import binascii
import dataclasses
import time
import typing

from scripts.emulator.control import refusals

BUSY = ("Creating", "Updating", "Deleting")


class Kind(typing.NamedTuple):
    """One kind of resource, as operations, members, ARNs and messages name it."""

    name: str  # in operations: CreateModel, ListModels
    path: str  # in ARNs
    words: str
    status: str | None = None  # the member that has its status; none: it has none

    @property
    def key(self) -> str:
        return f"{self.name}Name"

    @property
    def arn(self) -> str:
        return f"{self.name}Arn"


KINDS = {
    kind.name: kind
    for kind in (
        Kind("Model", "model", "model"),
        Kind("EndpointConfig", "endpoint-config", "endpoint configuration"),
        Kind("Endpoint", "endpoint", "endpoint", "EndpointStatus"),
        Kind("InferenceComponent", "inference-component", "inference component", "InferenceComponentStatus"),
    )
}


@dataclasses.dataclass
class Resource:
    """One resource. body: its creation's members. Times are Unix seconds."""

    kind: Kind
    arn: str
    body: dict
    tags: dict[str, str]
    status: str | None = None
    reason: str | None = None  # why it failed
    created: float = dataclasses.field(default_factory=time.time)
    modified: float = dataclasses.field(default_factory=time.time)

    @property
    def name(self) -> str:
        return self.body[self.kind.key]

    def become(self, status: str, reason: str | None = None) -> None:
        self.status, self.reason, self.modified = status, reason, time.time()

    def summary(self) -> dict:
        """As lists and descriptions have it; each takes the members that it declares."""
        kind = self.kind
        own = {kind.key: self.name, kind.arn: self.arn, "CreationTime": self.created, "LastModifiedTime": self.modified}
        return own | ({kind.status: self.status, "FailureReason": self.reason} if kind.status else {})


class Store:
    """All resources of one account."""

    def __init__(self, account: str):
        self.account = account
        self._held: dict[str, dict[str, Resource]] = {name: {} for name in KINDS}

    def arn(self, kind: Kind, name: str, region: str) -> str:
        return f"arn:aws:sagemaker:{region}:{self.account}:{kind.path}/{name.lower()}"

    def add(self, kind: Kind, body: dict, region: str) -> Resource:
        """Raises AwsError where one of the name is there."""
        arn = self.arn(kind, body[kind.key], region)
        if body[kind.key] in self._held[kind.name]:
            raise refusals.exists(kind.words, arn)
        tags = {tag["Key"]: tag["Value"] for tag in body.get("Tags", ())}
        made = Resource(kind, arn, {name: value for name, value in body.items() if name != "Tags"}, tags)
        self._held[kind.name][made.name] = made
        return made

    def get(self, kind: Kind, name: str, region: str) -> Resource:
        """Raises AwsError."""
        found = self._held[kind.name].get(name)
        if found is None:
            raise refusals.unknown(kind.words, self.arn(kind, name, region))
        return found

    def drop(self, resource: Resource) -> None:
        self._held[resource.kind.name].pop(resource.name, None)

    def all_of(self, kind: str) -> list[Resource]:
        return list(self._held[kind].values())

    def tagged(self, arn: str) -> Resource:
        """By its ARN. Raises AwsError."""
        for held in self._held.values():
            for each in held.values():
                if each.arn == arn:
                    return each
        raise refusals.refused(f"Could not find resource {arn}")

    def components_of(self, endpoint: str) -> list[Resource]:
        return [each for each in self.all_of("InferenceComponent") if each.body["EndpointName"] == endpoint]

    def instances(self, config: dict) -> dict[str, int]:
        """Instance type -> how many the variants of an endpoint configuration ask for."""
        asked: dict[str, int] = {}
        for variant in config["ProductionVariants"]:
            if "InstanceType" in variant:
                count = variant.get("InitialInstanceCount", 1)
                asked[variant["InstanceType"]] = asked.get(variant["InstanceType"], 0) + count
        return asked


def page(found: list, body: dict, most: int) -> tuple[list, dict]:
    """A page of a list, and the token of the next. Raises AwsError."""
    size = min(body.get("MaxResults", 10), most)
    begin = _begin(body["NextToken"]) if body.get("NextToken") else 0
    more = {"NextToken": base64.b64encode(str(begin + size).encode()).decode()} if begin + size < len(found) else {}
    return found[begin : begin + size], more


def _begin(token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        raise refusals.refused("Invalid pagination token") from None
