"""One call over a real socket to the local endpoint: every way it can fail, and what its record keeps."""

import gevent
import pytest
import yaml

from locustfiles.contract.record import RequestRecord
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.calls import TOKENS, call, converse, invoke, sender_for, tgi
from tests.helpers.emulator_process import ROOT, running_emulator

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    """The example configuration of faults, with a target more that never fails."""
    config = yaml.safe_load((ROOT / "configs/emulator/faults.yaml").read_text())
    config["endpoints"]["good-tgi"] = {"engine": "exact", "dialect": "tgi", "report_input_length": True}
    with running_emulator(config, truth=tmp_path_factory.mktemp("sender") / "truth.jsonl") as e:
        yield e


def once(emulator, target: dict, timeout_s: float = 10) -> RequestRecord:
    sender, records = sender_for(emulator, target, timeout_s=timeout_s)
    before = emulator.stats()["requests"]
    record = call(sender)
    assert records == [record]
    assert emulator.stats()["requests"] == before + 1  # one request, never retried
    return record


REQUEST_FAULTS = {  # fault -> class, status
    "throttle": ("throttled", 429),
    "quota": ("throttled", None),
    "not_ready": ("not_ready", 429),
    "model_timeout": ("model_timeout", 408),
    "model_error": ("model_error", 424),
    "server": ("server", 500),
    "unavailable": ("unavailable", 503),
    "internal_dependency": ("server", None),
    "client": ("client", 400),
    "not_found": ("client", None),
    "access_denied": ("auth", 403),
    "error_in_200": ("bad_response", 200),
    "garbage_body": ("bad_response", 200),
    "drop": ("stream_broken", None),
    "reset": ("stream_broken", None),
    "empty_output": ("empty", 200),
}
STREAM_FAULTS = {
    "drop_mid_stream": "stream_broken",
    "reset_mid_stream": "stream_broken",
    "exception_mid_stream": "model_error",
    "internal_mid_stream": "server",
    "throttle_mid_stream": {
        "bedrock": "throttled",
        "sagemaker": "model_error",
    },  # SageMaker streams know two exceptions
    "error_frame": None,
    "truncated_frame": "stream_broken",
    "bad_crc": "bad_response",
    "missing_close": "stream_broken",
}
CALLS = {
    "tgi": lambda fault, stream: tgi(fault.replace("_", "-"), stream),
    "converse": lambda fault, stream: converse(f"fault.{fault.replace('_', '-')}", stream),
    "nova": lambda fault, stream: invoke(f"fault.{fault.replace('_', '-')}", "nova", stream),
}


@pytest.fixture(scope="module")
def meet(emulator, credentials):
    """meet(fault, kind, stream): the record of one call that meets a fault, all by one sender."""
    faults = [*REQUEST_FAULTS, *STREAM_FAULTS, "no_usage", "split", "stall"]
    made = [
        (f"{kind}.{fault}.{stream}", CALLS[kind](fault, stream))
        for fault in faults
        for kind in CALLS
        for stream in (True, False)
    ]
    sender, records = sender_for(emulator, *({"name": name} | target for name, target in made))

    def one(fault: str, kind: str, stream: bool = True) -> RequestRecord:
        before, known = emulator.stats()["requests"], len(records)
        record = call(sender, name=f"{kind}.{fault}.{stream}")
        assert records[known:] == [record]
        assert emulator.stats()["requests"] == before + 1  # one request, never retried
        return record

    return one


def assert_failed(record: RequestRecord, expected: str) -> None:
    assert record.error == expected, (record.error, record.error_code, record.error_message)
    assert record.error_message and "\n" not in record.error_message and len(record.error_message) <= 200
    assert EXAMPLE_SECRET_KEY not in str(record) and EXAMPLE_ACCESS_KEY not in str(record)
    assert 0 < record.latency_ms < 2000


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("fault", REQUEST_FAULTS)
def test_a_fault_instead_of_an_answer_has_its_class(meet, fault, kind, stream):
    expected, status = REQUEST_FAULTS[fault]
    if fault in ("model_timeout", "error_in_200") and kind == "tgi":
        expected = "model_error"  # SageMaker's name for it, whatever the container did; TGI's `generation` is a 424
    record = meet(fault, kind, stream)
    assert_failed(record, expected)
    if status is not None:
        assert record.http_status in ({status, 424} if fault.startswith("model_") else {status})
    if fault in ("drop", "reset"):
        assert record.http_status is None and record.request_id is None
    else:
        assert record.request_id
    if expected not in ("empty", "bad_response"):
        assert record.ttft_ms is record.completion_tokens is record.chunks is None
        assert record.token_source == "none"
        assert (record.prompt_tokens, record.prompt_token_source) == (77, "payload")


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_fault_in_mid_stream_is_a_failure_that_keeps_what_came(meet, fault, kind):
    expected = STREAM_FAULTS[fault]
    if isinstance(expected, dict):
        expected = expected["sagemaker" if kind == "tgi" else "bedrock"]
    record = meet(fault, kind)
    assert_failed(record, expected or "server")
    assert record.http_status == 200 and record.request_id
    # the first token comes after 20 ms; the fault strikes after two of them
    assert 19 <= record.ttft_ms <= record.last_token_ms <= record.latency_ms
    assert 2 <= record.chunks <= TOKENS


@pytest.mark.parametrize("kind", CALLS)
def test_without_usage_the_answer_is_a_success_of_unknown_length(meet, kind):
    record = meet("no_usage", kind)
    assert record.error is None
    assert (record.completion_tokens, record.token_source) == (None, "none")
    assert (record.prompt_tokens, record.prompt_token_source) == (77, "payload")
    assert record.chunks == TOKENS  # pieces, which are not a count of tokens


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("fault", ["split", "stall"])
def test_split_parts_and_stalls_are_successes(meet, fault, kind):
    record = meet(fault, kind)
    assert (record.error, record.completion_tokens, record.token_source) == (None, TOKENS, "service")
    if fault == "stall":
        assert 290 < record.max_gap_ms < 500


def test_a_killed_call_is_recorded_as_cancelled_and_never_as_a_success(emulator):
    sender, records = sender_for(emulator, tgi("stall"))
    job = gevent.spawn(call, sender)
    gevent.sleep(0.1)
    job.kill()
    (record,) = records
    assert (record.error, record.error_message) == ("cancelled", "stopped before the answer ended")
    assert 80 < record.latency_ms < 200


def test_the_deadline_is_a_read_timeout_that_keeps_the_first_tokens(emulator):
    record = once(emulator, tgi("stall"), timeout_s=0.15)
    assert_failed(record, "read_timeout")
    assert 140 < record.latency_ms < 250
    assert record.chunks == 2 and record.ttft_ms < record.last_token_ms < 100


def test_a_bug_in_a_reader_is_internal_and_does_not_stop_the_load(emulator, monkeypatch):
    def broken(*_):
        raise KeyError("a bug")

    monkeypatch.setattr("locustfiles.common.calls.sender.parse_answer", broken)
    record = once(emulator, tgi("good-tgi"))
    assert (record.error, record.error_message) == ("internal", "reader: KeyError: 'a bug'")
