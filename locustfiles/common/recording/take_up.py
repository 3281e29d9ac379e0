"""What a part of a run had to keep outside its folder, and how the next part takes it up."""

import contextlib
import glob
import json
import pathlib

from locustfiles.contract.manifest import Manifest
from locustfiles.contract.merging import merge, run_ids
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.spool import NotASpool, places, read_spool, working_folder

_NOT_TOLD = "the stages that it alone had are measured again; remove it, or mend it before --resume"


def _manifest_file(run_id: str) -> str:
    return f"swarmledger-manifest-{run_id}.json"


def keep_manifest(folder: RunFolder, manifest: Manifest, e: OSError) -> str:
    """Write it elsewhere, since its folder does not take it; what there is to say."""
    what = f"{folder.manifest} cannot be written ({e.strerror})"
    for place in (*places(), *working_folder()):
        file = place / _manifest_file(manifest.parts[-1].run_id)
        try:
            RunFolder(place).write_manifest(manifest, file)
        except OSError:
            continue
        return f"{what}: what it should say is in {file}; copy that to it, or go on with --resume, which does"
    return f"{what}, nor is there another place for what it should say: the stages since it was last written are lost"


def forget_manifest(run_id: str) -> None:
    """The folder has taken it after all."""
    for place in (*places(), *working_folder()):
        with contextlib.suppress(OSError):
            (place / _manifest_file(run_id)).unlink(missing_ok=True)


def take_up(folder: RunFolder) -> list[str]:
    """Bring back what earlier parts have kept elsewhere, a sentence each. Raises NotARun, or BadInput where it does not fit."""
    try:
        return [*_manifests(folder), *_spools(folder)]
    except OSError as e:
        raise folder.unusable(e) from None


def _found(name: str) -> list[pathlib.Path]:
    return [found for place in (*places(), *working_folder()) for found in sorted(place.glob(name))]


def _manifests(folder: RunFolder) -> list[str]:
    """The one that was kept last, of a part whose own was never closed."""
    old, said = folder.read_manifest(), []
    if not old.parts or old.parts[-1].ended_at is not None:
        return []
    last = old.parts[-1].run_id
    for file in _found(_manifest_file(glob.escape(last))):
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))["parts"][-1]["run_id"]
        except (ValueError, LookupError, TypeError, RecursionError) as e:
            said.append(f"{file}: what was kept for {folder.manifest} cannot be read ({e}): {_NOT_TOLD}")
            continue
        if kept != last:
            said.append(f"{file}: it is of the part `{kept}`, not of `{last}`: {_NOT_TOLD}")
            continue
        before = folder.manifest.read_bytes()
        folder.manifest.write_bytes(file.read_bytes())
        try:
            folder.read_manifest()
        except Exception:
            folder.manifest.write_bytes(before)
            raise
        file.unlink()
        said.append(f"{folder.manifest} is what it should have been: {file} was kept for it")
    return said


def _spools(folder: RunFolder) -> list[str]:
    manifest, said = folder.read_manifest(), []
    named = [pathlib.Path(kept.file) for part in manifest.parts for kept in part.kept]
    by_name = [f for run in run_ids(manifest) for f in _found(f"swarmledger-spool-{glob.escape(run)}-*-kept.csv")]
    for file in dict.fromkeys([*named, *by_name]):
        try:
            spool = read_spool(file)
        except NotASpool as e:
            said.append(f"{folder.path}: records of the run are missing: {e}")
            continue
        if spool.run_id in run_ids(manifest):
            said.append(merge(folder, spool).text(file))
            file.unlink()
    return said
