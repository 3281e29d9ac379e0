"""Deleting in the right order: components, endpoint, configuration, models. What is gone already is fine."""

import time
import typing

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints.control import Control, Refused, status_of
from scripts.endpoints.names import COMPONENT, ENDPOINT_KIND, ORDER, RUN, Item

AT_MOST_S = 5400.0  # an endpoint may be Creating for an hour before it can be deleted
LAG_S = 60.0  # for which AWS may still tell what was before
_WAITED_FOR = (COMPONENT, ENDPOINT_KIND)
_PASSING = ("Creating", "Updating", "SystemUpdating", "RollingBack")

Say = typing.Callable[[str], None]


class Pace(typing.NamedTuple):
    """How often AWS is asked, and for how long."""

    every_s: float = 10.0
    at_most_s: float = AT_MOST_S


def delete_all(control: Control, items: list[Item], run: str, pace: Pace, say: Say) -> list[Item]:
    """Delete what is there of a deployment, and return what is left, each said with why. Raises BadInput where AWS cannot be asked.

    An endpoint or a component is deleted only where its tag says that it is of this run: a name may be another's by now.
    """
    left: list[Item] = []
    for kind in ORDER:
        for item in (each for each in dict.fromkeys(items) if each.kind is kind):
            if any(each.kind in _WAITED_FOR and each.kind is not kind for each in left):
                left.append(
                    item
                )  # an endpoint goes after its components, and without its configuration hides what it costs
                continue
            try:
                if not _delete(control, item, run, pace, say):
                    left.append(item)
            except Refused as e:
                say(f"{item}: not deleted: {e}")
                left.append(item)
    return left


def _delete(control: Control, item: Item, run: str, pace: Pace, say: Say) -> bool:
    """Whether it is gone. Raises Refused, BadInput."""
    if item.kind in _WAITED_FOR:
        described = control.describe(item)
        if described is None:
            return True
        if control.tags(described[item.kind.arn]).get(RUN) != run:
            say(f"{item}: left alone: it is not of this deployment")
            return True
    over, told = time.monotonic() + pace.at_most_s, False
    while True:
        try:
            control.call(f"Delete{item.kind.name}", **{item.kind.key: item.name})
        except Refused as e:
            status = None if e.not_there else _status(control, item)
            if status is None:
                return True
            if status != "Deleting":
                over, why = _pause(e, status, over)
                if not told:
                    say(f"{item}: {why}; waiting")
                told = True
                if time.monotonic() > over:
                    say(f"{item}: not deleted: {why}")
                    return False
                time.sleep(pace.every_s)
                continue
        return item.kind not in _WAITED_FOR or _gone(control, item, pace, say)


def _pause(e: Refused, status: str, over: float) -> tuple[float, str]:
    """Until when to try again, and why it is no use now. Raises Refused where it never will be."""
    if status in _PASSING:
        return over, f"SageMaker deletes nothing while it is {status}"
    if not e.busy:
        raise e
    return min(over, time.monotonic() + LAG_S), e.text  # what was deleted before it may be seen for a while


def _status(control: Control, item: Item) -> str | None:
    """None where it is not there."""
    if item.kind not in _WAITED_FOR:
        return "there"
    described = control.describe(item)
    return None if described is None else status_of(described)


def _gone(control: Control, item: Item, pace: Pace, say: Say) -> bool:
    """Wait until it is. Whether it came to that."""
    over, seen_failed = time.monotonic() + pace.at_most_s, None
    while True:
        described = control.describe(item)
        if described is None:
            say(f"{item}: deleted")
            return True
        status, now = status_of(described), time.monotonic()
        seen_failed = (seen_failed or now) if status == "Failed" else None
        failed = seen_failed is not None and now - seen_failed > LAG_S  # not what it was before the deletion
        if failed or now > over:
            say(f"{item}: not deleted: {described.get('FailureReason', status) if failed else f'still {status}'}")
            return False
        time.sleep(pace.every_s)


def still_there(items: list[Item], name: str) -> BadInput:
    """What is to be said of what could not be deleted."""
    named = ", ".join(str(item) for item in items)
    costs = " and goes on costing" if any(item.kind is ENDPOINT_KIND for item in items) else ""
    return BadInput(f"{named}: not deleted{costs}; see above, then python -m scripts.endpoints delete {name}")
