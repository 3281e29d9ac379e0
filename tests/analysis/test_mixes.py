"""Mixes in the report: what belongs to a part, and what to the whole."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.cost.pricing import Prices
from analysis.report.mix_tables import mix_rows, shown_mixes
from analysis.verdicts.intervals import THROUGHPUT
from analysis.verdicts.mixes import mix_of, shares
from analysis.verdicts.quantiles import T_95
from analysis.words.session_figures import SessionFigures, TurnFigures
from locustfiles.contract.prices.price import TokenPrice
from tests.helpers.made_result import made_result
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, steady, window

MIX = {
    "mix": [
        {"target": "p4d", "payload": "en"},
        {"target": "p4d", "payload": "de"},
        {"target": "bedrock", "payload": "en"},
    ],
}
NUMBERS = [1, 2, 3]


def part(stage: int, target: str, payload: str, users: int, latency: float, **other) -> list:
    """As `steady`, of one part: `users` of the mix's ten wait for it."""
    return steady(stage, 100.0, 160.0, users, latency, lead=10.0, target=target, payload=payload, **other)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """10 users for 60 s: 6 wait 0.5 s for p4d on en, 2 wait 1 s for p4d on de, 2 wait 2 s for bedrock."""
    tokens = {"prompt_tokens": 100, "completion_tokens": 50, "service": "bedrock"}
    records = [
        *part(1, "p4d", "en", 6, 0.5),
        *part(2, "p4d", "de", 2, 1.0),
        *part(3, "bedrock", "en", 2, 2.0, **tokens),
    ]
    stages = [
        window(n, 100.0, 160.0, target=target, payload=payload, users=10, mix=NUMBERS, mix_share=1 / 3)
        for n, target, payload in ((1, "p4d", "en"), (2, "p4d", "de"), (3, "bedrock", "en"))
    ]
    path = tmp_path_factory.mktemp("mixes") / "run"
    return analyse([made_run(path, records, stages, targets=[P4D, BEDROCK], scenario_keys=MIX)])


def test_the_load_of_the_whole_is_what_is_compared_with_the_plan(report):
    """Each part has a share of the ten users in flight, which no part is missing."""
    assert [r.figures.throughput.in_flight_mean for r in report.results] == pytest.approx([6, 2, 2], rel=0.01)
    assert not {c.kind for r in report.results for c in r.cautions} & {"users_missing", "other_stages"}
    assert report.mixes[0].in_flight_mean == pytest.approx(10, rel=0.01)


def test_hours_that_several_parts_share_are_the_mixs_alone(report):
    """12, 2 and 1 a second are 15. The instance's $37.688 an hour are $0.000698 of each; a call by tokens costs
    100 x 0.00075 / 1000 + 50 x 0.001 / 1000 = $0.000125, and one in fifteen is one."""
    en, de, by_tokens = report.results
    assert en.usd is None and de.usd is None and "several parts of the mix" in en.cost_reason
    assert by_tokens.usd == pytest.approx(0.000125)
    (mix,) = report.mixes
    assert mix.throughput_per_s == pytest.approx(15, rel=0.01)
    assert mix.usd_per_transaction == pytest.approx(37.688 / 3600 / 15 + 0.000125 / 15, rel=0.01)


def test_the_cost_of_the_whole_has_an_interval(report):
    """All calls by token are alike, so that it is that of the hours by the throughput of all: the parts' halves together."""
    (mix,) = report.mixes
    ends = [r.intervals[THROUGHPUT] for r in report.results]
    low, high = (sum(each[i] for each in ends) for i in (0, 1))
    assert mix.throughput_ends == pytest.approx((low, high))
    by_call = 0.000125 * report.results[2].figures.outcome.successes / mix.successes
    hour = 37.688 / 3600
    assert mix.cost.ends == pytest.approx((by_call + hour / high, by_call + hour / low))
    (row,) = mix_rows(report.mixes).to_dict("records")
    assert [row[f"usd_per_transaction_ci_{end}"] for end in ("low", "high")] == list(mix.cost.ends)
    assert " – $" in shown_mixes(report.mixes, False)["$ per 10,000"][0]


def test_what_was_drawn_of_conversations_are_their_first_turns(report):
    """Two turns of each conversation and a prompt that is none are one draw each: of 30 and 20 requests 16 and 20 draws."""
    whole = report.mixes[0].parts[0]

    def part(n: int, turns: tuple[int, ...]):
        figures = dataclasses.replace(
            whole.figures,
            outcome=dataclasses.replace(whole.figures.outcome, requests=n),
            sessions=SessionFigures(sessions=turns[0] if turns else None),
        )
        spot = {"run": "r", "stage": 1, "target": "p4d", "payload": "en"}
        told = tuple(TurnFigures(**spot, turn=k, requests=m, attempts=m) for k, m in enumerate(turns, 1))
        return dataclasses.replace(whole, figures=figures, turns=told)

    mix = report.mixes[0]._replace(parts=[part(30, (14, 14)), part(20, ())])
    assert shares(mix) == pytest.approx([16 / 36, 20 / 36])


