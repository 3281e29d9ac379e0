"""`run`: an endpoint for the time of one command: deployed, waited for, and deleted whatever the command does."""

import dataclasses
import datetime
import os
import shutil
import signal
import subprocess
import types
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.endpoint_file import EndpointLife, Instances
from scripts.endpoints.deletion import Say
from scripts.endpoints.deployment import Deployment, Planned
from scripts.endpoints.money import Fleet, books, fleets_of, hourly, hours, usd, usd_per_hour
from scripts.endpoints.names import CONFIG, stamp
from scripts.endpoints.run_place import note, place_of
from scripts.endpoints.signals import handled
from scripts.endpoints.waiting import span


class Times(typing.NamedTuple):
    """When what happened. None: it never did."""

    created_at: datetime.datetime | None
    in_service_at: datetime.datetime | None
    began_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    deleted_at: datetime.datetime | None


@dataclasses.dataclass
class Done:
    """What became of the command. None: it has not begun, or not ended."""

    began_at: datetime.datetime | None = None
    ended_at: datetime.datetime | None = None
    code: int | None = None


def check_command(command: list[str]) -> None:
    """Before anything is created. Raises BadInput."""
    if not command:
        raise BadInput("run: no command; write it behind two dashes: run SPEC -- locust -f locustfiles/sweep.py …")
    if shutil.which(command[0]) is None:
        raise BadInput(f"run: {command[0]}: there is no such command; put .venv/bin on the PATH, or give its path")
    place_of(command)


def run_command(command: list[str], done: Done) -> None:
    """Its exit code, as a shell has it: 128 and the signal's number of one that a signal ended. Signals go to it, too.
    Raises BadInput where it cannot be started."""
    done.began_at = datetime.datetime.now(datetime.UTC)
    try:
        process = subprocess.Popen(command)
    except OSError as e:
        raise BadInput(f"run: {command[0]}: cannot be started ({e.strerror}); mend the command") from None

    def pass_on(number: int, frame: types.FrameType | None) -> None:
        if number == signal.SIGINT and _from_terminal():  # it has it from the terminal, too
            return
        process.send_signal(number)

    with handled(pass_on):
        code = process.wait()
        done.code = code if code >= 0 else 128 - code
        done.ended_at = datetime.datetime.now(datetime.UTC)


def _from_terminal() -> bool:
    """Whether Ctrl-C of a terminal reaches this process and its children alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def times_of(deployment: Deployment, done: Done) -> Times:
    created, ready, deleted = deployment.created_at, deployment.in_service_at, deployment.deleted_at
    return Times(created, ready, done.began_at, done.ended_at, deleted)


def tell(planned: Planned, region: str, times: Times, command: list[str], say: Say, left: list[str]) -> None:
    """What the endpoint cost: a line, and a file in the command's run folder."""
    if times.created_at is None or times.deleted_at is None:
        return
    spec = planned.spec
    config = next(each.body for each in planned.requests if each.item.kind is CONFIG)
    fleets = fleets_of(config["ProductionVariants"], books(spec.pricing, region), region)
    say(_line(spec.name, fleets, times) + ("; it is not deleted, and goes on costing" if left else ""))
    if place := place_of(command):
        note(place, _life(planned, region, fleets, times, left), say)


def _line(name: str, fleets: list[Fleet], times: Times) -> str:
    assert times.created_at and times.deleted_at
    lived = hours(times.created_at, times.deleted_at)
    each_hour = usd_per_hour(fleets)
    waited = times.in_service_at and span(hours(times.created_at, times.in_service_at) * 3600)
    parts = [f"{waited} until in service" if waited else "never in service"]
    if times.began_at and times.ended_at:
        parts.append(f"{span(hours(times.began_at, times.ended_at) * 3600)} of the run")
    instances = ", ".join(f"{fleet.words} at {hourly(fleet.usd_per_hour)}/hour" for fleet in fleets)
    cost = "what it cost is not known" if each_hour is None else f"at most {usd(each_hour * lived)}"
    if each_hour is None and (why := next((f.reason for f in fleets if f.reason), None)):
        cost += f" ({why})"
    return f"endpoint {name}: {span(lived * 3600)} from creation to deletion ({', '.join(parts)}), {instances}: {cost}"


def _life(planned: Planned, region: str, fleets: list[Fleet], times: Times, left: list[str]) -> EndpointLife:
    assert times.created_at and times.deleted_at
    each_hour, lived = usd_per_hour(fleets), hours(times.created_at, times.deleted_at)
    return EndpointLife(
        endpoint=planned.spec.name,
        region=region,
        run=planned.made.run,
        owner=planned.made.owner,
        created_at=stamp(times.created_at),
        in_service_at=_stamp(times.in_service_at),
        began_at=_stamp(times.began_at),
        ended_at=_stamp(times.ended_at),
        deleted_at=stamp(times.deleted_at),
        instances=[Instances(**fleet._asdict()) for fleet in fleets],
        hours=lived,
        usd_per_hour=each_hour,
        usd=None if each_hour is None else each_hour * lived,
        left=left,
    )


def _stamp(at: datetime.datetime | None) -> str | None:
    return stamp(at) if at else None
