"""Cautions of stages of conversations: too few of them, too early turns; users that think and history that repeats raise none."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.conversations import chatting, talk
from tests.helpers.made_run import P4D, START, made_run, window
from tests.helpers.verdicts import verdict

# four users, conversations of three turns of 1 s with 4 s between them: 11 s each, 3 of which a request is under way
LONG = window(1, 30, 150, users=4)


def test_users_that_think_between_turns_are_not_missing(tmp_path):
    assert verdict(tmp_path, chatting(4, 30, 150), LONG) == ("VALID", "")


def test_a_user_that_never_comes_is_missing(tmp_path):
    found, why = verdict(tmp_path, chatting(4, 30, 150), dataclasses.replace(LONG, users=5))
    # four users x 3 of 11 s = 1.09 in flight; the fifth should be
    assert found == "SUSPECT" and why.startswith("1.09 requests in flight where 2.09 were due")


def test_a_user_that_falls_silent_is_missing(tmp_path):
    # user 3 ends its conversation after a quarter of the window and never comes again: 90 of 480 s, but for 4 s that a user thinks
    records = [r for r in chatting(4, 30, 150) if r.user != 3 or r.started_at < START + 55]
    over = {r.session for r in records if r.user == 3 and r.turn == 3}
    records = [r for r in records if r.user != 3 or r.session in over]
    found, why = verdict(tmp_path, records, LONG)
    assert found == "SUSPECT" and "requests in flight where" in why


def test_too_few_conversations_that_finished_make_it_suspect(tmp_path):
    # conversations of 11 s begin at 30, 32.75, 35.5 and 38.25 s and after these: 4 + 4 + 4 + 3; the last of three users, at 63, 65.75
    # and 68.5 s, would send their third turn after 71 s
    found, why = verdict(tmp_path, chatting(4, 30, 70), window(1, 30, 70, users=4, hold_until=START + 71))
    assert found == "SUSPECT" and why.startswith(
        "only 12 of 15 conversations that began in the window finished (3 cut by its end)"
    )


def test_a_window_of_early_turns_makes_it_suspect_and_its_price_too_low(tmp_path):
    # 60 users begin a conversation of ten turns in it and get to the third: turn 2 on average where 5.5 would be
    records = [
        r for n in range(60) for r in talk(f"{n}", 10 + n / 60, [1] * 3, think=2, planned=10, user=n, target="p4d")
    ]
    found, why = verdict(tmp_path, records, window(1, 10, 20, users=60))
    assert found == "SUSPECT"
    assert "its requests are turn 2.00 on average, those of whole conversations turn 5.50" in why


def test_history_that_is_sent_again_is_no_repeated_prompt_and_a_conversation_that_is_had_again_is(tmp_path):
    assert "repeats" not in verdict(tmp_path / "a", chatting(4, 30, 150), LONG)[1]
    again = [dataclasses.replace(r, prompt_id="1") for r in chatting(4, 30, 150)]
    # three different turns of some 130 requests
    assert "of the prompts were repeats (3 different prompts)" in verdict(tmp_path / "b", again, LONG)[1]


@pytest.mark.parametrize(("turn", "verdict_"), [(2, "VALID"), (1, "SUSPECT")])
def test_later_turns_may_read_their_history_from_a_cache_and_first_ones_may_not(tmp_path, turn, verdict_):
    records = [
        dataclasses.replace(r, prompt_tokens=50, cache_read_tokens=50) if r.turn == turn else r
        for r in chatting(4, 30, 150)
    ]
    assert verdict(tmp_path, records, LONG, targets=[P4D])[0] == verdict_


def test_how_many_conversations_finished_is_judged_of_all_repetitions_together(tmp_path):
    # 12 of 15 each, as above: 24 of 30
    first = chatting(4, 30, 70)
    second = [
        dataclasses.replace(
            r, stage=2, repeat=2, started_at=r.started_at + 200, session=f"b{r.session}", prompt_id=f"b{r.prompt_id}"
        )
        for r in first
    ]
    stages = [
        window(n, 200 * n - 170, 200 * n - 130, users=4, repeat=n, hold_until=START + 200 * n - 129) for n in (1, 2)
    ]
    found = analyse([made_run(tmp_path / "r", first + second, stages)])
    assert [[c.kind for c in r.cautions] for r in found.results] == [["few_sessions"]] * 2
    (together,) = found.candidates
    sessions = together.figures.sessions
    assert (sessions.sessions, sessions.sessions_finished, together.cautions) == (30, 24, ())
