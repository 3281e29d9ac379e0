"""Runs of conversations, of shared prefixes and of mixes beside each other: their figures, with intervals, and what else differs."""

import dataclasses
import io
import random

import pytest
from rich.console import Console

from analysis.advice.analyse import analyse
from analysis.commands.compare import print_comparison
from analysis.comparison.build import compare
from analysis.comparison.gist import gist_sentences
from analysis.report.comparison_html import comparison_html
from analysis.report.comparison_json import comparison_data
from analysis.report.comparison_markdown import comparison_markdown
from tests.helpers.conversations import phase, talk
from tests.helpers.made_run import BEDROCK, P4D, START, made_run, steady, window

A, B, UNTIL = 20.0, 260.0, 290.0
MIX = {"mix": [{"target": "p4d", "payload": "en", "weight": 3}, {"target": "bedrock", "payload": "en", "weight": 1}]}


def talks(path, slower: float, seed: int, turns: int = 3, cached: float = 0.0, level=None, **keys):
    """Ten users hold conversations of about `slower` x 1 s a turn from 0 s on, of whose later prompts `cached` is read from a cache."""
    draw, records = random.Random(seed), []
    level = level or {"users": 10}
    for user in range(10):
        at, n = draw.random() * 5, 0
        while at < UNTIL - 20:
            n += 1
            latencies = [slower * draw.lognormvariate(0, 0.3) for _ in range(turns)]
            spot = {"user": user, "in_flight": 10, "users": None} | level
            for one in talk(f"{user}-{n}", at, latencies, **spot):
                read = round(cached * one.prompt_tokens) if one.turn > 1 else 0
                when = phase(one.started_at - START, A, B)
                records.append(
                    dataclasses.replace(one, phase=when, cache_read_tokens=read, prompt_tokens=one.prompt_tokens - read)
                )
            at += sum(latencies) + turns
    stage = window(1, A, B, target="bedrock", hold_until=START + UNTIL, **({"users": None} | level))
    target = BEDROCK | {"stream": False}
    prices = {"bedrock": {"input": 0.00075, "output": 0.001, "cache_read": 0.0001}}
    return made_run(path, records, [stage], **({"targets": [target], "prices": prices} | keys))


def of(level, run, name):
    return next(c for c in level.compared[run] if c.column.name == name)


@pytest.fixture(scope="module")
def slower(tmp_path_factory):
    """The second run is 20 % slower; later turns of the third read half of their prompts from a cache, and it has four turns."""
    folder = tmp_path_factory.mktemp("talks")
    held = {"sessions": {"after_failure": "go_on"}, "users": [10], "settle_s": 5.0, "measure_s": 240.0}
    runs = [talks(folder / "a", 1.0, 1), talks(folder / "b", 1.2, 2)]
    runs.append(talks(folder / "c", 1.0, 3, turns=4, cached=0.5, scenario_keys={"load": held}))
    return compare(runs)


def test_conversations_are_compared_by_the_reports_own_figures(slower, tmp_path):
    (level,) = slower.groups[0].levels
    own = analyse([talks(tmp_path / "a", 1.0, 1)]).results[0]
    p50, usd = of(level, "b", "session_time_p50_s"), of(level, "b", "usd_per_session")
    assert p50.one == own.figures.sessions.session_time.p50 and usd.one == own.figures.sessions.usd_per_session
    # three turns of 1 s and two pauses of 1 s: 5 s and more beside 5.6 s and more
    assert p50.said == "worse" and p50.difference.ratio == pytest.approx(5.6 / 5, rel=0.04)
    mean = of(level, "b", "session_time_mean_s")
    assert mean.said == "worse" and mean.difference.high / mean.difference.low < 1.08
    # tokens alone are billed, and they are the same: known exactly
    assert usd.said == "no difference seen" and usd.difference.ratio == pytest.approx(1.0)
    waiting = of(level, "b", "session_waiting_mean_s").difference
    assert waiting.low < 1.2 < waiting.high


def test_a_dearer_conversation_is_said_to_be_with_its_interval(slower):
    (level,) = slower.groups[0].levels
    usd = of(level, "c", "usd_per_session")
    # 100 + 200 + 300 prompt tokens at 0.00075 and 30 of output at 0.001 a thousand: $0.00048; four turns of which the later three read
    # half from a cache: 100 + 450 at 0.00075, 450 at 0.0001, 40 at 0.001: $0.0004975
    assert (usd.one, usd.other) == (pytest.approx(0.00048), pytest.approx(0.0004975))
    assert usd.said == "worse" and usd.difference.low > 1.03
    assert any("`bedrock` on `en` in run c" in s and "$ per conversation +3.6 %" in s for s in gist_sentences(slower))


def test_what_came_from_a_cache_is_compared_in_points(slower):
    (level,) = slower.groups[0].levels
    share = of(level, "c", "cache_read_share")
    # 450 of 1000 tokens; of none in run a
    assert (share.one, share.other) == (0.0, pytest.approx(0.45, abs=0.01))
    assert share.said == "other" and share.difference.low == pytest.approx(0.45, abs=0.02)
    assert share.difference.method.startswith("difference of two shares")


