"""What a report tells of answers: held back, in one piece, ended badly, read from a cache on purpose."""

import dataclasses

import pytest

from analysis.advice.answer_notes import answer_notes
from analysis.runs.run_reader import load_run
from analysis.runs.stage import stages_of
from analysis.verdicts.slo_checks import check
from analysis.verdicts.slo_criteria import criteria_of
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.scenario.slo import Slo
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, window
from tests.helpers.verdicts import healthy, verdict

STREAMED = P4D | {"stream": True}
KEYS = {"targets": [STREAMED]}


def streamed(share: float, span_ms: float) -> list:
    """Healthy streams of 5 deltas over 200 ms; of every ten, `share` come within `span_ms`."""
    times = {"ttft_ms": 100.0, "last_token_ms": 300.0, "chunks": 5, "completion_tokens": 5}
    records = healthy(**times)
    held = {"ttft_ms": 300.0 - span_ms}
    return [dataclasses.replace(r, **held) if i % 10 < 10 * share else r for i, r in enumerate(records)]


@pytest.mark.parametrize(
    ("share", "span_ms", "held_back"),
    # 5 deltas at once: under 0.1 ms for each after the first, 0.4 ms
    [(1, 0.0, True), (0.6, 0.3, True), (0.4, 0.0, False), (1, 0.5, False)],
)
def test_streams_that_come_in_one_piece_make_a_stage_suspect_where_they_are_the_rule(
    tmp_path, share, span_ms, held_back
):
    state, why = verdict(tmp_path, streamed(share, span_ms), **KEYS)
    assert (state == "SUSPECT", "came in one piece, held back by a proxy or the container" in why) == (
        held_back,
        held_back,
    ), why


def figures(tmp_path, records):
    run = load_run(made_run(tmp_path / "r", records, [window(1, 10, 40, users=2)], **KEYS))
    return run, results_of(run, {"p4d": HourlyPrice(usd_per_hour=36.0)})[0].figures


def test_a_stream_that_came_in_one_read_has_no_tpot(tmp_path):
    assert figures(tmp_path / "a", streamed(1, 0.0))[1].tpot.n == 0
    assert figures(tmp_path / "b", streamed(1, 0.3))[1].tpot.n == 0  # in two that followed each other
    assert figures(tmp_path / "c", streamed(0, 0.0))[1].tpot.n > 0


def test_answers_in_one_piece_are_said_of_their_target(tmp_path):
    run, _ = figures(tmp_path, healthy())
    (note,) = answer_notes(run)
    assert "answers in one piece although `stream: true` is asked" in note


def test_token_counts_that_cannot_be_read_are_said_of_their_target(tmp_path):
    odd = {
        "error_code": "UnreadableUsage",
        "error_message": "`completion_tokens` of the answer is NaN, which is no count",
    }
    odd |= {"completion_tokens": None, "token_source": "none", "ttft_ms": 1.0, "last_token_ms": 2.0, "chunks": 2}
    run, found = figures(tmp_path, [dataclasses.replace(r, **odd) for r in healthy()])
    assert (found.outcome.successes, found.outcome.failures) == (120, 0)
    (note,) = answer_notes(run)
    # the 120 requests that begin in the window
    assert (
        "120 of 120 successes have token counts that cannot be read (`completion_tokens` of the answer is NaN" in note
    )


def test_streams_of_several_choices_have_no_tpot_and_it_is_said(tmp_path):
    records = [dataclasses.replace(r, chunks=None) for r in streamed(0, 0.0)]
    run, found = figures(tmp_path, records)
    assert (found.tpot.n, found.ttft.n) == (0, found.outcome.successes)
    assert any(f"{found.ttft.n} of {found.ttft.n} answers had several choices" in note for note in answer_notes(run))


