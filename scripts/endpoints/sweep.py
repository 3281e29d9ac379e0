"""`sweep-orphans`: what has expired, by its tags, and what killed processes of this machine left, by their journals."""

import datetime
import pathlib
import sys
import typing

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints import journal
from scripts.endpoints.control import Control, Refused
from scripts.endpoints.deletion import Pace, Say, delete_all, still_there
from scripts.endpoints.inventory import Owned, everything
from scripts.endpoints.names import EXPIRES_AT, Item, stamp


class Orphan(typing.NamedTuple):
    """All that is left of one deployment, and why it is an orphan."""

    run: str
    endpoint: str
    owner: str
    why: str
    items: list[Item]

    @property
    def text(self) -> str:
        return f"{self.endpoint} (run {self.run}, owner {self.owner}): {self.why}: {', '.join(map(str, self.items))}"


def orphans(control: Control, folder: pathlib.Path, now: datetime.datetime, say: Say) -> list[Orphan]:
    """Those of this region. Of a deployment that a process of this machine works on, nothing."""
    journals = [(path, left) for path, left in journal.all_in(folder) if left.head.region == control.region]
    busy, dead = _by_lock(journals)
    runs: dict[str, list[Owned]] = {}
    for each in everything(control):
        runs.setdefault(each.run or "", []).append(each)
    found = []
    for run, held in runs.items():
        if run in busy:
            continue
        expiry = max((at for each in held if (at := each.expires_at)), default=None)
        first = held[0]
        if expiry is None:
            say(f"{first.item}: its tag {EXPIRES_AT} is no time; left alone: delete it by its name")
        elif run in dead or expiry <= now:
            why = "its process was killed" if run in dead else f"expired {stamp(expiry)}"
            items = [each.item for each in held]
            found.append(Orphan(run, first.endpoint, first.owner or "unknown", why, items))
    for path, left in journals:  # of which the tags know nothing any more
        if left.head.run not in runs and left.head.run not in busy and _of_this_account(control, left):
            path.unlink(missing_ok=True)
    return found


def _of_this_account(control: Control, left: journal.Left) -> bool:
    """With another's credentials nothing would be there."""
    try:
        if left.arn:
            control.tags(left.arn)
    except Refused as e:
        return e.not_there
    return True


def _by_lock(journals: list[tuple[pathlib.Path, journal.Left]]) -> tuple[set[str], set[str]]:
    """Runs that a process works on; and those that a killed one left."""
    busy, dead = set(), set()
    for path, left in journals:
        taken = journal.Journal.take(path)
        if taken is None:
            busy.add(left.head.run)
            continue
        if not left.kept:
            dead.add(left.head.run)
        taken.close()
    return busy, dead


def sweep(control: Control, found: list[Orphan], folder: pathlib.Path, pace: Pace, say: Say) -> None:
    """Delete them. Raises BadInput where something is left."""
    rest: list[Item] = []
    for orphan in found:
        left = delete_all(control, orphan.items, orphan.run, pace, say)
        rest += left
        if not left:
            journal.forget(folder, orphan.run)
    if rest:
        raise still_there(rest, "NAME")


def agreed(found: list[Orphan]) -> bool:
    """Whether a person says yes. Raises BadInput where nobody can be asked."""
    if not sys.stdin.isatty():
        raise BadInput("sweep-orphans: nobody to ask whether to delete them; give --yes, or --dry-run to see them")
    sys.stderr.write(f"delete {'this' if len(found) == 1 else f'these {len(found)}'}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
