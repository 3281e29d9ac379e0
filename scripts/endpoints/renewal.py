"""The expiry of an endpoint in use: put off while `run` goes on, so that nobody's sweep takes it for an orphan, wherever that runs."""

import contextlib
import datetime
import threading
import typing

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints.control import Control, Refused
from scripts.endpoints.deletion import Say
from scripts.endpoints.deployment import Planned
from scripts.endpoints.names import ENDPOINT_KIND, EXPIRES_AT, RUN, Item, stamp
from scripts.endpoints.spec import span_s

PARTS = 4  # of `expires_after`, after each of which it is put off: three tries may fail
AGAIN_S = 60.0  # after one that did


@contextlib.contextmanager
def put_off(control: Control, planned: Planned, say: Say) -> typing.Iterator[None]:
    """Within, by a thread: the command is waited for, whatever AWS takes. The endpoint has been created."""
    over = threading.Event()
    threading.Thread(target=_keep_putting_off, args=(control, planned, say, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _keep_putting_off(control: Control, planned: Planned, say: Say, over: threading.Event) -> None:
    endpoint, every_s = Item(ENDPOINT_KIND, planned.spec.name), span_s(planned.spec.expires_after) / PARTS
    until, failed = planned.made.expires_at, False
    while not over.wait(min(every_s, AGAIN_S) if failed else every_s):
        try:
            later = _later(control, planned, endpoint)
            failed = False
        except (Refused, BadInput) as e:
            if not failed and not over.is_set():
                why = e.told() if isinstance(e, Refused) else e
                say(f"{endpoint}: its expiry is not put off, which is tried again; it is {stamp(until)}: {why}")
            failed = True
            continue
        if later is None:
            if not over.is_set():
                say(
                    f"{endpoint}: is gone while it is in use, or another's by now; see python -m scripts.endpoints list"
                )
            return
        until = later


def _later(control: Control, planned: Planned, endpoint: Item) -> datetime.datetime | None:
    """When it expires now; None where it is not ours any more. Of a deployment the latest expiry counts: the endpoint's will do.
    Raises Refused, BadInput."""
    described = control.describe(endpoint)
    try:
        if described is None or control.tags(described[endpoint.kind.arn]).get(RUN) != planned.made.run:
            return None
    except Refused as e:
        if e.not_there:
            return None
        raise
    later = planned.spec.expires_at(datetime.datetime.now(datetime.UTC))
    tags = [{"Key": EXPIRES_AT, "Value": stamp(later)}]
    control.call("AddTags", ResourceArn=described[endpoint.kind.arn], Tags=tags)
    return later