def test_what_else_differs_of_conversations_is_named(slower):
    rows = {c.what: c.values for c in slower.conditions}
    assert rows["turns of a conversation, mean of bedrock"] == {"a": "3.0", "b": "3.0", "c": "4.0"}
    assert rows["load.sessions.after_failure of bedrock"] == {"a": None, "b": None, "c": "go_on"}
    assert any("mean turns of a conversation 3.00 in run a, 4.00 in run c" in text for text in slower.cautions)


def test_every_form_of_a_comparison_has_them(slower):
    console = Console(width=100, file=io.StringIO())
    print_comparison(slower, console)
    shown = console.file.getvalue()
    assert "conv." in shown and "$ per" in shown and max(map(len, shown.splitlines())) <= 100
    for text in (comparison_html(slower), comparison_markdown(slower)):
        assert "time of a conversation p95" in text and "prompt tokens from a cache" in text
    (level,) = comparison_data(slower)["groups"][0]["levels"]
    assert {"session_time_p95_s", "usd_per_session"} <= {c["figure"] for c in level["compared"]["b"]}


def test_what_is_begun_at_a_rate_of_conversations_is_no_request(tmp_path):
    runs = [talks(tmp_path / name, 1.0, n, level={"rate": 1.0}) for n, name in enumerate("ab")]
    assert compare(runs).groups[0].levels[0].words == "1 conversation/s"


def mixed(path, latency: float = 0.5, shares=(0.75, 0.25), **keys):
    """Of ten users six wait for p4d and four for bedrock, whose calls cost 100 x 0.00075 / 1000 + 50 x 0.001 / 1000 = $0.000125."""
    draw = random.Random(str(path))
    tokens = {"prompt_tokens": 100, "completion_tokens": 50, "service": "bedrock"}
    records = []
    for stage, target, users, takes, other in ((1, "p4d", 6, latency, {}), (2, "bedrock", 4, 1.0, tokens)):
        spot = {"target": target, "payload": "en", **other}
        for user in range(users):
            takes_now = takes * draw.lognormvariate(0, 0.05)
            records += steady(stage, 100.0, 160.0, 1, takes_now, lead=10.0 + user / 7, **spot)
    stages = [
        window(n, 100.0, 160.0, target=target, users=10, mix=[1, 2], mix_share=share)
        for n, target, share in ((1, "p4d", shares[0]), (2, "bedrock", shares[1]))
    ]
    return made_run(path, records, stages, targets=[P4D, BEDROCK], **({"scenario_keys": MIX} | keys))


def test_mixes_are_compared_part_by_part_and_as_wholes(tmp_path):
    runs = [mixed(tmp_path / "a"), mixed(tmp_path / "b", latency=0.7)]
    found = compare(runs)
    whole, *parts = found.groups
    assert whole.who == "all parts together of `bedrock` + `p4d`" and whole.levels[0].words == "10 users"
    assert [(g.who, g.levels[0].words) for g in parts] == [
        ("`p4d`", "75 % of a mix of 10 users"),
        ("`bedrock`", "25 % of a mix of 10 users"),
    ]
    usd, per_s = (of(whole.levels[0], "b", n) for n in ("usd_per_10k_transactions", "throughput_per_s"))
    mixes = [analyse([run]).mixes[0] for run in runs]
    assert [usd.one, usd.other] == [10_000 * m.usd_per_transaction for m in mixes]
    assert [per_s.one, per_s.other] == [m.throughput_per_s for m in mixes]
    # 12 + 4 a second beside 8.6 + 4
    assert per_s.said == "worse" and per_s.difference.ratio == pytest.approx((6 / 0.7 + 4) / 16, rel=0.05)
    assert len(found.results) == 4


def test_other_weights_of_a_mix_are_named(tmp_path):
    other = {"mix": [part | {"weight": 1} for part in MIX["mix"]], "cancel": {"share": 0.1, "after": "first_token"}}
    found = compare([mixed(tmp_path / "a"), mixed(tmp_path / "b", shares=(0.5, 0.5), scenario_keys=other)])
    rows = {c.what: c.values for c in found.conditions}
    assert rows["mix"] == {"a": "p4d on en 75 %, bedrock on en 25 %", "b": "p4d on en 50 %, bedrock on en 50 %"}
    assert rows["cancel"] == {"a": None, "b": "10 % of the streamed requests, at their first token"}
    (text,) = (t for t in found.cautions if t.startswith("Run b mixes otherwise than run a"))
    assert "`p4d` on `en` 75 % there, 50 % here" in text
    assert found.groups[1].levels[0].words == "a mix of 10 users"


def test_a_target_alone_never_stands_beside_its_part_of_a_mix(tmp_path):
    records = steady(1, 100.0, 160.0, 10, 0.5, lead=10.0) + steady(2, 200.0, 260.0, 4, 0.5, lead=10.0, target="bedrock")
    stages = [window(1, 100.0, 160.0, users=10), window(2, 200.0, 260.0, users=10, target="bedrock")]
    alone = made_run(tmp_path / "alone", records, stages, targets=[P4D, BEDROCK])
    with pytest.raises(Exception, match=r"Only run mixed has `p4d` on `en` at 75 % of a mix of 10 users"):
        compare([mixed(tmp_path / "mixed"), alone])
