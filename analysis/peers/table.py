"""A table of our own form, for published studies and tools that keep figures alone: a CSV, a row a level, columns as in steps.csv.

Whom it is of: target, model, service, model_id, endpoint, instance_type, instance_count, payload, users or rate, region, started_at (ISO).
What it costs: usd_per_hour, or input_usd_per_1k and output_usd_per_1k; else the price books'. `label_…` are free columns. All
others have the names of steps.csv's columns; its costs and verdicts are worked out anew, and read past.
"""

import csv
import datetime
import itertools
import math
import pathlib
import re
import typing

from analysis.peers.imported import Imported, Level, Subject
from analysis.peers.nodes import MOST, Misshapen, NotFromHere, seek
from analysis.peers.unreadable import not_utf8
from analysis.words.columns import STEP_COLUMNS
from analysis.words.told import TELLABLE
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.nearest import nearest

READ = "CSV tables with a column `target` and the columns of steps.csv"
IDENTITY = (
    "target", "model", "service", "model_id", "endpoint", "instance_type", "instance_count", "payload", "users", "rate", "stream",
    "started_at", "region",
)  # fmt: skip
PRICES = {"usd_per_hour": "usd_per_hour", "input_usd_per_1k": "input", "output_usd_per_1k": "output"}
LABEL = "label_"
_ENOUGH = ("transactions_per_minute", "throughput_per_s", "completion_tokens_per_s", "latency_mean_s", "latency_p50_s")
_GAP_S = 1.0
_PERCENTILE = re.compile(r"(.+)_p(\d\d(?:_\d)?)_(m?s)")
Row = dict[str, str]


def files_of(path: pathlib.Path) -> list[pathlib.Path]:
    """CSV files with a column `target` and one that a level can be judged by."""
    return [file for file in seek(path, "*.csv") if _looks_so(file)]


def _looks_so(path: pathlib.Path) -> bool:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as text:
        names = next(csv.reader([text.readline()]), [])
    return "target" in names and ("users" in names or "rate" in names)


def read(path: pathlib.Path) -> Imported:
    """Raises NotFromHere, BadInput naming the line and column."""
    files = files_of(path)
    if not files:
        raise NotFromHere("no CSV with a column `target` and a column `users` or `rate`")
    found, subjects = Imported(tool="table", version=None, levels=[]), dict[str, Subject]()
    start = min(file.stat().st_mtime for file in files)
    for file in files:
        for line, row in enumerate(_rows(file), 2):
            place = f"{file}:{line}"
            level = _level(row, start, place)
            same = subjects.setdefault(level.subject.name or "", level.subject)
            if same != level.subject:
                raise BadInput(f"{place}: `{same.name}` was another target above; give it a name of its own")
            found.levels.append(level)
            start = level.bounds[1] + _GAP_S
    found.notes = [
        "Figures are as the table prints them; rates, costs and verdicts are worked out of them, percentiles are as they stand.",
    ]
    return found


def _rows(file: pathlib.Path) -> list[Row]:
    with open(file, encoding="utf-8-sig", newline="") as text:
        try:
            reader = csv.DictReader(text, strict=True)
            rows = list(reader)
        except UnicodeDecodeError as e:
            raise Misshapen(not_utf8(file, e)) from None
        except csv.Error as e:
            raise Misshapen(f"{file}: no whole CSV file ({e}); mend the line") from None
    names = list(reader.fieldnames or ())
    for name in names:
        _known(name, file)
    if double := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"{file}: column `{double}` stands twice; keep one of them")
    if not rows:
        raise BadInput(f"{file}: no row below its header; add a row a level")
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise BadInput(f"{file}:{line}: not as many cells as the header has; mend the line")
    return rows


def _known(name: str, file: pathlib.Path) -> None:
    names = (*IDENTITY, *PRICES, *TELLABLE, *STEP_COLUMNS)
    if name in names or name.startswith(LABEL):
        return
    meant = nearest(name, names)
    hint = f"`{meant}` is" if meant else "analysis/README.md names those that are, and free ones begin with `label_`"
    raise BadInput(f"{file}: column `{name}` is not known; {hint}")


