"""Result files of other load testers in tests/data/peers, imported as a user imports them, with the endpoint's truth beside them."""

import json
import pathlib
import shutil

import pandas as pd

from analysis.__main__ import main
from analysis.runs.run_reader import Run, load_run

DATA = pathlib.Path(__file__).parents[1] / "data" / "peers"


def imported(tool: str, path: pathlib.Path, run_dir: pathlib.Path, *options: str) -> Run:
    """The run folder that `import` makes of it, read."""
    assert main(["import", tool, str(path), "--run-dir", str(run_dir), "--overwrite", *options]) == 0
    return load_run(run_dir)


def copied(tool: str, folder: pathlib.Path) -> pathlib.Path:
    """The tool's files without the truth, to be changed."""
    return pathlib.Path(
        shutil.copytree(DATA / tool, folder / tool, ignore=shutil.ignore_patterns("truth.jsonl", "clock.json"))
    )


def changed(path: pathlib.Path, change) -> None:
    """A JSON file with a change made to its content."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def with_truth(run: Run, tool: str) -> list[tuple[dict, dict]]:
    """(record, the endpoint's line) of each request. A tool names no request that the endpoint knows: they are paired by when
    they began, by how long they took and whether they failed, for several may begin within a millisecond."""
    lines = [json.loads(line) for line in (DATA / tool / "truth.jsonl").read_text().splitlines()]
    offset = json.loads((DATA / tool / "clock.json").read_text())["unix_minus_monotonic"]
    records = run.records.sort_values("started_at").to_dict("records")
    assert len(records) == len(lines)
    offset += records[0]["started_at"] - offset - min(line["arrival"] for line in lines)
    pairs = []
    for record in records:

        def unlike(line: dict, record: dict = record) -> float:
            apart = abs(record["started_at"] - offset - line["arrival"]) * 1000
            failed = pd.notna(record["error"])
            if failed != failure(line) or (record["http_status"] == 429) != (line["status"] == 429):
                return apart + 1000
            return apart + (0 if failed else abs(record["latency_ms"] - line["last_byte_ms"]))

        line = min(lines, key=unlike)
        lines.remove(line)
        pairs.append((record, line))
    return pairs


def failure(line: dict) -> bool:
    return line["fault"] is not None
