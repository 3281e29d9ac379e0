"""The tools whose files are read, by the names that `import` has for them."""

import itertools
import pathlib
import types

from analysis.peers import (
    aiperf,
    evalscope,
    fmbench,
    genai_bench,
    guidellm,
    inference_perf,
    llmeter,
    table,
    vllm_bench,
)  # fmt: skip
from analysis.peers.imported import Imported
from analysis.peers.nodes import NotFromHere
from analysis.peers.unreadable import kind_of_file, unreadable_below
from locustfiles.contract.bad_input import BadInput

_LOOKED_AT = 200  # files of a folder above
_SUFFIXES = (".json", ".jsonl", ".csv", ".db")
LATEST = 253_402_300_800.0  # the year 10000, Unix s

#: a module has `read`, `files_of` (what looks like the tool's) and READ (the versions whose files are known)
TOOLS: dict[str, types.ModuleType] = {
    "aiperf": aiperf,
    "evalscope": evalscope,
    "fmbench": fmbench,
    "genai-bench": genai_bench,
    "guidellm": guidellm,
    "inference-perf": inference_perf,
    "llmeter": llmeter,
    "table": table,
    "vllm-bench": vllm_bench,
}


def read(tool: str, path: pathlib.Path) -> Imported:
    """Raises BadInput: no such path, files of another tool, of a version that is not known, or damaged ones."""
    if not path.exists():
        raise BadInput(f"{path}: not there; give the folder or file that {tool} wrote")
    if path.is_dir() and not any(path.iterdir()):
        raise BadInput(f"{path}: an empty folder; give the one that {tool} wrote its results to")
    try:
        files = TOOLS[tool].files_of(path)
        if found := unreadable_below(path, files):
            raise BadInput(f"{found[0]}: {found[1]}")
        if files:
            return _dated(TOOLS[tool].read(path), path)
    except ValueError as e:  # of one request's record
        raise BadInput(f"{path}: {e}: damaged, or not of {tool}; copy it again") from None
    except NotFromHere as e:
        raise BadInput(f"{path}: no results of {tool} ({e}); give the folder that it wrote") from None
    raise BadInput(f"{path}: {_not_found(tool, path)}")


def _not_found(tool: str, path: pathlib.Path) -> str:
    """What is there in place of the tool's files, and what to do."""
    others = [name for name, module in TOOLS.items() if name != tool and module.files_of(path)]
    if others:
        return f"looks like files of {others[0]}, not of {tool}; use `import {others[0]}`"
    above = next((p for p in (path.parent, path.parent.parent) if _directly_in(p, tool)), None)
    if above is not None:
        what = f"{kind}, which is not read" if (kind := kind_of_file(path)) else f"no results of {tool} in it"
        return f"{what}, but there are some above; give {_directly_in(above, tool)[0]}, or {above}"
    what = f"{kind} without results of {tool}" if (kind := kind_of_file(path)) else f"no results of {tool} in it"
    return f"{what}; read are the files of {TOOLS[tool].READ}"


def _directly_in(folder: pathlib.Path, tool: str) -> list[pathlib.Path]:
    files = sorted(
        p for p, _ in zip(folder.iterdir(), range(_LOOKED_AT), strict=False) if p.is_file() and p.suffix in _SUFFIXES
    )
    return [file for file in files if file in TOOLS[tool].files_of(file)]


def _dated(found: Imported, path: pathlib.Path) -> Imported:
    """As it is. Raises BadInput for a time that no calendar has: a damaged cell, or another unit than seconds."""
    for n, level in enumerate(found.levels, 1):
        ends = itertools.chain(level.bounds, (r.started_at for r in level.records))
        if odd := [at for at in ends if not 0 <= at < LATEST]:
            raise BadInput(f"{path}: level {n} began or ended {odd[0]:g} s after 1970, no time; mend its file")
    return found
