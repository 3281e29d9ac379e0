"""A gate as JUnit XML, as GitLab, GitHub's actions and Jenkins read it: a suite a group of cases.

What is missed is a failure, what is undecided an error: neither looks like a test that passed. The names of cases hold no
figures, so that a test is the same one from run to run.
"""

import datetime
import re
import xml.etree.ElementTree as ET

from analysis.gate.case import Case, Gate
from locustfiles.contract.visible import visible

#: what XML 1.0 has no place for, and `visible` leaves as it is
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_TAGS = {"missed": "failure", "undecided": "error"}


def junit(gate: Gate) -> str:
    """The whole file."""
    began = datetime.datetime.fromtimestamp(gate.started_at, datetime.UTC)
    root = ET.Element("testsuites", {"name": _text(f"gate of run {gate.run}")} | _counts(gate.cases))
    for group in dict.fromkeys(case.group for case in gate.cases):
        cases = [case for case in gate.cases if case.group == group]
        head = {"name": _text(group), **_counts(cases), "skipped": "0", "timestamp": f"{began:%Y-%m-%dT%H:%M:%S}"}
        suite = ET.SubElement(root, "testsuite", head)
        properties = ET.SubElement(suite, "properties")
        for name, value in (("run", gate.run), ("baseline", gate.baseline), ("limits", gate.limits_from)):
            if value is not None:
                ET.SubElement(properties, "property", {"name": name, "value": _text(value)})
        for case in cases:
            _add(suite, case)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(cases: list[Case]) -> dict[str, str]:
    found = {"tests": len(cases)} | {f"{tag}s": sum(c.state == s for c in cases) for s, tag in _TAGS.items()}
    return {name: str(count) for name, count in found.items()} | {"time": "0"}


def _add(suite: ET.Element, case: Case) -> None:
    """Jenkins splits a class name at its last dot, GitLab shows it as it is."""
    of = ".".join(part for part in (case.target, case.payload) if part) or case.group
    name = f"{case.level}: {case.name}" if case.level else case.name
    added = ET.SubElement(suite, "testcase", {"classname": _text(of), "name": _text(name), "time": "0"})
    if case.state in _TAGS:
        told = ET.SubElement(
            added, _TAGS[case.state], {"message": _text(f"{case.name}: {case.told}"), "type": case.state}
        )
        told.text = _text(f"{case.state.upper()}  {case.line}")
    else:
        ET.SubElement(added, "system-out").text = _text(case.line)


def _text(text: str) -> str:
    return _NO_CHARACTER.sub(lambda found: ascii(found[0])[1:-1], visible(text))
