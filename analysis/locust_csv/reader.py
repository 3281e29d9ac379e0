"""The two files of a Locust run that costs can be told from, whatever version wrote them.

PREFIX_stats_history.csv has about one row a second with *cumulative* counts; its Requests/s is a sliding mean that freezes
when nothing completes, so figures come from differences of the cumulative columns. PREFIX_stats.csv has the whole run.
"""

from dataclasses import dataclass
from pathlib import Path

from analysis.locust_csv.counts import (
    NOTHING,
    PERCENTILES,
    TOTAL,
    BadLocustCsv,
    Counts,
    History,
    Key,
    Percentiles,
    Second,
    Series,
    Totals,
)
from analysis.locust_csv.percentiles import WholeRun
from analysis.locust_csv.sheets import HISTORY, STATS, Sheet, look_at, number, whole
from locustfiles.contract.nearest import nearest

ENDINGS = ("_stats_history.csv", "_requests_full_history.csv", "_stats.csv", "_requests.csv")
MILLISECONDS = 10**11  # no time in seconds is above: that would be the year 5138
NO_COSTS = ("_distribution.csv", "_failures.csv", "_exceptions.csv")


@dataclass(frozen=True, slots=True)
class LocustFiles:
    """What the files of one run hold; `why_no_history` is words where there is none to use."""

    prefix: str
    history: History | None
    totals: Totals | None
    why_no_history: str

    @property
    def known(self) -> dict[Key, Counts]:
        """Every name with a request, over the whole run: of both files the one that counted more."""
        found = {key: self.history.whole([key]) for key in self.history.keys} if self.history else {}
        for key in self.totals.keys if self.totals else ():
            counts = self.totals.rows[key] if self.totals else NOTHING
            if counts.requests > found.get(key, NOTHING).requests:
                found[key] = counts
        return {key: counts for key, counts in sorted(found.items()) if counts.requests}


def read_files(given: str | Path) -> LocustFiles:
    """The run whose PREFIX, or one of whose files, is given. Raises BadLocustCsv."""
    prefix, sheets = _found(str(given))
    history = sheets.get("history")
    totals = _totals(sheets["stats"]) if "stats" in sheets else None
    seconds = _history(history) if history else None
    if seconds is None and totals is None:
        first = next(iter(sheets.values()))
        remedy = "give the run's PREFIX with its _stats.csv" if first.kind != "history" else "give a longer run"
        what = first.told
        if first.kind == "history" and any(True for _ in first.rows()):
            what, remedy = "has no row of Aggregated", "give the file as Locust wrote it"
        elif first.kind == "history":
            what = "has a header and no row; Locust writes a few seconds late"
        raise BadLocustCsv(f"{first.path}: {what}; {remedy}")
    if totals is not None and not totals.rows:
        if seconds is not None:
            return LocustFiles(prefix, seconds, None, "")
        by = " as Locust 0.12 and older write it" if sheets["stats"].before_1_0 else ""
        raise BadLocustCsv(f"{totals.path}: has a header{by} and no row: the run ended before the first; run it again")
    why = f"no {Path(prefix).name}_stats_history.csv"
    if "history without users" in sheets:
        why = "the history is Locust 0.13's or 0.14's, without a user count"
    elif history:
        why = "no row of Aggregated in the history"
    return LocustFiles(prefix, seconds, totals, why)


def _found(given: str) -> tuple[str, dict[str, Sheet]]:
    """The prefix, and its files by what they are."""
    sheets: dict[str, Sheet] = {}
    prefix = next((given.removesuffix(end) for end in (*ENDINGS, *NO_COSTS) if given.endswith(end)), given)
    paths = [Path(given)] if Path(given).is_file() else []
    paths += [Path(f"{prefix}{ending}") for ending in ENDINGS]
    others = []
    for path in paths:
        if path.is_file():
            sheet = look_at(path)
            if sheet.kind in ("stats", "history", "history without users"):
                sheets.setdefault(sheet.kind, sheet)
            else:
                others.append(sheet)
    if not sheets:
        others += [look_at(path) for path in (Path(f"{prefix}{end}") for end in NO_COSTS) if path.is_file()]
        raise BadLocustCsv(_why_none(given, others))
    return prefix, sheets


