"""Calls over real sockets to the local endpoint: their numbers against its own log, and what is told of a stage's calls."""

import collections
import time

import gevent
import pytest
import yaml

from locustfiles.common.calls.stage_spec import StageSpec
from tests.helpers.calls import TOKENS, call, converse, invoke, sender_for, tgi, truth_of
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.patience import waits

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    """The example configuration of faults, with three targets more that never fail."""
    config = yaml.safe_load((ROOT / "configs/emulator/faults.yaml").read_text())
    config["models"] |= {
        "good.nova": {"engine": "exact", "family": "nova"},
        "good.claude": {"engine": "exact", "family": "claude"},
        "good.llama": {"engine": "exact", "family": "llama"},
    }
    config["endpoints"] |= {
        "good-tgi": {"engine": "exact", "dialect": "tgi", "report_input_length": True},
        "good-chat": {"engine": "exact", "dialect": "openai-chat"},
        "good-lmi": {"engine": "exact", "dialect": "lmi"},
        "third": {"engine": "exact", "dialect": "tgi", "faults": {"throttle": 0.3}, "fault_seed": 11},
    }
    with running_emulator(config, truth=tmp_path_factory.mktemp("sender") / "truth.jsonl") as e:
        yield e


GOOD = {
    "tgi": tgi("good-tgi"),
    "chat": tgi("good-chat", dialect="openai-chat"),
    "lmi": tgi("good-lmi", dialect="lmi"),
    "converse": converse("good.nova"),
    "nova": invoke("good.nova", "nova"),
    "claude": invoke("good.claude", "claude"),
    "llama": invoke("good.llama", "llama"),
    "whole tgi": tgi("good-tgi", stream=False),
    "whole chat": tgi("good-chat", stream=False, dialect="openai-chat"),
    "whole lmi": tgi("good-lmi", stream=False, dialect="lmi"),
    "whole converse": converse("good.nova", stream=False),
    "whole nova": invoke("good.nova", "nova", stream=False),
    "whole claude": invoke("good.claude", "claude", stream=False),
    "whole llama": invoke("good.llama", "llama", stream=False),
}


