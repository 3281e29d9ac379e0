"""The columns of steps.csv derive from the fields of StageFigures, and nobody can misspell one."""

import dataclasses
import pathlib
import subprocess
import sys

import pytest

from analysis.words.columns import METRICS, STEP_COLUMNS, column, columns, columns_of, headed, row_of
from analysis.words.figure_fields import count, number
from analysis.words.spread import Spread, spread
from analysis.words.stage_figures import Identity, Outcome, StageFigures

ROOT = pathlib.Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kitchen:
    """A group of its own, as the next one would be written."""

    eggs: int | None = count("eggs that were boiled", "higher")
    boiling: Spread = spread("boiling", "min", "the time in the water")  # noqa: RUF009  a field, as in the product
    heat_share: float | None = number("share of the heat that went into the eggs")


def test_a_field_is_a_column_with_its_name_unit_and_definition():
    found = {c.name: c for c in columns_of(Kitchen)}
    assert list(found) == [
        "eggs",
        *(f"boiling_{p}_min" for p in ("mean", "p50", "p90", "p95", "p99", "p99_9")),
        "boiling_n",
        *(f"boiling_{p}_{end}_min" for p in ("p50", "p90", "p95", "p99", "p99_9") for end in ("low", "high")),
        "heat_share",
    ]
    assert (found["eggs"].kind, found["eggs"].better, found["eggs"].definition) == (
        "count",
        "higher",
        "eggs that were boiled",
    )
    p95 = found["boiling_p95_min"]
    assert (p95.unit, p95.path, p95.better) == ("min", ("boiling", "p95"), "lower")
    assert p95.definition.startswith("p95 of the time in the water, exact from the records")
    assert p95.ends == (("boiling", "p95_low"), ("boiling", "p95_high"))
    assert (found["boiling_n"].unit, found["boiling_n"].definition) == ("", "how many successes boiling is known of")
    assert found["heat_share"].words(0.0625) == "6.25 %"


def test_every_field_of_a_stage_is_one_column_and_a_row_has_them_in_order():
    def leaves(group):
        return sum(leaves(f.type) if dataclasses.is_dataclass(f.type) else 1 for f in dataclasses.fields(group))

    assert len(METRICS) == len({c.path for c in METRICS}) == len(set(STEP_COLUMNS)) == leaves(StageFigures)
    identity = Identity(stage=7, target="p4d", model="m", service="openai", payload="en", users=2, stream=True)
    outcome = Outcome(requests=9, successes=8, failures=1, cancelled=0)
    row = row_of(StageFigures(identity=identity, outcome=outcome, latency=Spread(p95=1.5, n=8), run="monday"))
    assert tuple(row) == STEP_COLUMNS
    known = {name: value for name, value in row.items() if value is not None}
    assert known == {
        "stage": 7, "target": "p4d", "model": "m", "service": "openai", "payload": "en", "users": 2, "stream": True, "requests": 9,
        "successes": 8, "failures": 1, "cancelled": 0, "latency_p95_s": 1.5, "latency_n": 8, "run": "monday",
    }  # fmt: skip


def test_a_column_is_named_as_the_figure_that_it_holds():
    assert column(lambda f: f.calls.call_latency.p99).name == "call_latency_p99_s"
    assert [c.name for c in columns(lambda f: (f.users, f.latency_with_failures.p50_all))] == [
        "users",
        "latency_p50_all_s",
    ]
    heads = headed(lambda f: {"Cost": f.cost.usd_per_transaction, "Level": str})
    assert heads["Level"] is str and heads["Cost"] == column(lambda f: f.cost.usd_per_transaction)
    with pytest.raises(AttributeError):
        column(lambda f: f.latency.p96)


SNIPPET = """
from analysis.words.columns import column
from analysis.words.stage_figures import StageFigures

def slow(figures: StageFigures) -> float | None:
    return figures.latency.{name}

COLUMN = column(lambda f: f.latency.{name})
"""


@pytest.mark.parametrize(("name", "errors"), [("p95", 0), ("p96", 2)])
def test_a_misspelt_column_is_an_error_of_the_type_checker(tmp_path, name, errors):
    pytest.importorskip("mypy")  # scripts/check.sh installs it, and checks everything
    (tmp_path / "snippet.py").write_text(SNIPPET.format(name=name))
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "--follow-imports=silent", "--config-file=",
         str(tmp_path / "snippet.py")],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert found.stdout.count('"Spread" has no attribute "p96"') == errors, found.stdout + found.stderr
    assert found.returncode == (1 if errors else 0)
