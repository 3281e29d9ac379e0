"""FMBench: the CSV files of `data/metrics/yyyy=…/`: a request a line, or chunks of N simultaneous requests alone.

A chunk is N prompts sent at once, and the next when all are answered: a request's start is its chunk's, which follows the one
before it. How long a chunk took is worked out of its tokens and its tokens/s in all_metrics.csv, else of its slowest request. Before
2.0 a request's payload file is known from its chunk alone.
"""

import collections
import csv
import itertools
import pathlib
import re
import sys
import typing

from analysis.peers.fmbench_chunks import Chunk, chunk_levels, chunks_of, summary_levels
from analysis.peers.fmbench_subject import subject_of
from analysis.peers.imported import Imported, Level, prompt_id, request
from analysis.peers.nodes import Misshapen, NotFromHere, Origin, seek
from analysis.peers.undated import NO_DATE, began_at, needed
from analysis.peers.unreadable import not_utf8
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord

READ = "FMBench 1.0 to 2.1"
Row = dict[str, str]
_REQUESTS, _CHUNKS, _SUMMARY = "per_inference_request_results.csv", "all_metrics.csv", "all_metrics_summary.csv"
#: what is read of a folder: the first that is there
_FILES = (_REQUESTS, _CHUNKS, _SUMMARY, "summary_metrics_w_pricing.csv", "summary_metrics_for_dataset_w_scores.csv")
_KNOWN_BY = {"experiment_name", "concurrency", "prompt_tokens", "completion_tokens", "latency"}
_GAP_S = 1.0  # between two levels


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Of each folder the most telling one: requests, else chunks, else the summary of those."""
    found: dict[pathlib.Path, pathlib.Path] = {}
    for name in _FILES:
        for file in seek(path, name):
            if file.parent not in found and _looks_so(file):
                found[file.parent] = file
    return sorted(found.values())


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, "rb") as file:
        head = file.read(8192).partition(b"\n")[0]
    return b"experiment_name" in head and b"concurrency" in head


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, Misshapen."""
    files = files_of(path)
    if not files:
        raise NotFromHere(f"none of {_REQUESTS}, {_CHUNKS} and {_SUMMARY}")
    found = Imported(tool="fmbench", version=None, levels=[])
    for file in files:
        start, said_by = began_at(file.parent, [file])
        origin = Origin("FMBench", file, READ)
        rows = read_rows(file, origin)
        if "latency" in rows[0] and _KNOWN_BY <= rows[0].keys():
            levels = _of_requests(rows, file.with_name(_CHUNKS), start, origin)
        elif "successes" in rows[0]:
            levels = chunk_levels(rows, start, origin)
        else:
            levels = summary_levels(rows, start, origin)
        found.levels += levels
        found.notes += [NO_DATE.format(of=said_by)] if NO_DATE.format(of=said_by) not in found.notes else []
    found.notes += list(_notes(found))
    return found


