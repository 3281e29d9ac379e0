"""What makes a stage VALID, SUSPECT or INVALID."""

import dataclasses

import pytest

from analysis.advice.analyse import analyse
from analysis.verdicts.thresholds import THRESHOLDS
from locustfiles.contract.manifest import WorkerEntry
from tests.helpers.flat import steps
from tests.helpers.made_run import BEDROCK, P4D, PRICES, START, made_run, record, steady, window
from tests.helpers.verdicts import healthy, verdict


def test_a_healthy_stage_is_valid(tmp_path):
    assert verdict(tmp_path, healthy()) == ("VALID", "")


def test_an_internal_error_in_any_phase_makes_it_invalid(tmp_path):
    records = [*healthy(), record(9, 0.1, phase="settle", error="internal")]
    assert verdict(tmp_path, records) == (
        "INVALID",
        "1 requests ended by a fault of the load generator itself (class internal)",
    )


@pytest.mark.parametrize(
    ("asked", "served", "n", "why"),
    [
        # 2 users x 30 s / 0.5 s = 120 requests begin in the window; 1 % of them are 1.2
        ({"latency": "optimized"}, {"served_latency": "optimized"}, 120, ""),
        ({"latency": "optimized"}, {"served_latency": "standard"}, 1, ""),
        (
            {"latency": "optimized"},
            {"served_latency": "standard"},
            2,
            "2 of 120 answers were served with latency `standard` where `optimized` was asked for, and are billed so",
        ),
        (
            {"service_tier": "flex"},
            {"served_tier": "default"},
            120,
            "120 of 120 answers were served with service_tier `default` where `flex` was asked for, and are billed so",
        ),
        ({}, {"served_tier": "default", "served_latency": "standard"}, 120, ""),
        (
            {},
            {"served_tier": "priority"},
            3,
            "3 of 120 answers were served with service_tier `priority` where `default` was asked for, and are billed so",
        ),
    ],
)
def test_what_was_served_otherwise_than_asked_makes_it_suspect(tmp_path, asked, served, n, why):
    target = BEDROCK | {"stream": False} | asked
    usual = {"served_latency": asked.get("latency", "standard"), "served_tier": asked.get("service_tier", "default")}
    counted = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 10, "completion_tokens": 5} | usual
    records = healthy(**counted)
    begun = [i for i, r in enumerate(records) if r.phase == "measure"]
    assert len(begun) == 120
    for i in begun[:n]:
        records[i] = dataclasses.replace(records[i], **served)
    keys = {"targets": [target], "prices": PRICES}
    assert verdict(tmp_path, records, window(1, 10, 40, users=2, target="bedrock"), **keys) == (
        "SUSPECT" if why else "VALID",
        why,
    )


def test_few_successes_make_it_suspect(tmp_path):
    records = steady(1, 10, 40, 1, 2.0, lead=2)
    assert verdict(tmp_path, records, window(1, 10, 40)) == ("SUSPECT", "only 15 successes")


def test_repeated_prompts_make_it_suspect(tmp_path):
    repeated = [
        record(r.started_at - START, 0.5, prompt_id=str(i % 50), phase=r.phase) for i, r in enumerate(healthy())
    ]
    n = sum(r.phase == "measure" for r in repeated)
    state, why = verdict(tmp_path, repeated)
    assert state == "SUSPECT"
    assert n > 100 and "of the prompts were repeats (50 different ones)" in why


def test_prompts_read_from_a_cache_make_it_suspect(tmp_path):
    records = healthy(target="bedrock", prompt_tokens=800, completion_tokens=5, cache_read_tokens=200)
    # 200 of 1000
    prices = {"bedrock": {"input": 0.001, "output": 0.001, "cache_read": 0.0001}}
    found = verdict(tmp_path, records, window(1, 10, 40, users=2, target="bedrock"), targets=[BEDROCK], prices=prices)
    assert found == ("SUSPECT", "20 % of the prompt tokens were read from a cache")


def test_reconnects_make_it_suspect(tmp_path):
    n = sum(r.phase == "measure" for r in healthy())
    assert verdict(tmp_path, healthy(reconnect=1)) == ("SUSPECT", f"{n} of {n} requests had to open a connection")


def test_a_run_that_was_never_closed_is_suspect_and_its_last_stage_invalid(tmp_path):
    records = healthy() + steady(2, 60, 90, 2, 0.5, lead=2)
    stages = [window(1, 10, 40, users=2), window(2, 60, 90, users=2, started_at=START + 58)]
    workers = [WorkerEntry("local", "h", 0.0, None, len(records), None)]
    report = analyse([made_run(tmp_path / "r", records, stages, status="running", ended_at=None, workers=workers)])
    assert steps(report)["verdict"].tolist() == ["SUSPECT", "INVALID"]
    assert any(
        text.startswith("Run r was never closed: it was killed, its disk was full, or it is still running.")
        for text in report.cut
    )


