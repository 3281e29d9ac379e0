"""What a careful analyst would sign: errors, doubts, differences and models in the recommendation."""

import dataclasses
import math

from analysis.advice.recommend import recommend
from analysis.verdicts.intervals import USD
from analysis.verdicts.stage_results import StageKey
from analysis.words.stage_figures import Limits, Trust
from tests.helpers.first_study import PAYLOAD, run_of, stage_of
from tests.helpers.flat import steps, table
from tests.helpers.made_result import made_result
from tests.helpers.made_run import P4D


def test_a_stage_of_many_errors_comes_after_all_others_where_no_limit_on_errors_is_set(tmp_path):
    # 60 of 145 requests fail: 37.688 / 85 / 60 = $0.00739 a success; the other costs 37.688 / 60 / 60 = $0.01047 without a failure
    shedding, whole = stage_of(1, 100, 4, 85, 60, 0.5), stage_of(2, 200, 1, 60, 0, 0.99)
    best = run_of(tmp_path / "a", [shedding, whole]).recommendation
    assert (best.pick, best.cheaper) == (StageKey("r", 2), [StageKey("r", 1)])
    assert "it has 41.38 % errors, above the 1 % that are let pass where no limit on errors is set" in best.text
    assert "stages of more than 1 % errors are taken only if nothing else qualifies" in best.rule
    alone = run_of(tmp_path / "b", [shedding])
    assert "per 10,000 transactions at full use" in alone.recommendation.facts[0]
    assert alone.recommendation.facts[0].endswith(", with 41.38 % errors.")
    assert alone.recommendation.label.startswith("the best only of those with errors: 41.38 % errors, above the 1 %")
    (sentence,) = table(alone, "sentences")["recommendation"]
    assert sentence.startswith("With 41.38 % errors, above the 1 %")
    limit = run_of(tmp_path / "c", [shedding, whole], slo={"error_rate": 0.5}).recommendation
    assert limit.pick == StageKey("r", 1)


def test_which_way_a_doubt_moves_the_price_is_said(tmp_path):
    # 4 users, of whom 0.18 x ... were in flight: an hour is shared by fewer transactions than it could be
    hourly = run_of(tmp_path / "a", [stage_of(1, 100, 4, 60, 0, 0.5)])
    assert steps(hourly)["price_bias"][0] == "too high"
    assert "were due, so the load was below the planned one and its price is too high:" in hourly.recommendation.text
    tokens = run_of(
        tmp_path / "b", [stage_of(1, 100, 4, 60, 0, 0.5, target="bedrock", prompt_tokens=9, completion_tokens=9)]
    )
    assert steps(tokens)["verdict"][0] == "SUSPECT"
    assert "so the load was below the planned one: use" in tokens.recommendation.text
    warm = stage_of(1, 100, 1, 60, 0, 0.99)
    again = [r.__class__(**{n: getattr(r, n) for n in r.__slots__} | {"prompt_id": "1"}) for r in warm[0]]
    assert steps(run_of(tmp_path / "c", [(again, warm[1])]))["price_bias"][0] == "too low"


def cost(users, usd, verdict):
    """A stage whose cost is known to 0.25 on the log scale."""
    made = made_result(users=users, usd=(usd, usd / math.exp(0.25), usd * math.exp(0.25)), throughput=(1.0, 0.9, 1.1))
    figures = dataclasses.replace(made.figures, trust=Trust(verdict=verdict), limits=Limits(slo="none"))
    return dataclasses.replace(made, figures=figures)


def test_a_difference_that_overlapping_intervals_hide_is_no_tie():
    """Half-widths of 0.25 overlap up to 0.5 apart; combined they are sqrt(2) x 0.25 = 0.354, and ln 1.5 is 0.405."""
    one, four = cost(1, 0.03, "VALID"), cost(4, 0.02, "SUSPECT")
    assert one.intervals[USD][0] < four.intervals[USD][1]
    best = recommend([one, four], "en", [])
    assert (best.pick, best.tie, best.cheaper) == (four.key, False, [])
    # 0.025 beside 0.02: ln 1.25 is 0.223, within 0.354; of a tie the VALID one is taken, and the other is named
    near = cost(1, 0.025, "VALID")
    best = recommend([near, four], "en", [])
    assert (best.pick, best.tie, best.cheaper) == (near.key, True, [four.key])


def test_each_model_has_its_own_recommendation_before_all_together(tmp_path):
    seven = P4D | {"name": "m7", "model": "Mistral 7B", "endpoint": "m7"}
    large = P4D | {"name": "l70", "model": "Llama 2 70B", "endpoint": "l70"}
    prices = {"m7": {"usd_per_hour": 1.2}, "l70": {"usd_per_hour": 12.0}}
    stages = [stage_of(1, 100, 1, 60, 0, 0.99, target="m7"), stage_of(2, 200, 1, 60, 0, 0.99, target="l70")]
    best = run_of(tmp_path, stages, targets=(seven, large), prices=prices).recommendation
    # 1.2 / 3,600 and 12 / 3,600 of 60 a minute: $3.33 and $33.33 per 10,000
    assert best.facts[0] == (
        f"By model, the best price-performance for `{PAYLOAD}`: Mistral 7B $3.33 per 10,000 (`m7` at 1 user); "
        "Llama 2 70B $33.33 per 10,000 (`l70` at 1 user)."
    )
    assert best.facts[1].startswith(
        "Across these 2 models, which do not answer alike (how good their answers are was not measured here), it is `m7`"
    )
    assert [(one.model, one.pick) for one in best.by_model] == [
        ("Mistral 7B", StageKey("r", 1)), ("Llama 2 70B", StageKey("r", 2)),
    ]  # fmt: skip
    assert best.by_model[0].runner_up is None
