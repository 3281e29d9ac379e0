"""What the requests of a stage under way belong to: conversations, a shared prefix, the parts of a mix; and where it is told."""

import dataclasses
import io

import pandas as pd
import pytest
from rich.console import Console

from analysis.live import text
from analysis.live.figures import NO_RECORDS
from analysis.live.prometheus import exposition
from analysis.live.round import Round
from analysis.live.screen import Screen
from locustfiles.contract.stage_asked import CacheAsked
from tests.helpers import live_document
from tests.helpers.conversations import chatting
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, steady, window
from tests.helpers.watching import rewritten, seen, under_way

AT = 100.0
HELD = {"target": "bedrock", "service": "bedrock", "completion_tokens": 10}


def there(records):
    """Those that have ended by then, in the order in which they are written."""
    ended = [(r.started_at + r.latency_ms / 1000, n, r) for n, r in enumerate(records)]
    return [r for end, _, r in sorted(ended) if end <= START + AT - 1]


@pytest.fixture(scope="module")
def talking(tmp_path_factory):
    """Four users, each in a conversation of three turns of 1 s with 4 s between them, one behind the other: 11 s."""
    path = tmp_path_factory.mktemp("talking") / "r"
    records = there(chatting(4, 10, 200, **HELD))
    made_run(path, records, [window(1, 10, None, target="bedrock", users=4)], targets=[BEDROCK])
    under_way(path, 1)
    rewritten(path, lambda m: setattr(m.stages[0], "cache_asked", CacheAsked(0.6, 0.1)))
    return seen(path, at=AT)


def test_conversations_under_way_are_told_by_the_reports_own_figures(talking):
    found = talking["stage"]["sessions"]
    # a conversation a user each 11 s from some 10 s to some 95 s: 31 begun, the last of each user not ended
    assert found["begun"] == found["finished"] + found["under_way"] and 28 <= found["finished"] <= 32
    assert 0 < found["under_way"] <= 4 and found["failed"] == found["ended_early"] == 0
    assert found["time_p50_s"] == found["time_p95_s"] == pytest.approx(11.0)
    # prompts of 100, 200 and 300 tokens at $0.00075 and answers of 10 at $0.001 a thousand
    assert found["usd"] == pytest.approx((600 * 0.00075 + 30 * 0.001) / 1000)
    assert talking["stage"]["cache_asked_share"] == 0.6 and talking["stage"]["parts"] == []
    (reason,) = talking["stage"]["reasons"]  # and none of few conversations
    assert reason.startswith("the service does not say what it read from a cache")


def test_they_are_on_every_terminal_and_in_metrics(talking):
    lines = text.state(talking)
    assert any("conversations: " in line and "under way, p50 11.0 s" in line for line in lines)
    load = {"state": "running", "stage": {"stage": 1, "target": "bedrock", "payload": "en", "users": 4, "rate": None}}
    told = exposition(Round(load, talking, NO_RECORDS))
    of = 'run="",stage="1",target="bedrock",payload="en"'
    finished = talking["stage"]["sessions"]["finished"]
    assert f'swarmledger_stage_under_way_conversations{{{of},outcome="finished"}} {finished}\n' in told
    assert f'swarmledger_stage_under_way_conversation_seconds{{{of},quantile="0.95"}} 11.0' in told
    assert f"swarmledger_stage_under_way_cache_asked_ratio{{{of}}} 0.6\n" in told
    figures = live_document.figures("x")
    figures["stage"] |= {"sessions": talking["stage"]["sessions"], "cache_read_share": 0.5, "cache_asked_share": 0.6}
    shown = Screen()(Round(live_document.load("x", "r"), figures, pd.DataFrame(), [120, 40]))
    drawn = Console(file=io.StringIO()).render_str(shown).plain
    assert "2.5 conversations/s" in drawn and "50 % of prompts from cache (60 % asked)" in drawn
    assert f"{finished} finished" in drawn


def test_a_finished_stage_of_conversations_has_them_in_its_row(tmp_path):
    records = [dataclasses.replace(r) for r in chatting(4, 10, 60, **HELD)]
    stage = window(1, 10, 60, target="bedrock", users=None, rate=0.4)
    made_run(tmp_path / "r", records, [stage], targets=[BEDROCK])
    row = seen(tmp_path / "r", {}, at=AT)["stages"][0]
    assert row["sessions_finished"] and row["session_time_p95_s"] == pytest.approx(11.0)
    assert "0.4 conversations/s" in text.finished_line(row) and "conversations finished" in text.finished_line(row)