def test_tokens_and_times_are_those_of_the_endpoints_own_log(emulator):
    """Both clocks are the machine's monotonic one; the endpoint's own sends and this machine's other work cost a little."""
    sender, _ = sender_for(emulator, *({"name": kind.replace(" ", "-")} | target for kind, target in GOOD.items()))
    call(sender, name="tgi")  # opens the connection
    with waits(emulator.pid) as waited:
        records = {kind: [call(sender, name=kind.replace(" ", "-")) for _ in range(5)] for kind in GOOD}
    truth = truth_of(emulator, {r.request_id for made in records.values() for r in made})
    late: list[float] = []
    for kind, made in records.items():
        for r in made:
            row = truth[r.request_id]
            assert r.error is None and r.reconnect == 0, (kind, r.error_message)
            assert (
                (r.completion_tokens, r.token_source) == (row["completion_tokens"], "service") == (TOKENS, "service")
            ), kind
            if r.prompt_token_source == "service":
                assert r.prompt_tokens == row["prompt_tokens"], kind
            else:
                assert kind in ("whole tgi", "lmi", "whole lmi"), kind  # these containers do not say
            late.append(r.latency_ms - (row["last_byte"] - row["arrival"]) * 1000)
            if "whole" in kind:
                assert r.ttft_ms is r.last_token_ms is r.chunks is None
            else:
                late.append(r.ttft_ms - (row["first_token"] - row["arrival"]) * 1000)
                late.append(r.last_token_ms - (row["last_token"] - row["arrival"]) * 1000)
                assert r.chunks <= TOKENS
    late.sort()
    # never earlier than the endpoint (its arrival is after our send, its stamp before its write), and by less than a few ms later,
    # and by what both stood in line for a core: on average a call, and for one in ten several times as long
    waited_ms = 1000 * waited.s / (5 * len(GOOD))
    assert late[0] > -0.3
    assert late[len(late) // 2] < 3 + waited_ms
    assert late[int(len(late) * 0.9)] < 10 + 3 * waited_ms


def test_thirty_percent_throttles_are_recorded_as_such(emulator):
    sender, records = sender_for(emulator, tgi("third"))
    before = emulator.stats()["requests"]
    jobs = [gevent.spawn(lambda: [call(sender) for _ in range(30)]) for _ in range(4)]
    gevent.joinall(jobs, raise_error=True)
    assert len(records) == emulator.stats()["requests"] - before == 120
    classes = collections.Counter(r.error for r in records)
    assert set(classes) == {None, "throttled"}
    assert 16 <= classes["throttled"] <= 56  # 36 expected; four standard deviations are 4 * sqrt(120 * 0.3 * 0.7) = 20
    assert {r.error_code for r in records if r.error} == {"ThrottlingException"}
    assert sorted(r.call for r in records) == list(range(1, 121))
    assert max(r.in_flight for r in records) == 4
    assert sum(r.reconnect for r in records) == 4


def test_an_endpoint_that_accepts_no_connection_is_named_with_its_targets(emulator):
    sender, records = sender_for(emulator, tgi("good-tgi"))
    before = emulator.stats()["requests"]
    assert sender.unreachable() == []
    assert emulator.stats()["requests"] == before and records == []
    sender, _ = sender_for(emulator, tgi("good-tgi") | {"endpoint_url": "http://127.0.0.1:1"})
    (found,) = sender.unreachable()
    assert found.what == "http://127.0.0.1:1 (t): accepts no connection: Connection refused"
    assert found.remedy == "check the region, `endpoint_url` and AWS_ENDPOINT_URL_*, and that the endpoint is up"
    assert (found.targets, found.text) == (["t"], f"{found.what}; {found.remedy}")


def test_a_stage_is_clear_when_its_measured_calls_have_ended(emulator):
    sender, _ = sender_for(emulator, tgi("stall"))  # 0.3 s a call
    clear: list[tuple[int, str]] = []
    sender.on_clear = lambda spec, phase: clear.append((spec.stage, phase))
    first, second = StageSpec(1, "t", "p", 1), StageSpec(2, "t", "p", 2)
    sender.announce(first, "settle")
    assert clear == [(1, "settle")]  # nothing was in flight
    sender.announce(first, "measure")
    job = gevent.spawn(call, sender, "measure")
    gevent.sleep(0.05)
    sender.announce(first, "hold")
    assert clear == [(1, "settle")]
    later = gevent.spawn(call, sender, "hold")
    job.join()
    assert clear == [(1, "settle"), (1, "hold")]  # once, and not waiting for what began after the window
    sender.announce(second, "settle")
    assert clear[2:] == []  # a call of the stage before is still in flight
    later.join()
    assert clear[2:] == [(2, "settle")]


def test_how_a_process_kept_up_is_of_all_that_a_search_measured_of_a_stage(emulator):
    sender, _ = sender_for(emulator, tgi("stall"))
    first, on = StageSpec(1, "t", "p", 1), StageSpec(1, "t", "p", 1, look=1)
    clear: list[tuple[int, str]] = []
    sender.on_clear = lambda spec, phase: clear.append((spec.stage, phase))
    sender.announce(first, "settle")
    sender.announce(first, "measure")
    gevent.sleep(0.02)
    time.sleep(0.08)  # the loop stands still in the window's first part
    gevent.sleep(0.02)
    for spec, phase in ((first, "hold"), (on, "measure"), (on, "hold")):
        sender.announce(spec, phase)
    assert sender.load["lag_ms"] > 50
    assert clear == [(1, "settle"), (1, "hold"), (1, "hold")]  # each hold is told
    sender.announce(StageSpec(2, "t", "p", 1), "measure")  # another stage, its settling unheard
    sender.announce(StageSpec(2, "t", "p", 1), "hold")
    assert sender.load["lag_ms"] < 50
