"""Who writes a run: one at a time, by conditional writes; whoever is killed leaves a lease that ends."""

import time

import pytest

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.s3 import lease as leases
from locustfiles.contract.s3.lease import Lease, Lost
from tests.helpers.s3_server import BUCKET, answer_lost, client


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(leases, "LEASE_S", 1.5)
    monkeypatch.setattr(leases, "LOOK_S", 0.05)
    monkeypatch.setattr(leases, "RENEW_S", 0.0)


def never(seconds: float) -> None:
    raise AssertionError("nothing is waited for")


def test_a_second_one_is_refused_while_the_first_renews_it(bucket):
    first, said = Lease(bucket, "first"), []
    first.take(never, said.append)

    def wait(seconds: float) -> None:
        time.sleep(seconds)
        first.renew()

    with pytest.raises(
        BadInput, match=r"s3://.*: a run on \S+ writes there and goes on; give this one another address"
    ):
        Lease(bucket, "second").take(wait, said.append)
    assert len(said) == 1 and "wrote there lately; at most" in said[0]


def test_one_that_is_not_renewed_is_taken_and_its_holder_finds_out(bucket):
    first, second = Lease(bucket, "first"), Lease(bucket, "second")
    first.take(never, print)
    began = time.monotonic()
    second.take(time.sleep, print)
    assert 0.4 < time.monotonic() - began < 10  # S3 tells whole seconds
    with pytest.raises(Lost):
        first.renew()
    second.renew()


def test_one_that_was_given_back_is_not_waited_for_nor_one_that_is_while_it_is(bucket):
    first, second = Lease(bucket, "first"), Lease(bucket, "second")
    first.take(never, print)
    first.release()
    second.take(never, print)
    Lease(bucket, "third").take(lambda _: second.release(), print)


def test_the_process_that_takes_the_place_of_another_does_not_wait(bucket):
    Lease(bucket, "run").take(never, print)
    Lease(bucket, "run").take(never, print)


def test_one_that_somebody_removes_is_written_anew(front, bucket):
    first = Lease(bucket, "first")
    first.take(never, print)
    client(front.url).delete_object(Bucket=BUCKET, Key=f"{bucket.address.prefix}/lease.json")
    first.renew()
    first.renew()


def test_a_renewal_whose_answer_is_lost_is_ones_own(front, bucket):
    first = Lease(bucket, "first")
    first.take(never, print)
    front.fault = lambda asked: answer_lost(asked) if asked.method == "PUT" else None
    with pytest.raises(BadInput, match="S3 cannot be reached"):
        first.renew()
    front.fault = None
    first.renew()
    first.release()
