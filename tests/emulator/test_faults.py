"""Every fault of the table, seen on the wire: what a Bedrock stream, a SageMaker stream and a whole answer look like under it."""

import json
import random
import time

import pytest
from botocore.eventstream import ChecksumMismatch

from scripts.emulator.config import load
from scripts.emulator.faults import FAULTS, GARBAGE
from tests.helpers import bodies, raw_wire, shapes
from tests.helpers.emulator_process import ROOT

N = 6

# Errors by status: fault -> (Bedrock status and code, SageMaker status and code)
ERRORS = {
    "throttle": ((429, "ThrottlingException"), (429, "ThrottlingException")),
    "quota": ((400, "ServiceQuotaExceededException"), (429, "ThrottlingException")),
    "not_ready": ((429, "ModelNotReadyException"), (429, "ModelNotReadyException")),
    "model_timeout": ((408, "ModelTimeoutException"), (424, "ModelError")),
    "model_error": ((424, "ModelErrorException"), (424, "ModelError")),
    "server": ((500, "InternalServerException"), (500, "InternalFailure")),
    "unavailable": ((503, "ServiceUnavailableException"), (503, "ServiceUnavailable")),
    "internal_dependency": ((500, "InternalServerException"), (530, "InternalDependencyException")),
    "client": ((400, "ValidationException"), (400, "ValidationError")),
    "not_found": ((404, "ResourceNotFoundException"), (400, "ValidationError")),
    "access_denied": ((403, "AccessDeniedException"), (403, "AccessDeniedException")),
}
# Exception frames in mid-stream: fault -> (Bedrock, SageMaker), and what a whole answer gets instead
EXCEPTIONS = {
    "exception_mid_stream": (("modelStreamErrorException", "ModelStreamError"), ERRORS["model_error"]),
    "internal_mid_stream": (("internalServerException", "InternalStreamFailure"), ERRORS["server"]),
    "throttle_mid_stream": (("throttlingException", "ModelStreamError"), ERRORS["throttle"]),
}
# Operations with one body each; Converse does not declare the quota error, so faults by status are sent to InvokeModel
BEDROCK = {
    "whole": ("InvokeModel", bodies.invoke(bodies.NOVA, N)),
    "stream": ("InvokeModelWithResponseStream", bodies.invoke(bodies.NOVA, N)),
}
SAGEMAKER = {
    "whole": ("InvokeEndpoint", bodies.tgi(N)),
    "stream": ("InvokeEndpointWithResponseStream", bodies.tgi(N, stream=True)),
}


def _ask(faulty, fault: str, service: str, form: str):
    operation, body = (BEDROCK if service == "bedrock" else SAGEMAKER)[form]
    name = fault.replace("_", "-")
    return raw_wire.send(faulty.url, operation, f"fault.{name}" if service == "bedrock" else name, body)


def _converse(faulty, fault: str):
    return raw_wire.send(faulty.url, "ConverseStream", f"fault.{fault.replace('_', '-')}", bodies.converse(N))


def _types(answer) -> list[str]:
    return [
        f.headers.get(":event-type") or f.headers.get(":exception-type") or f.headers[":error-code"]
        for f in answer.frames()
    ]


def test_the_example_configuration_has_every_fault():
    config = load(ROOT / "configs/emulator/faults.yaml")
    for fault in FAULTS:
        name = fault.replace("_", "-")
        assert config.endpoints[name].faults == config.models[f"fault.{name}"].faults == {fault: 1.0}
        if not FAULTS[fault].framed:  # OpenAI's streams have no frames
            assert config.openai[name].faults == {fault: 1.0}


@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("fault", ERRORS)
def test_an_error_by_status_is_the_services_own(faulty, fault, form):
    for service, expected in zip(("bedrock", "sagemaker"), ERRORS[fault], strict=True):
        answer = _ask(faulty, fault, service, form)
        operation = (BEDROCK if service == "bedrock" else SAGEMAKER)[form][0]
        if (fault, operation) in {
            (f, "InvokeEndpointWithResponseStream") for f in ("not_ready", "internal_dependency")
        }:
            # AWS declares these two on InvokeEndpoint alone
            assert (answer.status, answer.headers["x-amzn-errortype"].split(":")[0]) == expected
        else:
            assert (answer.status, shapes.walk_error(service, operation, answer)) == expected


