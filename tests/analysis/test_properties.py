"""Whatever was recorded: the steps table agrees with its definitions written as plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.metrics.percentiles import LEVELS, percentile
from analysis.words.columns import METRICS, STEP_COLUMNS
from tests.helpers import plain_metrics, plain_records
from tests.helpers.made_run import START, record
from tests.helpers.plain_records import Setup
from tests.helpers.plain_statistics import quantile
from tests.helpers.random_runs import (
    ASKED,
    BOUNDED,
    BY_TOKENS,
    CACHED,
    HOURLY,
    LIMITS,
    OFFSETS_MS,
    WISHES,
    A,
    B,
    records_of,
    run_of,
    same,
)

ASKED_FOR = {"run", "stage", "repeat", "target", "model", "service", "instance_type", "instance_count", "payload"}
ASKED_FOR |= {"users", "rate", "stream", "effort", "mix", "mix_share", "ramp"}
SAID = {"worker_cpu_max", "worker_lag_ms_max", "ended_by"}
CONVERSATIONS = {c.name for c in METRICS if c.path[0] == "sessions"}  # by hand in test_conversations.py
JUDGED = {"errors", "bad_stops", "verdict", "reasons", "cautions", "price_bias", "slo", "slo_failed", "slo_open"}


@BOUNDED
@given(wishes=WISHES, asked=ASKED, crowd=st.booleans())
def test_every_figure_is_what_its_definition_says(tmp_path_factory, wishes, asked, crowd):
    path = tmp_path_factory.mktemp("runs") / "r"
    row = run_of(path, records_of(wishes, asked, crowd), asked)
    records = [r for r in plain_records.read(path / "requests.csv", START, OFFSETS_MS) if r["stage"] == 1]
    expected = plain_metrics.step(records, A, B, asked)
    assert expected.keys() <= set(STEP_COLUMNS)
    assert {name: (row[name], value) for name, value in expected.items() if not same(row[name], value)} == {}


def test_every_column_has_a_plain_definition(tmp_path):
    """But for what a stage was asked for, what its worker said of itself, and the verdicts."""
    found: set[str] = set()
    for price in (HOURLY, BY_TOKENS):
        asked = Setup(price, 100, True, LIMITS[3], True)
        path = tmp_path / str(len(price)) / str("input" in price) / "r"
        run_of(path, records_of([], asked, crowd=True), asked)
        records = [r for r in plain_records.read(path / "requests.csv", START, OFFSETS_MS) if r["stage"] == 1]
        found |= plain_metrics.step(records, A, B, asked).keys()
    assert set(STEP_COLUMNS) - found == ASKED_FOR | SAID | JUDGED | CONVERSATIONS


@settings(max_examples=100)
@given(values=st.lists(st.integers(0, 1000), min_size=3, max_size=500))
def test_the_interval_of_a_percentile_contains_it(values):
    ordered = np.sort(np.array(values, dtype=float))
    for q in LEVELS.values():
        found = percentile(ordered, q)
        assert found.value == pytest.approx(quantile(values, round(1000 * q)))
        # of 25 values and fewer p99.9 is known to be above all of them, so that the figure between them lies below its interval
        assert found.low is None or found.low <= found.value or found.low == ordered[-1]
        assert found.high is None or found.high >= found.value


def test_a_failure_may_have_cost_what_its_prompt_costs_with_its_tokens_written_to_a_cache(tmp_path):
    # 20 prompt tokens and 8,000 written to the cache; the same prompt then fails and tells nothing
    spot = {"target": "bedrock", "prompt_id": "1"}
    success = record(11, 1, prompt_tokens=20, completion_tokens=50, cache_write_tokens=8000, **spot)
    failure = record(13, 1, error="read_timeout", **spot)
    row = run_of(tmp_path / "r", [success, failure], Setup(CACHED, 100, False, {}, False))
    # success: (20 x 0.00075 + 50 x 0.001 + 8000 x 0.0009) / 1000 = 0.007265
    assert row["usd_per_transaction_low"] == pytest.approx(0.007265)
    # failure, at most: (20 x 0.00075 + 100 x 0.001 + 8000 x 0.0009) / 1000 = 0.007315, and not the 0.000115 without its cache
    assert row["usd_per_transaction_high"] >= 0.007265 + 0.007315 - 1e-12
