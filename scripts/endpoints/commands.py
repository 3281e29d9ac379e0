"""What each command does, once its command line is read. All raise BadInput."""

import argparse
import contextlib
import datetime
import json
import pathlib
import sys
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK, STOPPED, complain
from scripts.endpoints import around, journal, listing, sweep
from scripts.endpoints.control import Control, Refused
from scripts.endpoints.deletion import Pace, delete_all, still_there
from scripts.endpoints.deployment import Deployment, Planned, plan
from scripts.endpoints.inventory import everything
from scripts.endpoints.leftovers import clean_up
from scripts.endpoints.money import books, fleets_of, hourly, usd, usd_per_hour
from scripts.endpoints.names import CONFIG, ENDPOINT_KIND, Item, stamp
from scripts.endpoints.renewal import put_off
from scripts.endpoints.shown import shown
from scripts.endpoints.signals import Stopped, deleting, handled, stop
from scripts.endpoints.spec import load_spec, span_s
from scripts.endpoints.waiting import all_of, wait_for


def say(text: str) -> None:
    """On standard error: standard output is the command's that is run."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _pace(args: argparse.Namespace) -> Pace:
    return Pace(args.every)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def deploy(args: argparse.Namespace) -> int:
    planned = plan(args.spec, args.region)
    if args.no_wait and planned.spec.components:
        raise BadInput("--no-wait: components are created once the endpoint is in service; leave it out")
    if args.dry_run:
        print(shown(planned))
        _tell_price(planned, args.region or planned.spec.region or "us-east-1")
        return OK
    deployment, control = _begun(args, planned)
    with handled(stop), _or_deleted(deployment):
        deployment.create()
        if not args.no_wait:
            deployment.ready()
        deployment.keep()
    say(
        f"it stays until python -m scripts.endpoints delete {planned.spec.name} --region {control.region}; "
        f"it expires {stamp(planned.made.expires_at)}"
    )
    return OK


def _begun(args: argparse.Namespace, planned: Planned) -> tuple[Deployment, Control]:
    """A deployment of which nothing is created yet. What killed processes left is deleted first."""
    folder, pace = journal.folder(args.journal), _pace(args)
    control = Control(planned.spec.region, planned.secrets)
    _tell_price(planned, control.region, ", which is put off while it is in use" if args.command == "run" else "")
    with handled(stop):
        clean_up(folder, pace, say)
    return Deployment(control, planned, folder, pace, say), control


def _tell_price(planned: Planned, region: str, more: str = "") -> None:
    """more: about the expiry."""
    spec = planned.spec
    config = next(each.body for each in planned.requests if each.item.kind is CONFIG)
    fleets = fleets_of(config["ProductionVariants"], books(spec.pricing, region), region)
    each_hour = usd_per_hour(fleets)
    words = ", ".join(fleet.words for fleet in fleets)
    if each_hour is None:
        why = next((fleet.reason for fleet in fleets if fleet.reason), "")
        say(f"endpoint {spec.name}: {words}: price not known ({why})")
        return
    most = each_hour * span_s(spec.expires_after) / 3600
    until = f"{usd(most)} until it expires, {stamp(planned.made.expires_at)}{more}"
    say(f"endpoint {spec.name}: {words}: {hourly(each_hour)}/hour, {until}")


@contextlib.contextmanager
def _or_deleted(deployment: Deployment) -> typing.Iterator[None]:
    """Whatever breaks it off, what was created is deleted."""
    try:
        yield
    except BaseException as e:
        text = str(e.told() if isinstance(e, Refused) else e)
        say(f"{'stopped' if isinstance(e, Stopped) else 'failed'}: {text}; deleting what was created")
        with deleting(say):
            deployment.delete()
        raise


def _where(args: argparse.Namespace, named: str) -> tuple[str, Control]:
    """An endpoint's name, of a spec's file too, and the region where it is: the option's, the spec's, that of its journal, boto3's."""
    if named.endswith((".yaml", ".yml")):
        spec = load_spec(named)
        return spec.name, Control(args.region or spec.region)
    noted = [
        left.head.region for _, left in journal.all_in(journal.folder(args.journal)) if left.head.endpoint == named
    ]
    return named, Control(args.region or next(iter(noted), None))


