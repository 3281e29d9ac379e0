"""What a record tells of the gaps in its stream, over real sockets: each counted once, where its time puts it."""

import pytest

from locustfiles.contract.gap_counts import KNOWN_TO, gap_counts, middle_ms
from tests.helpers.calls import TOKENS, call, converse, invoke, sender_for, tgi
from tests.helpers.emulator_process import running_emulator

pytestmark = pytest.mark.usefixtures("credentials")

STREAMS = {
    "tgi": tgi("good-tgi"),
    "chat": tgi("good-chat", dialect="openai-chat"),
    "converse": converse("good.nova"),
    "nova": invoke("good.nova", "nova"),
    "claude": invoke("good.claude", "claude"),
    "whole": converse("good.nova", stream=False),
    "broken": tgi("broken"),
}
CONFIG = {
    "engines": {"exact": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 200, "seed": 1}},
    "models": {f"good.{family}": {"engine": "exact", "family": family} for family in ("nova", "claude")},
    "endpoints": {
        "good-tgi": {"engine": "exact", "dialect": "tgi"},
        "good-chat": {"engine": "exact", "dialect": "openai-chat"},
        "broken": {"engine": "exact", "dialect": "tgi", "faults": {"drop_mid_stream": 1.0}, "fault_after_tokens": 5},
    },
}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("gaps") / "truth.jsonl") as e:
        sender, _ = sender_for(e, *({"name": name} | target for name, target in STREAMS.items()))
        yield {name: call(sender, name=name) for name in STREAMS}


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "whole"])
def test_every_gap_of_a_stream_is_counted_once_in_its_bin(records, name):
    record = records[name]
    counts = gap_counts(record.gaps)
    assert record.chunks > 2 and sum(counts.values()) == record.chunks - 1
    longest = middle_ms(max(counts))
    assert longest == pytest.approx(record.max_gap_ms, rel=1.001 * KNOWN_TO)
    # deltas that were read at once have 0 ms; what all others took is the stream's time, each known to 2.5 %
    added = sum(n * middle_ms(k) for k, n in counts.items())
    assert added == pytest.approx(record.last_token_ms - record.ttft_ms, rel=1.001 * KNOWN_TO, abs=0.01 * TOKENS)


def test_a_failures_stream_is_counted_as_far_as_it_came(records):
    assert records["broken"].error == "stream_broken"
    assert sum(gap_counts(records["broken"].gaps).values()) == records["broken"].chunks - 1 < TOKENS - 1


def test_an_answer_that_does_not_stream_has_no_gaps(records):
    assert (records["whole"].error, records["whole"].gaps, records["whole"].max_gap_ms) == (None, None, None)
