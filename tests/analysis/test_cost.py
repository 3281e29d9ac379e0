"""The price of a transaction, by the hour and by the token, with the studies' own numbers."""

import math

import pytest

from analysis.advice.analyse import analyse
from analysis.cost.pricing import prices_of_run
from analysis.cost.transaction_cost import usd_per_transaction_hourly
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.error_classes import UNBILLED, ErrorClass
from tests.helpers.flat import ends, flat, steps
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, record, window

PROMPT, ANSWER = 2923, 24  # mean tokens of the first study's Bedrock row
# 2923 x 0.00075 / 1000 + 24 x 0.001 / 1000 = 0.00219225 + 0.000024
PER_CALL = 0.00221625


def call(at, **other):
    values = {"target": "bedrock", "service": "bedrock", "prompt_tokens": PROMPT, "completion_tokens": ANSWER}
    return record(at, 0.5, **(values | other))


def failure(at, error, **other):
    return call(at, error=error, **({"prompt_tokens": None, "completion_tokens": None} | other))


def bedrock_row(tmp_path, records, targets=None, prices=None):
    path = made_run(
        tmp_path / "r", records, [window(1, 10, 20, target="bedrock")], targets=targets or [BEDROCK], prices=prices
    )
    run = load_run(path)
    (result,) = results_of(run, prices_of_run(run).of_target)
    return result


def test_the_first_studys_token_price_per_transaction(tmp_path):
    row = flat(bedrock_row(tmp_path, [call(11), call(12)]))
    assert row["usd_per_transaction"] == pytest.approx(PER_CALL)
    assert f"{row['usd_per_transaction']:.6f}" == "0.002216"
    assert row["usd_per_transaction_low"] == row["usd_per_transaction_high"] == row["usd_per_transaction"]
    assert row["usd_per_10k_transactions"] == pytest.approx(22.1625)
    # 0.00221625 / 24 x 1e6; 0.00221625 / 2947 x 1e6
    assert row["usd_per_1m_output_tokens"] == pytest.approx(92.34375)
    assert row["usd_per_1m_tokens"] == pytest.approx(0.752036, rel=1e-5)
    # 2 x 24 tokens in 10 s = 4.8 tokens/s: 1e6 / 4.8 / 60
    assert row["minutes_per_1m_output_tokens"] == pytest.approx(3472.22, rel=1e-5)
    assert row["price_basis"] == "tokens"
    assert row["usd_per_transaction_at_10pct"] is None  # nothing is paid for when idle


@pytest.mark.parametrize(
    ("per_minute", "per_10k"), [(145, 43.32), (243, 25.85), (252, 24.93), (289, 21.73), (374, 16.80), (346, 18.15)]
)
def test_the_first_studys_hourly_prices(per_minute, per_10k):
    # 37.688 $/h / (60 x 145) = 0.0043320 $
    assert round(10_000 * usd_per_transaction_hourly(37.688, per_minute), 2) == pytest.approx(per_10k)


def test_an_hourly_stage_by_hand(tmp_path):
    # 30 successes of 10 + 20 tokens in 10 s = 3/s = 10,800/h; two instances at 37.688 $/h
    records = [record(10 + i / 4, 0.2, prompt_tokens=10, completion_tokens=20) for i in range(30)]
    prices = {"p4d": {"usd_per_hour": 37.688, "instance_count": 2}}
    path = made_run(tmp_path / "r", records, [window(1, 10, 20)], targets=[P4D | {"instance_count": 2}], prices=prices)
    (row,) = steps(analyse([path])).to_dict("records")
    assert row["instance_count"] == 2
    assert row["usd_per_transaction"] == pytest.approx(75.376 / 10_800, rel=1e-6)
    assert row["usd_per_transaction_at_10pct"] == pytest.approx(753.76 / 10_800, rel=1e-6)
    assert row["usd_per_transaction_at_30pct"] == pytest.approx(75.376 / 3_240, rel=1e-6)
    assert row["usd_per_transaction_at_60pct"] == pytest.approx(75.376 / 6_480, rel=1e-6)
    # 60 output tokens/s = 216,000/h and 90 tokens/s = 324,000/h
    assert row["usd_per_1m_output_tokens"] == pytest.approx(75.376 / 0.216, rel=1e-6)
    assert row["usd_per_1m_tokens"] == pytest.approx(75.376 / 0.324, rel=1e-6)
    # 1e6 / 60 / 60
    assert row["minutes_per_1m_output_tokens"] == pytest.approx(277.778, rel=1e-5)


