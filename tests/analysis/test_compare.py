"""Runs side by side: which stages stand beside each other, how their figures differ, and what else does."""

import dataclasses

import pytest

from analysis.comparison.align import payloads_of, targets_of
from analysis.comparison.build import compare
from analysis.comparison.figures import change, interval, said, sentence, unseen
from analysis.comparison.gist import gist_sentences
from analysis.verdicts.difference import Difference
from analysis.verdicts.place import Place
from analysis.verdicts.proportions import Share
from analysis.words.columns import column
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import NotARun
from tests.helpers.first_study import stage_of
from tests.helpers.made_result import made_result
from tests.helpers.made_run import BEDROCK, P4D, made_run
from tests.helpers.two_runs import HASH, drawn_run

P50 = column(lambda f: f.latency.p50)
PER_S = column(lambda f: f.throughput.throughput_per_s)


def found(compared, name):
    return next(c for c in compared if c.column.name == name)


@pytest.fixture(scope="module")
def slower(tmp_path_factory):
    """The second of three runs is 20 % slower, the third is not."""
    folder = tmp_path_factory.mktemp("runs")
    paths = [drawn_run(folder / name, by, seed=n) for n, (name, by) in enumerate([("a", 1.0), ("b", 1.2), ("c", 1.0)])]
    return compare(paths)


def test_every_other_run_stands_beside_the_first(slower):
    assert (slower.reference, slower.others) == ("a", ["b", "c"])
    (group,) = slower.groups
    assert (group.who, group.payload, [level.words for level in group.levels]) == (
        "`p4d`",
        "en",
        ["2 users", "5 users"],
    )
    assert list(group.levels[0].results) == ["a", "b", "c"] and list(group.levels[0].compared) == ["b", "c"]
    assert not slower.only_in and not slower.invalid


def test_what_became_worse_is_said_and_what_did_not_is_not(slower):
    (group,) = slower.groups
    for level in group.levels:
        p50, per_s = found(level.compared["b"], "latency_p50_s"), found(level.compared["b"], "throughput_per_s")
        assert p50.said == per_s.said == "worse" and p50.difference.ratio == pytest.approx(1.2, rel=0.06)
        assert found(level.compared["c"], "latency_p50_s").said == "no difference seen"
    whole = {run: found(group.together[run], "latency_p50_s") for run in ("b", "c")}
    assert whole["b"].sure and whole["b"].levels == 2 and whole["b"].difference.ratio == pytest.approx(1.2, rel=0.04)
    assert not whole["c"].sure and whole["c"].difference.smallest < 0.1
    # narrower than at either level
    narrow, wide = whole["b"].difference, found(group.levels[0].compared["b"], "latency_p50_s").difference
    assert narrow.high / narrow.low < wide.high / wide.low
    texts = [text for text in gist_sentences(slower) if text.startswith("`p4d`")]
    assert "`p4d` on `en` in run b, over 2 levels: worse: latency p50 +" in texts[0]
    assert "no difference that holds among all that is compared" in texts[1] and "would have been seen" in texts[1]


def test_the_levels_that_tell_are_counted_where_others_have_no_interval(tmp_path):
    # 2 s of 0.4 s a request, or 0.8 s: of one user 5 or 3 requests, where a median's interval needs 6
    levels = {"users": (1, 20, 40), "window_s": 2.0}
    comparison = compare([drawn_run(tmp_path / "a", **levels), drawn_run(tmp_path / "b", 2.0, **levels)])
    p50 = found(comparison.groups[0].together["b"], "latency_p50_s")
    assert p50.levels == 2 and p50.sure
    text = gist_sentences(comparison)[-1]
    assert "over 3 levels: worse: latency p50 +" in text and ", by 2 of them)" in text


def test_all_that_is_asked_counts_in_the_p_values(slower):
    each = [c for g in slower.groups for level in g.levels for some in level.compared.values() for c in some]
    each += [c for g in slower.groups for some in g.together.values() for c in some]
    known = [c for c in each if c.adjusted is not None]
    assert slower.asked == len(known) > 40
    least = min(known, key=lambda c: c.difference.p)
    assert least.adjusted == pytest.approx(min(1.0, len(known) * least.difference.p))
    assert all(c.adjusted >= c.difference.p for c in known)


