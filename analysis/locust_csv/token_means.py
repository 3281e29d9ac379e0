"""Mean tokens of a call, which Locust does not count, from a small CSV: by users, by request name, or by both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.locust_csv.counts import TOTAL
from analysis.locust_csv.sheets import look_at, number
from analysis.locust_csv.steps import Step
from locustfiles.contract.bad_input import BadInput

TOKEN_MEANS = ("prompt_tokens_mean", "completion_tokens_mean")


class BadTokenMeans(BadInput):
    """The token file cannot be used; one line with file, line and remedy."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Mean tokens of a call; None is not known."""

    prompt: float | None = None
    completion: float | None = None


@dataclass(frozen=True, slots=True)
class TokenMeans:
    """A file of means, by users (None where it has no such column) and name (the same)."""

    path: str
    by_name: bool
    means: dict[tuple[float | None, str | None], Tokens]

    def check(self, steps: Sequence[Step]) -> None:
        """Raises BadTokenMeans where means by name meet sums only."""
        if self.by_name and not any(step.parts or step.name != TOTAL.name for step in steps):
            remedy = "run with --csv-full-history, or give means by users"
            raise BadTokenMeans(f"{self.path}: means by name need rows by name in Locust's history; {remedy}")

    def of(self, step: Step) -> Tokens:
        """By name, a step of several names has the mean over them weighted by successes, and none where one has none."""
        if not self.by_name:
            return self._of(step.users, None)
        parts = {key.name: n for key, n in step.parts.items() if n} or {step.name: 1}
        found = [(self._of(step.users, name), n) for name, n in parts.items()]
        of_prompt = _weighted([(tokens.prompt, n) for tokens, n in found])
        return Tokens(of_prompt, _weighted([(tokens.completion, n) for tokens, n in found]))

    def _of(self, users: int | None, name: str | None) -> Tokens:
        for key in ((users, name), (None, name)):
            if key in self.means:
                return self.means[key]
        return Tokens()


def _weighted(values: list[tuple[float | None, int]]) -> float | None:
    known = [(value, n) for value, n in values if value is not None]
    if len(known) < len(values) or not known:
        return None
    return sum(value * n for value, n in known) / sum(n for _, n in known)


def read_token_means(path: str) -> TokenMeans:
    """Raises BadInput."""
    try:
        sheet = look_at(Path(path))
    except BadInput:
        raise BadTokenMeans(f"{path}: cannot be read as CSV; give a file with a header line") from None
    keys = [column for column in ("users", "name") if column in sheet.columns]
    missing = sheet.missing(TOKEN_MEANS) + ([] if keys else ["users or name"])
    if missing:
        raise BadTokenMeans(f"{path}:1: no column {missing[0]}; give users or name, {' and '.join(TOKEN_MEANS)}")
    means: dict[tuple[float | None, str | None], Tokens] = {}
    for line, row in sheet.rows():
        cells = {}
        for column in (*TOKEN_MEANS, *(["users"] if "users" in keys else [])):
            try:
                cells[column] = number(row[column])
            except ValueError:
                cells[column] = -1.0
            if cells[column] < 0:
                raise BadTokenMeans(f"{path}:{line}: {column} is no number of 0 or more; mend the cell")
        key = (cells.get("users"), row["name"] if "name" in keys else None)
        if key in means:
            raise BadTokenMeans(f"{path}:{line}: stands twice for the same {' and '.join(keys)}; keep one line")
        means[key] = Tokens(cells[TOKEN_MEANS[0]], cells[TOKEN_MEANS[1]])
    return TokenMeans(path, "name" in keys, means)
