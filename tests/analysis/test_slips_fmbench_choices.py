"""FMBench's slips of 2024 in choices, prices and tokens, each beside ours: what its rule says of a run, and what was so.

Slips that an equal test shows already:

| slip | test |
|---|---|
| a sentence that blames latency where requests failed | test_recommend.py: the_negative_sentence_names_the_errors |
| a winner is crowned where no stage passes | test_recommend.py: when_none_passes_the_criterion_that_failed_most_is_named |
| $99 for a transaction where there was none | test_cost.py: a_stage_without_a_success_has_no_cost_and_says_so |
| an unknown price, found after the load was paid for | ../load/test_inputs.py: a_price_that_is_not_in_the_book |
"""

import datetime
import json

import pytest

from analysis.advice.analyse import analyse
from analysis.cost.transaction_cost import usd_per_transaction_hourly
from analysis.report.plots.catalogue import error_rates
from analysis.report.plots.view import View
from locustfiles.common.dialects.request import build
from locustfiles.common.dialects.response import parse_answer
from locustfiles.common.prompts.payloads import load_payload
from locustfiles.contract.prices.price_book import load_price_book
from locustfiles.contract.scenario.targets import SageMakerTarget
from tests.helpers.flat import flat, steps, table
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, record, steady, window

LIMITS = {"latency_s": {"mean": 2.0}, "error_rate": 0.0}


def highest(steps):
    """Its best of some stages: of those without errors, to two digits, and within 2 s the one of most users; None without one."""
    within = steps[(steps["error_rate"].round(2) == 0) & (steps["latency_mean_s"] <= 2.0)]
    return None if within.empty else within.loc[within["users"].idxmax()]


def levels(tmp_path, latencies, slo=LIMITS):
    """A run with a minute at each level: users -> latency s."""
    records, stages = [], []
    for number, (users, latency) in enumerate(latencies.items(), 1):
        records += steady(number, 100 * number, 100 * number + 60, users, latency, lead=4)
        stages.append(window(number, 100 * number, 100 * number + 60, users=users))
    return analyse([made_run(tmp_path, records, stages, slo=slo)])


def test_the_highest_level_was_the_best_whatever_it_cost(tmp_path):
    # 4 users at 0.5 s: 8 transactions/s; 10 users at 1.9 s, inside 2 s: 5.26/s of the same instance
    report = levels(tmp_path / "r", {4: 0.5, 10: 1.9})
    theirs = highest(steps(report))
    assert theirs["stage"] == 2
    assert report.recommendation.pick.stage == 1
    # 37.688 / (3600 x 8) and 37.688 / (3600 x 10 / 1.9): theirs is half as dear again
    assert theirs["usd_per_transaction"] / steps(report)["usd_per_transaction"][0] == pytest.approx(
        8 / (10 / 1.9), rel=0.01
    )


def test_its_nine_winners_were_all_at_the_top_level_saturated_or_not(tmp_path):
    rising = levels(tmp_path / "a", {1: 0.5, 2: 0.5, 4: 0.5})  # 2, 4 and 8 /s
    full = levels(tmp_path / "b", {1: 0.5, 2: 0.9, 4: 1.9})  # 2, 2.2 and 2.1 /s: full at 2 users
    assert [highest(steps(report))["users"] for report in (rising, full)] == [4, 4]
    assert (table(rising, "knees")["state"][0], table(full, "knees")["state"][0], table(full, "knees")["users"][0]) == (
        "not reached",
        "reached",
        2,
    )
    assert table(rising, "sentences")["recommendation"][0].endswith(
        "It is the highest level tested; more users may do better."
    )
    assert full.recommendation.pick.stage == 2 and table(full, "sentences")["users"][0] == 2


def test_its_bonus_for_a_low_price_was_the_same_for_every_price(tmp_path):
    # p4d: 10 users of 1 s, 36,000/h for 176.4 $ = $49 per 10k; Bedrock: 10 of 1.05 s, 500 x 0.00075 / 1000 + 125 x 0.001 / 1000 = $5 per 10k
    tokens = {"prompt_tokens": 500, "completion_tokens": 125}
    records = steady(1, 10, 70, 10, 1.0, lead=2, **tokens)
    records += steady(2, 100, 160, 10, 1.05, lead=2, target="bedrock", service="bedrock", **tokens)
    stages = [window(1, 10, 70, users=10), window(2, 100, 160, users=10, target="bedrock")]
    slo = LIMITS | {"cost_per_10k_transactions_usd": 50.0}
    prices = PRICES | {"p4d": {"usd_per_hour": 176.4}}
    report = analyse([made_run(tmp_path / "r", records, stages, targets=[P4D, BEDROCK], prices=prices, slo=slo)])
    found = steps(report)
    assert found["usd_per_10k_transactions"].tolist() == pytest.approx([49.0, 5.0], rel=1e-3)
    # a point a limit kept, the level, (2 - latency) / 2, and (50 - dollars) / 50 with those of one transaction: 1 for both
    bonus = (50.0 - found["usd_per_transaction"]) / 50.0
    assert bonus.tolist() == pytest.approx([0.9999, 0.99999], abs=1e-5)
    theirs = 3 + found["users"] + (2.0 - found["latency_mean_s"]) / 2.0 + bonus
    assert found["target"][theirs.idxmax()] == "p4d"
    assert flat(report.level(report.recommendation.pick))["target"] == "bedrock"
    assert report.recommendation.margin == pytest.approx(8.8, rel=1e-3)  # 49 / 5 - 1