def test_another_run_can_be_the_reference(tmp_path):
    a, b = drawn_run(tmp_path / "a"), drawn_run(tmp_path / "b", 1.2)
    assert compare([a, b], baseline="b").reference == compare([a, b], baseline=str(b)).reference == "b"
    backwards = compare([a, b], baseline="b").groups[0].levels[0].compared["a"]
    assert found(backwards, "latency_p50_s").said == "better"
    with pytest.raises(BadInput, match="--baseline c: is none of the runs compared; choose one of a, b"):
        compare([a, b], baseline="c")
    with pytest.raises(BadInput, match="one run has nothing beside it"):
        compare([a])
    with pytest.raises(NotARun, match="named twice"):
        compare([a, a])


def test_what_else_differs_is_told_and_what_is_the_same_is_counted(tmp_path):
    dearer = {"p4d": {"usd_per_hour": 40.0, "instance_count": 2}}
    other = P4D | {"parameters": {"max_tokens": 50}, "instance_count": 2}
    a = drawn_run(tmp_path / "a", versions={"swarmledger": "0.2.0", "python": "3.11.7"})
    b = drawn_run(
        tmp_path / "b", target=other, prices=dearer, versions={"swarmledger": "0.3.0", "python": "3.11.7"}, tokens=30,
        payloads={"en": {"sha256": "cd" * 32}}, scenario_keys={"region": "eu-west-1"},
    )  # fmt: skip
    comparison = compare([a, b])
    values = {c.what: (c.values["a"], c.values["b"]) for c in comparison.conditions}
    assert values["region"] == ("us-east-1", "eu-west-1")
    assert values["parameters.max_tokens of p4d"] == ("100", "50")
    assert values["price of p4d"] == ("$37.688 per hour", "$40 per hour × 2")
    assert values["prompts (SHA-256)"] == (HASH[:12], "cd" * 6)
    assert values["swarmledger"] == ("0.2.0", "0.3.0") and "python" in comparison.same
    assert "instance_count of p4d" in values and "name of p4d" in comparison.same
    # 30 tokens for 20: a transaction is other work
    assert any("mean output tokens 20.0 in run a, 30.0 in run b (50 % more)" in text for text in comparison.cautions)


def test_a_payload_whose_hash_is_not_known_is_not_called_the_same(tmp_path):
    comparison = compare([drawn_run(tmp_path / name, payloads={}) for name in ("a", "b")])
    (prompts,) = [c for c in comparison.conditions if c.what.startswith("prompts")]
    assert prompts.values == {"a": "not known", "b": "not known"}


def test_payloads_stand_beside_each_other_by_name_by_hash_or_where_nothing_speaks_against_it():
    assert payloads_of({"en": "1", "ja": "2"}, {"en": "9", "nihongo": "2"}) == {"en": "en", "nihongo": "ja"}
    # a tool that names its prompts as it likes, and has no file of them
    assert payloads_of({"en": "1"}, {"guidellm": None}) == {"guidellm": "en"}
    assert payloads_of({"en": "1"}, {"ja": "2"}) == {} == payloads_of({"en": "1", "ja": "2"}, {"guidellm": None})


def test_stages_without_a_partner_are_named(tmp_path):
    a, b = drawn_run(tmp_path / "a", users=(2, 5)), drawn_run(tmp_path / "b", users=(5, 8))
    comparison = compare([a, b])
    assert [level.words for level in comparison.groups[0].levels] == ["5 users"]
    assert comparison.groups[0].together == {"b": []}
    assert comparison.only_in == [
        "Only run a has `p4d` on `en` at 2 users.",
        "Only run b has `p4d` on `en` at 8 users.",
    ]
    with pytest.raises(BadInput, match="no stage of run a has a partner .* Only run a has `p4d` on `en` at 2 users"):
        compare([drawn_run(tmp_path / "c/a", users=(2,)), drawn_run(tmp_path / "c/b", users=(8,))])


def test_a_level_that_a_third_run_lacks_is_named(tmp_path):
    runs = [drawn_run(tmp_path / n, users=users) for n, users in (("a", (2, 5)), ("b", (2, 5)), ("c", (2,)))]
    assert compare(runs).only_in == ["Run c has no `p4d` on `en` at 5 users."]


