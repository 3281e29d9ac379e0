"""What a load takes of its generator, from the one file that says what was measured."""

import pytest

from locustfiles.contract.capacity import Generator, call_ms


def test_a_stream_costs_by_its_tokens_and_boto3_four_times_as_much():
    # 0.15 ms and 50 tokens of 0.012 ms
    assert call_ms(50, by_boto3=False) == pytest.approx(0.75)
    assert call_ms(50, by_boto3=True) == pytest.approx(3.0)
    assert call_ms(None, by_boto3=False) == pytest.approx(0.15)


def test_workers_have_room_on_their_cores_and_stamp_no_more_streams_than_they_can():
    # 1,000/s x 0.75 ms are 0.75 of a core, at 0.7 a worker two of them
    busy = Generator(1000, 0.75, at_once=300, streams=True)
    assert (busy.cores, busy.workers) == (pytest.approx(0.75), 2)
    # long answers: 0.075 of a core, but 2,000 streams at once are five workers of 400
    held = Generator(100, 0.75, at_once=2000, streams=True)
    assert held.workers == 5 and held.worker_mb == pytest.approx(90 + 0.05 * 400)
    assert held._replace(streams=False).workers == 1
    assert Generator(0.1, 0.75, 0.2, True).workers == 1


def test_the_master_takes_what_its_records_take():
    assert Generator(20_000, 0.15, 100, False).master_cores == pytest.approx(0.6)