@pytest.mark.parametrize("fault", EXCEPTIONS)
def test_an_exception_in_mid_stream_ends_the_stream_in_a_modelled_error(faulty, fault):
    frames, instead = EXCEPTIONS[fault]
    for service, name, status in zip(("bedrock", "sagemaker"), frames, instead, strict=True):
        answer = _ask(faulty, fault, service, "stream")
        operation = (BEDROCK if service == "bedrock" else SAGEMAKER)["stream"][0]
        shapes.walk_answer(service, operation, answer)
        assert (answer.status, answer.complete) == (200, True)
        # two outputs come through (fault_after_tokens is 2); Nova's stream has its messageStart before them
        assert _types(answer) == [("chunk" if service == "bedrock" else "PayloadPart")] * (
            3 if service == "bedrock" else 2
        ) + [name]
        whole = _ask(faulty, fault, service, "whole")
        assert (whole.status, whole.headers["x-amzn-errortype"].split(":")[0]) == status


def test_an_error_frame_has_code_and_message_in_its_headers(faulty):
    frame = _converse(faulty, "error_frame").frames()[-1]
    assert (frame.headers[":message-type"], frame.headers[":error-code"], frame.payload) == (
        "error",
        "InternalError",
        b"",
    )


@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("service", ["bedrock", "sagemaker"])
def test_a_dropped_request_gets_not_one_byte(faulty, service, form):
    answer = _ask(faulty, "drop", service, form)
    assert (answer.status, answer.body, answer.reset) == (None, b"", False)
    answer = _ask(faulty, "reset", service, form)
    assert (answer.status, answer.body, answer.reset) == (None, b"", True)


def test_a_stream_dropped_in_the_middle_has_whole_frames_and_no_end(faulty):
    answer = _converse(faulty, "drop_mid_stream")
    assert (answer.status, answer.complete, answer.reset) == (200, False, False)
    assert _types(answer) == ["messageStart", "contentBlockDelta", "contentBlockDelta"]
    answer = _converse(faulty, "reset_mid_stream")
    assert (answer.status, answer.complete) == (200, False)
    assert answer.reset


@pytest.mark.parametrize("fault", ["drop_mid_stream", "truncated_frame"])
def test_a_whole_answer_breaks_off_at_half_its_length(faulty, fault):
    answer = _ask(faulty, fault, "bedrock", "whole")
    assert (answer.status, answer.complete) == (200, False)
    assert len(answer.body) == int(answer.headers["content-length"]) // 2


def test_a_truncated_frame_ends_a_complete_http_answer_in_half_a_frame(faulty):
    answer = _converse(faulty, "truncated_frame")
    assert (answer.status, answer.complete) == (200, True)
    assert _types(answer) == ["messageStart", "contentBlockDelta", "contentBlockDelta"]
    length = int.from_bytes(answer.chunks[-1][:4])
    assert 0 < len(answer.chunks[-1]) == length // 2


def test_a_bad_checksum_is_noticed_by_botocore_and_the_rest_follows(faulty):
    answer = _converse(faulty, "bad_crc")
    assert answer.complete
    with pytest.raises(ChecksumMismatch):
        answer.frames()
    # start, 6 deltas, block stop, message stop, metadata; the third delta is spoilt
    assert len(answer.chunks) == 10
    good = answer.chunks[:3] + answer.chunks[4:]
    answer.chunks = good
    assert len(answer.frames()) == 9


def test_a_missing_close_leaves_a_complete_http_answer_without_the_closing_event(faulty):
    answer = _converse(faulty, "missing_close")
    assert answer.complete
    assert "messageStop" not in _types(answer)
    assert _types(answer).count("contentBlockDelta") == N
    answer = _ask(faulty, "missing_close", "sagemaker", "stream")
    assert answer.complete
    assert all(json.loads(f.payload[5:])["generated_text"] is None for f in answer.frames())


def test_without_usage_no_count_is_anywhere(faulty):
    assert "metadata" not in _types(_converse(faulty, "no_usage"))
    whole = _ask(faulty, "no_usage", "bedrock", "whole")
    assert "usage" not in whole.json()
    assert not {h for h in whole.headers if "token-count" in h}
    assert b"invocationMetrics" not in b"".join(
        f.payload for f in _ask(faulty, "no_usage", "bedrock", "stream").frames()
    )
    assert "details" not in _ask(faulty, "no_usage", "sagemaker", "whole").json()[0]
    last = _ask(faulty, "no_usage", "sagemaker", "stream").frames()[-1]
    assert json.loads(last.payload[5:])["details"] is None