def _level(row: Row, start: float, place: str) -> Level:
    cells = {name: text.strip() for name, text in row.items() if text and text.strip()}
    told: dict[str, float | str] = {}
    for name in TELLABLE.keys() & cells.keys():
        told[name] = cells[name] if TELLABLE[name].kind == "text" else _number(cells, name, place)
    if not any(name in told for name in _ENOUGH):
        raise BadInput(f"{place}: nothing that a level can be judged by; give one of {', '.join(_ENOUGH)}")
    share = told.get("error_rate")
    if isinstance(share, float) and share > 1:
        raise BadInput(f"{place}: `error_rate` is {share:g}, and more than all; give it as a share, 0.05 for 5 %")
    users, rate = (_number(cells, name, place) if name in cells else None for name in ("users", "rate"))
    if (users is None) == (rate is None) or (users is not None and not 1 <= users == int(users) <= MOST):
        raise BadInput(f"{place}: needs `users`, a whole number above 0, or a `rate`, and not both")
    _rising(told, place)
    at = _unix(cells["started_at"], place) if "started_at" in cells else start
    length = told.get("window_s", 0.0)
    return Level(
        users=None if users is None else int(users),
        rate=rate,
        subject=_subject(cells, told, place),
        payload=cells.get("payload", "").removesuffix(".jsonl") or None,
        window=(at, at + float(length)),
        aggregates=dict(sorted(told.items())),
    )


def _number(cells: Row, name: str, place: str) -> float:
    try:
        found = float(cells[name])
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise BadInput(
            f"{place}: `{name}` is `{cells[name][:30]}`, no number of 0 or more; leave the cell empty if it is not known"
        )
    return found


def _rising(told: dict[str, float | str], place: str) -> None:
    """Raises BadInput where a percentile is below a lower one, or a part above the whole: a slip, or columns that changed places."""
    families: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for column in told:
        if found := _PERCENTILE.fullmatch(column):
            families.setdefault((found[1], found[3]), []).append((float(found[2].replace("_", ".")), column))
    pairs = [(low, high) for each in families.values() for (_, low), (_, high) in itertools.pairwise(sorted(each))]
    pairs += [(part, "requests") for part in ("failures", "successes") if part in told and "requests" in told]
    for low, high in pairs:
        if float(told[high]) < float(told[low]):
            raise BadInput(
                f"{place}: `{high}` is {told[high]:g}, below `{low}`, {told[low]:g}; mend the one that is wrong"
            )


def _instances(cells: Row, place: str) -> int:
    count = _number(cells, "instance_count", place) if "instance_count" in cells else 1.0
    if not 1 <= count == int(count) <= MOST:
        raise BadInput(
            f"{place}: `instance_count` is `{cells['instance_count'][:30]}`, no whole number above 0; mend it"
        )
    return int(count)


def _unix(text: str, place: str) -> float:
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{place}: `started_at` is `{text[:30]}`, no time; give it as 2024-04-15T23:48:00Z") from None
    return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp()


def _subject(cells: Row, told: dict[str, float | str], place: str) -> Subject:
    name = cells.get("target")
    if name is None:
        raise BadInput(f"{place}: `target` is empty; name what was measured")
    by_id = "bedrock" if "model_id" in cells else None
    service = cells.get("service") or by_id or ("sagemaker" if "instance_type" in cells else "openai")
    if service not in ("openai", "sagemaker", "bedrock"):
        raise BadInput(f"{place}: `service` is `{service[:30]}`; give openai, sagemaker or bedrock")
    if service == "bedrock" and "model_id" not in cells:
        cells = cells | {"model_id": cells.get("instance_type") or cells.get("model") or name}
    key = "model_id" if service == "bedrock" else "endpoint"
    streamed = cells.get("stream", "yes" if any(t.startswith("ttft") for t in told) else "no").lower()
    prices = [(PRICES[n], _number(cells, n, place)) for n in PRICES if n in cells]
    if len(prices) not in ((0, 1) if "usd_per_hour" in cells else (0, 2)):
        raise BadInput(
            f"{place}: half a price, or two; give `usd_per_hour`, or both input_usd_per_1k and output_usd_per_1k"
        )
    hourly = service != "bedrock" and cells.get("instance_type")
    return Subject(
        name=name,
        model=cells.get("model") or (cells.get("model_id") if service == "bedrock" else None),
        service=typing.cast(typing.Any, service),
        stream=streamed in ("yes", "true", "1"),
        endpoint=cells.get(key),
        instance_type=hourly or None,
        region=cells.get("region"),
        instance_count=_instances(cells, place),
        labels=tuple((n.removeprefix(LABEL), text) for n, text in cells.items() if n.startswith(LABEL)),
        price=tuple(prices),
        container="tgi",
    )