@pytest.mark.parametrize("error", sorted(UNBILLED))
def test_rejected_calls_are_billed_nothing_even_with_tokens(tmp_path, error):
    row = flat(bedrock_row(tmp_path, [call(11), call(12, error=error)]))
    assert row["usd_per_transaction"] == pytest.approx(PER_CALL)  # one bill, one success


def test_a_failure_of_known_tokens_is_billed_and_shared_by_the_successes(tmp_path):
    broken = call(12, error="stream_broken", completion_tokens=10)
    row = flat(bedrock_row(tmp_path, [call(11), call(13), broken]))
    # (2 x 0.00221625 + 2923 x 0.00075 / 1000 + 10 x 0.001 / 1000) / 2 = (0.0044325 + 0.00220225) / 2
    assert row["usd_per_transaction"] == pytest.approx(0.003317375)
    assert row["usd_per_transaction_low"] == pytest.approx(0.003317375)


@pytest.mark.parametrize("error", sorted(set(ErrorClass) - UNBILLED))
def test_a_failure_of_unknown_tokens_costs_from_nothing_to_prompt_and_max_tokens(tmp_path, error):
    row = flat(bedrock_row(tmp_path, [call(11), failure(12, error)]))
    assert row["usd_per_transaction_low"] == pytest.approx(PER_CALL)
    # the same prompt has 2923 tokens, max_tokens is 100: + 0.00219225 + 0.0001
    assert row["usd_per_transaction_high"] == pytest.approx(0.0045085)
    assert row["usd_per_transaction"] == pytest.approx(0.0045085)  # never understated


@pytest.mark.parametrize("error", ["stream_broken", "throttled"])
def test_a_stream_that_broke_off_costs_from_what_it_had_counted_to_max_tokens(tmp_path, error):
    broken = call(12, error=error, ttft_ms=100.0, completion_tokens=10)
    row = flat(bedrock_row(tmp_path, [call(11), broken]))
    # 0.00221625 and, of the broken one, 0.00219225 + 10 x 0.001 / 1000 at least and 0.00219225 + 100 x 0.001 / 1000 at most
    assert row["usd_per_transaction_low"] == pytest.approx(0.0044185)
    assert row["usd_per_transaction_high"] == row["usd_per_transaction"] == pytest.approx(0.0045085)


def test_known_and_unknown_failures_add_up(tmp_path):
    broken = call(12, error="stream_broken", completion_tokens=10)
    row = flat(bedrock_row(tmp_path, [call(11), broken, failure(13, "server")]))
    # low: 0.00221625 + 0.00220225; high: + 2923 x 0.00075 / 1000 + 100 x 0.001 / 1000
    assert row["usd_per_transaction_low"] == pytest.approx(0.0044185)
    assert row["usd_per_transaction_high"] == pytest.approx(0.00671075)


def test_the_interval_of_a_token_cost_comes_from_the_spread_of_the_bills(tmp_path):
    # ten bills of 1000 + 10 tokens, ten of 2000 + 10: 0.00076 and 0.00151 $; mean 0.001135
    records = [call(10 + i / 4, prompt_tokens=1000 * (1 + i % 2), completion_tokens=10) for i in range(20)]
    result = bedrock_row(tmp_path, records)
    assert result.usd == pytest.approx(0.001135)
    # each 0.000375 from the mean: sd = 0.000375 x sqrt(20 / 19), standard error sd / sqrt(20) = 0.0000860309
    # t of 19 degrees of freedom 2.0930: h = 2.0930 x 0.0000860309 / 0.001135 = 0.158647, h + h^2 / 2 = 0.171232
    low, high = ends(result)["usd_per_transaction"]
    assert (low, high) == pytest.approx((0.001135 * math.exp(-0.158647), 0.001135 * math.exp(0.171232)), rel=1e-5)
    # all answers are alike, so the dollars per output token scatter as much
    assert ends(result)["usd_per_1m_output_tokens"] == pytest.approx((low * 1e5, high * 1e5))


