"""The targets of a Swarmledger run, whose manifest stands beside the CSV files that Locust wrote."""

import json
from pathlib import Path

from analysis.locust_csv.counts import BadLocustCsv


def targets_beside(prefix: str) -> list[str]:
    """The targets that the run beside `PREFIX_stats.csv` measured, in its order; none where no run's manifest is."""
    try:
        stages = json.loads((Path(prefix).parent / "manifest.json").read_text(encoding="utf-8"))["stages"]
        return list(dict.fromkeys(str(stage["target"]) for stage in stages))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # no run of ours
        return []


def check_target(prefix: str, targets: list[str], target: str | None, named: bool) -> None:
    """Several targets have several prices. Raises BadLocustCsv where they would be costed as one, or `target` is none of them."""
    if target is not None and target not in targets:
        known = f"give one of {', '.join(targets)}" if targets else "give the PREFIX beside a run's manifest.json"
        raise BadLocustCsv(f"{prefix}: --target {target}: no such target; {known}")
    if len(targets) > 1 and target is None and not named:
        raise BadLocustCsv(
            f"{prefix}: holds {len(targets)} targets ({', '.join(targets)}), which one price does not fit; use "
            f"`python -m analysis report {Path(prefix).parent}`, or --target NAME"
        )
