"""Conversations by hand: which belong to a window, how they end, and what their turns and they themselves take and cost."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.advice.analyse import analyse
from analysis.metrics.session_table import Outcome, outcomes
from analysis.runs.rows import Rows
from analysis.words.columns import METRICS, turn_row_of
from tests.helpers.conversations import talk, turn
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, record, window

WHOLE = BEDROCK | {"stream": False}


def analysed(path, records, hold_until=23.0, **keys):
    name = keys.get("targets", [WHOLE])[0]["name"]
    stage = window(1, 10, 20, target=name, hold_until=START + hold_until)
    records = [dataclasses.replace(r, target=name) for r in records]
    return analyse([made_run(path, records, [stage], **({"targets": [WHOLE]} | keys))])


def row_of(report):
    return steps(report).iloc[0]


def turns_of(report):
    return [turn_row_of(t) for t in report.results[0].turns]


def hand_made():
    """Window [10, 20), users until 23."""
    two = talk("two", 11, [1, 2])  # 11 to 12, 13 to 15: finished in 4 s, 3 of which it waited
    one = talk("one", 15, [2])  # finished in 2 s
    failed = [
        turn("failed", 1, 3, 12, 1),
        turn("failed", 2, 3, 14, 1, error="server", prompt_tokens=None, completion_tokens=None),
    ]
    cut = talk(
        "cut", 18, [1, 2], planned=3
    )  # its second turn is in the hold; its third was never sent: followed for 23 - 18 = 5 s
    before = talk(
        "before", 8, [1, 1], think=2
    )  # began in the settle phase; its second turn, 11 to 12, is in the window
    untold = talk("untold", 19, [1], planned=None)
    return [*two, *one, *failed, *cut, *before, *untold]


def test_conversations_belong_to_the_window_in_which_their_first_turn_began(tmp_path):
    row = row_of(analysed(tmp_path / "r", hand_made()))
    assert [row[f"sessions{name}"] for name in ("", "_finished", "_failed", "_cut", "_untold")] == [5, 2, 1, 1, 1]
    # planned: 2, 1, 3 and 3; of `untold` it is not known
    assert row["session_turns_mean"] == pytest.approx(9 / 4)
    # in the window six first turns (but one of `before`) and three second ones: (5 x 1 + 3 x 2) / 8
    assert row["turn_mean"] == pytest.approx(11 / 8)
    # 1 + 2; 1; 1 + 2, where it failed; 1 + 2 + 3; 1 + 2 of `before`: 16 in 2 + 1 + 2 + 3 + 2 turns
    assert row["turn_mean_whole"] == pytest.approx(1.6)


def test_long_conversations_that_were_cut_are_not_left_out(tmp_path):
    row = row_of(analysed(tmp_path / "r", hand_made()))
    # in order 2 s finished, 3 s failed, 4 s finished, 5 s and more cut: a quarter has finished by 2 s, half by 4 s
    assert row["session_time_p50_s"] == pytest.approx(4.0)
    # the longest was never seen to end, and so no mean is known
    assert row["sessions_followed_share"] == pytest.approx(0.75)
    unknown = [
        "session_time_p90_s",
        "session_time_mean_s",
        "session_waiting_mean_s",
        "session_tokens_mean",
        "usd_per_session",
    ]
    assert row[unknown].isna().all()


def test_means_allow_for_those_that_were_cut(tmp_path):
    # 2 s finished; cut after 3 s; 4 s and 6 s finished: 1/4, 0, 3/8, 3/8 (test_finish_curve.py)
    records = talk("a", 11, [2]) + talk("c", 12, [1, 2]) + talk("d", 13, [3, 2])
    records += [turn("b", 1, 2, 19.9, 0.5)]
    row = row_of(analysed(tmp_path / "r", records, hold_until=22.9))
    assert (row["sessions_cut"], row["sessions_followed_share"]) == (1, pytest.approx(1.0))
    assert row["session_time_mean_s"] == pytest.approx(2 / 4 + 4 * 3 / 8 + 6 * 3 / 8)
    # waited 2, 3 and 5 s
    assert row["session_waiting_mean_s"] == pytest.approx(2 / 4 + 3 * 3 / 8 + 5 * 3 / 8)
    assert row["session_waiting_share"] == pytest.approx(3.5 / 4.25)
    # tokens: 110, 110 + 210, 110 + 210
    assert row["session_tokens_mean"] == pytest.approx(110 / 4 + 320 * 6 / 8)
    # 110: (100 x 0.00075 + 10 x 0.001) / 1000 = 0.000085; its second turn: (200 x 0.00075 + 10 x 0.001) / 1000 = 0.00016
    usd = 0.000085 / 4 + 0.000245 * 6 / 8
    assert row[["usd_per_session_low", "usd_per_session", "usd_per_session_high"]].tolist() == pytest.approx([usd] * 3)


def one_failed(**failure):
    """One of two turns that finishes, and one whose second turn failed. The failure tells no tokens."""
    unknown = {"error": "server", "prompt_tokens": None, "completion_tokens": None} | failure
    return [*talk("well", 11, [1, 1]), turn("bad", 1, 2, 12, 1), turn("bad", 2, 2, 14, 0.5, **unknown)]


def test_what_failed_conversations_were_billed_is_in_the_cost_of_those_that_finished_with_its_bounds(tmp_path):
    row = row_of(analysed(tmp_path / "r", one_failed()))
    # well: 0.000085 + 0.00016; bad: 0.000085 and nothing to (200 x 0.00075 + 100 x 0.001) / 1000 = 0.00025, the dearest prompt
    # with max_tokens: its own first turn's is shorter than the one that failed
    assert row["usd_per_session_low"] == pytest.approx(0.00033)
    assert row["usd_per_session_high"] == pytest.approx(0.00058)
    assert row["usd_per_session"] == row["usd_per_session_high"]
    # a throttle bills nothing
    row = row_of(analysed(tmp_path / "t", one_failed(error="throttled")))
    assert row["usd_per_session_low"] == row["usd_per_session_high"] == pytest.approx(0.00033)


def test_without_a_bound_of_failures_there_is_none_of_a_conversation(tmp_path):
    row = row_of(analysed(tmp_path / "r", one_failed(), targets=[WHOLE | {"parameters": {}}]))
    assert (
        row["usd_per_session_low"] == pytest.approx(0.00033)
        and row[["usd_per_session", "usd_per_session_high"]].isna().all()
    )


def test_by_the_hour_a_conversation_costs_its_transactions(tmp_path):
    row = row_of(analysed(tmp_path / "r", one_failed(), targets=[P4D | {"stream": False}]))
    # three good requests for one conversation that finished
    assert row["usd_per_session"] == pytest.approx(3 * row["usd_per_transaction"])
    assert all(t["usd_per_request"] is None for t in turns_of(analysed(tmp_path / "t", one_failed(), targets=[P4D])))


def test_figures_by_turn(tmp_path):
    first, second = turns_of(analysed(tmp_path / "r", hand_made()))
    # `before` sent its first turn before the window, `cut` its second behind it
    assert [(t["turn"], t["requests"], t["error_rate"]) for t in (first, second)] == [
        (1, 5, 0.0),
        (2, 3, pytest.approx(1 / 3)),
    ]
    # 1, 2, 1, 1 and 1 s; 2 and 1 s, the third failed
    assert [t["latency_mean_s"] for t in (first, second)] == pytest.approx([1.2, 1.5])
    assert [(t["latency_n"], t["ttft_n"]) for t in (first, second)] == [(5, 0), (2, 0)]
    assert [t["prompt_tokens_mean"] for t in (first, second)] == [100, 200]
    # first turns 0.000085; two second ones 0.00016 each, the failure at most (200 x 0.00075 + 100 x 0.001) / 1000 = 0.00025
    assert first["usd_per_request_low"] == first["usd_per_request"] == pytest.approx(0.000085)
    assert second["usd_per_request_low"] == pytest.approx(0.00016)
    assert second["usd_per_request"] == pytest.approx((0.00032 + 0.00025) / 2)


def test_of_a_prompt_cache_each_turn_tells_what_it_read(tmp_path):
    records = [turn("a", 1, 2, 11, 1), turn("a", 2, 2, 13, 1, prompt_tokens=120, cache_read_tokens=80)]
    prices = {"bedrock": {"input": 0.00075, "output": 0.001, "cache_read": 0.0001}}
    shares = [t["cache_read_share"] for t in turns_of(analysed(tmp_path / "r", records, prices=prices))]
    assert shares == [0.0, pytest.approx(0.4)]


def test_attempts_of_one_call_are_one_turn(tmp_path):
    # the second turn is throttled at 13 and good from 14 to 15: the user waited 2 s
    records = [
        turn("a", 1, 2, 11, 1, call=1),
        turn("a", 2, 2, 13, 0.5, call=2, error="throttled", prompt_tokens=None, completion_tokens=None),
        turn("a", 2, 2, 14, 1, call=2, attempt=2),
    ]
    report = analysed(tmp_path / "r", records, scenario_keys={"retry": {"attempts": 3, "base_s": 1.0, "max_s": 5.0}})
    row, second = row_of(report), turns_of(report)[1]
    assert (row["sessions_finished"], row["sessions_failed"]) == (1, 0)
    # 11 to 15 with a second of thinking
    assert (row["session_time_mean_s"], row["session_waiting_mean_s"]) == (pytest.approx(4.0), pytest.approx(3.0))
    assert (second["requests"], second["attempts"], second["error_rate"]) == (1, 2, 0.0)
    assert second["latency_mean_s"] == pytest.approx(2.0)


def test_what_our_own_stop_ended_is_cut_and_no_failure(tmp_path):
    records = [*talk("a", 11, [1]), turn("b", 1, 2, 12, 1), turn("b", 2, 2, 14, 1, error="cancelled")]
    row = row_of(analysed(tmp_path / "r", records))
    assert [row[f"sessions_{name}"] for name in ("finished", "failed", "cut")] == [1, 0, 1]


def test_a_conversation_whose_first_turn_is_missing_is_in_no_figure_of_wholes(tmp_path):
    report = analysed(tmp_path / "r", [turn("a", 2, 2, 12, 1), *talk("b", 11, [1])])
    assert (row_of(report)["sessions"], [t["turn"] for t in turns_of(report)]) == (1, [1, 2])


def test_without_conversations_nothing_is_known_of_them(tmp_path):
    report = analysed(tmp_path / "r", [record(12, 1)])
    assert steps(report)[[m.name for m in METRICS if m.path[0] == "sessions"]].isna().all(axis=None)
    assert report.results[0].turns == () and report.conversed == []


def test_one_to_whose_answer_nothing_could_be_said_ended_early_and_never_finishes(tmp_path):
    records = [*talk("a", 11, [1, 1]), turn("b", 1, 3, 12, 1), turn("b", 2, 3, 14, 1, session_ended="no_text")]
    row = row_of(analysed(tmp_path / "r", records))
    assert [row[f"sessions_{name}"] for name in ("finished", "failed", "ended_early", "cut")] == [1, 0, 1, 0]
    # both took 3 s: half of all that began have finished by then, and no more ever do
    assert row["session_time_p50_s"] == pytest.approx(3.0) and np.isnan(row["session_time_p90_s"])
    # what the other was billed is in the cost of the one that finished: 0.000245 each
    assert row["usd_per_session"] == pytest.approx(2 * 0.000245)
    # 1 + 2 and 1 + 2 of four
    assert row["turn_mean_whole"] == pytest.approx(1.5)


@pytest.mark.parametrize(("goes_on", "expected"), [(False, Outcome.FAILED), (True, Outcome.CUT)])
def test_where_conversations_go_on_behind_a_failure_one_was_cut_behind_it(goes_on, expected):
    last = Rows(
        pd.DataFrame({"error": ["server", "server", None], "error_code": [None] * 3, "session_ended": [None] * 3})
    )
    found = outcomes(last, np.array([2.0, 3.0, 3.0]), np.array([3.0, 3.0, 3.0]), goes_on)
    # the second one's failure was its last turn
    assert found.tolist() == [expected, Outcome.FAILED, Outcome.FINISHED]


def test_repetitions_of_a_level_are_one_set_of_conversations(tmp_path):
    # 2 s, and failed after 1 s; in the second repetition 4 s, and cut after 3 s by the hold's end at 123 s
    spot = {"stage": 2, "repeat": 2, "phase": "measure"}
    records = [*talk("a", 11, [2]), turn("b", 1, 1, 12, 1, error="throttled", prompt_tokens=None)]
    records += [*talk("c", 111, [1, 2], **spot), turn("d", 1, 2, 119.5, 0.5, **spot)]
    stages = [
        window(1, 10, 20, target="bedrock", hold_until=START + 23),
        window(2, 110, 120, target="bedrock", repeat=2, hold_until=START + 122.5),
    ]
    (level,) = analyse([made_run(tmp_path / "r", records, stages, targets=[WHOLE])]).candidates
    found = level.figures.sessions
    assert len(level.members) == 2
    assert [found.sessions, found.sessions_finished, found.sessions_failed, found.sessions_cut] == [4, 2, 1, 1]
    # in order 1 s failed, 2 s finished, 3 s cut, 4 s finished: weights 1/4, 1/4, 0 and 1/2
    assert found.session_time.mean == pytest.approx((2 / 4 + 4 / 2) / (3 / 4))
    assert found.session_time.p50 == pytest.approx(4.0)
    # $0.000085 and $0.000245; a throttle is billed nothing
    assert found.usd_per_session == pytest.approx((0.000085 / 4 + 0.000245 / 2) / (3 / 4))
