"""A spec becomes an endpoint: journal, creation, waiting; and where anything goes wrong, all of it is deleted again."""

import datetime
import getpass
import os
import pathlib
import socket
import typing

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints import journal
from scripts.endpoints.control import Control, Refused
from scripts.endpoints.deletion import Pace, Say, delete_all, still_there
from scripts.endpoints.names import COMPONENT, ENDPOINT_KIND, RUN, Item, new_run, stamp
from scripts.endpoints.requests import Made, Request, requests_of
from scripts.endpoints.spec import Spec, load_spec, secrets_of
from scripts.endpoints.waiting import wait_for


class Planned(typing.NamedTuple):
    """A spec that was read and checked, with what is to be sent."""

    spec: Spec
    made: Made
    requests: list[Request]
    secrets: list[str]

    @property
    def items(self) -> list[Item]:
        return [request.item for request in self.requests]


def plan(path: str, region: str | None = None) -> Planned:
    """Nothing is sent. Raises BadInput."""
    spec = load_spec(path)
    if region:
        spec = spec.model_copy(update={"region": region})
    secrets = list(secrets_of(spec, path).values())
    made = Made(new_run(), spec.owner or _user(), spec.expires_at(datetime.datetime.now(datetime.UTC)))
    try:
        return Planned(spec, made, requests_of(spec, made), secrets)
    except BadInput as e:
        raise BadInput(f"{path}: {e}") from None


def _user() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user without a name
        return f"{os.getuid()}@{socket.gethostname()}"


class Deployment:
    """What was created of a plan. `create` and `ready` may be broken off anywhere: `delete` then deletes what there is."""

    def __init__(self, control: Control, planned: Planned, folder: pathlib.Path, pace: Pace, say: Say) -> None:
        self._control, self._planned, self._pace, self._say = control, planned, pace, say
        spec, made = planned.spec, planned.made
        head = journal.Head(made.run, spec.name, control.region, made.owner, stamp(made.expires_at))
        self._journal = journal.Journal.begin(folder, head)
        self.created_at: datetime.datetime | None = None  # the endpoint; None: it never was
        self.in_service_at: datetime.datetime | None = None
        self.deleted_at: datetime.datetime | None = None
        self.left: list[str] = []  # what could not be deleted

    def create(self) -> None:
        """All but the components. Raises Refused, BadInput."""
        for request in self._planned.requests:
            if request.item.kind is not COMPONENT:
                self._create(request)

    def ready(self) -> None:
        """Wait, then create the components, and wait for them. Raises Refused, BadInput."""
        spec = self._planned.spec
        pace = self._pace._replace(at_most_s=spec.timeouts.ready_s)
        wait_for(self._control, [Item(ENDPOINT_KIND, spec.name)], spec.name, pace, self._say)
        components = [each for each in self._planned.requests if each.item.kind is COMPONENT]
        for request in components:
            self._create(request)
        wait_for(self._control, [each.item for each in components], spec.name, pace, self._say)
        self.in_service_at = datetime.datetime.now(datetime.UTC)

    def _create(self, request: Request) -> None:
        self._journal.will_create(request.item)
        if request.item.kind is ENDPOINT_KIND:
            self.created_at = datetime.datetime.now(datetime.UTC)
        try:
            answer = self._control.call(request.operation, **request.body)
            self._journal.created(request.item, answer[request.item.kind.arn])
        except Refused as e:
            if not (e.there_already and self._is_ours(request.item)):
                if request.item.kind is ENDPOINT_KIND:
                    self.created_at = None
                if e.there_already:
                    raise BadInput(_taken(request.item)) from None
                raise
        self._say(f"{request.item}: created")

    def _is_ours(self, item: Item) -> bool:
        """After an answer that was lost and a second try."""
        described = self._control.describe(item)
        return described is not None and self._control.tags(described[item.kind.arn]).get(RUN) == self._planned.made.run

    def keep(self) -> None:
        """It stays until `delete`, or until it expires and is swept."""
        self._journal.keep()
        self._journal.close()

    def delete(self) -> None:
        """Raises BadInput where something is left; the journal is, then, too."""
        rest = named = read_items(self._journal.path)
        try:
            rest = delete_all(self._control, named, self._planned.made.run, self._pace, self._say)
        except BadInput as e:  # nobody answers any more
            self._say(str(e))
        self.deleted_at = datetime.datetime.now(datetime.UTC)
        if rest:
            self.left = [str(item) for item in rest]
            self._journal.close()
            raise still_there(rest, self._planned.spec.name)
        self._journal.done()


def read_items(path: pathlib.Path) -> list[Item]:
    found = journal.read(path)
    return found.items if found else []


def _taken(item: Item) -> str:
    remedy = f"python -m scripts.endpoints delete {item.name}, " if item.kind is ENDPOINT_KIND else "delete it, "
    return f"{item}: there is one of this name already; {remedy}or rename this one"
