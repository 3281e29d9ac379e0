"""Result files of other load testers, with what the endpoint knows of the same requests."""

import collections
import json
import pathlib
import sqlite3

from analysis.__main__ import main
from analysis.peers.tools import read

DATA = pathlib.Path(__file__).parents[1] / "data" / "peers"
STUDIES = DATA.parent / "studies"
SECONDS = ("start_time", "completed_time", "latency", "first_chunk_latency", "time_per_output_token")


def truth(tool):
    """The endpoint's log: a row a request that reached it."""
    return [json.loads(line) for line in (DATA / tool / "truth.jsonl").read_text().splitlines()]


def whole(rows):
    """Those that it answered to the end."""
    return [r for r in rows if r["status"] == 200 and r.get("fault") is None]


def tokens_of_truth(rows):
    return collections.Counter((r["prompt_tokens"], r["completion_tokens"]) for r in rows)


def tokens_of(records):
    return collections.Counter((r.prompt_tokens, r.completion_tokens) for r in records)


def records_of(found):
    return [r for level in found.levels for r in level.records]


def successes(found):
    return [r for r in records_of(found) if r.error is None]


def read_of(tool, path):
    return read(tool, pathlib.Path(path))


def run_of(tool, path, folder, *options):
    """`import` by its command line; the run folder."""
    code = main(["import", tool, str(path), "--run-dir", str(folder), *options])
    assert code == 0, f"import {tool} {path} exits {code}"
    return folder


def refusal(capsys, tool, path, folder, *options):
    """The one line that `import` says where it takes nothing."""
    assert main(["import", tool, str(path), "--run-dir", str(folder), *options]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert not (folder / "manifest.json").exists()
    return lines[0]


def evalscope_rows(level):
    return [json.loads(line) for line in (DATA / "evalscope" / level / "rows.jsonl").read_text().splitlines()]


def evalscope_folder(path, level="parallel_2_number_12", rows=None, files=("benchmark_args.json",)):
    """As the tool leaves it: its rows in a database, whose columns are those of the rows."""
    folder = path / level
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).write_text((DATA / "evalscope" / level / name).read_text())
    database(folder / "benchmark_data.db", evalscope_rows(level) if rows is None else rows)
    return path


def database(file, rows):
    kept = sqlite3.connect(file)
    names = list(rows[0]) if rows else ["start_time"]
    kept.execute(f"CREATE TABLE result({', '.join(names)})")
    marks = ", ".join("?" * len(names))
    kept.executemany(f"INSERT INTO result VALUES ({marks})", [[row[name] for name in names] for row in rows])
    kept.commit()
    kept.close()
