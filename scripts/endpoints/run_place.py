"""Where the command keeps its run, in a folder of this machine and perhaps in S3, too; what its endpoint cost is noted there."""

import datetime
import os
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.endpoint_file import FILE, EndpointLife, add
from locustfiles.contract.exit_codes import complain
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.s3.address import Address, address_of, is_address
from scripts.endpoints.deletion import Say
from scripts.endpoints.signals import Stopped, handled, stop

_RUN_DIR, _ENCRYPTION = "--run-dir", "--run-encryption"


class Place(typing.NamedTuple):
    """folder: of this machine; encryption: of the objects at the address."""

    folder: pathlib.Path
    address: Address | None = None
    encryption: str = ""


def place_of(command: list[str]) -> Place | None:
    """By the command's options or their variables; None where it names no run. Raises BadInput for an address that is none."""
    named = _given(command, _RUN_DIR)
    if not named:
        return None
    if not is_address(named):
        return Place(pathlib.Path(named))
    address = address_of(named, _RUN_DIR)
    return Place(address.copy, address, _given(command, _ENCRYPTION))


def _given(command: list[str], option: str) -> str:
    found = os.environ.get(f"SWARMLEDGER_{option[2:].upper().replace('-', '_')}", "")
    for n, word in enumerate(command):
        if word.startswith(f"{option}="):
            found = word.removeprefix(f"{option}=")
        elif word == option and n + 1 < len(command):
            found = command[n + 1]
    return found


def note(place: Place, life: EndpointLife, say: Say) -> None:
    """Where there is a folder: else no run has begun. What goes wrong is said: the exit code stays the command's."""
    if not place.folder.is_dir():
        return
    if _is_an_earlier_one(RunFolder(place.folder).manifest, life):
        say(
            f"{place.folder}: holds a run that this command did not go on with: what the endpoint cost is noted in the line above alone"
        )
        return
    try:
        if place.address:
            from locustfiles.contract.s3.copies import written_here  # botocore is loaded for addresses alone

            written_here(place.folder)
        add(place.folder, life)
    except OSError as e:
        return complain(
            f"{place.folder / FILE}: cannot be written ({e.strerror}); the line above has what it would say"
        )
    if place.address:
        _send(place, place.address, say)


def _is_an_earlier_one(manifest: pathlib.Path, life: EndpointLife) -> bool:
    """Whether the run there was not written to since the command began: it was refused, or had nothing to do."""
    try:
        written = manifest.stat().st_mtime
    except OSError:
        return False
    return life.began_at is None or written < datetime.datetime.fromisoformat(life.began_at).timestamp() - 1


def _send(place: Place, address: Address, say: Say) -> None:
    """What S3 lacks of the run, as `upload` does: where it did not answer at the run's end that is more than this file."""
    from locustfiles.contract.s3.whole import send

    folder, why = RunFolder(place.folder), ""
    if not folder.manifest.exists():  # the command was refused
        return
    try:
        with handled(stop):
            send(folder, address, place.encryption, say)
    except BadInput as e:
        why = str(e)
    except Stopped as e:
        why = f"{address}: was not waited for ({e})"
    if why:
        option = f" --encryption {place.encryption}" if place.encryption else ""
        complain(
            f"{why}. {FILE}, by which reports know what the endpoint cost, is in {place.folder} alone: "
            f"python -m analysis upload {place.folder} {address}{option}"
        )
