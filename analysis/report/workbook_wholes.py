"""Sheets of report.xlsx with the report's own figures of conversations as wholes, and of mixes."""

import typing

from analysis.report.workbook_cells import Cell, Styles, new_sheet, put
from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.mixes import Mix, shares
from analysis.verdicts.session_intervals import USD_PER_SESSION
from analysis.verdicts.stage_results import Result
from analysis.words.level import level_text, load_text

if typing.TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

TALKS = (
    "Run", "Target", "Payload", "Level", "Verdict", "Began", "Finished", "Failed", "Ended early", "Cut", "Turns planned", "Time, s: mean",
    "p50", "p95", "Waiting, s", "Tokens", "USD per conversation", "95 % from", "to",
)  # fmt: skip
MIXES = (
    "Run", "Mix", "Part", "Verdict", "Share, planned", "Share, sent", "Requests", "Error rate", "Transactions a second", "95 % from", "to",
    "USD per transaction", "95 % from", "to",
)  # fmt: skip


def conversations_sheet(book: "Workbook", styles: Styles, results: list[Result]) -> None:
    """Conversations as wholes."""
    sheet = new_sheet(book, styles, "Conversations", TALKS)
    for row, result in enumerate(results, 1):
        f, found = result.figures, result.figures.sessions
        time = found.session_time
        put(sheet, row, (f.run, f.identity.target, result.payload, level_text(f), f.trust.verdict, found.sessions))
        put(sheet, row, (found.sessions_finished, found.sessions_failed, found.sessions_ended_early), None, 6)
        put(sheet, row, (found.sessions_cut, found.session_turns_mean, time.mean, time.p50, time.p95), None, 9)
        put(sheet, row, (found.session_waiting_mean_s, found.session_tokens_mean), None, 14)
        ends = result.intervals.get(USD_PER_SESSION, (None, None))
        put(sheet, row, (found.usd_per_session, *ends), styles.usd, 16)


def mixes_sheet(book: "Workbook", styles: Styles, mixes: list[Mix]) -> None:
    """All parts together, then each."""
    sheet, row = new_sheet(book, styles, "Mixes", MIXES), 0
    for mix in mixes:
        where, sent = (mix.first.run, load_text(mix.first)), shares(mix)
        row += 1
        put(sheet, row, (*where, "all parts together", mix.verdict))
        _rates(sheet, styles, row, (1.0, 1.0, mix.requests, mix.error_rate))
        put(sheet, row, (mix.throughput_per_s, *(mix.throughput_ends or ())), None, 8)
        put(sheet, row, (mix.cost.usd, *(mix.cost.ends or ())), styles.usd, 11)
        for part, share in zip(mix.parts, sent, strict=True):
            row += 1
            f = part.figures
            put(sheet, row, (*where, f"{f.identity.target} on {part.payload}", f.trust.verdict))
            _rates(sheet, styles, row, (f.mix_share, share, f.outcome.requests, f.outcome.error_rate))
            ends = part.intervals.get(THROUGHPUT, ())
            put(sheet, row, (f.throughput.throughput_per_s, *ends), None, 8)
            put(sheet, row, (part.usd, *part.intervals.get(USD, ())), styles.usd, 11)


def _rates(sheet: "Worksheet", styles: Styles, row: int, cells: tuple[Cell, Cell, Cell, Cell]) -> None:
    """Shares, requests, error rate."""
    put(sheet, row, cells[:2], styles.share, 4)
    put(sheet, row, cells[2:3], None, 6)
    put(sheet, row, cells[3:], styles.share, 7)
