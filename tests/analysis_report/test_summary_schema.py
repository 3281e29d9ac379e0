"""summary.json keeps its published schema: of several kinds of runs, and the schema refuses what it should."""

import copy
import json

import jsonschema
import pytest

from analysis.report.summary_json import summary_of
from analysis.report.summary_schema import FILE, text
from analysis.words.columns import STEP_COLUMNS
from tests.helpers.first_study import study
from tests.helpers.made_run import BEDROCK, made_run, record, window


@pytest.fixture(scope="module")
def schema():
    found = json.loads(FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def errors(schema, summary):
    return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in schema.iter_errors(json.loads(json.dumps(summary)))]


def test_the_published_schema_is_that_of_the_code():
    assert FILE.read_text(encoding="utf-8") == text(), "python -m analysis.report.summary_schema writes it anew"


def test_a_study_keeps_it(schema, tmp_path):
    assert errors(schema, summary_of(study(tmp_path))) == []


def test_an_open_loop_with_retries_and_failures_keeps_it(schema, tmp_path):
    from analysis.advice.analyse import analyse

    spot = {"target": "bedrock", "service": "bedrock", "users": None, "rate": 2.0, "schedule_delay_ms": 1.0}
    records = [
        record(100 + i, 0.5, call=i, prompt_id=str(i), prompt_tokens=9, completion_tokens=5, **spot) for i in range(30)
    ]
    records += [record(131 + i, 0.1, call=50 + i, error="throttled", **spot) for i in range(20)]
    stages = [window(1, 100, 160, users=None, rate=2.0, target="bedrock")]
    keys = {"retry": {"attempts": 3}}
    path = made_run(
        tmp_path / "r", records, stages, targets=[BEDROCK], scenario_keys=keys, slo={"latency_s": {"p95": 1}}
    )
    summary = summary_of(analyse([path]))
    assert summary["steps"][0]["latency_p99_all_s"] == "inf"  # among the failures
    assert errors(schema, summary) == []


def test_what_lacks_a_column_or_has_another_type_is_refused(schema, tmp_path):
    summary = json.loads(json.dumps(summary_of(study(tmp_path))))
    assert set(summary["steps"][0]) == set(STEP_COLUMNS)
    for change in (
        lambda s: s["steps"][0].pop("latency_p95_s"),
        lambda s: s["steps"][0].update(requests="many"),
        lambda s: s["recommendation"].update(pick="first"),
        lambda s: s.update(surprise=1),
        lambda s: s["knees"][0].pop("state"),
        lambda s: s.pop("prices"),
    ):
        changed = copy.deepcopy(summary)
        change(changed)
        assert errors(schema, changed)
