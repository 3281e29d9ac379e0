"""What other load testers of LLM endpoints record wrong, each provoked with real traffic and recorded right: tokens and times.

Those of many calls are in test_peers_defects_in_number.py. Their defects that an equal test elsewhere covers already:

| a peer's defect | test |
|---|---|
| every failure is `500`, its code and the service's request id are dropped | test_failures_table.py, every row |
| a stream cut in the middle, or ended by an exception event, is a success | test_failures_table.py: drop_mid_stream, missing_close, ModelStreamError |
| an error body inside a 200 is a success, or escapes as neither | test_failures_table.py: error_in_200, garbage_body |
| without usage, tokens are made up from the text | test_failures_table.py: no_usage |
| a killed request is a success | test_failures_table.py: killed; test_sender_faults.py: a_killed_call_is_recorded_as_cancelled |
| thinking is dropped, or shown as the first visible token | test_surfaces.py: reasoning_starts_ttft_and_text_starts_the_visible_one |
| tokens written to the prompt cache are dropped | test_surfaces.py: cached_prompt_tokens_are_counted_apart |
| a stall inside a stream leaves no trace | test_sender_faults.py: split_parts_and_stalls_are_successes (max_gap_ms) |
| latency ends with the headers | test_sender.py: tokens_and_times_are_those_of_the_endpoints_own_log |
| other keys than the user's are in the body (`ignore_eos`, `stream`) | test_request.py: a_sagemaker_request_is_what_boto3_sends, and its like |
| lines that come in two pieces are lost | test_real_answers_broken.py: where_a_real_answer_is_split |
| pseudo-requests dilute Locust's failure share | tests/runs/test_local.py: every_request_of_the_endpoint_is_one_row_and_one_of_locusts |
| a level where all fail aborts the sweep, a throttle kills the run | tests/runs/test_endings.py: a_stage_ends_when_it_has_enough_requests_or_too_many_errors |
| all users or workers send the same prompts in step | tests/runs/test_distributed.py: no_two_users_draw_the_same |
| requests in flight at a level's end are killed | tests/runs/test_local.py: the_windows_of_the_manifest_hold_what_was_measured |
| secrets are written to disk | tests/runs/test_endings.py: no_secret_is_written_anywhere |
"""

import json
import subprocess
import sys
import time

import gevent
import pytest

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.record import RequestRecord
from tests.helpers import bodies
from tests.helpers.aws_frames import event, part
from tests.helpers.calls import PROMPT, converse, sender_for, tgi, truth_of
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.lab import CHAT, CHUNKED, END, SURFACES, Lab, chunks
from tests.helpers.sample_answers import CLAUDE, CONVERSE, TGI, openai_chunk, sse, tgi_token
from tests.helpers.surfaces import container, invoke

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("credentials")]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    slow = {"kind": "timed", "ttft_ms": 200, "tokens_per_second": 1000}
    config = bodies.CONFIG | {"engines": bodies.CONFIG["engines"] | {"slow": slow}}
    config |= {"endpoints": bodies.CONFIG["endpoints"] | {"slow": {"engine": "slow", "dialect": "tgi"}}}
    with running_emulator(config, truth=tmp_path_factory.mktemp("peers") / "truth.jsonl") as e:
        yield e


@pytest.fixture(scope="module")
def lab(emulator, tmp_path_factory, credentials):
    return Lab(emulator, tmp_path_factory.mktemp("lab"))


def call(sender: Sender) -> RequestRecord:
    return sender.call(1, sender.scenario.targets[0], PROMPT, StageSpec(1, "t", "p", 1), "measure")


def once(emulator, target: dict) -> RequestRecord:
    sender, records = sender_for(emulator, target)
    record = call(sender)
    assert records == [record]
    return record


# --- tokens ---


