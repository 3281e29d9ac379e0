"""Run folders -> records as a DataFrame, with the manifest and what was wrong with the data.

A damaged line inside requests.csv is skipped, counted and named (its line, column and reason); it is a lost
record, so the run's stages are INVALID. A torn last line (a crash in mid-write) is skipped and counted.
"""

import collections
import dataclasses
import pathlib
import typing

import numpy as np
import pandas as pd
import pydantic

from analysis.runs.lost_records import doubled_in, lost_at_workers, lost_in_file, rows_by_worker, rows_gone_from
from analysis.runs.record_frame import UNTOLD, read_file
from analysis.runs.records_file import SOURCES
from analysis.runs.rows import Rows
from analysis.runs.texts import codes_of, counted, in_it, in_words
from analysis.runs.under_way import UnderWay
from locustfiles.contract.manifest import Manifest, StageWindow
from locustfiles.contract.run_folder import NotARun, RunFolder
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.slo import Slo
from locustfiles.contract.scenario.slo_file import SloFile
from locustfiles.contract.scenario.targets import Target

PRICE_BOOK_KEYS = ("file", "region", "as_of", "source")
STATUSES = ("running", "complete", "stopped", "failed")


@dataclasses.dataclass(slots=True)
class Run:
    """One run folder, read. `records` has a row a request: a column per record field, a missing value
    NaN; `started_at` by the master's clock; `sent`, `ended` in seconds from `epoch`, to the microsecond."""

    name: str  # unique among the runs analysed together
    path: pathlib.Path
    manifest: Manifest
    scenario: Scenario
    records: pd.DataFrame
    epoch: float  # Unix seconds that `sent` and `ended` count from
    notes: list[str]  # about the data, a sentence each
    lost: list[str]  # why records are missing or doubled in the file: no stage can be trusted
    lost_at_workers: list[str]  # why workers' records never arrived: stages that are not whole cannot be trusted
    several: bool = False  # it is analysed together with others, so texts name it
    limits: SloFile | None = None  # in place of those of its scenario
    _under_way: UnderWay | None = None

    def target(self, name: str) -> Target:
        return self.scenario.target(name)

    def slos_of(self, visit: StageWindow) -> dict[str, Slo]:
        """Class -> the limits that a stage has to keep. Those of a scenario, and of a file those of every stage, have no class: ``."""
        target = self.target(visit.target)
        return {"": self.scenario.slo_of(target)} if self.limits is None else self.limits.of(visit, model_of(target))

    def named(self, target: str) -> str:
        """A target in texts: `p4d`, where there are several runs `p4d` of run monday."""
        return f"`{target}` of run {self.name}" if self.several else f"`{target}`"

    def window(self, stage: StageWindow) -> tuple[float, float] | None:
        """[a, b) in seconds from `epoch`; None if the stage never got its window."""
        if stage.measure_from is None or stage.measure_until is None or stage.measure_until <= stage.measure_from:
            return None
        return stage.measure_from - self.epoch, stage.measure_until - self.epoch

    @property
    def under_way(self) -> UnderWay:
        if self._under_way is None:
            self._under_way = UnderWay(self.records)
        return self._under_way

    @property
    def of_stages(self) -> Rows:
        """The records of the manifest's stages: without warm-up calls, and without stages that were cut short and measured
        again after `--resume`."""
        return Rows(self.records)[self.records["stage"].isin([s.stage for s in self.manifest.stages])]


def model_of(target: Target) -> str:
    """What groups targets that serve the same model."""
    return target.model or getattr(target, "model_id", None) or target.name


def load_runs(paths: typing.Sequence[str | pathlib.Path]) -> list[Run]:
    """Read run folders, each under a name of its own. Raises NotARun."""
    folders = [pathlib.Path(p).resolve() for p in paths]
    for folder in folders:
        if folders.count(folder) > 1:
            raise NotARun(f"{folder}: named twice; name each run once")
    names = _unique([f.parts for f in folders])
    runs = [load_run(path, name, len(names) > 1, told=True) for path, name in zip(paths, names, strict=True)]
    _no_copies(runs)
    return runs


_ITS_OWN = ["started_at", "latency_ms"]  # no two runs have all of them alike


def _no_copies(runs: list[Run]) -> None:
    """Raises NotARun: a run beside its copy would count every request twice, and look like a repetition that agrees."""
    seen: dict[str, Run] = {}
    for run in runs:
        first = seen.setdefault(run.manifest.run_id, run)
        if first is not run and first.records[_ITS_OWN].equals(run.records[_ITS_OWN]):
            raise NotARun(
                f"{run.path}: holds the same run as {first.path} (run_id {run.manifest.run_id}); name one of them"
            )


def _unique(paths: list[tuple[str, ...]]) -> list[str]:
    """Of each path its last part, with as many of those before it as tell it from the others: a/runs/demo, b/runs/demo."""
    names = []
    for path in paths:
        length = next(n for n in range(1, len(path) + 1) if sum(other[-n:] == path[-n:] for other in paths) == 1)
        names.append(str(pathlib.PurePath(*path[-length:])))
    return names


