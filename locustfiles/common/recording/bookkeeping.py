"""What the manifest says of records: how many each worker, part and stage has in requests.csv, and where the others are."""

import collections.abc
import pathlib

from locustfiles.common.recording.delivery import Account
from locustfiles.common.recording.safekeeping import ENDING, Safekeeping
from locustfiles.contract.manifest import Manifest, Problem, StageWindow, WorkerEntry
from locustfiles.contract.spool import missing, missing_remedy

Accounts = collections.abc.Mapping[str, Account]


def book(
    manifest: Manifest,
    members: dict[str, WorkerEntry],
    accounts: Accounts,
    files: Safekeeping,
    records: collections.abc.Mapping[int, int],
) -> None:
    """Bring the counts of the last part up to date. records: stage -> how many of it have arrived in this part."""
    part, pending = manifest.parts[-1], files.requests.pending()
    for worker, account in accounts.items():
        entry = members.setdefault(worker, WorkerEntry(worker, "", None, None, 0, None))
        entry.received, entry.run_id = account.received - len(pending.get(worker, ())), part.run_id
    produced = [account.produced for account in accounts.values() if account.produced is not None]
    part.produced = sum(produced) if len(produced) == len(accounts) else None
    part.received = sum(account.received for account in accounts.values())
    part.rows, part.kept = files.requests.rows - sum(map(len, pending.values())), files.kept
    unwritten = files.unwritten()
    for stage in manifest.stages:
        if stage.stage in records or stage.records is None:
            stage.records = records.get(stage.stage, 0) - unwritten.get(stage.stage, 0)
        if stage.whole and unwritten.get(stage.stage):
            files.doubted.add(stage.stage)
            stage.whole = False
        elif stage.stage in files.doubted and not unwritten.get(stage.stage):
            files.doubted.remove(stage.stage)
            stage.whole = True


def with_parts(manifest: Manifest, stages: list[int] | None) -> list[int] | None:
    """With all parts of a mix where one is meant: what befell one befell all."""
    if stages is None or not any(stage.mix for stage in manifest.stages):
        return stages
    mixes = {stage.stage: stage.mix for stage in manifest.stages if stage.mix}
    return sorted({number for stage in stages for number in mixes.get(stage, [stage])})


def unfinished(manifest: Manifest) -> list[int]:
    """Stages of which records may still be missing."""
    return [stage.stage for stage in manifest.stages if not stage.whole]


def cut_short(manifest: Manifest) -> list[StageWindow]:
    return [stage for stage in manifest.stages if stage.hold_until is None]


def add_problem(manifest: Manifest, sentence: str, stages: list[int] | None) -> bool:
    """Whether that is news: one that is known already may concern further stages."""
    stages = with_parts(manifest, stages)
    known = next((p for p in manifest.problems if p.text == sentence), None)
    if known is None:
        manifest.problems.append(Problem(sentence, stages))
    elif known.stages is None or (stages is not None and set(stages) <= set(known.stages)):
        return False
    else:
        known.stages = None if stages is None else sorted({*known.stages, *stages})
    return True


def lacking(manifest: Manifest, accounts: Accounts, files: Safekeeping) -> list[Problem]:
    """Of each worker of the last part whose records have not all arrived."""
    found, stages, run_id = [], unfinished(manifest), manifest.parts[-1].run_id
    for worker, account in accounts.items():
        if sentence := missing(worker, account.received, account.produced):
            found.append(Problem(sentence + missing_remedy(run_id, worker, files.folder.path, bool(stages)), stages))
    return found


def kept_elsewhere(manifest: Manifest, files: Safekeeping) -> Problem | None:
    """Records that requests.csv does not have, and how they get there."""
    if not files.kept:
        return None
    stages, run_id = unfinished(manifest), manifest.parts[-1].run_id
    count, names = sum(files.unwritten().values()), _names([pathlib.Path(kept.file) for kept in files.kept], run_id)
    command = f"python -m analysis merge {files.folder.path} {names}"
    again = ", or --resume, which adds them too" if stages else ""
    text = f"{count} records are not in {files.folder.requests} but in {names}; once it can be written again: {command}{again}"
    return Problem(text, stages, kept_of=run_id)


def _names(files: list[pathlib.Path], run_id: str) -> str:
    """As a shell takes them; a pattern for those of several workers in one folder."""
    folders = list(dict.fromkeys(file.parent for file in files))
    if len(files) == len(folders):
        return " ".join(map(str, files))
    return " ".join(str(folder / f"swarmledger-spool-{run_id}-*{ENDING}.csv") for folder in folders)