def by_token(usd: float, ends: tuple[float, float], n: int, failures: int = 0):
    made = made_result(throughput=(2.0, 1.8, 2.2), usd=(usd, *ends), requests=n + failures, failures=failures)
    cost = dataclasses.replace(made.figures.cost, usd_per_transaction_low=usd, usd_per_transaction_high=usd)
    return dataclasses.replace(made, figures=dataclasses.replace(made.figures, cost=cost))


def test_what_a_mix_is_billed_is_known_as_of_a_stratified_sample():
    prices = Prices({"p4d": TokenPrice(input=0.001, output=0.001)}, {})
    cheap = by_token(0.001, (0.0009, 0.0011), 300)
    cost = mix_of([cheap, by_token(0.003, (0.0027, 0.0034), 100)], prices).cost
    # (300 x 0.001 + 100 x 0.003) / 400; sqrt((3/4 0.0001)^2 + (1/4 0.0003)^2) below, sqrt((3/4 0.0001)^2 + (1/4 0.0004)^2) above
    assert cost.usd == pytest.approx(0.0015)
    assert cost.ends == pytest.approx((0.0015 - 0.000106066, 0.0015 + 0.000125))
    # of 125 of the dear part 25 failed, +- sqrt(125 x 0.2 x 0.8) = 4.472 of chance, each of which moves the mean by 0.0015 / 400
    failing = mix_of([cheap, by_token(0.003, (0.0027, 0.0034), 100, failures=25)], prices).cost
    moved = T_95 * 4.472136 * 0.0015 / 400
    assert failing.ends == pytest.approx(
        (0.0015 - (0.000106066**2 + moved**2) ** 0.5, 0.0015 + (0.000125**2 + moved**2) ** 0.5)
    )


def test_each_level_is_read_as_what_it_is(report):
    (mix,) = report.mixes
    assert (mix.requests, mix.failures, mix.error_rate) == (
        sum(r.figures.outcome.requests for r in report.results),
        0,
        0,
    )
    assert {r.figures.identity.mix for r in report.results} == {1}
    assert report.candidates == [] and report.knees == [] and report.break_even == []


def test_users_that_are_missing_are_missing_in_every_part(tmp_path):
    """Of ten users three send."""
    records = [
        *part(1, "p4d", "en", 2, 0.5),
        *part(2, "p4d", "de", 1, 1.0),
        record(120, 2.0, stage=3, target="bedrock"),
    ]
    stages = [
        window(n, 100.0, 160.0, target=target, payload=payload, users=10, mix=NUMBERS, mix_share=1 / 3)
        for n, target, payload in ((1, "p4d", "en"), (2, "p4d", "de"), (3, "bedrock", "en"))
    ]
    run = made_run(tmp_path / "run", records, stages, targets=[P4D, BEDROCK], scenario_keys=MIX)
    kinds = [{c.kind for c in r.cautions} for r in analyse([run]).results]
    assert all("users_missing" in some for some in kinds)


def test_the_same_target_alone_is_no_repetition_of_its_part(tmp_path):
    """Two runs: of the mix, and of p4d alone at ten users. They are not taken together, and only the latter is a candidate."""
    mixed = [*part(1, "p4d", "en", 8, 0.5), *part(2, "p4d", "de", 1, 1.0), *part(3, "bedrock", "en", 1, 1.0)]
    stages = [
        window(n, 100.0, 160.0, target=target, payload=payload, users=10, mix=NUMBERS, mix_share=1 / 3)
        for n, target, payload in ((1, "p4d", "en"), (2, "p4d", "de"), (3, "bedrock", "en"))
    ]
    one = made_run(tmp_path / "mixed", mixed, stages, targets=[P4D, BEDROCK], scenario_keys=MIX)
    solo = steady(1, 100.0, 160.0, 10, 0.6, lead=10.0)
    other = made_run(tmp_path / "solo", solo, [window(1, 100.0, 160.0, users=10)], targets=[P4D])
    report = analyse([one, other])
    assert [(c.figures.run, c.members) for c in report.candidates] == [("solo", ())]
    assert report.repeats == [] and report.recommendation.pick.run == "solo"
    assert any("parts of a mix are never recommended" in w for w in report.recommendation.warnings)
