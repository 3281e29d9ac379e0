"""Two efforts of one model: a column of the steps table, and one of the tables by purpose."""

import pytest

from analysis.advice.analyse import analyse
from analysis.report.frames import steps_table
from tests.helpers.made_run import BEDROCK, made_run, steady, window

PRICE = {"input": 0.00075, "output": 0.001}


def target(name: str, **more) -> dict:
    return BEDROCK | {"name": name, "model_id": "anthropic.claude-opus-4-8", "model": "Opus"} | more


def asking(effort: str) -> dict:
    return {"parameters": {"max_tokens": 100, "outputConfig": {"effort": effort}}}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """`low` and `high` recorded what they asked for, `mixed` had lines of two, `older` is of a run that did not record it."""
    targets = [
        target("low", **asking("low")),
        target("high", **asking("high")),
        target("mixed"),
        target("older", **asking("max")),
    ]
    targets[1]["labels"] = {"effort": "most"}  # a label of one's own stays
    asked = {"low": ["low"], "high": ["high"], "mixed": ["low", "high"], "older": [None]}
    records, stages = [], []
    for stage, (name, efforts) in enumerate(asked.items(), 1):
        a = stage * 100.0
        spot = {"target": name, "service": "bedrock", "completion_tokens": 50, "prompt_tokens": 10}
        made = steady(stage, a, a + 60, 1, 0.5, **spot)
        records += [
            type(r)(**{f: getattr(r, f) for f in r.__slots__} | {"effort": efforts[n % len(efforts)]})
            for n, r in enumerate(made)
        ]
        stages.append(window(stage, a, a + 60, target=name))
    prices = {each["name"]: PRICE for each in targets}
    return analyse([made_run(tmp_path_factory.mktemp("e") / "r", records, stages, targets=targets, prices=prices)])


def test_steps_have_what_the_requests_asked_for_and_of_older_runs_what_the_target_did(report):
    steps = steps_table(report.results)
    assert dict(zip(steps["target"], steps["effort"], strict=True)) == {
        "low": "low", "high": "high", "mixed": "high, low", "older": "max"
    }  # fmt: skip


def test_the_tables_by_purpose_have_it_as_a_column(report):
    found = [table for table in report.tables.values() if "Effort" in table.columns]
    assert found and all(set(table["Effort"]) <= {"low", "most", "max", None} for table in found)
    assert any(table["Effort"].notna().any() for table in found)
