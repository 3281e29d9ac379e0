"""What the endpoints cost that were there for a run alone, from creation to deletion: endpoint.json, in sentences."""

import dataclasses
import typing

from analysis.runs.run_reader import Run
from analysis.words import format as show
from locustfiles.contract.endpoint_file import FILE, EndpointLife, read


@dataclasses.dataclass(frozen=True, slots=True)
class EndpointCost:
    """One endpoint that was there for a run alone. usd: as if every second of it were billed; None: not known."""

    run: str
    endpoint: str | None  # None: the file cannot be read
    hours: float | None
    usd_per_hour: float | None
    usd: float | None
    text: str


def endpoint_costs(runs: list[Run]) -> list[EndpointCost]:
    """Beside the runs' own cost; none where endpoints were there before."""
    return [cost for run in runs for cost in _of(run)]


def _of(run: Run) -> typing.Iterator[EndpointCost]:
    found = read(run.path)
    if found is None:
        text = f"Run {run.name}: its {FILE} cannot be read; what its endpoint cost is not known."
        yield EndpointCost(run.name, None, None, None, None, text)
    for life in found or ():
        text = f"Run {run.name}: {_sentence(life)}"
        yield EndpointCost(run.name, life.endpoint, life.hours, life.usd_per_hour, life.usd, text)


def _sentence(life: EndpointLife) -> str:
    instances = ", ".join(
        f"{i.instance_count} × {i.instance_type}" if i.instance_type else i.variant for i in life.instances
    )
    cost = "what that costs is not known" if life.usd is None else f"at most {show.money(life.usd)}"
    if life.usd_per_hour is not None:
        cost += f" ({show.price(life.usd_per_hour)} an hour)"
    left = f" Not deleted, and it may go on costing: {', '.join(life.left)}." if life.left else ""
    return (
        f"endpoint `{life.endpoint}` ({instances}) was there for {_span(life.hours)}, from its creation to its "
        f"deletion, warm-up and waiting included: {cost}.{left}"
    )


def _span(hours: float) -> str:
    if hours < 1 / 30:
        return show.seconds(hours * 3600)
    return f"{show.number(hours * 60)} min" if hours < 2 else f"{show.number(hours)} h"
