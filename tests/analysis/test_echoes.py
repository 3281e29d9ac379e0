"""Answers that give the prompt back: found by their token counts, and never ranked as speed."""

import dataclasses

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.verdicts.stage_results import StageKey
from tests.helpers.flat import steps
from tests.helpers.made_run import P4D, made_run, record, window

PLAIN = P4D | {"name": "plain", "endpoint": "plain", "stream": False, "parameters": {}}
ECHO = P4D | {"name": "echo", "endpoint": "echo", "stream": False, "parameters": {}}
PRICES = {"plain": {"usd_per_hour": 36.0}, "echo": {"usd_per_hour": 36.0}}
#: prompts of one bucket, and answers of 22, 29 and 36 tokens
PROMPTS = [2493 + i % 21 for i in range(60)]
ANSWERS = [22 + 7 * (i % 3) for i in range(60)]


def stage(number, target, prompts, outputs):
    a = 100.0 * number
    spot = {"stage": number, "target": target}
    records = [
        record(a + i, 0.99, prompt_id=str(i), prompt_tokens=prompt, completion_tokens=output, **spot)
        for i, (prompt, output) in enumerate(zip(prompts, outputs, strict=True))
    ]
    return records, window(number, a, a + 60, target=target)


def report(path, *stages, targets=(ECHO, PLAIN)):
    records = [r for made, _ in stages for r in made]
    return analyse([made_run(path, records, [w for _, w in stages], targets=list(targets), prices=PRICES)])


def echoed(prompts=PROMPTS, answers=ANSWERS):
    return [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]


def test_a_container_that_gives_the_prompt_back_is_suspect_and_its_row_says_so(tmp_path):
    found = report(tmp_path / "r", stage(1, "echo", PROMPTS, echoed()), targets=[ECHO])
    # 60 prompts of 2,503 tokens in the mean (2493 + 580 / 60 = 2,502.7), answers of 29
    said = "its answers look like the prompt given back (2,532 output tokens for prompts of 2,503)"
    assert steps(found)["reasons"][0].startswith(said)
    assert "`return_full_text: false`" in found.recommendation.label
    (row,) = found.tables["most_cost_effective"].to_dict("records")
    assert row["Note"].startswith(said)
    # $36 / 3,600 s x 0.99... of 2,532 a second is about $3.95 per 1M, of the 29 beyond the prompt 2532 / 29 = 87 times as much
    assert "by the 29 tokens beyond it about $3" in row["Note"]


def test_an_echo_is_best_per_model_only_where_nothing_else_is_there(tmp_path):
    made = [stage(1, "echo", PROMPTS, echoed()), stage(2, "plain", PROMPTS, ANSWERS)]
    found = report(tmp_path / "r", *made)
    (row,) = found.tables["most_cost_effective"].to_dict("records")
    assert row["Target"] == "plain"
    assert "`echo`: its answers look like the prompt given back" in row["Note"]
    assert "output tokens differ by more than 10 % (`echo` 2,532, `plain` 29.0)" in row["Note"]
    columns = list(found.tables["most_cost_effective"])
    assert columns[:5] == ["Model", "Target", "Run", "Verdict", "Note"]
    assert found.recommendation.pick == StageKey("r", 2)  # the same price a transaction, and VALID


LONG = [100 + 40 * i % 1500 for i in range(60)]


@pytest.mark.parametrize(
    ("prompts", "outputs", "max_tokens", "echo"),
    [
        (LONG, echoed(LONG), None, True),  # of all lengths, each a few longer than its prompt
        (LONG, echoed(LONG), 64, True),
        ([400] * 60, [400 + 90 + i % 9 for i in range(60)], 100, True),  # longer than the call allowed
        ([512 - i % 3 for i in range(60)], [512] * 60, None, False),  # as long as was asked for, whatever the prompt
        ([512 - i % 3 for i in range(60)], [512] * 60, 512, False),
        (LONG, [round(1.2 * n) for n in LONG], None, False),  # a translation
        (LONG, [round(0.9 * n) for n in LONG], None, False),
        (LONG, ANSWERS, None, False),
        ([20] * 60, [24 + i % 9 for i in range(60)], None, False),  # prompts as short as any answer
    ],
)
def test_an_echo_is_told_from_answers_that_happen_to_be_as_long(tmp_path, prompts, outputs, max_tokens, echo):
    target = ECHO | {"parameters": {} if max_tokens is None else {"max_tokens": max_tokens}}
    found = report(tmp_path / "r", stage(1, "echo", prompts, outputs), targets=[target])
    assert ("prompt given back" in (steps(found)["reasons"][0] or "")) is echo


def test_a_recommended_stage_that_another_beats_is_written_as_a_page(tmp_path):
    """The plain answers cost as much and take 5 ms longer: they are beaten, and recommended, for the echo is SUSPECT."""
    first, second = stage(1, "echo", PROMPTS, echoed()), stage(2, "plain", PROMPTS, ANSWERS)
    slower = [dataclasses.replace(r, latency_ms=r.latency_ms + 5) for r in second[0]]
    targets = {"targets": [ECHO, PLAIN], "prices": PRICES}
    made_run(tmp_path / "r", [*first[0], *slower], [first[1], second[1]], **targets)
    assert main(["report", str(tmp_path / "r")]) == 0
    (row,) = [line for line in (tmp_path / "r/report/report.md").read_text().splitlines() if "| recommended |" in line]
    assert row.startswith("| – | Llama 2 13B | plain | 1 user |")  # it has no number on the front
    assert "echo at 1 user" in row


@pytest.mark.parametrize("slo", [{}, {"error_rate": 0.02}])
def test_what_fails_is_the_best_of_its_model_only_where_nothing_else_is_there(tmp_path, slo):
    # 60 answers and 40 failures: 40 %; the other answers 30 times in the same minute, each time. With a limit or without
    good, open_ = stage(1, "plain", PROMPTS[:30], [29] * 30)
    fast, window_ = stage(2, "echo", PROMPTS, [29] * 60)
    spot = {"stage": 2, "target": "echo", "error": "server", "prompt_tokens": None, "completion_tokens": None}
    failed = [record(230 + i / 100, 0.01, prompt_id=f"f{i}", **spot) for i in range(40)]
    keys = {"targets": [ECHO, PLAIN], "prices": PRICES, "slo": slo}
    found = analyse([made_run(tmp_path / "r", [*good, *fast, *failed], [open_, window_], **keys)])
    (row,) = found.tables["best_throughput"].to_dict("records")
    assert row["Target"] == "plain" and "`echo`: 40 % errors" in row["Note"]