def test_its_budget_of_errors_was_not_asked_when_it_recommended(tmp_path):
    # two of 200 failed, 1 %, where 5 % may; it asked for none
    records = [
        record(10 + n / 4, 0.2, prompt_id=str(n), error="server" if n in (50, 150) else None) for n in range(200)
    ]
    slo = LIMITS | {"error_rate": 0.05}
    report = analyse([made_run(tmp_path / "r", records, [window(1, 10, 60)], slo=slo)])
    assert highest(steps(report)) is None  # "did not find any combination"
    (sentence,) = table(report, "sentences").to_dict("records")
    assert sentence["positive"] and sentence["users"] == 1
    assert sentence["recommendation"].startswith(
        "Within `latency mean ≤ 2 s`, `error rate ≤ 5 %`, the best level of `p4d`"
    )


def test_two_experiments_on_one_instance_type_were_one_row(tmp_path):
    # two servers on ml.p4d.24xlarge: at 2 users of 0.5 s each 4/s, at 4 users of 0.8 s 5/s
    records = steady(1, 10, 70, 2, 0.5, lead=2, target="trt") + steady(2, 100, 160, 4, 0.8, lead=2, target="plain")
    stages = [window(1, 10, 70, users=2, target="trt"), window(2, 100, 160, users=4, target="plain")]
    targets = [P4D | {"name": name} for name in ("trt", "plain")]
    prices = dict.fromkeys(("trt", "plain"), PRICES["p4d"])
    report = analyse([made_run(tmp_path / "r", records, stages, targets=targets, prices=prices, slo=LIMITS)])
    theirs = [highest(group)["target"] for _, group in steps(report).groupby("instance_type")]
    assert theirs == ["plain"]  # of the other nothing is said
    assert table(report, "sentences")[["target", "users", "positive"]].values.tolist() == [
        ["trt", 2, True],
        ["plain", 4, True],
    ]
    # 240 and 300 per minute of 37.688 $/h
    assert steps(report)["usd_per_transaction"].tolist() == pytest.approx([37.688 / 14_400, 37.688 / 18_000], rel=1e-3)


# --- prices and tokens ---


def test_a_prompt_of_2923_tokens_stood_in_the_bucket_from_3000_on(tmp_path):
    # one tokenizer sorted the prompts: 3,100 tokens, as p4d counts them; Bedrock counts 2,923 and bills these
    lines = [{"id": str(n), "prompt": "x", "prompt_tokens": 3100} for n in range(30)]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    sorted_in = load_payload(tmp_path / "p.jsonl")
    assert all(3000 <= p.prompt_tokens <= 3840 for p in sorted_in)
    bed = {"target": "bedrock", "service": "bedrock", "completion_tokens": 24}
    records = [
        record(10 + n, 0.5, prompt_id=p.id, prompt_tokens=3100, completion_tokens=24) for n, p in enumerate(sorted_in)
    ]
    records += [
        record(100 + n, 0.5, stage=2, prompt_id=p.id, prompt_tokens=2923, **bed) for n, p in enumerate(sorted_in)
    ]
    stages = [window(1, 10, 50), window(2, 100, 140, target="bedrock")]
    report = analyse([made_run(tmp_path / "r", records, stages, targets=[P4D, BEDROCK])])
    row = steps(report).iloc[1]
    assert row["prompt_tokens_mean"] == 2923.0
    # 2923 x 0.00075 / 1000 + 24 x 0.001 / 1000; by the bucket's count 3100 x 0.00075 / 1000 + 0.000024 = 0.002349
    assert row["usd_per_transaction"] == pytest.approx(0.00221625)
    # 2923 / 3100 = 1 - 5.71 %
    assert any(w.startswith("`bedrock` counts 5.71 % fewer tokens than `p4d`") for w in report.recommendation.warnings)


