"""The retry layer against real throttles: every attempt is a request and a record, and no attempt is made too many."""

import itertools
import math
import random
import time

import gevent
import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.retry import Retry
from locustfiles.contract.scenario.scenario import load_scenario
from tests.helpers.aws_frames import exception
from tests.helpers.calls import PROMPT, converse, tgi
from tests.helpers.emulator_process import running_emulator
from tests.helpers.lab import CHUNKED, END, chunks
from tests.helpers.retries import call, retrying
from tests.helpers.sample_answers import CONVERSE
from tests.helpers.wire_server import in_turn, receive, serving

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]
FAULTS = ["throttle", "quota", "not_ready", "model_timeout", "unavailable", "server", "drop", "reset"]
FINAL = [
    "client",
    "access_denied",
    "model_error",
    "error_in_200",
    "garbage_body",
    "empty_output",
    "drop_mid_stream",
    "bad_crc",
]
FINAL += ["throttle_mid_stream", "internal_mid_stream"]
SEED = 5


@pytest.fixture(scope="module")
def emulator():
    exact = {"engine": "exact"}
    models = {f"fault.{name}": exact | {"family": "nova", "faults": {name: 1.0}} for name in [*FAULTS, *FINAL]}
    endpoints = {
        "half": exact | {"faults": {"throttle": 0.5}, "fault_seed": SEED},
        "bucket": exact | {"limit": {"requests_per_second": 25, "burst": 1}},
        "throttle": exact | {"faults": {"throttle": 1.0}},
    }
    timed = {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 2000, "seed": 1}
    with running_emulator({"engines": {"exact": timed}, "endpoints": endpoints, "models": models}) as e:
        yield e


def calls_of(records: list[RequestRecord]) -> list[list[RequestRecord]]:
    """The attempts of each call in the order in which they were recorded."""
    ordered = sorted(records, key=lambda r: r.call)
    return [list(attempts) for _, attempts in itertools.groupby(ordered, key=lambda r: r.call)]


# --- attempts ---


def test_attempts_are_numbered_and_end_with_the_first_success_and_each_was_a_request(emulator):
    sender, records = retrying(emulator.url, tgi("half", stream=False), attempts=4)
    before = emulator.stats()["requests"]
    returned = [call(sender) for _ in range(40)]
    assert emulator.stats()["requests"] - before == len(records)
    # the endpoint draws one number for each request and throttles below 0.5: what must have happened is known
    draws, expected = random.Random(SEED), []
    for _ in range(40):
        outcomes = []
        while len(outcomes) < 4 and (not outcomes or outcomes[-1]):
            outcomes.append("throttled" if draws.random() < 0.5 else None)
        expected.append(outcomes)
    made = calls_of(records)
    assert [[r.error for r in attempts] for attempts in made] == expected
    assert {len(attempts) for attempts in made} == {1, 2, 3, 4}
    assert any(attempts[-1].error for attempts in made)  # one that gave up after its fourth
    for number, attempts in enumerate(made, 1):
        assert [(r.call, r.attempt) for r in attempts] == [(number, n) for n in range(1, len(attempts) + 1)]
        assert attempts[-1] is returned[number - 1]
        assert all(a.started_at + a.latency_ms / 1000 <= b.started_at for a, b in itertools.pairwise(attempts))


def test_a_request_bucket_is_waited_out_by_users_at_once_and_nothing_is_hidden(emulator):
    sender, records = retrying(emulator.url, tgi("bucket"), attempts=20, base_s=0.02, max_s=0.2)
    before = emulator.stats()["requests"]
    began = time.perf_counter()
    jobs = [gevent.spawn(lambda: [call(sender) for _ in range(3)]) for _ in range(4)]
    gevent.joinall(jobs, raise_error=True)
    took = time.perf_counter() - began
    assert took > 0.4  # 12 calls at 25 a second, the first one free: 11 / 25 = 0.44 s
    assert emulator.stats()["requests"] - before == len(records) > 12
    made = calls_of(records)
    assert len(made) == 12 and [len(m) for m in made] == [m[-1].attempt for m in made]
    assert all([r.error for r in m] == ["throttled"] * (len(m) - 1) + [None] for m in made)
    # what a user waited is longer than its last attempt, by the pauses and the attempts before
    waited = max(m[-1].started_at - m[0].started_at for m in made)
    assert waited > 0.02 and all(m[-1].latency_ms < 200 for m in made)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(("faults", "attempts"), [(FAULTS, 2), (FINAL, 1)], ids=["passing", "final"])
def test_only_what_another_try_may_mend_is_sent_again(emulator, faults, attempts, stream):
    sender, records = retrying(emulator.url, converse("m", stream), attempts=2, max_s=0.001)
    for fault in faults:
        target = sender.scenario.targets[0].model_copy(update={"model_id": f"fault.{fault}"})
        before = emulator.stats()["requests"]
        records.clear()
        sender.call(1, target, PROMPT, StageSpec(1, "t", "p", 1), "measure")
        expected = attempts
        if not stream and fault.endswith("_mid_stream") and "drop" not in fault:
            expected = 2  # an answer in one piece was refused as a whole
        if not stream and fault == "bad_crc":
            expected = 1  # and has no frames: a success
        assert [r.attempt for r in records] == list(range(1, expected + 1)), fault
        assert emulator.stats()["requests"] - before == expected


