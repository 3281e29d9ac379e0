"""One target's requests among the CSV files of a Swarmledger run, whose manifest stands beside them."""

import json
from pathlib import Path

import pandas as pd

from analysis.locust_csv.reader import BadLocustCsv
from analysis.locust_csv.steps import TOTAL


def targets_beside(prefix: str) -> list[str]:
    """The targets that the run beside `PREFIX_stats.csv` measured, in its order; none where no run's manifest is."""
    try:
        stages = json.loads((Path(prefix).parent / "manifest.json").read_text(encoding="utf-8"))["stages"]
        return list(dict.fromkeys(stage["target"] for stage in stages))
    except (OSError, ValueError, KeyError, TypeError):  # no run of ours
        return []


def check_target(prefix: str, target: str | None, name: str | None) -> None:
    """Several targets have several prices. Raises BadLocustCsv where they would be costed as one, or `target` is none of them."""
    targets = targets_beside(prefix)
    if target is not None and target not in targets:
        known = f"give one of {', '.join(targets)}" if targets else "give the PREFIX beside a run's manifest.json"
        raise BadLocustCsv(f"{prefix}: --target {target}: no such target; {known}")
    if len(targets) > 1 and target is None and name is None:
        raise BadLocustCsv(
            f"{prefix}: holds {len(targets)} targets ({', '.join(targets)}), which one price does not fit; use "
            f"`python -m analysis report {Path(prefix).parent}`, or --target NAME"
        )


def of_target(steps: pd.DataFrame, target: str) -> pd.DataFrame:
    """A row a stage: the requests named `TARGET PAYLOAD @LEVEL` in the step of that level, but for `warmup`.

    Raises BadLocustCsv where one step holds several stages, whose seconds cannot be told apart.
    """
    level = steps["name"].str.extract(r"@([0-9.]+)(?:/s)?$")[0].astype(float)
    users = level.where(~steps["name"].str.endswith("/s"))  # in the closed loop
    late = users.notna() & steps["users"].notna() & (users != steps["users"])  # ended after the next level had begun
    stages = steps.assign(users=steps["users"].fillna(users))[(steps["name"] != TOTAL) & level.notna() & ~late]
    mine = stages[stages["name"].str.startswith(f"{target} ")]
    several = stages.groupby(["run", "step"])["name"].nunique()  # a row over a whole run has no step
    for run, step in mine[["run", "step"]].dropna().drop_duplicates().itertuples(index=False):
        if several[run, step] > 1:
            raise BadLocustCsv(
                f"{run}: its step {step:g} holds several stages, whose seconds Locust's files do not tell apart; use "
                f"`python -m analysis report {Path(run).parent}`"
            )
    return mine