def test_tokens_are_the_services_count_and_not_words_between_spaces(lab):
    """A peer counts `len(text.split())`: 1 for a sentence of 29 tokens in Japanese."""
    delta = event(
        "contentBlockDelta",
        {"contentBlockIndex": 0, "delta": {"text": "東京の冬の朝は寒いが、窓から見える庭は美しい。"}},
    )
    usage = event("metadata", {"usage": {"inputTokens": 12, "outputTokens": 29}, "metrics": {"latencyMs": 5}})
    record = lab.wire("ConverseStream", CHUNKED + chunks(CONVERSE[0], delta, *CONVERSE[4:6], usage) + END)
    assert (record.completion_tokens, record.token_source, record.prompt_tokens, record.prompt_token_source) == (
        29,
        "service",
        12,
        "service",
    )


def test_chunks_are_not_tokens(lab):
    """A peer divides by server-sent events. Two deltas carry the 3 tokens of the usage."""
    record = lab.wire("ChatCompletions stream", CHUNKED + chunks(*CHAT) + END)
    assert (record.chunks, record.completion_tokens, record.token_source) == (2, 3, "service")


def test_sagemakers_prompt_tokens_are_not_always_1(emulator):
    """A peer tokenizes the text `None`."""
    record = once(emulator, container("tgi-new", "tgi", stream=True))
    # the endpoint counts four characters a token, the last one rounded up: 44 / 4
    assert (len(PROMPT.text), record.prompt_tokens, record.prompt_token_source) == (44, 11, "service")
    record = once(emulator, container("tgi", "tgi"))  # an answer in one piece does not say
    assert (record.prompt_tokens, record.prompt_token_source) == (77, "payload")


# --- times ---

ROLE = sse(openai_chunk({"role": "assistant", "content": ""}))
SPECIAL = part(sse(tgi_token("<s>", special=True)))
SILENT = {  # what comes before the first output, and the rest of the stream
    "ConverseStream": (CONVERSE[:2], CONVERSE[2:]),
    "InvokeModelWithResponseStream": (CLAUDE[:2], CLAUDE[2:]),
    "InvokeEndpointWithResponseStream": ([SPECIAL], TGI),
    "ChatCompletions stream": ([ROLE, b": ping\n\n"], CHAT[1:]),
}


@pytest.mark.parametrize("surface", SILENT)
def test_an_event_without_output_is_not_the_first_token(lab, surface, monkeypatch):
    """A peer's TTFT ends with the first event of any kind, Claude's `message_start`: here 0.15 s too early."""
    monkeypatch.setitem(
        SURFACES, "InvokeModelWithResponseStream", ("bedrock", True, {"api": "invoke", "dialect": "claude"})
    )
    before, after = SILENT[surface]
    record = lab.wire(surface, CHUNKED + chunks(*before), 0.15, chunks(*after) + END)
    assert record.error is None and record.chunks == 2
    assert 150 <= record.ttft_ms < 300


def test_a_call_of_0_2_seconds_takes_200_ms_and_has_its_own_request_id(emulator):
    """A peer stores the clock itself: 700 s; and reads the id from the wrong object."""
    sender, _ = sender_for(emulator, tgi("slow", stream=False))
    call(sender)  # connects
    record = call(sender)
    row = truth_of(emulator, {record.request_id})[record.request_id]
    true_ms = (row["last_byte"] - row["arrival"]) * 1000
    assert 200 < true_ms < 300 and -0.3 < record.latency_ms - true_ms < 20
    assert abs(time.time() - record.started_at) < 5 and record.ttft_ms is None


LOCUST = """
import json, sys, types
from locust.env import Environment
from locustfiles.common.swarm.user import tell_locust
from locustfiles.common.calls.stage_spec import StageSpec
from tests.helpers.calls import PROMPT, sender_for, tgi

environment = Environment()
environment.create_local_runner()
sender, records = sender_for(types.SimpleNamespace(url=sys.argv[1]), tgi("slow", stream=False))
sender.sink = lambda record: (records.append(record), tell_locust(environment, record))
target = sender.scenario.targets[0]
for endpoint in ("slow", "nobody"):
    sender.call(1, target.model_copy(update={"endpoint": endpoint}), PROMPT, StageSpec(1, "t", "p", 20), "measure")
entry = environment.stats.get("t p @20", "InvokeEndpoint")
print(json.dumps({
    "counts": [entry.num_requests, entry.num_failures, environment.stats.total.num_requests, environment.stats.total.num_failures],
    "ms": [entry.max_response_time, records[0].latency_ms],
    "errors": [str(e.error) for e in environment.stats.errors.values()],
}))
"""


