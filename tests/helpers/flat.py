"""What an analysis found, by column names: a row of steps.csv, the tables as they are written."""

from analysis.report.frames import steps_table, tables_of
from analysis.words.columns import row_of


def flat(result):
    """Column -> value of a stage, None where it is not known."""
    return row_of(result.figures)


def ends(result):
    """Column -> the 95 % interval beside it."""
    return {column.name: interval for column, interval in result.intervals.items()}


def steps(report):
    """steps.csv."""
    return steps_table(report.results)


def table(report, name):
    """tables/NAME.csv."""
    return tables_of(report)[name]
