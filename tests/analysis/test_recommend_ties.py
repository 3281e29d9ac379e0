"""Which level is taken where costs lie inside each other's intervals, or rest on few answers."""

import dataclasses

import pytest

from analysis.verdicts.stage_results import StageKey
from tests.helpers.first_study import PAYLOAD, run_of, stage_of
from tests.helpers.flat import steps, table
from tests.helpers.made_run import BEDROCK, P4D, record, window


def test_a_level_that_ties_but_costs_a_little_less_is_named_with_the_rule(tmp_path):
    # token priced: 0.000760 at 1 user and 0.0007600x at 5, inside each other's intervals
    slow = stage_of(1, 100, 1, 100, 0, 0.5, target="bedrock", prompt_tokens=1000, completion_tokens=10)
    fast = stage_of(2, 200, 5, 400, 0, 0.5, target="bedrock", prompt_tokens=1000, completion_tokens=10)
    for made, low in ((slow, 5), (fast, 5)):
        for i, each in enumerate(made[0]):
            tokens = low + 10 * (i % 2) + (each.users == 5 and i % 40 == 0)
            made[0][i] = dataclasses.replace(each, completion_tokens=tokens)
    best = run_of(tmp_path, [slow, fast]).recommendation
    assert best.pick == StageKey("r", 2)
    assert best.cheaper == [StageKey("r", 1)]
    assert "Cheaper but not chosen: `bedrock` at 1 user" in best.text
    assert "for these two costs are a tie, and of such the one of most transactions is taken." in best.text


def test_costs_inside_each_others_intervals_are_a_tie(tmp_path):
    bursts = []  # twice 100 requests in a minute, unevenly: ten batch means of 6 s scatter
    for stage, start, shape in ((1, 100, (16, 4)), (2, 200, (4, 17))):
        spot = {"stage": stage, "users": 2, "payload": PAYLOAD, "target": "p4d" if stage == 1 else "other"}
        times = [start + 6 * batch + i * 0.3 for batch in range(10) for i in range(shape[batch % 2])]
        bursts.append(
            (
                [record(t, 0.2, prompt_id=str(t), **spot) for t in times],
                window(stage, start, start + 60, target=spot["target"], payload=PAYLOAD),
            )
        )
    other = P4D | {"name": "other"}
    prices = {"p4d": {"usd_per_hour": 37.688}, "other": {"usd_per_hour": 37.688}}
    best = run_of(tmp_path, bursts, targets=[P4D, other], prices=prices).recommendation
    # 105 against 100 successes: 5 % apart, each known to +-2.26 x 1.05 / sqrt(10) / 1.7 = 44 %, and so their ratio to far more
    assert best.pick == StageKey("r", 2)
    assert best.margin == pytest.approx(0.05, abs=1e-6)
    assert best.tie is True
    assert (
        "A tie with `p4d` at 1 user ($62.81 per 10,000, 5.00 % more): the 95 % interval of the ratio of their costs, "
        in best.text
    )
    assert best.text.endswith(", holds 1.")


def test_of_levels_that_cost_the_same_the_one_of_most_transactions_is_picked(tmp_path):
    tokens = {"target": "bedrock", "prompt_tokens": 1000, "completion_tokens": 10}
    stages = [
        stage_of(i, 100 * i, users, rate, 0, 0.5, **tokens)
        for i, (users, rate) in enumerate([(1, 100), (5, 400), (10, 390)], start=1)
    ]
    best = run_of(tmp_path, stages).recommendation
    assert best.pick == StageKey("r", 2)
    assert best.tie is True


def with_tokens(made, lows):
    """A stage whose answers take in turn these numbers of output tokens."""
    records = [dataclasses.replace(r, completion_tokens=lows[i % len(lows)]) for i, r in enumerate(made[0])]
    return records, made[1]


def test_a_cheaper_level_of_few_answers_does_not_win_by_noise(tmp_path):
    """1,000 prompt tokens at $0.00075 and 10 output tokens at $0.001 are $0.00076 a transaction, whatever the load."""
    tokens = {"target": "bedrock", "prompt_tokens": 1000}
    few = with_tokens(stage_of(1, 100, 1, 12, 0, 4.9), [5, 10, 12])  # mean 9: $0.000759, SUSPECT for 12 successes
    few = (
        [dataclasses.replace(r, **tokens, service="bedrock") for r in few[0]],
        dataclasses.replace(few[1], target="bedrock"),
    )
    many = with_tokens(stage_of(2, 200, 5, 360, 0, 0.83, **tokens), [5, 10, 15])  # mean 10: $0.00076, VALID
    report = run_of(tmp_path, [few, many], targets=[BEDROCK])
    assert steps(report)["verdict"].tolist() == ["SUSPECT", "VALID"]
    best = report.recommendation
    assert (best.pick, best.cheaper, best.label) == (StageKey("r", 2), [StageKey("r", 1)], None)
    assert (
        "for these two costs are a tie, and of such a VALID one is taken (it is SUSPECT: only 12 successes)."
        in best.text
    )
    assert "a VALID stage is taken before a SUSPECT one" in best.rule
    assert table(report, "sentences")["users"].tolist() == [5]