def test_five_different_bills_have_an_interval_and_four_have_none(tmp_path):
    # bills of 0.00076 and 0.00151 $ in turn: three and two of five, mean 0.00106, sd 0.000375 x sqrt(6 / 5) = 0.000410792
    records = [call(10 + i / 4, prompt_tokens=1000 * (1 + i % 2), completion_tokens=10) for i in range(5)]
    found = ends(bedrock_row(tmp_path / "5", records))
    # t of 4 degrees of freedom 2.776: h = 2.776 x 0.000410792 / sqrt(5) / 0.00106 = 0.481118
    low, high = found["usd_per_transaction"]
    assert (low, high) == pytest.approx(
        (0.00106 * math.exp(-0.481118), 0.00106 * math.exp(0.481118 + 0.481118**2 / 2)), rel=1e-4
    )
    assert set(found) == {"usd_per_transaction", "usd_per_1m_output_tokens"}  # a rate needs twenty
    assert ends(bedrock_row(tmp_path / "4", records[:4])) == {}


def test_fewer_than_twenty_bills_that_are_all_alike_have_no_interval(tmp_path):
    alike = [call(10 + i / 4) for i in range(20)]
    assert (
        ends(bedrock_row(tmp_path / "19", alike[:19])) == {}
    )  # of one answer in ten that is long, 0.9^19 = 14 % see none
    low, high = ends(bedrock_row(tmp_path / "20", alike))["usd_per_transaction"]
    assert low == pytest.approx(high)


def test_a_failed_prompt_that_no_success_counted_is_taken_at_the_longest_one(tmp_path):
    records = [
        call(11, prompt_tokens=1000),
        call(12, prompt_tokens=3000, prompt_id="2"),
        failure(13, "server", prompt_id="3"),
    ]
    row = flat(bedrock_row(tmp_path, records))
    # low: (4000 x 0.00075 + 48 x 0.001) / 1000 / 2; high: + (3000 x 0.00075 + 100 x 0.001) / 1000 / 2
    assert row["usd_per_transaction_low"] == pytest.approx(0.001524)
    assert row["usd_per_transaction_high"] == pytest.approx(0.001524 + 0.001175)


def test_without_max_tokens_a_failure_of_unknown_tokens_leaves_the_cost_empty(tmp_path):
    result = bedrock_row(tmp_path, [call(11), failure(12, "server")], targets=[BEDROCK | {"parameters": {}}])
    assert result.usd is None
    assert flat(result)["usd_per_transaction_low"] == pytest.approx(PER_CALL)
    assert flat(result)["usd_per_transaction_high"] is None
    assert "without `parameters.max_tokens` that has no bound" in result.cost_reason


def test_one_in_a_hundred_successes_may_lack_usage_and_is_taken_at_the_mean(tmp_path):
    counted = [call(10 + i / 20) for i in range(99)]
    row = flat(bedrock_row(tmp_path, [*counted, call(19, completion_tokens=None)]))
    assert row["usd_per_transaction"] == pytest.approx(PER_CALL)


def test_more_than_one_in_a_hundred_without_usage_leaves_the_cost_empty_with_the_reason(tmp_path):
    counted = [call(10 + i / 20) for i in range(98)]
    result = bedrock_row(tmp_path, [*counted, call(19, completion_tokens=None), call(19.1, prompt_tokens=None)])
    assert result.usd is None
    assert flat(result)["usd_per_transaction_low"] is None
    assert result.cost_reason == "2 of 100 successes came without token counts (at most 1 % may)"


