"""The recommendation: the cheapest stage that keeps the limits, and the sentence when none does."""

import pytest

from analysis.advice.analyse import analyse
from analysis.verdicts.stage_results import StageKey
from tests.helpers.first_study import PAYLOAD, run_of, stage_of, study
from tests.helpers.flat import steps, table
from tests.helpers.made_run import made_run, record, window


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
    report = study(tmp_path, slo={"latency_s": {"mean": 2.0}, "error_rate": 0.2, "dataset": PAYLOAD})
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
    assert report.recommendation.text.endswith(
        "all its 7 stages are INVALID (a worker is missing: run the stage again (`--resume`))."
    )
    assert "INVALID (a worker is missing: run" in table(report, "sentences")["recommendation"][1]


def test_a_suspect_pick_carries_its_label(tmp_path):
    report = run_of(tmp_path, [stage_of(1, 100, 1, 10, 0, 5.9)])
    few = "only 10 successes, so one slow request moves every figure: measure longer (`measure_s`)"
    assert steps(report)["verdict"][0] == "SUSPECT"
    assert report.recommendation.pick == StageKey("r", 1)
    assert report.recommendation.label == "SUSPECT: " + few
    assert f"It is SUSPECT: {few}." in report.recommendation.text


def test_an_undecided_stage_is_recommended_only_with_that_label_and_after_those_that_pass(tmp_path):
    slo = {"latency_s": {"p95": 2.0}}
    few = stage_of(1, 100, 1, 60, 0, 0.9)  # 60 within the limit prove nothing about p95
    alone = run_of(tmp_path / "a", [few], slo=slo).recommendation
    assert alone.pick == StageKey("r", 1)
    assert "undecided against its limits" in alone.label
    assert (
        "undecided: latency p95 ≤ 2 s (too few samples: 60, 0 of them above; 12 more, none above, would show that it is met)."
        in alone.text
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
        "latency p95 ≤ 2 s (too few samples: 60, 0 of them above; 12 more, none above, would show that it is met); and SUSPECT: 0.900 requests in flight"
        in both.text
    )


def test_a_cheaper_stage_that_is_also_suspect_says_both(tmp_path):
    few = stage_of(1, 100, 1, 12, 0, 0.9)  # 37.688 / 720 = 0.052344, of 12 successes
    dear = stage_of(2, 200, 2, 130, 0, 0.9, target="bedrock", prompt_tokens=90_000, completion_tokens=24)
    best = run_of(tmp_path, [few, dear], slo={"latency_s": {"p95": 2.0}}).recommendation
    assert best.pick == StageKey("r", 2)
    assert (
        "for it is undecided: latency p95 ≤ 2 s (too few samples: 12, 0 of them above; 60 more, none above, would show that it is met); and SUSPECT: "
        in best.text
    )
    assert "due, so its price is too high; only 12 successes." in best.text


def test_the_headline_is_one_short_fact_after_the_other_with_the_price_of_10_000_first(tmp_path):
    slo = {"latency_s": {"mean": 2.0}, "error_rate": 0.15, "dataset": PAYLOAD}
    best = study(tmp_path, slo=slo).recommendation
    # p4d at 8 users: 37.688 / (60 x 374) = 0.0016795; / 0.3 = 0.0055983; bedrock 0.00221625 is 32 % more; at 1
    # user 37.688 / 8,700. In flight (374 x 0.92 + 51 x 0.01) / 60; of 425 requests of 0.811 s in the mean 12 % pause 0.1 s
    # after them: 8 x 0.811 / (0.811 + 0.012) were due
    assert best.facts == [
        f"The best price-performance for `{PAYLOAD}` is `p4d` (ml.p4d.24xlarge) at 8 users: $16.80 per 10,000 transactions at "
        "full use ($55.98 at 30 % use).",
        "374 transactions per minute, 12 % errors, latency mean 0.920 s, p95 0.920 s.",
        "It keeps every limit: latency mean ≤ 2 s (0.920 s, 54.0 % below), error rate ≤ 15 % (12 %, 20.0 % below).",
        "It is SUSPECT: 5.74 requests in flight where 7.88 were due, so the load was below the planned one and its price is too high: "
        "use more workers, and a `settle_s` longer than a call.",
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
