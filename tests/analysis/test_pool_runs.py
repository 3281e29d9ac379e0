"""Runs of one place are repetitions, pooled across their clocks; what keeps them apart is said."""

import pytest

from analysis.advice.analyse import analyse
from analysis.verdicts.stage_results import StageKey
from tests.helpers.flat import flat, table
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, window

HOURLY = P4D | {"name": "g5", "endpoint": "mistral", "instance_type": "ml.g5.xlarge", "stream": False}
PRICES = {"g5": {"usd_per_hour": 1.006}, "bedrock": {"input": 0.003, "output": 0.015}}
#: of 15 requests at 1 user each, s: by themselves 1.006 / 3600 x 41.936 / 15 = $7.81 and $9.16 per 10,000
WINDOWS = (41.936, 49.189)
#: prompt tokens of three times 15 calls with 50 output tokens each: 45 x (0.003 x 231.2 + 0.75) / 1000 is $0.0649620
PROMPTS = (230, 231, 232)


def hourly(number: int, length: float, **spot):
    """15 requests that fill the window, one behind the other."""
    a, each = 100.0 * number, length / 15
    spot = {"stage": number, "target": "g5", "prompt_tokens": 250, "completion_tokens": 40} | spot
    records = [record(a + i * each, each, prompt_id=str(i), **spot) for i in range(15)]
    return records, window(number, a, a + length, target="g5", repeat=spot.get("repeat", 1))


def by_tokens(number: int, prompt: int, **spot):
    a = 100.0 * number
    spot = {"stage": number, "target": "bedrock", "service": "bedrock", "completion_tokens": 50} | spot
    records = [record(a + i, 0.9, prompt_id=str(i), prompt_tokens=prompt, **spot) for i in range(15)]
    return records, window(number, a, a + 15, target="bedrock", repeat=spot.get("repeat", 1))


def folder(path, stages, targets=(HOURLY, BEDROCK), **keys):
    records = [r for made, _ in stages for r in made]
    return made_run(path, records, [w for _, w in stages], targets=list(targets), prices=PRICES, **keys)


def in_five_runs(tmp_path):
    ours = [folder(tmp_path / f"h{i}", [hourly(1, s)], [HOURLY]) for i, s in enumerate(WINDOWS)]
    theirs = [folder(tmp_path / f"t{i}", [by_tokens(1, n)], [BEDROCK]) for i, n in enumerate(PROMPTS)]
    return [*ours, *theirs]


def in_one_run(tmp_path):
    stages = [hourly(i, s, repeat=i) for i, s in enumerate(WINDOWS, 1)]
    return [folder(tmp_path / "r", stages + [by_tokens(2 + i, n, repeat=i) for i, n in enumerate(PROMPTS, 1)])]


@pytest.mark.parametrize("made", [in_five_runs, in_one_run])
def test_several_runs_of_one_endpoint_say_what_repetitions_of_one_run_say(tmp_path, made):
    best = analyse(made(tmp_path)).recommendation
    # 1.006 / 3600 x (41.936 + 49.189) / 30 = $0.00084881; 15 x (0.003 x 693 + 3 x 0.75) / 1000 = $0.064935 / 45 = $0.001443
    assert "at 1 user (2 repetitions together): $8.49 per 10,000" in best.facts[0]
    assert best.margin == pytest.approx(0.001443 / 0.00084881 - 1, rel=1e-4)
    assert any("($14.43 per 10,000, 70.0 % more)" in fact for fact in best.facts)
    assert len(best.cheaper) == 0


def test_what_was_pooled_names_its_runs(tmp_path):
    report = analyse(in_five_runs(tmp_path))
    assert "`g5` of runs h0 and h1 (ml.g5.xlarge)" in report.recommendation.facts[0]
    assert "`bedrock` of runs t0, t1 and t2" in report.recommendation.text
    pick = report.level(report.recommendation.pick)
    assert pick.members == (StageKey("h0", 1), StageKey("h1", 1))
    assert flat(pick)["window_s"] == pytest.approx(sum(WINDOWS))
    # all 30 latencies: 15 of 41.936 / 15 s, then 15 of 49.189 / 15 s
    assert flat(pick)["latency_mean_s"] == pytest.approx(sum(WINDOWS) / 30)
    assert table(report, "sentences")["run"].tolist() == ["h0, h1", "t0, t1, t2"]
    assert table(report, "repeats")["run"].tolist() == ["h0", "h1", "t0", "t1", "t2"]