def test_bad_stop_reasons_have_their_share_and_a_limit(tmp_path):
    records = [
        dataclasses.replace(r, ttft_ms=1.0, last_token_ms=2.0, chunks=2, stop_reason="end_turn") for r in healthy()
    ]
    begun = [i for i, r in enumerate(records) if r.phase == "measure"]
    for i, reason in zip(begun, ["malformed_tool_use", "refusal", "malformed_tool_use"], strict=False):
        records[i] = dataclasses.replace(records[i], stop_reason=reason)
    run, found = figures(tmp_path, records)
    stage = next(stages_of(run, {"p4d": HourlyPrice(usd_per_hour=36.0)}))
    # 3 of the 120 requests that begin in the window
    assert (found.outcome.successes, found.outcome.bad_stop_share) == (120, 3 / 120)
    assert found.outcome.bad_stops == "malformed_tool_use 2, refusal 1"
    assert any("3 of 120 successes (2.5 %) ended by a stop reason" in note for note in answer_notes(run))
    for limit, state in ((0.025, "met"), (0.02, "missed")):
        (criterion,) = criteria_of(Slo(bad_stop_share=limit))
        assert check(criterion, stage, found).state == state
    (criterion,) = criteria_of(Slo(bad_stop_share=0.0))
    silent = dataclasses.replace(found, outcome=dataclasses.replace(found.outcome, bad_stop_share=None))
    assert check(criterion, stage, silent).state == "unknown"


CACHED = {
    "target": "bedrock",
    "service": "bedrock",
    "completion_tokens": 5,
    "prompt_tokens": 10,
    "cache_read_tokens": 90,
}


@pytest.mark.parametrize(
    ("target", "payloads", "on_purpose"),
    [
        ({}, {}, False),
        ({"system": "Be brief.", "cache_system": True}, {}, True),
        ({"parameters": {"toolConfig": {"tools": [{"cachePoint": {"type": "default"}}]}}}, {}, True),
        ({}, {"cache_points": 3}, True),
    ],
)
def test_a_cache_on_purpose_is_no_reason_for_doubt_and_its_share_is_said(tmp_path, target, payloads, on_purpose):
    keys = {"targets": [BEDROCK | {"stream": False} | target], "prices": PRICES}
    windows = [window(1, 10, 40, users=2, target="bedrock")]
    # every prompt the same: repeated and read from the cache alike
    records = [dataclasses.replace(r, prompt_id="1") for r in healthy(**CACHED)]
    plain = {"en": {"file": "en.jsonl", "sha256": "", "prompts": 1} | payloads}
    run = load_run(made_run(tmp_path / "r", records, windows, payloads=plain, **keys))
    found = results_of(run, {"bedrock": TokenPrice(input=0.001, output=0.002, cache_read=0.0001)})[0].figures
    assert ("read from a cache" in found.trust.reasons, "were repeats" in found.trust.reasons) == (
        not on_purpose,
        not on_purpose,
    )
    # 90 of 100 prompt tokens
    assert any("uses a prompt cache on purpose: 90 %" in note for note in answer_notes(run)) == on_purpose


MODELS = [
    f"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-{name}"
    for name in ("haiku-20240307-v1:0", "sonnet-20240229-v1:0")
]


@pytest.mark.parametrize(
    ("price", "said"),
    [
        # 120 answers of 1,000 + 100 tokens, each second by Haiku at 0.25 and 1.25 USD per million, 0.000375, the others by Sonnet at 3
        # and 15, 0.0045: 60 x 0.004875 = 0.2925; by Haiku's price all are 120 x 0.000375 = 0.045, by Sonnet's 0.54
        ({"input": 0.00025, "output": 0.00125}, "$0.045 for these answers, which cost $0.2925 by the models' own prices: the target's `price:` is too low"),
        ({"input": 0.003, "output": 0.015}, "$0.54 for these answers, which cost $0.2925 by the models' own prices: the target's `price:` is too high"),
        ({"input": 0.001625, "output": 0.008125}, "and cost the same by the models' own prices"),
    ],
)  # fmt: skip
def test_what_a_router_chose_is_told_with_what_it_costs_by_the_models_own_prices(tmp_path, price, said):
    tokens = {"prompt_tokens": 1000, "completion_tokens": 100, "target": "bedrock"}
    records = [dataclasses.replace(r, **tokens, invoked_model=MODELS[i % 2]) for i, r in enumerate(healthy())]
    windows = [window(1, 10, 40, users=2, target="bedrock")]
    run = load_run(made_run(tmp_path / "r", records, windows, targets=[BEDROCK]))
    (note,) = (note for note in answer_notes(run, {"bedrock": TokenPrice(**price)}) if "router" in note)
    assert "a prompt router chose who answered (" in note and said in note
