"""Conversations in whole runs: order, history and counts are exact against the endpoint's own log."""

import collections
import itertools
import re

import pytest

from analysis.metrics.open_loop import achieved_rate
from analysis.runs.run_reader import load_run
from analysis.runs.stage import stages_of
from locustfiles.contract.prices.price import TokenPrice
from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import cluster, one_locust
from tests.helpers.spoken_sessions import (
    history_is_exact,
    one_at_a_time,
    sessions_of,
    turns_in_order,
    write_conversations,
)

TURNS, USERS = 8, 20
#: 10 tokens: 60 + 9/100 s = 150 ms a turn, 1.2 s a conversation
ENGINES = {"paced": {"kind": "timed", "ttft_ms": 60, "tokens_per_second": 100, "seed": 3}}
THROTTLED = {"engine": "paced", "faults": {"throttle": 0.25}, "fault_seed": 4}
FAULTS = {
    "throttle": 0.05,
    "drop_mid_stream": 0.06,
    "internal_mid_stream": 0.06,
    "missing_close": 0.05,
    "garbage_body": 0.03,
}
CONFIG = {
    "engines": ENGINES,
    "models": {
        "quick-model": {"engine": "paced", "family": "claude"},
        "slow-model": {"engine": "paced", "family": "nova"} | THROTTLED,
    },
    "openai": {"chat": {"engine": "paced"}, "faulty": {"engine": "paced", "faults": FAULTS, "fault_seed": 2}},
}


def routed(url: str, dialect: str, model: str = "chat") -> dict:
    target = {"name": dialect, "service": "openai", "base_url": f"{url}/v1", "model_id": model, "dialect": dialect}
    return target | {"stream": True, "price": {"usd_per_hour": 1.0}, "parameters": {"max_tokens": 10}}


@pytest.fixture(scope="module")
def talking(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("talking") / "truth.jsonl") as e:
        yield e


def held(endpoint, folder, targets: list[dict], load: dict, workers: int = 0, turns: int = TURNS, **more):
    """(rows of the stages, the manifest, the endpoint's log by request id, the payload's lines); the run ended well."""
    scenario = folders.make_scenario(folder, endpoint.url, targets, load, **more)
    lines = write_conversations(folder / "prompts.jsonl", 30, turns, system="Answer in ten words.")
    if workers:
        with cluster(scenario, folder / "run", workers=workers) as crew:
            assert crew.wait() == (0, [0] * workers), crew.text()
    else:
        with one_locust(scenario, folder / "run") as process:
            assert process.wait() == 0, process.text
    found, manifest = folders.rows(folder / "run"), folders.manifest(folder / "run")
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    truth = folders.truth_of(endpoint, {r.request_id for r in found if r.request_id})
    return found, manifest, truth, lines


@pytest.fixture(scope="module")
def run(talking, tmp_path_factory):
    """Twenty users on two workers hold conversations of eight turns, by Converse, an OpenAI chat and Anthropic's Messages."""
    targets = [
        folders.bedrock("quick-model"),
        routed(talking.url, "openai-chat"),
        routed(talking.url, "anthropic-messages"),
    ]
    before = talking.stats()["requests"]
    load = {"users": [USERS], "settle_s": 1, "settle_at_most_s": 2, "measure_s": 4}
    found = held(talking, tmp_path_factory.mktemp("held"), targets, load, workers=2)
    return *found, talking.stats()["requests"] - before


def test_every_request_of_the_endpoint_is_a_turn_in_the_records(run):
    found, _, truth, _, sent = run
    assert len(found) == len(truth) == sent > 300
    assert folders.each_once(found) and not any(r.error for r in found)
    warmed = [r for r in found if not r.stage]
    assert {(r.session, r.turn, r.turns) for r in warmed} == {(None, None, None)}
    assert len(truth[warmed[0].request_id]["heard"]) == 2  # system prompt and first turn
    assert {r.turns for r in found if r.stage} == {TURNS}


def test_turns_come_in_their_order_and_carry_all_that_was_said(run):
    """A request of turn k has the system prompt, k messages of the user and k - 1 answers: 2 k messages."""
    found, _, truth, lines, _ = run
    rows = [r for r in found if r.stage]
    sessions = sessions_of(rows)
    assert turns_in_order(sessions) and one_at_a_time(rows)
    assert history_is_exact(sessions, truth, lines) == sum(2 * r.turn for r in rows)


def test_a_user_holds_a_session_to_its_end_and_only_the_stage_cuts_its_last_one(run):
    rows = [r for r in run[0] if r.stage]
    by_user = collections.defaultdict(list)
    for session in sessions_of(rows).values():
        by_user[session[0].stage, session[0].worker, session[0].user].append(len(session))
    for stage in run[1]["stages"]:
        assert sum(key[0] == stage["stage"] for key in by_user) == USERS
    assert {n for lengths in by_user.values() for n in lengths[:-1]} == {TURNS}
    assert sum(lengths[-1] < TURNS for lengths in by_user.values()) > 0  # cut between two turns, where the stage ended


def test_prompts_grow_by_what_was_said(run):
    """The endpoint counts four characters a token; a turn adds the answer and a question of about 35 characters."""
    for session in sessions_of([r for r in run[0] if r.stage]).values():
        tokens = [r.prompt_tokens for r in session]
        assert all(8 < b - a < 40 for a, b in itertools.pairwise(tokens))


