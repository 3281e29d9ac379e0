"""The model of a batching server, by hand, and on the wire."""

import concurrent.futures

import pytest

from scripts.emulator.engine_config import Batched, Output
from scripts.emulator.engines.batching import Batch, Sequence
from scripts.emulator.engines.simulated import output_tokens
from scripts.emulator.text import WORDS, count_tokens, digest, words
from tests.helpers import bodies, raw_wire
from tests.helpers.emulator_process import running_emulator

SERVER = Batched(
    kind="simulated",
    prefill_tokens_per_second=1000,
    decode_base_ms=10,
    decode_per_sequence_ms=2,
    batch_limit=2,
    prefill_limit_tokens=150,
)


def test_a_step_costs_prefill_plus_base_plus_a_share_of_each_sequence():
    batch = Batch(SERVER)
    a, b = Sequence(100, 2), Sequence(40, 1)
    batch.add(a)
    batch.add(b)
    seconds, admitted = batch.begin()
    # 140 tokens at 1000/s = 140 ms, 10 ms base, 2 sequences of 2 ms
    assert (seconds, admitted) == (pytest.approx(0.154), [a, b])
    assert batch.end() == [a, b]
    # b is done; a has one token to go: 10 + 2 ms
    assert batch.begin() == (pytest.approx(0.012), [])
    assert batch.end() == [a]
    assert not batch.busy


def test_the_batch_limit_makes_the_third_wait():
    batch = Batch(SERVER)
    sequences = [Sequence(10, 1) for _ in range(3)]
    for s in sequences:
        batch.add(s)
    assert batch.begin()[1] == sequences[:2]
    assert batch.waiting == 1
    batch.end()
    assert batch.begin()[1] == sequences[2:]


def test_a_step_admits_prompts_up_to_its_limit_and_a_longer_one_alone():
    batch = Batch(SERVER)
    long, short = Sequence(400, 1), Sequence(10, 1)
    batch.add(long)
    batch.add(short)
    assert batch.begin() == (pytest.approx(0.412), [long])  # 400 + 10 + 2 ms
    batch.end()
    assert batch.begin()[1] == [short]


def test_a_request_that_leaves_frees_its_place():
    batch = Batch(SERVER)
    sequences = [Sequence(10, 5) for _ in range(3)]
    for s in sequences:
        batch.add(s)
    batch.begin()
    batch.remove(sequences[0])
    assert batch.end() == [sequences[1]]
    assert batch.begin()[1] == [sequences[2]]


def test_lengths_come_from_their_distribution_and_never_pass_the_limit():
    assert output_tokens(Output(), 50, 1) == (50, "length")
    assert output_tokens(Output(distribution="fixed", tokens=7), 50, 1) == (7, "stop")
    assert output_tokens(Output(distribution="fixed", tokens=70), 50, 1) == (50, "length")
    uniform = Output(distribution="uniform", low=3, high=5)
    assert {output_tokens(uniform, 50, n)[0] for n in range(100)} == {3, 4, 5}
    normal = Output(distribution="normal", mean=20.0, deviation=4.0)
    drawn = [output_tokens(normal, 500, n)[0] for n in range(2000)]
    assert sum(drawn) / 2000 == pytest.approx(20, abs=0.4)  # standard error 4 / sqrt(2000) = 0.09
    assert drawn == [output_tokens(normal, 500, n)[0] for n in range(2000)]


def test_prompts_count_four_characters_a_token_rounded_up():
    assert [count_tokens("x" * n) for n in (0, 1, 4, 5, 8, 9)] == [1, 1, 1, 2, 2, 3]


def test_the_same_prompt_and_seed_give_the_same_words_and_another_seed_does_not():
    assert words(digest(1, "a"), 50) == words(digest(1, "a"), 50)
    assert words(digest(1, "a"), 50) != words(digest(2, "a"), 50)
    assert {t for t, _ in words(digest(1, "a"), len(WORDS))} == set(WORDS)  # the walk reaches every word
    assert any(len(w.encode()) > len(w) for w in WORDS)


def test_eight_requests_share_the_steps_of_one_server(tmp_path):
    """Batch limit 4, 8 tokens of prompt at 8000/s = 1 ms, steps of 20 ms. Four requests of 5 tokens in the
    first batch: 5 steps = 100 ms and at most 4 ms of prefill; the other four wait for them: 200 ms. Truth, not
    the client's clock, is looked at."""
    engine = {
        "kind": "simulated",
        "prefill_tokens_per_second": 8000,
        "decode_base_ms": 20,
        "decode_per_sequence_ms": 0,
        "batch_limit": 4,
    }
    config = {"engines": {"e": engine}, "models": {"m.nova": {"engine": "e", "family": "nova"}}}
    with running_emulator(config, truth=tmp_path / "truth.jsonl") as e:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            futures = [
                pool.submit(raw_wire.send, e.url, "ConverseStream", "m.nova", bodies.converse(5)) for _ in range(8)
            ]
            assert all(f.result().complete for f in futures)
        e.stop()
        rows = e.truth_rows()
    begin = min(r["arrival"] for r in rows)
    ends = sorted(r["last_token"] - begin for r in rows)
    # requests that come within the first step join one step later, so the first four end after 5 or 6 steps; what a busy
    # machine adds, the log tells: how late a token left, and how far apart the requests came
    late = max(r["late_ms"] for r in rows) / 1000 + max(r["arrival"] for r in rows) - begin
    assert all(0.100 <= t < 0.150 + late for t in ends[:4])
    assert all(0.200 <= t < 0.290 + late for t in ends[4:])
    assert [r["in_flight"] for r in rows].count(0) == 1


def test_a_full_queue_refuses():
    """One is answered (30 steps of 50 ms), one waits, four find the queue full."""
    engine = {
        "kind": "simulated",
        "prefill_tokens_per_second": 8000,
        "decode_base_ms": 50,
        "decode_per_sequence_ms": 0,
        "batch_limit": 1,
        "queue_limit": 1,
    }
    config = {
        "engines": {"e": engine},
        "models": {"m.nova": {"engine": "e", "family": "nova"}},
        "endpoints": {"tgi": {"engine": "e"}},
    }
    with running_emulator(config) as e, concurrent.futures.ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(raw_wire.send, e.url, "InvokeEndpoint", "tgi", bodies.tgi(30)) for _ in range(6)]
        answers = [f.result() for f in futures]
    assert sorted(a.status for a in answers) == [200, 200, 424, 424, 424, 424]
    refused = next(a for a in answers if a.status == 424).json()
    assert (refused["OriginalStatusCode"], refused["OriginalMessage"]) == (
        429,
        '{"error":"Model is overloaded","error_type":"overloaded"}',
    )
