"""An endpoint that accepts no connection: what is wrong, what mends it, and which targets it is of."""

import typing

from locustfiles.common.transport.aws_session import AwsSession
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.contract.scenario.remedies import address_of
from locustfiles.contract.scenario.scenario import Scenario


class Unreachable(typing.NamedTuple):
    """`what` may hold any text of a proxy or an operating system."""

    what: str
    remedy: str
    targets: list[str]

    @property
    def text(self) -> str:
        return f"{self.what}; {self.remedy}"


def unreachable(scenario: Scenario, session: AwsSession, transport: ConnectionPool) -> list[Unreachable]:
    """Connect to every target's endpoint, send nothing; those that did not answer."""
    origins: dict = {}
    for target in scenario.targets:
        origins.setdefault(session.origin(target), []).append(target.name)
    problems = []
    for origin, names in origins.items():
        if message := transport.open(origin):
            where = address_of(scenario.target(names[0]))
            what = (
                f"{origin.scheme}://{origin.host}:{origin.port} ({', '.join(names)}): accepts no connection: {message}"
            )
            problems.append(Unreachable(what, f"check {where}, and that the endpoint is up", names))
    return problems
