"""A gate as the page of a CI job shows it (Markdown), and as programs read it (JSON)."""

import dataclasses
import json

from analysis.gate.case import Case, Gate, GateState
from analysis.report.verdict_summary import doubts_lines
from analysis.words.safe_text import markdown_text
from locustfiles.contract.visible import visible_lines

MARKS: dict[GateState, str] = {"met": "✅", "missed": "❌", "undecided": "❓"}
#: rows of a table; a job's page holds 1 MiB
MOST = 500


def gate_markdown(gate: Gate) -> str:
    """What is not met first; what is met folded away."""
    against = f", against {gate.baseline}" if gate.baseline else ""
    lines = [
        f"### {MARKS[gate.outcome]} Gate of {_cell(gate.run + against)}: {gate.outcome}",
        "",
        _cell(gate.summary),
        "",
    ]
    worse: tuple[GateState, ...] = ("missed", "undecided")
    for state in worse:
        lines += _table(gate.of(state))
    if met := gate.of("met"):
        lines += [f"<details><summary>{len(met)} met</summary>", "", *_table(met), "</details>", ""]
    lines += [f"- {_cell(text)}" for text in (*doubts_lines(gate), *gate.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _table(cases: list[Case]) -> list[str]:
    if not cases:
        return []
    lines = ["| | of | what | found |", "|---|---|---|---|"]
    for case in cases[:MOST]:
        cells = (MARKS[case.state], case.where or "the run", case.asked, case.told)
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    if len(cases) > MOST:
        lines.append(f"| | {len(cases) - MOST} more | | |")
    return [*lines, ""]


def _cell(text: str) -> str:
    return markdown_text(text).replace("|", "\\|")


def gate_json(gate: Gate) -> str:
    """Every case with its figure and limit, in the unit that its name says."""
    facts = {
        "run": gate.run,
        "baseline": gate.baseline,
        "limits": gate.limits_from,
        "outcome": gate.outcome,
        "cases": [dataclasses.asdict(case) for case in gate.cases],
        "notes": gate.notes,
    }
    return json.dumps(visible_lines(facts), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