def test_a_target_that_two_runs_call_otherwise_is_one_place(tmp_path):
    one = folder(tmp_path / "a", [hourly(1, 30.0)], [HOURLY])
    stage = hourly(1, 60.0, target="mistral")
    stage[1].target = "mistral"
    prices = {"mistral": {"usd_per_hour": 1.006}}
    other = made_run(tmp_path / "b", stage[0], [stage[1]], targets=[HOURLY | {"name": "mistral"}], prices=prices)
    report = analyse([one, other])
    # 1.006 / 3600 x 90 / 30 = $0.00083833
    assert (
        "`g5` of run a and `mistral` of run b (ml.g5.xlarge) at 1 user (2 repetitions together): $8.38"
        in (report.recommendation.facts[0])
    )


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"parameters": {"max_tokens": 200}}, "parameters.max_tokens 100 against 200"),
        ({"system": "Be brief."}, "system – against Be brief."),
        ({"model": "Llama 2 13B, revision 2"}, "model Llama 2 13B against Llama 2 13B, revision 2"),
        ({"stream": True}, "stream – against true"),
    ],
)
def test_runs_of_other_conditions_are_not_pooled_and_told_apart(tmp_path, other, said):
    paths = [
        folder(tmp_path / "a", [hourly(1, 41.936)], [HOURLY]),
        folder(tmp_path / "b", [hourly(1, 49.189)], [HOURLY | other]),
    ]
    report = analyse(paths)
    assert len(report.candidates) == 2
    assert any(
        f"are of one place, but no repetitions of each other: {said}" in warning
        for warning in report.recommendation.warnings
    )


def test_runs_whose_users_hold_conversations_otherwise_are_not_pooled(tmp_path):
    load = {"users": [1], "measure_s": 30.0, "sessions": {"answers": "recorded"}}
    own = [HOURLY | {"load": load | more} for more in ({}, {"sessions": {"answers": "recorded", "think_s": 2.0}})]
    paths = [folder(tmp_path / name, [hourly(1, 45.0)], [target]) for name, target in zip("ab", own, strict=True)]
    report = analyse(paths)
    assert len(report.candidates) == 2
    assert any(
        "are of one place, but no repetitions of each other: sessions" in w for w in report.recommendation.warnings
    )


def test_runs_of_other_prices_instances_or_prompts_are_not_pooled_and_told_apart(tmp_path):
    def two(name, **second):
        keys = [{"payloads": {"en": {"file": "en.jsonl", "sha256": "aa" * 32, "prompts": 15}}}, second]
        paths = []
        for run, each in zip("ab", keys, strict=True):
            stage = hourly(1, 45.0)
            each = {"prices": PRICES, **keys[0], **each}
            paths.append(made_run(tmp_path / name / run, stage[0], [stage[1]], targets=[HOURLY], **each))
        report = analyse(paths)
        return len(report.candidates), " ".join(report.recommendation.warnings)

    assert two("same") == (1, "")
    number, said = two("price", prices={"g5": {"usd_per_hour": 1.2}})
    assert number == 2 and "(run a: $1.006 per hour, run b: $1.2 per hour), so its runs are not taken together" in said
    number, said = two("count", prices={"g5": {"usd_per_hour": 1.006, "instance_count": 2}})
    assert number == 2 and "1 x ml.g5.xlarge against 2 x ml.g5.xlarge" in said
    number, said = two("prompts", payloads={"en": {"file": "en.jsonl", "sha256": "bb" * 32, "prompts": 15}})
    assert number == 2 and "is not the same file in every run" in said


def test_runs_with_other_limits_are_pooled_and_keep_all_of_them(tmp_path):
    limits = [{"latency_s": {"mean": 4.0}}, {"latency_s": {"mean": 3.0}}]
    paths = [folder(tmp_path / f"r{i}", [hourly(1, s)], [HOURLY], slo=limits[i]) for i, s in enumerate(WINDOWS)]
    report = analyse(paths)
    (candidate,) = report.candidates
    # 41.936 / 15 = 2.80 s and 49.189 / 15 = 3.28 s: the second misses 3 s
    assert [(c.criterion.text, c.state) for c in candidate.checks] == [
        ("latency mean ≤ 4 s", "met"), ("latency mean ≤ 3 s", "missed"),
    ]  # fmt: skip
    assert any("do not have the same limits" in warning for warning in report.recommendation.warnings)


def test_runs_that_retry_are_pooled_call_by_call(tmp_path):
    paths = []
    for run in "ab":
        spot = {"target": "g5", "stage": 1}
        records = [record(100 + i, 0.5, prompt_id=str(i), call=i + 1, **spot) for i in range(20)]
        records[0] = record(100, 0.1, prompt_id="0", call=1, error="server", **spot)
        records.append(record(100.5, 0.3, prompt_id="0", call=1, attempt=2, **spot))
        keys = {"targets": [HOURLY], "prices": PRICES, "scenario_keys": {"retry": {"attempts": 2}}}
        paths.append(made_run(tmp_path / run, records, [window(1, 100, 120, target="g5")], **keys))
    (candidate,) = analyse(paths).candidates
    # 20 calls of each run, though their workers and numbers are the same; 21 attempts each
    assert (flat(candidate)["calls"], flat(candidate)["requests"]) == (40, 42)
    assert flat(candidate)["attempts_per_call_mean"] == pytest.approx(42 / 40)