def test_locust_is_told_milliseconds_and_failures_as_failures(emulator):
    """A peer hands Locust seconds, and its error rate is always 0. In a process of its own: Locust patches the one it is in."""
    done = subprocess.run(
        [sys.executable, "-c", LOCUST, emulator.url], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["counts"] == [2, 1, 2, 1]
    assert told["ms"][0] == pytest.approx(told["ms"][1]) and 200 < told["ms"][0] < 500
    assert told["errors"] == ["client: ValidationError"]


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_is_set_in_mid_call_changes_no_duration(emulator, monkeypatch, jump_s):
    """Peers subtract wall-clock times."""
    sender, _ = sender_for(emulator, tgi("slow"))
    job = gevent.spawn(call, sender)
    gevent.sleep(0.1)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    job.join(5)
    record = job.value
    assert record.error is None and 200 < record.ttft_ms <= record.last_token_ms <= record.latency_ms < 500


def test_an_answer_of_one_token_is_a_success_with_its_ttft(emulator):
    """A peer drops these, another has no TTFT for fewer than two tokens."""
    for target in (tgi("tgi"), converse(bodies.NOVA), invoke(bodies.LLAMA, stream=True)):
        record = once(emulator, target | {"parameters": {"max_tokens": 1}})
        assert (record.error, record.completion_tokens, record.chunks, record.max_gap_ms) == (None, 1, 1, None)
        assert 0 < record.ttft_ms == record.last_token_ms <= record.latency_ms


def test_a_stream_of_known_length_has_its_ttft_when_it_came(lab):
    """A peer reads such a body only at its end: TTFT is the latency."""
    body = b"".join(CHAT)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    record = lab.wire("ChatCompletions stream", head + CHAT[0] + CHAT[1], 0.2, b"".join(CHAT[2:]))
    assert record.error is None and record.ttft_ms < 100
    assert record.latency_ms > 200 and 190 < record.max_gap_ms < 400


@pytest.mark.parametrize("end", [b"\n\n", b"\n", b""], ids=["blank line", "newline", "nothing"])
@pytest.mark.parametrize("surface", ["InvokeEndpointWithResponseStream", "ChatCompletions stream"])
def test_a_stream_without_a_final_newline_ends(lab, surface, end):
    """A peer waits for the newline for ever."""
    if surface == "ChatCompletions stream":
        pieces = [*CHAT[:-1], CHAT[-1].rstrip() + end]
    else:
        last = sse(tgi_token("!", generated_text="Hello!", details={"finish_reason": "length", "generated_tokens": 3}))
        pieces = [*TGI[:2], part(last.rstrip() + end)]
    record = lab.wire(surface, CHUNKED + chunks(*pieces) + END, timeout_s=2)
    assert (record.error, record.completion_tokens) == (None, 3) and record.latency_ms < 1000


def test_chat_events_of_a_container_on_sagemaker_are_read(emulator):
    """A peer fails with KeyError 'token'."""
    record = once(emulator, container("chat", "openai-chat", stream=True))
    assert (record.error, record.completion_tokens, record.chunks, record.prompt_token_source) == (
        None,
        8,
        8,
        "service",
    )


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("api", ["converse", "invoke"])
def test_bedrocks_own_times_are_recorded_beside_ours(emulator, api, stream):
    """No peer reads latencyMs, invocationLatency and firstByteLatency."""
    record = once(
        emulator,
        {"service": "bedrock", "model_id": bodies.NOVA, "api": api, "stream": stream, "parameters": {"max_tokens": 8}},
    )
    row = truth_of(emulator, {record.request_id})[record.request_id]
    service_ms = (row["last_byte"] - row["arrival"]) * 1000
    assert (
        service_ms - 5 < record.service_latency_ms <= record.latency_ms + 1
    )  # whole milliseconds, taken before the last byte
    if api == "invoke" and stream:
        assert abs(record.service_ttft_ms - (row["first_token"] - row["arrival"]) * 1000) < 5
    else:
        assert record.service_ttft_ms is None  # Converse and whole answers do not say
