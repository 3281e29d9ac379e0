"""A run folder of what was imported, written as a load test writes it, so that every command reads it like any other."""

import dataclasses
import itertools
import typing
import uuid

from analysis.peers.imported import CONTRADICTORY, Imported, Level, end_of
from analysis.peers.scenarios import Names, payload_of
from locustfiles.contract.manifest import ImportedFrom, Manifest, Problem, StageWindow
from locustfiles.contract.prices.sourced import Sourced, book_among
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.version import product_version

_AT_ONCE = 20_000  # rows that are held before they are on the disk


def began(found: Imported) -> float:
    """Unix s of the first request, or of the first window."""
    starts = [r.started_at for level in found.levels for r in level.records]
    return min(starts + [level.window[0] for level in found.levels if level.window])


def write(
    folder: RunFolder, found: Imported, scenario: Scenario, names: Names, prices: dict[str, Sourced], source: str
) -> Manifest:
    """Write requests.csv and manifest.json into a folder that was made. source: the path that was read. Raises BadInput."""
    stages = [_window(level, n, names, found) for n, level in enumerate(found.levels, 1)]
    manifest = _manifest(found, scenario, stages, prices, source)
    manifest.most_tokens = {name: subject.max_tokens for subject, name in names.items()}
    try:
        file = RequestsFile(folder.requests)
        try:
            for n, record in enumerate(_numbered(found, names), 1):
                file.add(record)
                if n % _AT_ONCE == 0:
                    file.sync()
        finally:
            file.close()
        folder.write_manifest(manifest)
    except OSError as e:
        raise folder.unusable(e) from None
    return manifest


def _numbered(found: Imported, names: Names) -> typing.Iterator[RequestRecord]:
    """The records with whose they are, each in the phase in which it began; one at a time, for there may be a million."""
    call = 0
    for number, level in enumerate(found.levels, 1):
        whose: dict[str, typing.Any] = {
            "target": names[level.subject],
            "service": level.subject.service,
            "operation": level.subject.operation,
            "payload": payload_of(level, found),
            "users": level.users,
            "rate": level.rate,
        }
        bounds = level.bounds
        for record in level.records:
            call, phase = call + 1, _phase(record, bounds)
            yield dataclasses.replace(record, stage=0 if phase == "warmup" else number, phase=phase, call=call, **whose)


def _phase(record: RequestRecord, bounds: tuple[float, float]) -> str:
    early = "settle" if record.started_at < bounds[0] else "hold" if record.started_at > bounds[1] else "measure"
    return early if record.phase == "measure" else record.phase


def _window(level: Level, number: int, names: Names, found: Imported) -> StageWindow:
    a, b = level.bounds
    stage = StageWindow(
        stage=number,
        repeat=1,
        target=names[level.subject],
        payload=payload_of(level, found),
        users=level.users,
        rate=level.rate,
        started_at=a,
        aggregates=level.aggregates,
    )
    if level.aggregates is not None:
        return dataclasses.replace(stage, whole=True, records=0)
    return dataclasses.replace(
        stage,
        settle_from=a,
        measure_from=a,
        measure_until=b,
        hold_until=max(itertools.chain([b], (end_of(r) for r in level.records))),
        whole=True,  # as far as the tool wrote down what it sent: what it leaves out is among the notes
        records=sum(r.phase != "warmup" for r in level.records),
    )


def _manifest(
    found: Imported, scenario: Scenario, stages: list[StageWindow], prices: dict[str, Sourced], source: str
) -> Manifest:
    known = {name: priced.source for name, priced in prices.items()}
    return Manifest(
        name=scenario.name,
        run_id=uuid.uuid4().hex,
        status="complete",
        started_at=began(found),
        ended_at=max(s.hold_until or s.started_at for s in stages),
        scenario_file=source,
        scenario=scenario.model_dump(mode="json"),
        seed=scenario.seed,
        versions={"swarmledger": product_version(), found.tool: found.version or "not known"},
        git_revision=None,
        host="",  # no tool says on which machine it ran
        price_book=book_among(known.values()),
        prices={name: priced.price.model_dump(mode="json", exclude_none=True) for name, priced in prices.items()},
        price_sources={name: each.model_dump(mode="json") for name, each in known.items()},
        payloads={
            stem: {"file": None, "sha256": None, "prompts": None} for stem in dict.fromkeys(s.payload for s in stages)
        },
        stages=stages,
        problems=[Problem(text, [n]) for n, level in enumerate(found.levels, 1) for text in level.problems],
        imported=ImportedFrom(found.tool, found.version, [*found.notes, *_contradictions(found)]),
    )


def _contradictions(found: Imported) -> list[str]:
    texts = (r.error_message or "" for level in found.levels for r in level.records if not r.error)
    odd = sum(text.startswith(CONTRADICTORY) for text in texts)
    return [f"Of {odd} requests the tool's times contradict each other; those times are left empty."] if odd else []
