"""Locust's own CSV files inside the run folder, written without stalling the load.

Locust's writer runs once a second over every name there ever was; here a history row is written
only for the names that had requests since the last one (and the total), and the other files at
stage ends and at the end of the run. Columns and values are Locust's own.
"""

import pathlib
import time
import typing

from locust.stats import PERCENTILES_TO_REPORT, StatsCSVFileWriter

from locustfiles.contract.cells import neutral


class _Cells:
    """A writer whose texts, an endpoint's messages among them, are no formulas."""

    def __init__(self, writer: typing.Any) -> None:
        self._writer = writer

    def writerow(self, row: typing.Iterable[object]) -> None:
        self._writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])

    def writerows(self, rows: typing.Iterable[typing.Iterable[object]]) -> None:
        for row in rows:
            self.writerow(row)


class LocustCsv(StatsCSVFileWriter):
    """`<prefix>_stats.csv`, `_stats_history.csv` (full history), `_failures.csv`, `_exceptions.csv`."""

    def __init__(self, environment, prefix: pathlib.Path) -> None:
        super().__init__(environment, PERCENTILES_TO_REPORT, str(prefix), full_history=True)
        self._written: dict = {}
        self.stats_history_csv_writer.writerow(self.stats_history_csv_columns)
        self.totals()  # readable from the first moment on

    def history(self) -> None:
        """A history row for every name with new requests, and for the total."""
        entries = self.environment.stats.entries
        quiet = {key: entry for key, entry in entries.items() if self._written.get(key) == entry.num_requests}
        self._written = {key: entry.num_requests for key, entry in entries.items()}
        for key in quiet:
            del entries[key]
        try:
            self._stats_history_data_rows(self.stats_history_csv_writer, time.time())
        finally:
            entries.update(quiet)
        self.stats_history_flush()

    def totals(self) -> None:
        """Rewrite the files that hold totals."""
        for handle, writer, columns, rows in (
            (
                self.requests_csv_filehandle,
                self.requests_csv_writer,
                self.requests_csv_columns,
                self._requests_data_rows,
            ),
            (self.failures_csv_filehandle, self.failures_csv_writer, self.failures_columns, self._failures_data_rows),
            (
                self.exceptions_csv_filehandle,
                self.exceptions_csv_writer,
                self.exceptions_columns,
                self._exceptions_data_rows,
            ),
        ):
            handle.seek(0)
            writer.writerow(columns)
            rows(_Cells(writer))
            handle.truncate()
            handle.flush()

    def close(self) -> None:
        """Write everything a last time."""
        self.history()
        self.totals()
        self.close_files()
