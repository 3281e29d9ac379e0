"""The recommendation: the cheapest stage that keeps the limits, and the sentence when none does."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.verdicts.stage_results import StageKey
from tests.helpers.flat import steps, table
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, window

#: the first study's p4d rows on its longest prompts: users, transactions/min, failures, latency mean s
STUDY = [
    (1, 145, 9, 0.49),
    (2, 243, 15, 0.46),
    (4, 252, 21, 0.67),
    (6, 289, 39, 0.80),
    (8, 374, 51, 0.92),
    (10, 346, 86, 0.98),
]
PAYLOAD = "payload_en_3000-3840"
SLO = {"latency_s": {"mean": 2.0}, "error_rate": 0.0, "cost_per_10k_transactions_usd": 50.0, "dataset": PAYLOAD}


def stage_of(stage, start, users, per_minute, failures, latency, **other):
    """A minute with `per_minute` successes that all lie inside it, and failures of 10 ms."""
    spot = {"stage": stage, "users": users, "payload": PAYLOAD, "in_flight": users} | other
    gap = (60 - latency) / per_minute
    records = [record(start + i * gap, latency, prompt_id=str(i), **spot) for i in range(per_minute)]
    failed = spot | {"error": "server", "prompt_tokens": None, "completion_tokens": None}
    records += [record(start + 30 + i / 100, 0.01, prompt_id=f"f{i}", **failed) for i in range(failures)]
    return records, window(stage, start, start + 60, users=users, payload=PAYLOAD, target=spot.get("target", "p4d"))


def study(tmp_path, slo=SLO, bedrock_failures=0, bedrock_latency=1.48, **keys):
    """The first study: p4d at six levels, Bedrock at ten users with 190 transactions/min of 2923 + 24 tokens."""
    records, stages = [], []
    for i, (users, per_minute, failures, latency) in enumerate(STUDY, start=1):
        made = stage_of(i, 100 * i, users, per_minute, failures, latency, prompt_tokens=3384, completion_tokens=30)
        records += made[0]
        stages.append(made[1])
    tokens = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    made = stage_of(7, 700, 10, 190, bedrock_failures, bedrock_latency, **tokens)
    path = made_run(tmp_path / "r", records + made[0], [*stages, made[1]], targets=[P4D, BEDROCK], slo=slo, **keys)
    return analyse([path])


def test_the_first_studys_recommendation(tmp_path):
    report = study(tmp_path)
    best = report.recommendation
    assert report.dataset == PAYLOAD
    assert best.pick == StageKey("r", 7)
    assert (
        "The best price-performance for `payload_en_3000-3840` is `bedrock` (meta.llama2-13b-chat-v1) at 10 users"
        in best.text
    )
    assert "at 10 users: $22.16 per 10,000 transactions. 190 transactions per minute, latency mean 1.48 s" in best.text
    assert best.runner_up is None  # every p4d level failed requests
    information = report.tables["recommended_stage"].set_index("Information")["Value"]
    assert information["experiment_name"] == "bedrock"
    assert information["payload_file"] == "payload_en_3000-3840.jsonl"
    assert information["concurrency"] == 10
    assert (information["prompt_token_count_mean"], information["completion_token_count_mean"]) == (2923, 24)
    assert information["latency_mean"] == pytest.approx(1.48)
    assert information["transactions_per_minute"] == pytest.approx(190, rel=1e-6)
    assert information["price_per_txn"] == pytest.approx(0.00221625)
    # 190 x 2923 / 60 s; 190 x 24 / 60 s
    assert information["prompt_token_throughput"] == pytest.approx(9256.2, rel=1e-4)
    assert information["completion_token_throughput"] == pytest.approx(76.0, rel=1e-6)


def test_the_first_studys_table_of_failed_stages(tmp_path):
    failed = table(study(tmp_path), "failed")
    assert failed["users"].tolist() == [1, 2, 4, 6, 8, 10]
    assert failed["cost per 10k transactions ≤ $50"].tolist() == [
        f"${c} ✓" for c in ("43.32", "25.85", "24.93", "21.73", "16.80", "18.15")
    ]
    assert failed["latency mean ≤ 2 s"].tolist() == [
        f"{s} s ✓" for s in ("0.490", "0.460", "0.670", "0.800", "0.920", "0.980")
    ]
    # 9 / 154, 15 / 258, 21 / 273, 39 / 328, 51 / 425, 86 / 432
    shares = ("5.84", "5.81", "7.69", "11.89", "12", "19.91")
    assert failed["error rate ≤ 0 %"].tolist() == [f"{s} % ✗" for s in shares]


def test_the_negative_sentence_names_the_errors_and_not_the_latency(tmp_path):
    report = study(tmp_path)
    p4d, bedrock = table(report, "sentences").to_dict("records")
    assert not p4d["positive"]
    assert p4d["recommendation"] == (
        "No level of `p4d` (ml.p4d.24xlarge) can be recommended for `payload_en_3000-3840`: `error rate ≤ 0 %` was "
        "missed at 6 of 6 levels (nearest: 5.81 % at 2 users). Kept at every level: `latency mean ≤ 2 s` (at most "
        "0.980 s), `cost per 10k transactions ≤ $50` (at most $43.32)."
    )
    assert bedrock["positive"]
    assert bedrock["users"] == 10
    for part in (
        "an average latency of `1.48 s`",
        "prompts of 2,923 and answers of 24 tokens",
        "`190 transactions per minute`",
    ):
        assert part in bedrock["recommendation"]


def test_when_none_passes_the_criterion_that_failed_most_is_named(tmp_path):
    report = study(tmp_path, bedrock_failures=5)
    best = report.recommendation
    assert best.pick is None
    assert best.worst_criterion == "error rate ≤ 0 %"
    assert best.text == (
        "No stage can be recommended for `payload_en_3000-3840`: 7 of 7 stages missed a limit, "
        "most often error rate ≤ 0 % (7 of 7)."
    )
    assert "recommended_stage" not in report.tables


def test_the_cheapest_stage_wins_with_runner_up_and_margin(tmp_path):
    report = study(tmp_path, slo={"latency_s": {"mean": 2.0}, "dataset": PAYLOAD})
    best = report.recommendation
    # p4d at 8 users: 37.688 / (60 x 374) = 0.00167950; bedrock: 95 % interval of 190 equal bills has no width
    assert best.pick == StageKey("r", 5)
    assert best.runner_up == StageKey("r", 7)
    assert best.margin == pytest.approx(0.00221625 / 0.00167950 - 1, rel=1e-4)
    assert best.tie is False
    assert "the lowest cost per transaction" in best.rule


def test_an_invalid_stage_is_never_recommended(tmp_path):
    report = study(tmp_path, problems=["a worker is missing"])
    assert report.recommendation.pick is None
    assert report.recommendation.text.endswith("all its 7 stages are INVALID (a worker is missing).")
    assert "INVALID (a worker is missing)" in table(report, "sentences")["recommendation"][1]


def run_of(tmp_path, stages, targets=(P4D, BEDROCK), **keys):
    records = [r for made, _ in stages for r in made]
    return analyse([made_run(tmp_path / "r", records, [w for _, w in stages], targets=list(targets), **keys)])


def test_a_suspect_pick_carries_its_label(tmp_path):
    report = run_of(tmp_path, [stage_of(1, 100, 1, 10, 0, 5.9)])
    assert steps(report)["verdict"][0] == "SUSPECT"
    assert report.recommendation.pick == StageKey("r", 1)
    assert report.recommendation.label == "SUSPECT: only 10 successes"
    assert "It is SUSPECT: only 10 successes." in report.recommendation.text


def test_an_undecided_stage_is_recommended_only_with_that_label_and_after_those_that_pass(tmp_path):
    slo = {"latency_s": {"p95": 2.0}}
    few = stage_of(1, 100, 1, 60, 0, 0.9)  # 60 within the limit prove nothing about p95
    alone = run_of(tmp_path / "a", [few], slo=slo).recommendation
    assert alone.pick == StageKey("r", 1)
    assert "undecided against its limits" in alone.label
    assert (
        "undecided: latency p95 ≤ 2 s (too few samples: 60, 0 of them above; 72 would do if no more are)." in alone.text
    )
    dear = {"target": "bedrock", "prompt_tokens": 90_000, "completion_tokens": 24}
    many = stage_of(2, 200, 2, 130, 0, 0.9, **dear)  # 6.8 cents: dearer, but proven
    both = run_of(tmp_path / "b", [few, many], slo=slo).recommendation
    assert both.pick == StageKey("r", 2)
    assert both.label is None
    # 37.688 / 3600 = 0.010469 of 0.067524: 84.5 % less
    assert both.cheaper == [StageKey("r", 1)]
    assert (
        "Cheaper but not chosen: `p4d` at 1 user ($104.69 per 10,000, 84.5 % less), for it is undecided: "
        "latency p95 ≤ 2 s (too few samples: 60, 0 of them above; 72 would do if no more are); and SUSPECT: 0.900 requests in flight"
        in both.text
    )


def test_a_cheaper_stage_that_is_also_suspect_says_both(tmp_path):
    few = stage_of(1, 100, 1, 12, 0, 0.9)  # 37.688 / 720 = 0.052344, of 12 successes
    dear = stage_of(2, 200, 2, 130, 0, 0.9, target="bedrock", prompt_tokens=90_000, completion_tokens=24)
    best = run_of(tmp_path, [few, dear], slo={"latency_s": {"p95": 2.0}}).recommendation
    assert best.pick == StageKey("r", 2)
    assert (
        "for it is undecided: latency p95 ≤ 2 s (too few samples: 12, 0 of them above; 72 would do if no more are); and SUSPECT: "
        in best.text
    )
    assert "due; only 12 successes." in best.text


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
    # 105 against 100 successes: 5 % apart, each known to +-2.26 x 1.05 / sqrt(10) / 1.7 = 44 %
    assert best.pick == StageKey("r", 2)
    assert best.margin == pytest.approx(0.05, abs=1e-6)
    assert best.tie is True
    assert "A tie with `p4d` at 1 user ($62.81 per 10,000, 5.00 % more): the 95 % intervals overlap." in best.text


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
    assert "for these two costs are a tie, and of such a VALID one is taken." in best.text
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
        "A tie with `p4d` at 1 user ($392.58 per 10,000, 41.9 % less): too few successes to tell them apart."
        in inside.text
    )
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
    assert "(too few samples: 65, 5 of them above; 68 would do if all more are)" in best.text
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


def test_the_headline_is_one_short_fact_after_the_other_with_the_price_of_10_000_first(tmp_path):
    best = study(tmp_path, slo={"latency_s": {"mean": 2.0}, "dataset": PAYLOAD}).recommendation
    # p4d at 8 users: 37.688 / (60 x 374) = 0.0016795; / 0.3 = 0.0055983; bedrock 0.00221625 is 32 % more; at 1
    # user 37.688 / 8,700. In flight (374 x 0.92 + 51 x 0.01) / 60; of 425 requests of 0.811 s in the mean 12 % pause 0.1 s
    # after them: 8 x 0.811 / (0.811 + 0.012) were due
    assert best.facts == [
        f"The best price-performance for `{PAYLOAD}` is `p4d` (ml.p4d.24xlarge) at 8 users: $16.80 per 10,000 transactions at "
        "full use ($55.98 at 30 % use).",
        "374 transactions per minute, latency mean 0.920 s, p95 0.920 s.",
        "It keeps every limit: latency mean ≤ 2 s (0.920 s, 54.0 % below).",
        "It is SUSPECT: 5.74 requests in flight where 7.88 were due.",
        "Runner-up: `bedrock` at 10 users ($22.16 per 10,000, 32.0 % more).",
        "The cheapest VALID one is `p4d` at 1 user ($43.32 per 10,000).",
    ]
    assert best.text == " ".join(best.facts)


def test_the_default_dataset_is_the_last_payload(tmp_path):
    stages = [stage_of(1, 100, 1, 60, 0, 0.9), stage_of(2, 200, 1, 60, 0, 0.9)]
    first = (
        [r.__class__(**{n: getattr(r, n) for n in r.__slots__} | {"payload": "short"}) for r in stages[0][0]],
        stages[0][1],
    )
    first[1].payload = "short"
    assert run_of(tmp_path, [first, stages[1]]).dataset == PAYLOAD
    report = run_of(tmp_path / "b", [first, stages[1]], slo={"dataset": "missing"})
    assert report.dataset == PAYLOAD
    assert f"The dataset of interest `missing` was not measured; `{PAYLOAD}` takes its place." in report.notes


def test_runs_that_name_different_datasets_of_interest_are_told_which_one_it_is(tmp_path):
    for name in ("a", "b"):
        made_run(
            tmp_path / name,
            [record(11, 1, payload=name)],
            [window(1, 10, 20, payload=name)],
            slo={"dataset": f"{name}.jsonl"},
        )
    report = analyse([tmp_path / "a", tmp_path / "b"])
    assert report.dataset == "a"
    assert (
        "The runs name different datasets of interest (run a `a`, run b `b`); the recommendation is for `a`."
        in report.notes
    )


def test_a_dataset_of_interest_that_another_run_measured_is_taken(tmp_path):
    made_run(tmp_path / "a", [record(11, 1, payload="b")], [window(1, 10, 20, payload="b")], slo={"dataset": "missing"})
    made_run(tmp_path / "b", [record(11, 1, payload=p, stage=s) for s, p in ((1, "b"), (2, "c"))],
             [window(1, 10, 20, payload="b"), window(2, 10, 20, payload="c")], slo={"dataset": "b"})  # fmt: skip
    report = analyse([tmp_path / "a", tmp_path / "b"])
    assert report.dataset == "b"
    assert "The dataset of interest `missing` was not measured; `b` takes its place." in report.notes


def test_targets_that_answer_at_unlike_length_or_count_tokens_differently_are_compared_with_a_warning(tmp_path):
    stages = [
        stage_of(1, 100, 1, 60, 0, 0.9, prompt_tokens=309, completion_tokens=26),
        stage_of(2, 200, 1, 60, 0, 0.9, prompt_tokens=267, completion_tokens=58, target="bedrock"),
    ]
    warnings = run_of(tmp_path, stages).recommendation.warnings
    assert warnings[0].startswith("Mean output tokens differ by more than 10 % (`p4d` 26.0, `bedrock` 58.0)")
    # 267 / 309 = 0.8641
    assert warnings[1].startswith("`p4d` counts 15.73 % more tokens than `bedrock`") or warnings[1].startswith(
        "`bedrock` counts 13.59 % fewer"
    )


def levels(tmp_path, rates, **other):
    stages = [stage_of(i, 100 * i, users, rate, 0, 0.3) for i, (users, rate) in enumerate(rates, start=1)]
    if other:
        stages[-1][0].append(
            record(100 * len(rates) + 1, 0.1, stage=len(rates), payload=PAYLOAD, prompt_id="x", **other)
        )
    return table(run_of(tmp_path, stages, targets=[P4D]), "knees").to_dict("records")[0]


def test_the_knee_is_the_lowest_level_that_no_later_level_beats_by_5_percent(tmp_path):
    reached = levels(tmp_path / "a", [(1, 60), (2, 110), (4, 150), (8, 157), (16, 140)])  # 157 / 150 = 1.047
    assert (reached["users"], reached["state"]) == (4, "reached")
    rising = levels(tmp_path / "b", [(1, 60), (2, 110), (4, 150), (8, 159)])  # 159 / 150 = 1.06
    assert rising["state"] == "not reached"
    assert "no knee up to 8 users" in rising["text"]
    limited = levels(tmp_path / "c", [(1, 60), (2, 110), (4, 112)], error="throttled")
    assert (limited["users"], limited["state"]) == (2, "quota-limited")


def refused(stage, start, users):
    """A minute of which every call is throttled."""
    made, visit = stage_of(stage, start, users, 60, 0, 0.3)
    return [dataclasses.replace(r, error="throttled", prompt_tokens=None) for r in made], visit


def test_a_level_at_which_every_call_failed_ends_the_rise(tmp_path):
    stages = [stage_of(1, 100, 1, 60, 0, 0.3), stage_of(2, 200, 2, 110, 0, 0.3), refused(3, 300, 4)]
    (knee,) = table(run_of(tmp_path, stages, targets=[P4D]), "knees").to_dict("records")
    assert (knee["users"], knee["state"]) == (2, "quota-limited")


def test_where_every_call_of_every_level_failed_there_is_no_knee(tmp_path):
    assert run_of(tmp_path, [refused(1, 100, 1), refused(2, 200, 2)], targets=[P4D]).knees == []