def _why_none(given: str, others: list[Sheet]) -> str:
    if others:
        sheet = others[0]
        if sheet.packed:
            return f"{sheet.path}: is packed ({sheet.packed}); unpack it, or save it as CSV"
        if sheet.kind == "unknown":
            lacks = min(sheet.missing(STATS), sheet.missing(HISTORY), key=len)[0]
            return f"{sheet.path}:1: not written by Locust (no column `{lacks.title()}`); give the run's PREFIX"
        return f"{sheet.path}: is {sheet.told}; give the run's PREFIX with its _stats.csv and _stats_history.csv"
    if Path(given).is_dir():
        inside = sorted(path for end in ENDINGS for path in Path(given).glob(f"*{end}"))
        such = f", such as {_bare(inside[0])}" if inside else "; there is none in it"
        return f"{given}: is a folder; give the PREFIX of its files{such}"
    beside = {_bare(path) for end in ENDINGS for path in Path(given).parent.glob(f"*{end}")}
    close = nearest(given, beside)
    hint = f"did you mean {close}? Else give" if close else "give"
    return f"{given}_stats.csv: no such file, nor {Path(given).name}_stats_history.csv; {hint} the PREFIX of `locust --csv PREFIX`"


def _bare(path: Path) -> str:
    return next(str(path).removesuffix(end) for end in ENDINGS if str(path).endswith(end))


def _key(row: dict[str, str]) -> Key:
    kind = "" if row["type"] in ("None", "nan") else row["type"]
    return TOTAL if not kind and row["name"] in (TOTAL.name, "Total") else Key(kind, row["name"])


def _percentiles(row: dict[str, str]) -> Percentiles:
    # Locust writes N/A before the first request, and 0 when nothing completed lately.
    cells = {column: row.get(column, "") for column in PERCENTILES}
    return {column: number(cell) or None for column, cell in cells.items() if cell not in ("", "N/A")}


def _needs(sheet: Sheet, columns: tuple[str, ...]) -> None:
    if missing := sheet.missing(columns):
        raise BadLocustCsv(
            f"{sheet.path}:1: has no column `{missing[0].title()}`, which Locust writes; give the file as Locust wrote it"
        )


def _history(sheet: Sheet) -> History | None:
    """None where it has no row of the total. Raises BadLocustCsv."""
    _needs(sheet, HISTORY)
    seconds: list[Second] = []
    series: dict[Key, Series] = {}
    whole_run, whole_ms, before = WholeRun(), True, NOTHING
    for line, row in sheet.rows():
        try:
            counts = Counts(whole(row["total request count"]), whole(row["total failure count"]))
            mean = number(row["total average response time"]) if counts.requests else 0.0
            key = _key(row)
            whole_ms = whole_ms and "." not in row["total average response time"]
            counts = Counts(counts.requests, counts.failures, mean * counts.requests)
            percentiles = _percentiles(row)
            whole_run.see(row, counts.requests)
            series.setdefault(key, Series()).add(len(seconds), counts, percentiles)
            if key != TOTAL:
                continue  # Locust writes the total last of its second
            at = int(number(row["timestamp"]))
            at = at // 1000 if at > MILLISECONDS else at
            resets = (seconds[-1].resets if seconds else 0) + (counts.requests < before.requests)
            seconds.append(Second(at, whole(row["user count"]), resets))
            before = counts
        except ValueError as error:
            raise _no_number(sheet, line, error) from None
    if not seconds:
        return None
    for entries in series.values():  # of a second that was not written to its end
        while entries.rows and entries.rows[-1] >= len(seconds):
            for column in (entries.rows, entries.counts, entries.percentiles):
                column.pop()
    kept = {key: entries for key, entries in series.items() if entries.rows}
    return History(sheet.path, seconds, kept, whole_ms, len(kept) < 2 or not whole_run.disproved)


def _no_number(sheet: Sheet, line: int, error: ValueError) -> BadLocustCsv:
    what = f"not a number where Locust writes one ({error})"
    return BadLocustCsv(f"{sheet.path}:{line}: {what}; give the file that Locust wrote")


def _totals(sheet: Sheet) -> Totals:
    """Raises BadLocustCsv."""
    _needs(sheet, STATS)
    rows: dict[Key, Counts] = {}
    percentiles: dict[Key, Percentiles] = {}
    seconds, error = None, 0.0
    for line, row in sheet.rows():
        try:
            key, requests = _key(row), whole(row["request count"])
            if key in rows:
                raise BadLocustCsv(
                    f"{sheet.path}:{line}: {key} stands twice, as if files were joined; give one run's file"
                )
            mean = number(row["average response time"]) if requests else 0.0
            rows[key] = Counts(requests, whole(row["failure count"]), mean * requests)
            percentiles[key] = _percentiles(row)
            rate = number(row["requests/s"]) if requests else 0.0
            if rate and (seconds is None or key == TOTAL):
                seconds = requests / rate
                decimals = len(row["requests/s"].partition(".")[2])
                error = 0.5 * 10**-decimals / rate if decimals <= 2 else 0.0  # up to 1.0 it is cut to two decimals
        except ValueError as cause:
            raise _no_number(sheet, line, cause) from None
    return Totals(sheet.path, rows, percentiles, seconds, error)