@pytest.fixture(scope="module")
def mixing(tmp_path_factory):
    """Eight users wait 0.5 s for p4d, two wait 1 s for bedrock: 16 and 2 a second. A call of the latter costs $0.000125."""
    path = tmp_path_factory.mktemp("mixing") / "r"
    tokens = {"prompt_tokens": 100, "completion_tokens": 50, "service": "bedrock", "target": "bedrock"}
    records = steady(1, 10, 200, 8, 0.5, lead=5) + steady(2, 10, 200, 2, 1.0, lead=5, **tokens)
    stages = [
        window(n, 10, None, target=t, users=10, mix=[1, 2], mix_share=s)
        for n, t, s in ((1, "p4d", 0.9), (2, "bedrock", 0.1))
    ]
    mix = [{"target": "p4d", "payload": "en", "weight": 9}, {"target": "bedrock", "payload": "en", "weight": 1}]
    keys = {"targets": [P4D, BEDROCK], "scenario_keys": {"mix": mix}, "slo": {"latency_s": {"p50": 0.8}}}
    made_run(path, there(records), stages, **keys)
    begun = {"measure_from": None, "hold_until": None, "ended_by": None, "whole": False}
    under_way(path, 2)
    rewritten(path, lambda m: setattr(m, "stages", [dataclasses.replace(v, **begun) for v in m.stages]))
    return seen(path, at=AT)


def test_a_mix_under_way_has_the_cost_and_the_limits_of_all_parts_and_each(mixing):
    found = mixing["stage"]
    # $37.688 an hour by 18 a second, and $0.000125 of each ninth
    usd = 10_000 * (37.688 / 3600 / 18 + 0.000125 * 2 / 18)
    assert found["usd_per_10k"] == pytest.approx(usd, rel=0.01)
    # all calls of a part take, and cost, the same: known exactly
    assert found["usd_per_10k_low"] == found["usd_per_10k_high"] == found["usd_per_10k"]
    # 0.5 s keeps 0.8 s, 1 s does not
    assert (found["slo"], [p["slo"] for p in found["parts"]]) == ("missed", ["met", "missed"])
    assert [p["throughput_per_s"] for p in found["parts"]] == pytest.approx([16, 2], rel=0.01)
    assert [p["share_sent"] for p in found["parts"]] == pytest.approx([8 / 9, 1 / 9], rel=0.01)
    assert sum(p["requests"] for p in found["parts"]) == int(found["judged"].split()[1].replace(",", ""))


def test_a_part_that_was_not_drawn_yet_makes_nothing_invalid(tmp_path):
    records = there(steady(1, 10, 200, 10, 0.5, lead=5))
    parts = [
        window(n, None, None, target=t, users=10, mix=[1, 2], mix_share=s, ended_by=None)
        for n, t, s in ((1, "p4d", 0.999), (2, "bedrock", 0.001))
    ]
    mix = [{"target": "p4d", "payload": "en", "weight": 999}, {"target": "bedrock", "payload": "en", "weight": 1}]
    made_run(tmp_path / "r", records, parts, targets=[P4D, BEDROCK], scenario_keys={"mix": mix})
    rewritten(tmp_path / "r", lambda m: setattr(m, "status", "running"))
    found = seen(tmp_path / "r", at=AT)["stage"]
    assert (found["verdict"], [p["verdict"] for p in found["parts"]]) == ("VALID", ["VALID", None])


def test_its_parts_are_told_everywhere(mixing):
    assert (
        sum(line.strip().startswith(("p4d on en, 90 % (", "bedrock on en, 10 % (")) for line in text.state(mixing)) == 2
    )
    told = exposition(Round({"state": "running"}, mixing, NO_RECORDS))
    assert 'swarmledger_stage_under_way_mix_share_ratio{run="",stage="2",target="bedrock",payload="en"} 0.1\n' in told
    assert 'swarmledger_stage_under_way_usd_per_10k_requests{run="",stage="1"} ' in told
