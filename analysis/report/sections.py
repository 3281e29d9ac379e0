"""The page's sections, and which of them a report has."""

from analysis.advice.report_model import Report

SECTIONS = (
    ("findings", "Findings"),
    ("warnings", "Warnings"),
    ("recommended", "Recommended stage"),
    ("missed", "Missed limits"),
    ("cost", "Run cost"),
    ("by-target", "By dataset and target"),
    ("best", "Best per model"),
    ("mixes", "Mixes"),
    ("ramps", "Ramps"),
    ("stages", "All stages"),
    ("repetitions", "Repetitions"),
    ("open-loop", "Open loop"),
    ("retries", "With retries"),
    ("conversations", "Conversations"),
    ("tokens", "Token counts"),
    ("service", "The service's side"),
    ("plots", "Plots"),
    ("break-even", "Break-even"),
    ("definitions", "Definitions"),
    ("how", "How it was run"),
)


def contents(report: Report) -> list[tuple[str, str]]:
    """(id, words) of the page's sections that this report has."""
    optional = {
        "retries": bool(report.retries),
        "tokens": bool(report.token_sources),
        "service": bool(report.service),
        "findings": bool(report.findings),
        "conversations": bool(report.conversed),
    }
    optional |= {
        "mixes": bool(report.mixes),
        "ramps": bool(report.ramps),
        "repetitions": bool(report.repeats),
        "open-loop": bool(report.open_loop),
    }
    return [(id_, words) for id_, words in SECTIONS if optional.get(id_, True)]
