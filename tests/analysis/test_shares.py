"""Who answered where several could: production variants and a router's destinations, with their shares and latencies."""

import dataclasses

from analysis.advice.answer_notes import answer_notes
from analysis.runs.run_reader import load_run
from tests.helpers.made_run import P4D, made_run, steady, window
from tests.helpers.verdicts import healthy

EAST = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/chat"
WEST = "arn:aws:sagemaker:us-west-2:123456789012:inference-component/chat-w"


def notes(tmp_path, records, *windows) -> list[str]:
    run = load_run(made_run(tmp_path / "r", records, list(windows or [window(1, 10, 40, users=2)])))
    return [note for note in answer_notes(run) if "production variant" in note or "inference router" in note]


def test_several_variants_are_told_with_share_and_latency(tmp_path):
    # 120 measured answers of 500 ms; each fourth by green, in 900 ms: 30 of them
    made = healthy()
    first = next(i for i, r in enumerate(made) if r.phase == "measure")
    records = [
        dataclasses.replace(r, variant="green", latency_ms=900.0)
        if (i - first) % 4 == 0
        else dataclasses.replace(r, variant="blue")
        for i, r in enumerate(made)
    ]
    measured = [r for r in records if r.phase == "measure"]
    green = sum(r.variant == "green" for r in measured)
    assert (len(measured), green) == (120, 30)
    (note,) = notes(tmp_path, records)
    assert (
        "several production variants answered: `blue` 75 % (90 answers, latency on average 500 ms, p95 500 ms)" in note
    )
    assert "`green` 25 % (30 answers, latency on average 900 ms, p95 900 ms)" in note


def test_one_variant_is_nothing_to_tell(tmp_path):
    assert notes(tmp_path, healthy(variant="AllTraffic")) == []


def test_stages_of_one_variant_each_are_told_apart_from_mixed_ones(tmp_path):
    stages = [window(1, 10, 40, users=2), window(2, 50, 80, users=2)]
    records = healthy(variant="blue") + steady(2, 50, 80, 2, 0.5, lead=2, variant="green")
    (note,) = notes(tmp_path, records, *stages)
    assert "each of its stages was answered by one production variant" in note
    mixed = [dataclasses.replace(r, variant="blue") if i % 2 else r for i, r in enumerate(records)]
    (note,) = notes(tmp_path / "mixed", mixed, *stages)
    assert "several production variants answered, in 1 of 2 stages" in note


def test_a_routers_destinations_are_told_with_its_reasons_and_its_retries(tmp_path):
    spots = [(EAST, "local-preferred"), (EAST, "local-preferred"), (EAST, "local-preferred"), (WEST, "failover")]
    records = [
        dataclasses.replace(r, routed_to=spots[i % 4][0], routing_reason=spots[i % 4][1])
        for i, r in enumerate(healthy())
    ]
    (note,) = notes(tmp_path, records)
    assert "its inference router sent 120 of 120 answered requests to `endpoint/chat in us-east-1` 75 %" in note
    assert "`inference-component/chat-w in us-west-2` 25 %" in note
    assert "reasons: local-preferred 75 %, failover 25 %" in note and "may hide a first attempt" in note
    assert "tried twice" not in note


def test_a_queue_is_told_by_what_is_known_of_it(tmp_path):
    # 120 answers of 500 ms, accepted after 20 and 40 ms in turn: 30 ms on average, p95 by rank 0.95 x 119 = 113 of 40 ms
    records = [dataclasses.replace(r, accepted_ms=20.0 + 20 * (i % 2)) for i, r in enumerate(healthy())]
    queued = P4D | {"async_inference": {"poll_s": 0.25}, "stream": False}
    run = load_run(made_run(tmp_path / "r", records, [window(1, 10, 40, users=2)], targets=[queued]))
    (note,) = answer_notes(run)
    assert (
        "accepted after 30.0 ms on average (p95 40.0 ms) and answered in S3 after 500 ms (p95 500 ms), found up to 0.250 s"
        in note
    )


def test_an_answer_above_the_time_of_one_attempt_was_tried_twice(tmp_path):
    records = [dataclasses.replace(r, routed_to=EAST, routing_reason="local-preferred") for r in healthy()]
    slow = next(i for i, r in enumerate(records) if r.phase == "measure")
    records[slow] = dataclasses.replace(records[slow], latency_ms=60_001.0)
    (note,) = notes(tmp_path, records)
    assert "1 took longer than the 60 s of one attempt: they were tried twice" in note
