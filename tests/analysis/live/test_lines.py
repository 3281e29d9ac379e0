"""Lines for CI and documents for machines: when they are said, and in which words."""

import json

import pandas as pd

from analysis.live.json_lines import JsonLines
from analysis.live.lines import Lines
from analysis.live.round import Round
from tests.helpers import live_document

AT = live_document.AT
EVIL = 'a "b"\n\x1b[31m c=d'


def now(asked: dict, name: str = "llama2", figures: dict | None = None, **load) -> Round:
    return Round(
        live_document.load(name, "runs/x") | load, live_document.figures(name) | (figures or {}), pd.DataFrame(), asked
    )


def said(kind, *rounds: Round) -> list[list[str]]:
    """What each round says; the kind of answer remembers."""
    answers = [kind(each) for each in rounds]
    return [answer["say"] if answer else [] for answer in answers]


def test_a_line_comes_at_the_rhythm_and_a_stage_once():
    every = {"every_s": 10}
    first, soon, later = said(Lines(), now(every), now(every, at=AT + 5), now(every, at=AT + 10.1))
    assert [line.split(":")[0] for line in first] == ["stage", "live"]
    assert soon == [] and [line.split(":")[0] for line in later] == ["live"]


def test_a_line_is_key_and_value_and_what_is_not_known_is_empty():
    (stage, live) = said(Lines(), now({"every_s": 10}))[0]
    assert live == (
        "live: state=running stage=2/2 target=llama2 payload=llama2 users= rate=2.5 phase=measure stage_left_s=30 run_left_s=60 "
        "requests=1234 failed=0 users_running=8 in_flight= requests_per_s=100 output_tokens_per_s= ttft_p50_s=0.08314 ttft_p95_s= "
        "tpot_p50_ms= tpot_p95_ms= latency_p50_s=1.234 latency_p95_s=2 error_rate=0 throttle_share=1e-05 prompt_tokens_mean=212.4 "
        "completion_tokens_mean=23.96 cache_read_share= usd_per_10k= verdict=SUSPECT usd=0.0123 budget_left_usd=0.9877"
    )
    assert stage.startswith(
        "stage: stage=1 target=llama2 payload=llama2 users=1 rate= repeat=1 window_s=30 requests=60 "
    )
    assert " usd_per_10k_transactions=4.217 verdict=INVALID slo=missed ended_by=llama2 reasons=llama2" in stage


def test_names_of_anybodys_stay_one_word_of_one_line():
    for line in said(Lines(), now({"every_s": 10}, EVIL))[0]:
        assert r' target="a \"b\" \\x1b[31m c=d" ' in line and "\x1b" not in line and "\n" not in line


def test_on_a_terminal_a_stage_is_one_line_of_words():
    for columns in (40, 80, 120, 200):
        ((line,),) = said(Lines(), now({"every_s": None, "columns": columns}))
        assert line.startswith("stage 1 ended: l") and "INVALID, limits missed" in line
        assert len(line) <= columns or columns == 40
    assert line == (
        "stage 1 ended: llama2, llama2, 1 user, 60 requests, errors 5 %, –/s, TTFT p95 –, p95 –, $4.22 per 10k, INVALID, limits missed"
    )


def test_the_recommendation_is_told_once_and_then_all_is_over():
    lines, ended = Lines(), {"ended": {"headline": "The best is `a`.", "report": None}}
    assert lines(now({"every_s": 10}))["over"] is False
    last = lines(now({"every_s": 10}, figures=ended, state="ended"))
    assert last == {"say": ["headline: The best is `a`."], "over": True}
    assert lines(now({"every_s": 10}, figures=ended, state="ended")) is None


def test_another_run_begins_anew():
    lines = Lines()
    rounds = [now({"every_s": 10}, run=live_document.load("a", "b")["run"] | {"id": run}) for run in ("r1", "r1", "r2")]
    first, again, other = said(lines, *rounds)
    assert len(first) == len(other) == 2 and again == []


def test_documents_say_when_a_stage_begins_and_ends_and_how_it_stands():
    every = {"every_s": 10}
    next_stage = live_document.load("llama2", "runs/x")["stage"] | {"stage": 3}
    rows = [live_document.figures("llama2")["stages"][0] | {"stage": n} for n in (1, 2)]
    first, second = said(JsonLines(), now(every), now(every, at=AT + 1, stage=next_stage, figures={"stages": rows}))
    events = [json.loads(line) for line in (*first, *second)]
    assert [(e["event"], e.get("stage"), e.get("what")) for e in events] == [
        ("stage", 1, "begins"),
        ("stage", 1, "ends"),
        ("stage", 2, "begins"),
        ("live", None, None),
        ("stage", 2, "ends"),
        ("stage", 3, "begins"),
    ]
    assert events[1]["row"]["verdict"] == "INVALID" and events[2]["row"] is None
    assert all(e["figures"]["series"] is None and e["load"]["run"]["requests"] == 1234 for e in events)


def test_documents_without_a_rhythm_are_those_of_stages():
    (first,) = said(JsonLines(), now({"every_s": None}))
    assert {json.loads(line)["event"] for line in first} == {"stage"}