def test_an_hourly_level_of_few_answers_ties_as_far_as_a_count_is_known(tmp_path):
    # 37.688 / (60 x 16) = $0.0393 of 16 successes, known to 2 / 4 = 50 %: $0.0262 to $0.0785
    few = stage_of(1, 100, 1, 16, 0, 3.7)
    dear = {"target": "bedrock", "prompt_tokens": 90_000, "completion_tokens": 24}  # $0.0675
    dearer = dear | {"prompt_tokens": 110_000}  # $0.0825
    inside = run_of(tmp_path / "a", [few, stage_of(2, 200, 2, 130, 0, 0.91, **dear)]).recommendation
    assert (inside.pick, inside.runner_up, inside.tie) == (StageKey("r", 2), StageKey("r", 1), True)
    assert (
        "A tie with `p4d` at 1 user ($392.58 per 10,000, 41.9 % less): the 95 % interval of the ratio of their costs, "
        in inside.text
    )
    assert ", holds 1: too few successes to tell them apart." in inside.text
    beyond = run_of(tmp_path / "b", [few, stage_of(2, 200, 2, 130, 0, 0.91, **dearer)]).recommendation
    assert (beyond.pick, beyond.tie) == (StageKey("r", 1), False)


def test_a_wide_interval_of_the_cheapest_level_does_not_make_a_tie_of_what_is_certainly_dearer(tmp_path):
    tokens = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 100}
    shapes = [(1, 60, [10, 1400]), (5, 300, [740, 759]), (10, 600, [880, 899])]
    stages = [
        with_tokens(stage_of(i, 100 * i, users, rate, 0, 0.98, **tokens), answers)
        for i, (users, rate, answers) in enumerate(shapes, start=1)
    ]
    # 0.000075 + answers of 705, 749.5 and 889.5 tokens in the mean. Of 60 answers the mean is known to 2.00 x 700.9 / sqrt(60) = 181
    # tokens: $0.00062 to $0.00101, so it ties with both. The others are known to about one token: $0.000965 is certainly
    # more than $0.000825, though it has the most transactions
    best = run_of(tmp_path, stages).recommendation
    assert (best.pick, best.cheaper) == (StageKey("r", 2), [StageKey("r", 1)])
    assert "only if it ties with every cheaper one" in best.rule


def test_a_valid_target_that_is_certainly_dearer_than_another_is_not_taken_for_a_tie_with_a_third(tmp_path):
    prices = {"a": {"usd_per_hour": 1.0}, "b": {"usd_per_hour": 30.0}, "c": {"usd_per_hour": 90.0}}
    rows = [("a", 4, 14.9), ("b", 100, 0.59), ("c", 100, 0.59)]
    stages = [
        stage_of(i, 100 * i, 1, rate, 0, latency, target=name) for i, (name, rate, latency) in enumerate(rows, start=1)
    ]
    again = [
        dataclasses.replace(r, prompt_id=str(int(r.prompt_id) % 10)) for r in stages[1][0]
    ]  # repeated prompts: SUSPECT
    stages[1] = again, stages[1][1]
    report = run_of(tmp_path, stages, targets=[P4D | {"name": name} for name in prices], prices=prices)
    assert steps(report)["verdict"].tolist() == ["SUSPECT", "SUSPECT", "VALID"]
    # 1 / 240 = $0.0042 of 4 successes, known to 2 / 2 of itself: up to anything. 30 / 6,000 = $0.005 and 90 / 6,000 = $0.015 are
    # known well: VALID is taken first in a tie, but the two are none
    assert (report.recommendation.pick, report.recommendation.runner_up) == (StageKey("r", 1), StageKey("r", 2))


def test_an_undecided_level_whose_failures_put_it_beyond_the_limit_comes_after_one_within(tmp_path):
    # 0 of 50 above the limit, against 5 failures of 65, where 3.25 may be: cheaper (50 / 60), its p95 of the 60 successes is
    # 0.5 s too, but of all 65 it is a failure
    stages = [stage_of(1, 100, 1, 50, 0, 0.5), stage_of(2, 200, 2, 60, 5, 0.5)]
    best = run_of(tmp_path, stages, slo={"latency_s": {"p95": 1.0}}).recommendation
    assert (best.pick, best.runner_up, best.cheaper) == (StageKey("r", 1), None, [StageKey("r", 2)])
    assert "(too few samples: 65, 5 of them above; 3 more, all above, would show that it is missed)" in best.text
    for said in (
        "undecided limit take their place, then those with an unknown one",
        "failures counted as above it, is beyond its limit",
    ):
        assert said in best.rule


def test_many_successes_in_bursts_are_not_called_too_few(tmp_path):
    # 150 requests in 7.5 s of the minute and 100 in 5 s: of 20 batches of 3 s most are empty, and the interval of 4.17/s reaches 0
    spot = {"payload": PAYLOAD, "target": "p4d"}
    times = [100 + 0.05 * i for i in range(150)] + [150 + 0.05 * i for i in range(100)]
    burst = [record(t, 0.04, prompt_id=str(t), **spot) for t in times], window(1, 100, 160, payload=PAYLOAD)
    even = stage_of(2, 200, 2, 267, 0, 0.449, target="other")
    prices = {"p4d": {"usd_per_hour": 37.688}, "other": {"usd_per_hour": 37.688}}
    report = run_of(tmp_path, [burst, even], targets=[P4D, P4D | {"name": "other"}], prices=prices)
    assert (steps(report)["successes"].tolist(), steps(report)["throughput_low"][0]) == ([250, 267], 0.0)
    assert report.recommendation.tie is True
    assert (
        "6.80 % more): the interval of a throughput reaches 0, too wide to tell them apart."
        in report.recommendation.text
    )  # 267 / 250
