"""Mean tokens of a call, which Locust does not count, from a small CSV: by users, by request name, or by both."""

import pandas as pd

from analysis.locust_csv.steps import TOTAL
from locustfiles.contract.bad_input import BadInput

TOKEN_MEANS = ["prompt_tokens_mean", "completion_tokens_mean"]


class BadTokenMeans(BadInput):
    """The token file cannot be used; one line with file, line and remedy."""


def attach_token_means(steps: pd.DataFrame, path: str) -> pd.DataFrame:
    """`steps` with the columns prompt_tokens_mean and completion_tokens_mean of the file; empty where it has none.

    With means by name, a step's sum ("Aggregated") gets the mean over its names weighted by their successes, and none
    as soon as one of its names has none. Raises BadTokenMeans.
    """
    means = _read(path)
    keys = [column for column in ("users", "name") if column in means]
    steps = steps.merge(means[keys + TOKEN_MEANS], on=keys, how="left")
    if "name" not in keys:
        return steps
    if set(steps["name"]) == {TOTAL}:
        remedy = "run with --csv-full-history, or give means by users"
        raise BadTokenMeans(f"{path}: means by name need rows by name in Locust's history; {remedy}")
    for _, step in steps.groupby(["run", "step"], dropna=False):
        named = step[(step["name"] != TOTAL) & (step["successes"] > 0)]
        for column in TOKEN_MEANS:
            weighted = (
                (named[column] * named["successes"]).sum(skipna=False) / named["successes"].sum()
                if len(named)
                else None
            )
            steps.loc[step.index[step["name"] == TOTAL], column] = weighted
    return steps


def _read(path: str) -> pd.DataFrame:
    try:
        means = pd.read_csv(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise BadTokenMeans(f"{path}: cannot be read as CSV ({reason}); give a file with a header line") from None
    keys = [column for column in ("users", "name") if column in means]
    missing = [column for column in TOKEN_MEANS if column not in means] + ([] if keys else ["users or name"])
    if missing:
        raise BadTokenMeans(f"{path}:1: no column {missing[0]}; give users or name, {' and '.join(TOKEN_MEANS)}")
    for column in TOKEN_MEANS + (["users"] if "users" in keys else []):
        means[column] = pd.to_numeric(means[column], errors="coerce").astype(float)
        wrong = means.index[~(means[column] >= 0)]
        if len(wrong):
            raise BadTokenMeans(f"{path}:{wrong[0] + 2}: {column} is no number of 0 or more; mend the cell")
    doubled = means.index[means.duplicated(keys)]
    if len(doubled):
        raise BadTokenMeans(f"{path}:{doubled[0] + 2}: stands twice for the same {' and '.join(keys)}; keep one line")
    return means