def test_empty_output_is_a_whole_answer_with_nothing_in_it(faulty):
    assert _types(_converse(faulty, "empty_output")) == ["messageStart", "messageStop", "metadata"]
    whole = _ask(faulty, "empty_output", "bedrock", "whole").json()
    assert (whole["output"]["message"]["content"][0]["text"], whole["usage"]["outputTokens"]) == ("", 0)
    [frame] = _ask(faulty, "empty_output", "sagemaker", "stream").frames()
    line = json.loads(frame.payload[5:])
    assert (line["generated_text"], line["token"]["special"], line["details"]["generated_tokens"]) == ("", True, 0)


@pytest.mark.parametrize("service", ["bedrock", "sagemaker"])
def test_a_garbage_body_is_a_200_that_nobody_can_read(faulty, service):
    for form in ("whole", "stream"):
        answer = _ask(faulty, "garbage_body", service, form)
        assert (answer.status, answer.body, answer.complete) == (200, GARBAGE, True)


def test_a_200_can_carry_an_error(faulty):
    assert "message" in _ask(faulty, "error_in_200", "bedrock", "whole").json()
    assert _ask(faulty, "error_in_200", "bedrock", "stream").headers["content-type"] == "application/json"
    assert _ask(faulty, "error_in_200", "sagemaker", "whole").json()["error_type"] == "generation"
    [frame] = _ask(faulty, "error_in_200", "sagemaker", "stream").frames()
    assert json.loads(frame.payload[5:])["error"] == "Request failed during generation"


def test_a_split_stream_has_the_same_bytes_in_small_parts(faulty):
    answer = _ask(faulty, "split", "sagemaker", "stream")
    parts = [f.payload for f in answer.frames()]
    assert max(map(len, parts)) == 7
    assert len([line for line in b"".join(parts).split(b"\n\n") if line]) == N
    answer = _converse(faulty, "split")  # Bedrock's events stay whole; the HTTP chunks cut the frames
    assert max(map(len, answer.chunks)) == 7
    assert _types(answer).count("contentBlockDelta") == N


def test_a_stall_holds_the_rest_back_and_loses_nothing(faulty):
    # 6 tokens end 20 + 5 * 5 = 45 ms after the arrival; the stall of 300 ms begins at the third, at 30 ms: 330 ms
    for form in ("whole", "stream"):
        started = time.perf_counter()
        answer = _ask(faulty, "stall", "bedrock", form)
        assert 0.330 <= time.perf_counter() - started < 10
        assert answer.complete
    # Nova's start, 6 deltas, block stop, message stop, metadata
    assert len(answer.frames()) == 10


def test_a_model_that_starts_slowly_is_not_ready(faulty):
    answer = raw_wire.send(faulty.url, "InvokeEndpoint", "slow-start", bodies.tgi(1))
    assert (answer.status, shapes.walk_error("sagemaker", "InvokeEndpoint", answer)) == (429, "ModelNotReadyException")


def test_the_truth_names_the_fault_and_only_where_it_struck(faulty):
    before = faulty.stats()["by_fault"]
    _ask(faulty, "throttle", "bedrock", "whole")
    _ask(faulty, "bad_crc", "bedrock", "stream")
    _ask(faulty, "bad_crc", "bedrock", "whole")  # a whole answer has no frames to spoil: nothing is wrong with it
    after = faulty.stats()["by_fault"]
    assert after["throttle"] == before.get("throttle", 0) + 1
    assert after["bad_crc"] == before.get("bad_crc", 0) + 1


def test_the_seed_decides_which_requests_meet_which_fault(faulty):
    """The first 40 draws of `random.Random(7)` against shares 0.3, 0.05, 0.05; none of the numbers is random."""
    draws = random.Random(7)
    expected = [
        "throttle" if d < 0.3 else "cut" if d < 0.35 else "exception" if d < 0.4 else None
        for d in (draws.random() for _ in range(40))
    ]
    seen = []
    for _ in range(40):
        answer = raw_wire.send(
            faulty.url, "InvokeEndpointWithResponseStream", "mixed-faults", bodies.tgi(6, stream=True)
        )
        raised = answer.status == 200 and answer.frames()[-1].headers[":message-type"] == "exception"
        seen.append(
            "throttle" if answer.status == 429 else "exception" if raised else None if answer.complete else "cut"
        )
    assert seen == expected
    assert set(seen) == {"throttle", "cut", "exception", None}


def test_every_fault_is_in_these_tables_or_has_a_test_of_its_own():
    own = {
        "error_frame",
        "drop",
        "reset",
        "drop_mid_stream",
        "reset_mid_stream",
        "truncated_frame",
        "bad_crc",
        "missing_close",
    }
    own |= {"no_usage", "empty_output", "garbage_body", "error_in_200", "split", "stall"}
    assert set(ERRORS) | set(EXCEPTIONS) | own == set(FAULTS)
