"""Cautions on what was answered: served otherwise than asked, tokens counted in different ways, an endpoint that restarts."""

import dataclasses
import random

import pytest

from analysis.verdicts.answer_cautions import rows_by_chance
from tests.helpers.made_run import BEDROCK, P4D, PRICES, START, record, steady, window
from tests.helpers.verdicts import healthy, verdict


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
            "1.67 % of 120 answers were served, and billed, with latency `standard` where `optimized` was asked for",
        ),
        (
            {"service_tier": "flex"},
            {"served_tier": "default"},
            120,
            "100 % of 120 answers were served, and billed, with service_tier `default` where `flex` was asked for",
        ),
        ({}, {"served_tier": "default", "served_latency": "standard"}, 120, ""),
        (
            {},
            {"served_tier": "priority"},
            3,
            "2.5 % of 120 answers were served, and billed, with service_tier `priority` where `default` was asked for",
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


ROUTE = {"name": "route", "service": "openai", "base_url": "http://127.0.0.1:1/v1", "model_id": "m"}
TIER = "answers were served, and billed, with service_tier"


@pytest.mark.parametrize(
    ("parameters", "served", "why"),
    [
        # 120 requests begin in the window; every fourth one of them, 30, is served as `served`, the others as asked
        ({}, "default", ""),
        ({}, "on_demand", ""),  # another server's word for the same
        ({}, "priority", f"25 % of 120 {TIER} `priority` where `default` was asked for"),
        (
            {"service_tier": "flex"},
            "default",
            f"25 % of 120 {TIER} `default` where `flex` was asked for",
        ),
        ({"service_tier": "flex"}, "flex", ""),
        ({"extra_body": {"service_tier": "priority"}}, "priority", ""),
        (
            {"extra_body": {"service_tier": "priority"}},
            "default",
            f"25 % of 120 {TIER} `default` where `priority` was asked for",
        ),
        (
            {"service_tier": "auto"},
            "auto's own",
            f"25 % of 120 {TIER} `auto's own` where `auto` was asked for",
        ),
    ],
)
def test_a_tier_served_otherwise_makes_a_stage_of_openais_routes_suspect(tmp_path, parameters, served, why):
    price = {"input": 0.001, "output": 0.002}
    target = ROUTE | {"parameters": parameters, "price": price}
    asked = parameters.get("service_tier") or parameters.get("extra_body", {}).get("service_tier") or "default"
    usual = {"served_tier": "priority" if asked == "auto" else asked}
    records = healthy(target="route", service="openai", prompt_tokens=10, completion_tokens=5, **usual)
    begun = [i for i, r in enumerate(records) if r.phase == "measure"]
    for i in begun[::4]:
        records[i] = dataclasses.replace(records[i], served_tier=served)
    keys = {"targets": [target], "prices": {"route": price}}
    got = verdict(tmp_path, records, window(1, 10, 40, users=2, target="route"), **keys)
    assert got == ("SUSPECT" if why else "VALID", why)


def test_successes_without_a_token_count_make_it_suspect(tmp_path):
    records = [dataclasses.replace(r, token_source="none") if i % 10 == 0 else r for i, r in enumerate(healthy())]
    n = sum(r.phase == "measure" for r in records)
    none = sum(r.phase == "measure" and r.token_source == "none" for r in records)
    why = f"{100 * none / n:g} % of {n} successes have no output-token count"
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
        f"the output tokens of {100 * by[1] / sum(by):g} % of {sum(by)} answers were counted by the tokenizer, the others' by the service",
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
        "the endpoint went away and came back once (at the longest 4 of 4 users were cut off within 0.944 s, 44 failures without a "
        "success in between)" in why
    )


def test_one_broken_stream_is_no_restart(tmp_path):
    assert "went away" not in verdict(tmp_path, restart(4, 1, 0), window(1, 10, 40, users=4))[1]


def test_failures_among_successes_are_no_restart(tmp_path):
    # every fourth request breaks, of whichever user: never five in a row
    records = [dataclasses.replace(r, error="stream_broken") if i % 4 == 0 else r for i, r in enumerate(healthy())]
    assert "went away" not in verdict(tmp_path, records)[1]


def test_half_of_the_requests_failing_at_random_is_no_restart(tmp_path):
    """Of 240 requests with p = 1/2, rows of five are on average 240 x 1/2 x 1/32 = 3.75, and some cut off all 4 users."""
    draw = random.Random(1)
    records = [
        dataclasses.replace(r, error="stream_broken") if draw.random() < 0.5 else r
        for r in steady(1, 10, 40, 4, 0.5, lead=2)
    ]
    assert "went away" not in verdict(tmp_path, records, window(1, 10, 40, users=4))[1]


@pytest.mark.parametrize(
    ("length", "failed", "n", "by_chance"), [(5, 120, 240, 3.75), (44, 0, 240, 0.0), (2, 1, 10, 0.09)]
)
def test_rows_of_failures_by_chance_by_hand(length, failed, n, by_chance):
    # 240 x 1/2 x (1/2)^5; 10 x 9/10 x (1/10)^2
    assert rows_by_chance(length, failed, n) == pytest.approx(by_chance)


def test_an_endpoint_that_never_came_back_did_not_restart(tmp_path):
    records = [dataclasses.replace(r, error="connect") if r.started_at - START > 25 else r for r in healthy()]
    assert "went away" not in verdict(tmp_path, records)[1]
