"""What processes of this machine left when they were killed: found by their journals, and deleted by whoever comes next."""

import pathlib

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints import journal
from scripts.endpoints.control import Control, Refused
from scripts.endpoints.deletion import Pace, Say, delete_all


def clean_up(folder: pathlib.Path, pace: Pace, say: Say) -> int:
    """Delete them; how many deployments are left. What cannot be deleted is said, and its journal stays. Raises BadInput where AWS
    cannot be asked."""
    left_over = 0
    for each, left in journal.abandoned(folder):
        head = left.head
        say(f"endpoint {head.endpoint} (run {head.run}, {head.region}): its process was killed; deleting what it left")
        try:
            gone = _clean(left, pace, say)
        except BadInput:
            each.close()
            raise
        if gone:
            each.done()
        else:
            each.close()
            left_over += 1
    return left_over


def _clean(left: journal.Left, pace: Pace, say: Say) -> bool:
    """Whether all of it is gone."""
    control = Control(left.head.region)
    try:
        if left.arn:  # with another account's credentials nothing would be there
            control.tags(left.arn)
    except Refused as e:
        if not e.not_there:
            say(f"{left.arn}: left alone: {e}; try with the credentials of its account")
            return False
    return not delete_all(control, left.items, left.head.run, pace, say)
