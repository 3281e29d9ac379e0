"""Why a knee is where it is: by rules, in the words of what is known, and nothing where nothing is."""

import dataclasses

import pytest

from analysis.advice.knee import Knee
from analysis.advice.knee_reasons import knee_reasons
from analysis.runs.service_file import ServiceFile
from analysis.words.service_figures import ClientSide, ContainerSide, QuotaShare, ServiceFigures, ServiceSide

KNEE = Knee("r", "t", "en", 4, None, "reached", 2.0, "…")


def row(users: int, **groups) -> ServiceFigures:
    return ServiceFigures(stage=users, target="t", payload="en", users=users, **groups)


def told(*rows: ServiceFigures, knee: Knee = KNEE) -> list[str]:
    return knee_reasons([knee], {"r": ServiceFile(list(rows), [], "")})


def throttled(service: int, own: int | None, **quota: float) -> dict:
    return {
        "service": ServiceSide(service_throttles=service),
        "client": ClientSide(client_throttled=own),
        "quota": QuotaShare(**quota),
    }


CASES = {
    "a quota": (
        throttled(30, 30, tokens_quota_share=0.95),
        "up to 30 calls of a level were throttled, and 95 % of its quota of tokens a minute was taken: the quota fits as the limit.",
    ),
    "a quota that is not full by use": (
        throttled(30, 30, tokens_quota_share=0.4),
        "up to 30 calls of a level were throttled at 40 % of the quota of tokens a minute by what was used: what counts is reserved when "
        "a request begins, prompt and `max_tokens`, and others in the account count, too.",
    ),
    "an unknown quota": (
        throttled(0, 30),
        "up to 30 calls of a level were throttled: a quota fits as the limit; which one, and its share, is not known.",
    ),
    "others' throttles": (
        throttled(30, 0, tokens_quota_share=0.95),
        "up to 30 calls of a level were throttled, none of them this client's: others use the same quota, which may be the limit of all.",
    ),
    "a queue": (
        {"container": ContainerSide(waiting_mean=6.2, kv_cache_mean_share=0.97)},
        "6.20 requests wait in the container on average, with KV cache in use 97 %: more users lengthen its queue.",
    ),
    "full GPUs": ({"service": ServiceSide(gpu_share=0.93)}, "GPUs at work 93 %: this fits a server without room for more at once."),
    # 1.5 of 2 s
    "a backlog": (
        {"service": ServiceSide(service_latency_mean_ms=2000.0, backlog_time_mean_ms=1500.0, gpu_share=0.99)},
        "75 % of the latency is time in the endpoint's backlog, with GPUs at work 99 %: more users lengthen it.",
    ),
    "a backlog that is hardly any": (  # 0.1 of 2 s
        {"service": ServiceSide(service_latency_mean_ms=2000.0, backlog_time_mean_ms=100.0)},
        "no cause is known: the backlog stands out in nothing; not known: throttles, quota, the container's queue, KV cache, GPU.",
    ),
    "idle GPUs": (
        {"service": ServiceSide(gpu_share=0.5)},
        "no cause is known: GPU stands out in nothing; not known: throttles, quota, the container's queue, KV cache.",
    ),
    "nothing": ({}, "no cause is known: nothing is known of it."),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_figures_from_the_knee_on_say_why(case):
    groups, words = CASES[case]
    assert told(row(1), row(4), row(8, **groups)) == [f"`t` on `en`, from 4 users on: {words}"]


def test_what_is_below_the_knee_says_nothing_of_it():
    assert told(row(1, **throttled(30, 30)), row(4), row(8))[0].endswith("no cause is known: nothing is known of it.")


def test_a_knee_that_was_not_reached_has_no_reason_and_a_throttled_top_level_has():
    top = KNEE._replace(users=None, state="not reached")
    assert told(row(8, **throttled(30, 30)), knee=top) == []
    assert told(row(4), row(8, **throttled(30, 30)), knee=top._replace(state="quota-limited"))[0].startswith(
        "`t` on `en`, from 8 users on: up to 30 calls"
    )


def test_a_run_that_was_not_asked_after_has_none():
    assert knee_reasons([KNEE], {}) == []
    assert knee_reasons([KNEE], {"r": ServiceFile([dataclasses.replace(row(4), target="other")], [], "")}) == []
