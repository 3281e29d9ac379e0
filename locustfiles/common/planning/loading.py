"""Loads a scenario while this process has other things to do."""

from gevent.hub import get_hub

from locustfiles.common.planning.inputs import Inputs, load_inputs
from locustfiles.contract.bad_input import BadInput


def load_beside_the_loop(path: str, services: tuple[str, ...], priced: bool = True) -> Inputs:
    """`load_inputs` in a thread: heartbeats and pages go on while prompts are read and tokenised. Raises BadInput."""
    found = get_hub().threadpool.apply(_load, (path, services, priced))
    if isinstance(found, BadInput):
        raise found
    return found


def _load(path: str, services: tuple[str, ...], priced: bool) -> Inputs | BadInput:
    """What a thread raises gevent prints."""
    try:
        return load_inputs(path, services, priced)
    except BadInput as e:
        return e