def test_targets_of_other_names_stand_beside_each_other_where_their_model_says_so(tmp_path):
    b = P4D | {"name": "p4d-new"}
    comparison = compare(
        [drawn_run(tmp_path / "a"), drawn_run(tmp_path / "b", target=b, prices={"p4d-new": {"usd_per_hour": 37.688}})]
    )
    assert comparison.groups[0].who == "`p4d` (`p4d-new` in run b)"
    # by name first; of the rest only what cannot be mistaken
    one = [result("x", "m"), result("y", "n")]
    assert targets_of(one, [result("y", "n"), result("z", "m")]) == {"y": "y", "z": "x"}
    assert targets_of(one, [result("z", "m"), result("w", "m")]) == {}
    assert targets_of([result("x", "m"), result("v", "m")], [result("z", "m")]) == {}
    # x stands beside x, but whether v became w nobody knows: they may be two endpoints of one model
    two = [result("x", "m"), result("v", "m")]
    assert targets_of(two, [result("x", "m"), result("w", "m")]) == {"x": "x"}
    # unless they call the same
    at = Place("sagemaker", ("v-endpoint",), "us-east-1", None)
    here = [two[0], dataclasses.replace(two[1], measured_at=at)]
    renamed = dataclasses.replace(result("w", "other"), measured_at=at)
    assert targets_of(here, [result("x", "m"), renamed]) == {"x": "x", "w": "v"}


def test_a_gate_takes_no_other_service_for_a_renamed_target():
    one, other = result("p4d", "m"), result("bedrock", "m")
    identity = dataclasses.replace(other.figures.identity, service="bedrock")
    other = dataclasses.replace(other, figures=dataclasses.replace(other.figures, identity=identity))
    assert targets_of([one], [other]) == {"bedrock": "p4d"}
    assert targets_of([one], [other], of_service=True) == {}


def result(target, model):
    made = made_result()
    identity = dataclasses.replace(made.figures.identity, target=target, model=model)
    return dataclasses.replace(made, figures=dataclasses.replace(made.figures, identity=identity))


def test_which_way_doubts_put_a_price_is_told_where_the_verdict_knows(tmp_path):
    # of 4 users all were in flight, 240 x 0.99 s in a minute, and in the other run half a one: 60 x 0.5 s
    paths = []
    for name, per_minute, latency in (("a", 240, 0.99), ("b", 60, 0.5)):
        records, visit = stage_of(1, 100, 4, per_minute, 0, latency)
        paths.append(made_run(tmp_path / name, records, [visit]))
    (told,) = [text for text in compare(paths).cautions if "price" in text]
    assert told.startswith("`p4d` on `payload_en_3000-3840` in run b at 4 users: ")
    assert told.endswith("what makes it SUSPECT makes its price too high.")


def test_repetitions_are_compared_as_one_level(tmp_path):
    a, b = (drawn_run(tmp_path / n, users=(2, 2, 2), seed=s) for n, s in (("a", 1), ("b", 2)))
    comparison = compare([a, b])
    (level,) = comparison.groups[0].levels
    assert level.results["a"].stages == (1, 2, 3)
    # by three repetitions and Student's t (4.3), and the requests of all three
    assert found(level.compared["b"], "latency_p50_s").said == "no difference seen"


def test_bedrock_and_failures_are_compared_in_points(tmp_path):
    target = BEDROCK | {"name": "bedrock"}
    a, b = (drawn_run(tmp_path / n, target=target, failed=f, seed=s) for n, f, s in (("a", 0, 1), ("b", 40, 2)))
    errors = found(compare([a, b]).groups[0].levels[0].compared["b"], "error_rate")
    # 40 failures at once among about 170: what counts is that they came together
    assert errors.difference.shares[0].value == 0 and errors.difference.ratio is None
    assert change(errors.difference).endswith(" pts") and errors.difference.shares[1].n < 100


def test_differences_in_words():
    plain = Difference(1.0, 1.081, 1.052, 1.111, 0.05, "made")
    assert (change(plain), interval(plain), said(P50, plain)) == ("+8.1 %", "+5.2 % to +11.1 %", "worse")
    assert said(PER_S, plain) == "better"
    unsure = Difference(1.0, 1.0, 0.9, 1.1, 0.12, "made")
    assert (change(unsure), sentence(P50, unsure)) == ("0.0 %", "no difference seen (12 % would have been)")
    few = Difference(2.0, 7.0, 1.5, None, None, "made")
    assert (change(few), interval(few), unseen(few)) == ("×3.50", "+50.0 % to wide", "–")
    assert sentence(P50, Difference(2.0, 2.1, None, None, None, "made")) == "not told: too few independent requests"
    rates = Difference(0.01, 0.04, 0.01, 0.05, 0.02, "made", (Share(0.01, 100), Share(0.04, 100)))
    assert (change(rates), interval(rates), unseen(rates)) == ("+3.0 pts", "+1.0 to +5.0 pts", "2.0 pts")
    assert (change(None), interval(None), sentence(P50, None)) == ("–", "", "not known")