def target(**values) -> SageMakerTarget:
    return SageMakerTarget(
        **{"name": "t", "service": "sagemaker", "endpoint": "e", "dialect": "tgi", "stream": False} | values
    )


LINE = {"prompt": "Say hello to them " * 5, "parameters": {"max_tokens": 25}, "ground_truth": "hello all"}


def prompt_of(tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps(LINE))
    return load_payload(tmp_path / "p.jsonl")[0]


def test_a_repeated_prompt_was_counted_as_output(tmp_path):
    # 20 words in, 2 out: an answer that begins with its prompt is 22 words long
    prompt = prompt_of(tmp_path)
    call = build(target(parameters={"return_full_text": True}), prompt)
    body = json.dumps([{"generated_text": prompt.text + "hello all"}]).encode()
    theirs = len(json.loads(body)[0]["generated_text"].split())
    assert theirs == 22
    assert len(parse_answer(call, 200, {}, [(1.0, body)], True).text.split()) == 2


def test_two_answers_at_once_were_one_answer_twice(tmp_path):
    call = build(target(), prompt_of(tmp_path))
    bodies = [json.dumps([{"generated_text": "x" * n, "details": {"generated_tokens": n}}]).encode() for n in (2, 40)]
    shared = {}
    for body in bodies:  # both threads keep their answer in the one predictor, then each takes it from there
        shared["response_json"] = json.loads(body)[0]
    theirs = [shared["response_json"]["details"]["generated_tokens"] for _ in bodies]
    assert theirs == [40, 40]
    ours = [parse_answer(call, 200, {}, [(1.0, body)], True).completion_tokens for body in bodies]
    assert ours == [2, 40]


BOOK = "{{region: {}, currency: USD, as_of: 2024-04-15, source: made, instances: {{ml.p4d.24xlarge: {}}}}}"


def test_every_region_was_priced_as_us_east_1(tmp_path):
    books = {region: tmp_path / f"{region}.yaml" for region in ("us-east-1", "ap-northeast-1")}
    for (region, path), usd in zip(books.items(), (37.688, 50.88), strict=True):
        path.write_text(BOOK.format(region, usd))
    # 4 users of 0.5 s: 480 a minute, 28,800 an hour
    path = made_run(
        tmp_path / "r",
        steady(1, 10, 70, 4, 0.5, lead=2),
        [window(1, 10, 70, users=4)],
        scenario_keys={"region": "ap-northeast-1"},
    )
    entry = load_price_book(books["us-east-1"]).instance("ml.p4d.24xlarge", datetime.date(2026, 1, 1))
    theirs = usd_per_transaction_hourly(entry.usd_per_hour, 480)
    assert theirs == pytest.approx(37.688 / 28_800)
    report = analyse([path], pricing=books["ap-northeast-1"])
    assert steps(report)["usd_per_transaction"][0] == pytest.approx(50.88 / 28_800, rel=1e-3)  # 35 % more
    assert report.pricing["r"]["region"] == "ap-northeast-1"


def test_parameters_were_left_out_and_the_ground_truth_sent(tmp_path):
    prompt = prompt_of(tmp_path)
    theirs = {
        "inputs": LINE["prompt"],
        "ground_truth": LINE["ground_truth"],
    }  # its line without what it called parameters
    sent = json.loads(build(target(parameters={"temperature": 0.1}), prompt).body)
    assert sent["inputs"] == theirs["inputs"]
    assert (sent["parameters"]["max_new_tokens"], sent["parameters"]["temperature"]) == (25, 0.1)
    assert "hello all" not in json.dumps(sent) and "hello all" in json.dumps(theirs)


def test_the_line_of_its_budget_of_errors_was_drawn_a_thousand_times_too_high(tmp_path):
    # 9 of 200 failed, 4.5 %, where 5 % may: the line belongs at 5, a thousand times the budget is 50
    records = [
        record(10 + n / 4, 0.2, prompt_id=str(n), error="server" if n % 22 == 1 and n > 1 else None) for n in range(200)
    ]
    report = analyse([made_run(tmp_path / "r", records, [window(1, 10, 70)], slo={"error_rate": 0.05})])
    assert steps(report)["error_rate"][0] == 0.045
    (ax,) = error_rates(View.of(report)).axes
    theirs = 1000 * 0.05
    flat = {line.get_ydata()[0] for line in ax.lines if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 1}
    assert 5.0 in {round(y, 9) for y in flat} and theirs not in flat
    assert 5.0 < ax.get_ylim()[1] < theirs  # theirs is not even on the chart