def test_retried_attempts_share_their_turn_and_a_failed_turn_ends_its_session(talking, tmp_path):
    """A quarter of the requests is throttled and each is tried twice: of 16 turns one fails."""
    load = {"users": [6], "settle_s": 0, "settle_at_most_s": 0, "measure_s": 5}
    found, _, truth, lines = held(
        talking, tmp_path, [folders.bedrock("slow-model")], load, retry={"attempts": 2, "base_s": 0.02, "max_s": 0.05}
    )
    rows = [r for r in found if r.stage]
    assert {r.error for r in rows} == {None, "throttled"}
    sessions = sessions_of(rows)
    seconds = [r for r in rows if r.attempt == 2]
    firsts = {(r.worker, r.call): r for r in rows if r.attempt == 1}
    assert len(seconds) > 5
    for second in seconds:
        first = firsts[second.worker, second.call]
        assert (first.session, first.turn, first.error) == (second.session, second.turn, "throttled")
    last = {key: [r for r in session if r.call == session[-1].call][-1] for key, session in sessions.items()}
    failed = {key for key, row in last.items() if row.error}
    assert failed and all(last[key].attempt == 2 for key in failed)
    answered = {key: [r for r in session if not r.error] for key, session in sessions.items()}
    assert all([r.turn for r in good] == list(range(1, len(good) + 1)) for good in answered.values())
    assert turns_in_order({key: good for key, good in answered.items() if good})
    history_is_exact({key: good for key, good in answered.items() if good}, truth, lines)
    ended = {key for key, good in answered.items() if len(good) == TURNS}
    assert ended and not ended & failed


def test_whatever_breaks_sessions_that_go_on_carry_only_what_worked(talking, tmp_path):
    """Every fault of a stream, and refusals: a quarter of the turns fails, and no later one has them in its history."""
    load = {"users": [8], "settle_s": 0, "settle_at_most_s": 0, "measure_s": 5, "sessions": {"after_failure": "go_on"}}
    found, manifest, truth, lines = held(talking, tmp_path, [routed(talking.url, "openai-chat", "faulty")], load)
    rows = [r for r in found if r.stage]
    assert {"throttled", "stream_broken"} < {r.error for r in rows} and not any(r.error == "internal" for r in rows)
    sessions = sessions_of(rows)
    assert turns_in_order(sessions) and one_at_a_time(rows)
    assert history_is_exact(sessions, truth, lines) > 500
    assert any(session[-1].turn == TURNS and any(r.error for r in session[:-1]) for session in sessions.values())


def test_users_think_between_turns_as_long_as_they_are_told(talking, tmp_path):
    """Pauses between 0.2 and 0.4 s: what lies between an answer and the next turn is that, and a little of the machine."""
    load = {
        "users": [4],
        "settle_s": 0,
        "settle_at_most_s": 0,
        "measure_s": 4,
        "sessions": {"think_s": {"low": 0.2, "high": 0.4}},
    }
    found, *_ = held(talking, tmp_path, [folders.bedrock("quick-model")], load)
    pauses = [
        b.started_at - a.started_at - a.latency_ms / 1000
        for session in sessions_of([r for r in found if r.stage]).values()
        for a, b in itertools.pairwise(session)
    ]
    slack = 0.05 + 2 * folders.lag_s(found)
    assert len(pauses) > 15 and len({round(p, 3) for p in pauses}) > 10
    assert all(0.198 <= p < 0.4 + slack for p in pauses)


def test_in_the_open_loop_arrivals_begin_sessions_whose_turns_follow_by_themselves(talking, tmp_path):
    """5 sessions/s of three turns for 4 s: 20 begin in the window, and 15 requests/s are sent."""
    load = {
        "rate": [5.0],
        "arrivals": "constant",
        "max_users": 30,
        "settle_s": 1,
        "settle_at_most_s": 1,
        "measure_s": 4,
    }
    found, manifest, truth, lines = held(talking, tmp_path, [folders.bedrock("quick-model")], load, workers=2, turns=3)
    rows = [r for r in found if r.stage]
    sessions = sessions_of(rows)
    assert turns_in_order(sessions)
    history_is_exact(sessions, truth, lines)
    (stage,) = manifest["stages"]
    seconds = stage["measure_until"] - stage["measure_from"]
    begun = [s[0] for s in sessions.values() if s[0].phase == "measure"]
    assert len(begun) == pytest.approx(5 * seconds, abs=2 + 10 * folders.lag_s(found))
    assert {(r.rate, r.users) for r in rows} == {(5.0, None)}
    assert all(r.schedule_delay_ms is not None for r in rows)
    (measured,) = stages_of(load_run(tmp_path / "run"), {"by-quick-model": TokenPrice(input=0.001, output=0.002)})
    assert achieved_rate(measured) == pytest.approx(len(begun) / seconds)  # what the planned rate is of
    late_ms = 20 + 1000 * folders.lag_s(found)
    assert sum(r.schedule_delay_ms < late_ms for r in rows if r.turn > 1) > 0.9 * sum(r.turn > 1 for r in rows)


def test_what_a_run_of_conversations_costs_lies_below_what_was_told_before_it(talking, tmp_path):
    """$0.001 a thousand tokens in and $0.002 out; the last turn sends about five times as much as the first call did."""
    load = {"users": [4], "settle_s": 1, "settle_at_most_s": 1, "measure_s": 4}
    scenario = folders.make_scenario(tmp_path, talking.url, [folders.bedrock("quick-model")], load)
    write_conversations(tmp_path / "prompts.jsonl", 30, TURNS)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text
    told = re.search(r"about .*?, (\d+) requests and \$([\d.]+) with .* at most .*? and \$([\d.]+) even", process.text)
    requests, about, most = map(float, told.groups())
    found = folders.rows(tmp_path / "run")
    usd = sum(r.prompt_tokens * 0.001 + r.completion_tokens * 0.002 for r in found) / 1000
    assert usd < most
    assert (
        0.5 < (usd / len(found)) / (about / requests) < 1.6
    )  # a busy machine sends fewer, and more of the first turns