def wait(args: argparse.Namespace) -> int:
    name, control = _where(args, args.name)
    endpoint, over = Item(ENDPOINT_KIND, name), Pace(args.every, args.timeout)
    with handled(stop):
        try:
            wait_for(control, [endpoint], name, over, say)
            wait_for(control, all_of(control, name)[1:], name, over, say)
        except BadInput:
            if control.describe(endpoint) is not None:
                say(f"{endpoint} is still there: python -m scripts.endpoints delete {name} --region {control.region}")
            raise
    return OK


def list_(args: argparse.Namespace) -> int:
    control = Control(args.region)
    found = listing.rows(control, books(args.pricing, control.region), _now(), args.all)
    if args.json:
        print(json.dumps([row._asdict() for row in found], indent=1))
    elif found:
        print(listing.table(found))
    else:
        print(f"none in {control.region}" + ("" if args.all else " that was created here; --all shows the others"))
    return OK


def delete(args: argparse.Namespace) -> int:
    for named in args.names:
        name, control = _where(args, named)
        _delete(control, name, journal.folder(args.journal), _pace(args))
    return OK


def _delete(control: Control, name: str, folder: pathlib.Path, pace: Pace) -> None:
    held = everything(control, name)
    runs: dict[str, list[Item]] = {}
    for each in held:
        runs.setdefault(each.run or "", []).append(each.item)
    if not held:
        if control.describe(Item(ENDPOINT_KIND, name)) is not None:
            raise BadInput(
                f"endpoint {name}: was not created by this command (no tag swarmledger:run); delete it with "
                f"aws sagemaker delete-endpoint --endpoint-name {name}"
            )
        say(f"endpoint {name}: nothing of it is there in {control.region}")
    rest = []
    with deleting(say):
        for run, items in runs.items():
            left = delete_all(control, items, run, pace, say)
            rest += left
            if not left:
                journal.forget(folder, run)
    if rest:
        raise still_there(rest, name)


def sweep_orphans(args: argparse.Namespace) -> int:
    control, folder = Control(args.region), journal.folder(args.journal)
    found = sweep.orphans(control, folder, _now(), say)
    for orphan in found:
        print(orphan.text)
    if not found:
        print(f"no orphans in {control.region}")
    elif args.dry_run:
        print("nothing is deleted (--dry-run)")
    elif args.yes or sweep.agreed(found):
        with deleting(say):
            sweep.sweep(control, found, folder, _pace(args), say)
    return OK


def run(args: argparse.Namespace) -> int:
    """The command's exit code; 2 where it was 0 and something is left that costs."""
    around.check_command(args.run_command)
    planned = plan(args.spec, args.region)
    deployment, control = _begun(args, planned)
    done = around.Done()
    try:
        with handled(stop):
            with _or_deleted(deployment):
                deployment.create()
                with put_off(control, planned, say):
                    deployment.ready()
                    around.run_command(args.run_command, done)
            with deleting(say):
                deployment.delete()
    except BadInput as e:
        if done.code is None:
            raise
        complain(str(e))
        done.code = done.code or NOT_TRUSTED
    finally:
        times = around.times_of(deployment, done)
        around.tell(planned, control.region, times, args.run_command, say, deployment.left)
    return done.code if done.code is not None else STOPPED


def ended_by_signal(command: typing.Callable[[], int]) -> int:
    """AWS's refusals as bad input, and the code of a command that a signal broke off."""
    try:
        return command()
    except Refused as e:
        raise e.told() from None
    except Stopped:
        return STOPPED
