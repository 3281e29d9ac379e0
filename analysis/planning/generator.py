"""What the load generator itself needs to send the planned load: workers, cores and memory, of each measured target."""

import typing

import pandas as pd

from analysis.planning.demand import Demand
from analysis.planning.measured import dataset_of
from analysis.verdicts.measured import Measured
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from locustfiles.contract.capacity import FULL, MASTER_MB, ROOM, STREAMS_A_CORE, Generator, call_ms

_COLUMNS = (
    "Target",
    "Requests/s",
    "Output tokens",
    "Core ms a request",
    "Cores",
    "At once",
    "Workers",
    "MB a worker",
    "Master's core",
)


class Planned(typing.NamedTuple):
    """One target's."""

    who: str
    tokens: float | None  # of an answer that streams; None of answers in one piece
    generator: Generator | None  # None: its answers stream, and nobody counted their tokens


def generators(measured: Measured, demand: Demand, wanted: str | None) -> list[Planned]:
    """To send the load's peak, with the answers and the latency of each target's stage of the most successes.

    Calls at once are rate times mean latency (Little, Operations Research 9, 1961, 383-387). A target without a
    success is left out. wanted: the payload, as `plan` is asked for it. Raises BadInput for one that was not measured.
    """
    dataset, _ = dataset_of(measured, wanted)
    best: dict[str, Result] = {}
    for r in measured.results:
        if r.payload == dataset and r.trusted and r.figures.alone_at_a_level and r.figures.latency.mean is not None:
            best[r.who] = max(best.get(r.who, r), r, key=lambda one: one.per_minute or 0.0)
    found = []
    for who, r in best.items():
        run, tokens = measured.runs[r.figures.run], r.figures.tokens.completion_tokens_mean
        streams = run.target(r.figures.identity.target).stream
        if streams and tokens is None:
            found.append(Planned(who, None, None))
            continue
        each_ms = call_ms(tokens if streams else None, run.scenario.transport == "boto3")
        rate = demand.peak / 60
        made = Generator(rate, each_ms, rate * (r.figures.latency.mean or 0.0), streams)
        found.append(Planned(who, tokens if streams else None, made))
    return found


def generator_table(planned: list[Planned]) -> pd.DataFrame:
    """A row a target."""
    return pd.DataFrame([_row(each) for each in planned], columns=list(_COLUMNS)).fillna(show.UNKNOWN)


def _row(one: Planned) -> dict[str, str]:
    made = one.generator
    if made is None:
        return {"Target": one.who}
    return {
        "Target": one.who,
        "Requests/s": show.number(made.calls_per_s),
        "Output tokens": "in one piece" if one.tokens is None else show.number(one.tokens),
        "Core ms a request": show.number(made.call_ms),
        "Cores": show.number(made.cores),
        "At once": show.number(made.at_once),
        "Workers": str(made.workers),
        "MB a worker": show.count(made.worker_mb),
        "Master's core": show.percent(made.master_cores),
    }


def generator_lines() -> list[str]:
    """What the table goes by."""
    room = (
        f"Workers: a core each, of which {show.percent(ROOM)} are planned (above {show.percent(FULL)} a stage is SUSPECT), and at most "
        f"{STREAMS_A_CORE} streams at once. The master beside them needs a core that is not full, and {MASTER_MB:.0f} MB and more with "
        "its pages open."
    )
    source = (
        "Measured on one processor (scripts/bench/README.md); another may be twice as quick or as slow. A stage whose generator was too "
        "slow says so itself."
    )
    return [
        room,
        source,
        "Where a target streams and its tokens were not counted, nothing is known of it: give it a `tokenizer:`.",
    ]


def generators_as_json(planned: list[Planned]) -> list[dict[str, typing.Any]]:
    return [
        {"target": one.who, "output_tokens": one.tokens, **(_figures(one.generator) if one.generator else {})}
        for one in planned
    ]


def _figures(made: Generator) -> dict[str, float]:
    return made._asdict() | {
        "cores": made.cores,
        "workers": made.workers,
        "worker_mb": made.worker_mb,
        "master_cores": made.master_cores,
    }