def read_rows(file: pathlib.Path, origin: Origin) -> list[Row]:
    """A CSV's rows by their header. Raises Misshapen for an empty one, or a row that is cut off."""
    csv.field_size_limit(sys.maxsize)
    try:
        with open(file, encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            rows = list(reader)
    except UnicodeDecodeError as e:
        raise Misshapen(not_utf8(file, e)) from None
    except csv.Error as e:
        raise Misshapen(f"{file}: no whole CSV file ({e}): cut off, or not FMBench's; copy it again") from None
    except OSError as e:
        raise NotFromHere(f"{file.name} cannot be read: {e.strerror}") from None
    if not rows:
        raise origin.misshapen("it has no row")
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            which = "last row" if line == len(rows) + 1 else f"row in line {line}"
            raise Misshapen(f"{file}: its {which} is cut off; copy it again")
    needed(rows[0], ("experiment_name", "concurrency"), origin)
    return rows


def _of_requests(rows: list[Row], beside: pathlib.Path, start: float, origin: Origin) -> list[Level]:
    chunks = chunks_of(read_rows(beside, origin), origin) if beside.is_file() else []
    waiting = collections.defaultdict(list)
    for each in chunks:
        waiting[each.key].append(each)
    groups: dict[tuple[str, int, str | None], list[tuple[list[Row], Chunk | None]]] = {}
    for together in _together(rows, origin):
        first, key = together[0], _sums(together)
        same = waiting.get(key)
        chunk = same.pop(0) if same else None
        payload = first.get("payload_file") or (chunk.payload if chunk else None)
        groups.setdefault((first["experiment_name"], _users(first, origin), payload), []).append((together, chunk))
    levels = []
    for (_, users, payload), of_level in groups.items():
        level = _level(of_level, users, payload, start, origin)
        levels.append(level)
        start = level.bounds[1] + _GAP_S
    return levels


def _together(rows: list[Row], origin: Origin) -> typing.Iterator[list[Row]]:
    """Those sent at once: the next N of an experiment, number of users and payload."""

    def of(row: Row) -> tuple[str, str, str | None]:
        return row["experiment_name"], row["concurrency"], row.get("payload_file")

    for _, run in itertools.groupby(rows, key=of):
        same = list(run)
        size = _users(same[0], origin)
        yield from (same[i : i + size] for i in range(0, len(same), size))


def _sums(rows: list[Row]) -> tuple[str, int, int, int]:
    """By which a chunk of all_metrics.csv is told apart."""
    tokens = [sum(number(row.get(name)) or 0 for row in rows) for name in ("prompt_tokens", "completion_tokens")]
    return rows[0]["experiment_name"], int(float(rows[0]["concurrency"])), round(tokens[0]), round(tokens[1])


def _users(row: Row, origin: Origin) -> int:
    users = number(row["concurrency"])
    if users is None or users < 1:
        raise origin.misshapen(f"`concurrency` is {row['concurrency'][:20]}, no number of users")
    return int(users)


def _level(
    each: list[tuple[list[Row], Chunk | None]], users: int, payload: str | None, start: float, origin: Origin
) -> Level:
    records, at = [], start
    for rows, chunk in each:
        slowest = max((number(row["latency"]) or 0.0 for row in rows), default=0.0)
        records += [_record(row, at, origin) for row in rows]
        at += max(slowest, chunk.elapsed_s if chunk and chunk.elapsed_s else 0.0)
    first = each[0][0][0]
    streams = any(r.ttft_ms is not None for r in records)
    return Level(
        users=users,
        records=records,
        subject=subject_of(first, streams),
        payload=pathlib.PurePath(payload).stem if payload else None,
        window=(start, at),
    )


def number(text: str | None) -> float | None:
    """Of a cell; an empty one, or no number, is None."""
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if found == found and abs(found) != float("inf") else None


def _record(row: Row, started_at: float, origin: Origin) -> RequestRecord:
    latency, prompt, wrote = (number(row[name]) for name in ("latency", "prompt_tokens", "completion_tokens"))
    first, last = (number(row.get(name)) for name in ("time_to_first_token", "time_to_last_token"))
    failed = wrote is None or latency is None
    if not failed and latency is not None and latency < 0:
        raise origin.misshapen(f"`latency` is {row['latency'][:20]}")
    whole = 0.0 if latency is None else max(latency, last or 0.0)
    return request(
        started_at=started_at,
        latency_ms=1000 * whole,
        ttft_ms=None if first is None or failed else 1000 * first,
        last_token_ms=None if last is None or first is None or failed else 1000 * last,
        prompt_id=prompt_id(row.get("prompt")),
        prompt_tokens=None if prompt is None else round(prompt),
        completion_tokens=None if failed or wrote is None else round(wrote),
        tokenizer_prompt_tokens=None if prompt is None else round(prompt),
        tokenizer_completion_tokens=None if failed or wrote is None else round(wrote),
        prompt_token_source="none" if prompt is None else "tokenizer",
        token_source="none" if failed else "tokenizer",
        error=ErrorClass.UNKNOWN if failed else None,
    )


def _notes(found: Imported) -> typing.Iterator[str]:
    kept = [level for level in found.levels if level.records]
    if kept:
        yield (
            "FMBench sends N requests at once and the next N when the slowest has come: its `concurrency` is the most in flight, "
            "not the mean. Requests/s are all requests by all chunks' times; FMBench's own are the mean of each chunk's rate, which "
            "is more."
        )
        yield "FMBench does not keep when a request began: chunks stand one after the other, without the client's pauses between them."
    else:
        yield (
            "FMBench's percentiles are means of its chunks' percentiles, of N simultaneous requests each; only where N is 1 or all "
            "requests are one chunk are they percentiles of requests."
        )
    yield (
        "FMBench's SDK tries failed requests again: a request's times hold these tries, refused ones are not told; of those that "
        "failed it keeps no reason and no length."
    )
    if any(not re.search(r"bedrock", level.subject.service) for level in found.levels):
        yield (
            "Tokens are counted by FMBench's tokenizer (without one: 1.33 of a word), never by the service; tokens per second and times "
            "per token are of these."
        )
