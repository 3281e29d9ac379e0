"""What is there of ours in a region, found by its tags: from any machine, whoever created it."""

import datetime
import typing

from scripts.endpoints.control import Control, Refused
from scripts.endpoints.names import (
    COMPONENT,
    CONFIG,
    ENDPOINT,
    ENDPOINT_KIND,
    EXPIRES_AT,
    MARK,
    MODEL,
    OWNER,
    RUN,
    Item,
    Kind,
    read_stamp,
)


class Owned(typing.NamedTuple):
    """A resource with our tags; of a foreign endpoint, where these were asked for, without."""

    item: Item
    arn: str
    created_at: datetime.datetime
    status: str | None  # of endpoints
    tags: dict[str, str]

    @property
    def run(self) -> str | None:
        return self.tags.get(RUN)

    @property
    def endpoint(self) -> str:
        """The endpoint that it belongs to."""
        return self.tags.get(ENDPOINT) or self.item.name

    @property
    def owner(self) -> str | None:
        return self.tags.get(OWNER)

    @property
    def expires_at(self) -> datetime.datetime | None:
        return read_stamp(self.tags.get(EXPIRES_AT))


def endpoints(control: Control, foreign: bool = False, name: str | None = None) -> list[Owned]:
    """Ours; with `foreign` all there are. name: those alone whose names contain it."""
    asked = {"NameContains": name} if name else {}
    found = [_owned(control, ENDPOINT_KIND, row) for row in control.pages("ListEndpoints", "Endpoints", **asked)]
    return [each for each in found if each is not None and (foreign or each.run)]


def everything(control: Control, name: str | None = None, run: str | None = None) -> list[Owned]:
    """Endpoints, their components, and the models and configurations that are marked by their names. name: of an endpoint."""
    held = endpoints(control, name=name)
    held = [each for each in held if name is None or each.item.name == name]
    for endpoint in list(held):
        rows = control.pages("ListInferenceComponents", "InferenceComponents", EndpointNameEquals=endpoint.item.name)
        held += [each for row in rows if (each := _owned(control, COMPONENT, row)) is not None and each.run]
    for kind, member in ((CONFIG, "EndpointConfigs"), (MODEL, "Models")):
        rows = control.pages(f"List{member}", member, NameContains=f"{MARK}{run or ''}")
        begins = (name or "")[:30]  # what is left of it in the names of its models
        near = (row for row in rows if row[kind.key].startswith(begins))
        held += [each for row in near if (each := _owned(control, kind, row)) is not None and each.run]
    return [each for each in held if (name is None or each.endpoint == name) and (run is None or each.run == run)]


def _owned(control: Control, kind: Kind, row: dict[str, typing.Any]) -> Owned | None:
    """With its tags; None where it was deleted in between."""
    try:
        tags = control.tags(row[kind.arn])
    except Refused as e:
        if e.not_there:
            return None
        raise
    return Owned(Item(kind, row[kind.key]), row[kind.arn], row["CreationTime"], row.get("EndpointStatus"), tags)
