"""Waiting until an endpoint and its components are in service: what their status is, and since when."""

import sys
import time
import typing

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints.control import Control, status_of
from scripts.endpoints.deletion import Pace, Say
from scripts.endpoints.failures import told
from scripts.endpoints.names import COMPONENT, ENDPOINT_KIND, Item

_READY, _HOPELESS = "InService", ("Failed", "OutOfService", "UpdateRollbackFailed", "Deleting")


def span(seconds: float) -> str:
    """`40 s`, `12 min 5 s`, `3 h 4 min`, `2 d 3 h`"""
    whole = int(seconds)
    for unit, size, below, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


class Progress:
    """Each status in a line of its own; on a terminal the last one counts the time."""

    def __init__(self, say: Say) -> None:
        self._say, self._shown, self._since = say, "", time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, item: Item, status: str) -> None:
        waited = span(time.monotonic() - self._since)
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{item}: {status}, {waited}")
            sys.stderr.flush()
        if status != self._shown:
            self._end()
            self._say(f"{item}: {status}" + (f" after {waited}" if self._shown else ""))
        self._shown = status

    def _end(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")

    def close(self) -> None:
        self._end()


def wait_for(control: Control, items: typing.Sequence[Item], endpoint: str, pace: Pace, say: Say) -> None:
    """Until each is in service, one after the other. Raises BadInput where one never will be, Refused."""
    over = time.monotonic() + pace.at_most_s
    for item in items:
        progress = Progress(say)
        try:
            _wait(control, item, endpoint, pace, over, progress)
        finally:
            progress.close()


def _wait(control: Control, item: Item, endpoint: str, pace: Pace, over: float, progress: Progress) -> None:
    while True:
        described = control.describe(item)
        if described is None:
            raise BadInput(f"{item}: there is none in {control.region}; see python -m scripts.endpoints list")
        status = status_of(described)
        progress(item, status)
        if status == _READY:
            return
        if status in _HOPELESS:
            reason = described.get("FailureReason")
            if status == "Failed" or reason:
                raise BadInput(told(str(item), reason, endpoint))
            raise BadInput(f"{item}: {status}; deploy it again")
        if time.monotonic() > over:
            raise BadInput(
                f"{item}: still {status} after {span(pace.at_most_s)}; see its log in CloudWatch, "
                f"/aws/sagemaker/Endpoints/{endpoint}, or give more time by `timeouts: {{ready_s: …}}` or --timeout"
            )
        time.sleep(pace.every_s)


def all_of(control: Control, endpoint: str) -> list[Item]:
    """The endpoint, then its components as they are now."""
    rows = control.pages("ListInferenceComponents", "InferenceComponents", EndpointNameEquals=endpoint)
    return [Item(ENDPOINT_KIND, endpoint), *(Item(COMPONENT, row["InferenceComponentName"]) for row in rows)]