def load_run(path: str | pathlib.Path, name: str | None = None, several: bool = False, told: bool = False) -> Run:
    """Read one run folder. told: its columns without UNTOLD, and texts as categories. Raises NotARun when there is none, or it
    cannot be read."""
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    folder.check_requests()
    scenario = scenario_of(folder, manifest)
    records, damaged, torn = read_file(folder, UNTOLD if told else ())
    records = records if told else in_words(records)
    notes, lost = [], []
    if torn:
        notes.append(f"{folder.requests}: the last line was torn (a crash in mid-write); it was skipped.")
    if damaged:
        lost.append(damaged_text(len(damaged), damaged))
    lost += doubled_in(records) + lost_in_file(manifest, rows_by_worker(records))
    manifest.problems += rows_gone_from(manifest, records, len(damaged))
    check_targets(folder, scenario, records)
    notes += _unknown_words(folder, manifest, records) + dated(manifest, records) + _other_versions(manifest)
    name = name or folder.path.resolve().name
    at_workers = lost_at_workers(manifest)
    return Run(name, folder.path, manifest, scenario, records, manifest.started_at, notes, lost, at_workers, several)


def scenario_of(folder: RunFolder, manifest: Manifest) -> Scenario:
    """The manifest's scenario. Raises NotARun where it cannot be read, or the manifest contradicts itself."""
    try:
        scenario = Scenario.model_validate(manifest.scenario)
    except pydantic.ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotARun(
            f"{folder.manifest}: its scenario cannot be read ({where}: {first['msg']}); read it with the version that wrote it"
        ) from None
    _check_stages(folder, manifest, {t.name for t in scenario.targets})
    return scenario


def damaged_text(count: int, first: typing.Sequence[tuple[int, str]]) -> str:
    """first: number and reason of damaged lines, at least of the first six."""
    shown = "; ".join(f"line {number}: {why}" for number, why in first[:5]) + ("; …" if count > 5 else "")
    lines = "damaged lines" if count > 1 else "damaged line"
    return f"{count} {lines} in requests.csv {'were' if count > 1 else 'was'} skipped ({shown})."


def check_targets(folder: RunFolder, scenario: Scenario, records: pd.DataFrame) -> None:
    """Raises NotARun where records name a target that the scenario does not."""
    unknown = sorted(set(in_it(records["target"])) - {t.name for t in scenario.targets})
    if unknown:
        raise NotARun(
            f"{folder.requests}: names target `{unknown[0]}`, which its manifest does not; put one run's files together"
        )


def dated(manifest: Manifest, records: pd.DataFrame) -> list[str]:
    """Give records `sent` and `ended`, s from the run's start by the master's clock; notes on clocks that are not known."""
    notes = _correct_clocks(manifest, records)
    records["sent"] = records["started_at"] - manifest.started_at
    records["ended"] = records["sent"] + records["latency_ms"] / 1000
    return notes


def run_of_some(folder: RunFolder, manifest: Manifest, scenario: Scenario, records: pd.DataFrame) -> Run:
    """A Run of a part of its records, which are dated. What only the whole file can tell is not looked for."""
    at_workers = lost_at_workers(manifest)
    name = folder.path.resolve().name
    return Run(name, folder.path, manifest, scenario, records, manifest.started_at, [], [], at_workers)


def _unknown_words(folder: RunFolder, manifest: Manifest, records: pd.DataFrame) -> list[str]:
    """Words that no version wrote, which are not counted as any of the known ones, and facts that every version wrote."""
    notes = []
    if manifest.status not in STATUSES:
        notes.append(f"{folder.manifest}: `status` is `{manifest.status}`, which is none of {', '.join(STATUSES)}.")
    notes += [
        f"{folder.manifest}: `sha256` of `{stem}` is not there: whether other runs sent the same prompts is not known."
        for stem, facts in manifest.payloads.items()
        if not facts.get("sha256")
    ]
    for column in ("prompt_token_source", "token_source"):
        notes += [
            f"{folder.requests}: `{column}` of {n} records is `{word}`, which is none of {', '.join(SOURCES)}."
            for word, n in counted(records[column]).items()
            if word not in SOURCES
        ]
    return notes


def _check_stages(folder: RunFolder, manifest: Manifest, targets: set[str]) -> None:
    """Raises NotARun where the manifest contradicts itself."""
    wrong, times = None, collections.Counter(s.stage for s in manifest.stages)
    for stage in manifest.stages:
        if stage.target not in targets:
            wrong = f"stage {stage.stage} is of target `{stage.target}`, which its scenario does not name"
        elif stage.users is None and stage.rate is None:
            wrong = f"stage {stage.stage} has neither `users` nor `rate`"
        elif times[stage.stage] > 1:
            wrong = f"stage {stage.stage} stands twice"
    if missing := [key for key in PRICE_BOOK_KEYS if key not in manifest.price_book]:
        wrong = f"`price_book.{missing[0]}` is missing"
    if wrong:
        raise NotARun(f"{folder.manifest}: cannot be read: {wrong}; put back the file that the run wrote")


def _other_versions(manifest: Manifest) -> list[str]:
    notes = []
    for worker in (w for w in manifest.workers if w.versions):
        unlike = (
            f"{name} {version} (master: {manifest.versions.get(name, 'none')})"
            for name, version in worker.versions.items()
        )
        notes.append(f"Worker {worker.id} on {worker.host} ran other versions than the master: {', '.join(unlike)}.")
    return notes


def _correct_clocks(manifest: Manifest, records: pd.DataFrame) -> list[str]:
    """Subtract each worker's clock offset from started_at, once; say where an offset is not known."""
    offsets = {w.id: w.clock_offset_ms for w in manifest.workers if w.clock_offset_ms is not None}
    codes, workers = codes_of(records["worker"])
    seconds = np.array([offsets.get(worker, 0.0) / 1000 for worker in workers])
    if seconds.any():
        records["started_at"] -= seconds[codes]
    unknown = [w for w in in_it(records["worker"]) if w not in offsets and w != "local"]
    if not unknown:
        return []
    return [f"The clock offset of worker {w} is not known; its times are used as they are." for w in sorted(unknown)]