def test_a_refused_connection_is_tried_again_and_a_deadline_is_not(emulator):
    sender, records = retrying("http://127.0.0.1:1", tgi("half"))
    assert call(sender).error == "connect" and len(records) == 3
    with serving(lambda connection, server: (receive(connection), time.sleep(0.5))) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", tgi("half"), request_timeout_s=0.2)
        assert call(sender).error == "read_timeout" and len(records) == 1


WAIT = exception("throttlingException", {"message": "Wait."})


def test_a_throttle_inside_a_stream_is_tried_again_before_the_first_output_and_never_after_it():
    whole_stream = CHUNKED + chunks(*CONVERSE) + END
    begun = CHUNKED + chunks(*CONVERSE[:2], WAIT) + END  # role and an empty delta: no output
    with serving(in_turn(begun, whole_stream)) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", converse("m"))
        assert call(sender).error is None
    assert [(r.attempt, r.error, r.chunks) for r in records] == [(1, "throttled", None), (2, None, 2)]
    with serving(in_turn(CHUNKED + chunks(*CONVERSE[:3], WAIT) + END, whole_stream)) as server:
        sender, records = retrying(f"http://127.0.0.1:{server.port}", converse("m"))
        assert call(sender).error == "throttled"
    assert [(r.attempt, r.error, r.chunks) for r in records] == [(1, "throttled", 1)] and len(server.requests) == 1


# --- pauses ---


@pytest.mark.parametrize(("attempt", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 4.0), (19, 4.0)])
def test_pauses_are_full_jitter_uniform_from_nothing_to_the_bound_and_capped(attempt, most):
    """0.5 x 2^(attempt - 1), at most 4."""
    retry, draw, n = Retry(attempts=20, base_s=0.5, max_s=4), random.Random(attempt), 4000
    pauses = sorted(retry.pause_s(attempt, draw) for _ in range(n))
    assert 0 <= pauses[0] and pauses[-1] <= most
    # Kolmogorov and Smirnov: the largest distance from a uniform distribution is below 1.95 / sqrt(n) but once in 1,000
    distance = max(max((i + 1) / n - p / most, p / most - i / n) for i, p in enumerate(pauses))
    assert distance < 1.95 / math.sqrt(n)
    # the mean of n uniform draws has the deviation most / sqrt(12 n)
    assert abs(sum(pauses) / n - most / 2) < 4 * most / math.sqrt(12 * n)


def test_two_senders_do_not_pause_in_step(emulator):
    draws = [retrying(emulator.url, tgi("half"))[0]._jitter.random() for _ in range(3)]
    assert len(set(draws)) == 3


def test_the_sender_pauses_as_long_as_was_drawn(emulator):
    sender, records = retrying(emulator.url, tgi("throttle"), attempts=4, base_s=0.1, max_s=0.3)
    call(sender)  # connects
    records.clear()
    sender._jitter = random.Random(2)
    call(sender)
    known = random.Random(2)
    drawn = [known.uniform(0, most) for most in (0.1, 0.2, 0.3)]
    real = [b.started_at - a.started_at - a.latency_ms / 1000 for a, b in itertools.pairwise(records)]
    assert len(real) == 3 and all(d <= r < d + 0.05 for d, r in zip(drawn, real, strict=True))


# --- the scenario ---

YAML = """\
name: s
region: us-east-1
payloads: [p]
pricing: b.yaml
load: {{users: [1], measure_s: 1}}
targets:
  - {{name: t, service: bedrock, model_id: m}}
retry: {retry}
"""


@pytest.mark.parametrize(
    ("retry", "key"),
    [
        ("{attempts: 1}", "retry.attempts"),  # one attempt is no retry: leave the key out
        ("{attempts: 21}", "retry.attempts"),
        ("{base_s: 1}", "retry.attempts"),
        ("{attempts: 3, base_s: 0}", "retry.base_s"),
        ("{attempts: 3, max_s: -1}", "retry.max_s"),
        ("{attempts: 3, jitter: none}", "retry.jitter"),
    ],
)
def test_a_retry_that_is_none_is_refused_in_one_line(tmp_path, retry, key):
    path = tmp_path / "s.yaml"
    path.write_text(YAML.format(retry=retry))
    with pytest.raises(BadScenario) as refused:
        load_scenario(path)
    assert "\n" not in str(refused.value) and str(refused.value).startswith(f"{path}:8: {key}"), str(refused.value)


def test_without_a_retry_a_call_is_one_attempt(emulator, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(YAML.format(retry="null"))
    assert load_scenario(path).retry is None
    sender, records = retrying(emulator.url, tgi("throttle"), retry=None)
    call(sender)
    assert [(r.call, r.attempt, r.error) for r in records] == [(1, 1, "throttled")]
