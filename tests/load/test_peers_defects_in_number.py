"""What other load testers record wrong of many calls: retries, a failure among others, and the connections of twenty users.

Their defects in a single call's tokens and times, and those that other tests cover, are in test_peers_defects.py.
"""

import collections

import gevent
import pytest

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.record import RequestRecord
from tests.helpers import bodies
from tests.helpers.calls import PROMPT, converse, sender_for, tgi, truth_of
from tests.helpers.emulator_process import running_emulator
from tests.helpers.lab import Lab, whole

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]
USERS = 20


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    throttled = {"engine": "exact", "family": "nova", "faults": {"throttle": 0.31}, "fault_seed": 3}
    config = bodies.CONFIG | {"models": bodies.CONFIG["models"] | {"throttled.nova": throttled}}
    with running_emulator(config, truth=tmp_path_factory.mktemp("peers") / "truth.jsonl") as e:
        yield e


@pytest.fixture(scope="module")
def lab(emulator, tmp_path_factory, credentials):
    return Lab(emulator, tmp_path_factory.mktemp("lab"))


def call(sender: Sender, user: int = 1) -> RequestRecord:
    return sender.call(user, sender.scenario.targets[0], PROMPT, StageSpec(1, "t", "p", USERS), "measure")


# --- retries, failures ---


def test_throttles_are_not_hidden_behind_retries_nor_inside_latency(emulator):
    """A peer turned 75 throttles of 239 requests into 4 errors and a TTFT of 391 ms for 100."""
    sender, records = sender_for(emulator, converse("throttled.nova"))
    before = emulator.stats()["requests"]
    gevent.joinall([gevent.spawn(lambda: [call(sender) for _ in range(12)]) for _ in range(5)], raise_error=True)
    assert len(records) == emulator.stats()["requests"] - before == 60
    truth = truth_of(emulator, {r.request_id for r in records})
    for record in records:
        assert (record.error == "throttled") == (truth[record.request_id]["error"] == "ThrottlingException")
        if record.error:
            assert (record.error_code, record.http_status, record.ttft_ms) == ("ThrottlingException", 429, None)
        else:
            assert 19 < record.ttft_ms < 120  # 20 ms at the endpoint; one hidden retry would have paused longer
    assert 6 < sum(r.error is not None for r in records) < 33  # 18.6 expected, four deviations are 14.3


def test_a_gap_longer_than_the_timeout_is_one_failure_and_the_requests_after_it_are_recorded(lab):
    """A peer stops collecting: 0 of 6 recorded, 0 failures."""
    slow = lab.wire("InvokeEndpoint", 1.0, timeout_s=0.2)
    later = [lab.wire("InvokeEndpoint", whole(200, [{"generated_text": "Hello"}]), timeout_s=0.2) for _ in range(3)]
    assert [slow.error, *(r.error for r in later)] == ["read_timeout", None, None, None]
    assert 190 < slow.latency_ms < 400


# --- connections ---


def test_twenty_users_that_think_open_twenty_connections_and_keep_them(emulator):
    """The SDK's pool of ten opened 47 for 20 users; another peer opens one for each request, inside TTFT."""
    sender, records = sender_for(emulator, tgi("tgi"))

    def user(number: int) -> None:
        sender.warm(sender.scenario.targets[0], USERS)
        for _ in range(4):
            call(sender, number)
            gevent.sleep(0.03)

    gevent.joinall([gevent.spawn(user, n) for n in range(USERS)], raise_error=True)
    assert len(records) == USERS * 4 and {r.error for r in records} == {None}
    assert collections.Counter(r.reconnect for r in records) == {0: USERS * 4}  # opened before, and kept


def test_the_first_requests_of_twenty_users_wait_for_no_client_to_be_built(emulator):
    """A peer builds a session and a client for each user on the loop: TTFT of the first calls 2,865 ms for 104."""
    sender, records = sender_for(emulator, converse(bodies.NOVA))
    gevent.joinall([gevent.spawn(call, sender, n) for n in range(USERS)], raise_error=True)
    truth = truth_of(emulator, {r.request_id for r in records})
    late = [r.ttft_ms - (row["first_token"] - row["arrival"]) * 1000 for r in records for row in [truth[r.request_id]]]
    assert (
        len(late) == USERS and max(late) < 200
    )  # signing twenty and connecting, at once, on a machine that does other work too