def test_cached_prompt_tokens_are_billed_at_their_own_price(tmp_path):
    prices = {"bedrock": PRICES["bedrock"] | {"cache_read": 0.0001, "cache_write": 0.001}}
    row = flat(bedrock_row(tmp_path, [call(11, cache_read_tokens=1000, cache_write_tokens=200)], prices=prices))
    # 0.00221625 + 1000 x 0.0001 / 1000 + 200 x 0.001 / 1000
    assert row["usd_per_transaction"] == pytest.approx(0.00251625)


def test_cached_tokens_without_a_price_leave_the_cost_empty(tmp_path):
    result = bedrock_row(tmp_path, [call(11, cache_read_tokens=1000)])
    assert result.usd is None
    assert result.cost_reason == "1 of 1 successes used cache_read tokens, for which there is no `cache_read` price"


def test_only_calls_that_began_in_the_window_are_billed_to_it(tmp_path):
    records = [call(8, phase="settle"), call(11), call(21, phase="hold", error="server")]
    assert flat(bedrock_row(tmp_path, records))["usd_per_transaction"] == pytest.approx(PER_CALL)


def test_a_stage_without_a_success_has_no_cost_and_says_so(tmp_path):
    path = made_run(tmp_path / "r", [failure(11, "server")], [window(1, 10, 20, target="bedrock")], targets=[BEDROCK])
    report = analyse([path])
    assert steps(report)["usd_per_transaction"].isna().all()
    assert "No cost for stage 1 (`bedrock`, `en`, 1 user): no success was measured." in report.notes


def test_a_guardrails_interventions_are_shared_out_and_its_charge_is_said_to_be_in_no_cost(tmp_path):
    known = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 1000, "completion_tokens": 500}
    blocked = known | {"prompt_tokens": 0, "completion_tokens": 0, "stop_reason": "guardrail_intervened"}
    records = [record(10 + i, 0.5, **(blocked if i < 3 else known)) for i in range(12)]
    records += [record(9, 0.5, **blocked | {"phase": "settle"}), record(22, 0.5, **known | {"error": "server"})]
    for guardrail in (
        {"guardrail": {"id": "gr1", "version": "1"}},
        {},
    ):  # one of a payload line is seen by what it does
        targets = [BEDROCK | {"stream": False} | guardrail]
        report = analyse(
            [made_run(tmp_path / str(len(guardrail)), records, [window(1, 10, 30, target="bedrock")], targets=targets)]
        )
        (note,) = [n for n in report.notes if "guardrail" in n]
        assert "its guardrail intervened in 3 of 12 successes (25 %): a blocked" in note
        assert note.endswith("What AWS charges for the guardrail itself is in no cost here.")
        # 10 answers of 1000 x 0.00075 / 1000 + 500 x 0.001 / 1000 = 0.00125 USD over 12 successes; 3 cost nothing of the model's.
        # the failure's counts are known: it is billed like an answer
        assert steps(report)["usd_per_transaction"][0] == pytest.approx(10 * 0.00125 / 12)


def test_without_a_guardrail_nothing_is_said_of_one_and_with_an_idle_one_its_charge_is(tmp_path):
    known = {
        "target": "bedrock",
        "service": "bedrock",
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "stop_reason": "end_turn",
    }
    records = [record(10 + i, 0.5, **known) for i in range(12)]
    found = []
    for name, more in (
        ("a", {}),
        ("b", {"guardrail": {"id": "gr1", "version": "1"}}),
        ("c", {"parameters": {"guardrailConfig": {}}}),
    ):
        run = made_run(
            tmp_path / name,
            records,
            [window(1, 10, 30, target="bedrock")],
            targets=[BEDROCK | {"stream": False} | more],
        )
        found.append([n for n in analyse([run]).notes if "guardrail" in n])
    assert found[0] == []
    assert all(len(notes) == 1 and "intervened in 0 of 12 successes. What" in notes[0] for notes in found[1:])