def test_a_window_that_a_kill_left_open_says_so_with_the_requests_so_far(tmp_path):
    records = [record(11 + i, 0.5, prompt_id=str(i)) for i in range(7)]
    stage = window(1, 10, None, ended_by=None)
    report = analyse([made_run(tmp_path / "r", records, [stage], status="running", ended_at=None)])
    why = (
        "the run was killed, its disk was full, or it is still running, during its measured window, which so has no end "
        "(7 requests were measured so far)"
    )
    assert steps(report)["reasons"][0] == why
    assert f"No cost for stage 1 (`p4d`, `en`, 1 user): {why}." in report.notes
    assert "never got its measured window" not in " ".join(report.notes)


def test_successes_without_a_token_count_make_it_suspect(tmp_path):
    records = [dataclasses.replace(r, token_source="none") if i % 10 == 0 else r for i, r in enumerate(healthy())]
    n = sum(r.phase == "measure" for r in records)
    none = sum(r.phase == "measure" and r.token_source == "none" for r in records)
    why = f"{none} of {n} successes have no output-token count: set the target's `tokenizer:`"
    assert n / 12 < none < n / 8
    assert verdict(tmp_path, records) == ("SUSPECT", why)


def test_an_embedding_has_no_output_tokens_to_count(tmp_path):
    target = P4D | {"dialect": "hf-embedding", "stream": False, "parameters": {}}
    assert verdict(tmp_path, healthy(token_source="none"), targets=[target]) == ("VALID", "")


def test_tokens_counted_by_service_and_tokenizer_in_one_stage_make_it_suspect(tmp_path):
    records = [dataclasses.replace(r, token_source="tokenizer") if i % 4 == 0 else r for i, r in enumerate(healthy())]
    by = [
        sum(r.phase == "measure" and r.token_source == source for r in records) for source in ("service", "tokenizer")
    ]
    state, why = verdict(tmp_path, records)
    assert (state, why) == (
        "SUSPECT",
        f"output tokens were counted in different ways (service {by[0]}, tokenizer {by[1]})",
    )


def restart(users, broken_users, refused_each):
    """`users` users with requests of 0.5 s; at 20 s the streams of some break, then each of these is refused every 0.1 s."""
    records = list(steady(1, 10, 40, users, 0.5, lead=2))
    back = 20 + 0.1 * (refused_each + 1)
    kept = [
        r for r in records if r.user >= broken_users or r.started_at - START + 0.5 <= 20 or r.started_at - START >= back
    ]
    cut = [
        record(19.81, 0.2, user=u, users=users, prompt_id=f"cut{u}", error="stream_broken") for u in range(broken_users)
    ]
    refused = [
        record(
            20.05 + 0.1 * i + 0.001 * u,
            0.001,
            user=u,
            users=users,
            prompt_id=f"refused{u}-{i}",
            error="connect",
            http_status=None,
        )
        for u in range(broken_users)
        for i in range(refused_each)
    ]
    return [*kept, *cut, *refused]


def test_an_endpoint_that_restarts_makes_it_suspect(tmp_path):
    state, why = verdict(tmp_path, restart(4, 4, 10), window(1, 10, 40, users=4))
    # 4 streams break at 20.01 s; 40 refusals, the last at 20.95 + 0.003 + 0.001 s
    assert state == "SUSPECT"
    assert (
        "the endpoint went away and came back: 4 of 4 users were cut off within 0.944 s (44 failures without a success in between)"
        in why
    )


def test_one_broken_stream_is_no_restart(tmp_path):
    assert "went away" not in verdict(tmp_path, restart(4, 1, 0), window(1, 10, 40, users=4))[1]


def test_failures_among_successes_are_no_restart(tmp_path):
    # every fourth request breaks, of whichever user: never five in a row
    records = [dataclasses.replace(r, error="stream_broken") if i % 4 == 0 else r for i, r in enumerate(healthy())]
    assert "went away" not in verdict(tmp_path, records)[1]


def test_an_endpoint_that_never_came_back_did_not_restart(tmp_path):
    records = [dataclasses.replace(r, error="connect") if r.started_at - START > 25 else r for r in healthy()]
    assert "went away" not in verdict(tmp_path, records)[1]


def test_every_threshold_says_why():
    assert all(t.why.endswith(".") and t.limit > 0 for t in THRESHOLDS.values())


def test_a_window_shorter_than_its_calls_says_what_to_raise(tmp_path):
    # a call of 30 s each before and after the window of 12 s
    records = [record(5, 30, phase="settle"), record(36, 31, phase="hold", prompt_id="2")]
    report = analyse([made_run(tmp_path / "r", records, [window(1, 10, 22)])])
    why = "no request began in its window of 12.0 s, for its longest call took 31.0 s: raise `measure_s` above that"
    assert (steps(report)["verdict"][0], steps(report)["reasons"][0]) == ("INVALID", why)
