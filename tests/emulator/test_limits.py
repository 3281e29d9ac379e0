"""Quotas: token buckets by hand, and 429s on the wire."""

from scripts.emulator.config import Limit
from scripts.emulator.limits import Bucket, Quota
from tests.helpers import bodies, raw_wire, shapes


def test_a_bucket_gives_its_burst_and_then_its_rate():
    bucket = Bucket(per_second=2, capacity=3)
    assert [bucket.take(1, 10.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(1, 10.4)  # 0.4 s * 2/s = 0.8
    assert bucket.take(1, 10.5)  # 1.0
    assert [bucket.take(1, 20.0) for _ in range(4)] == [True, True, True, False]  # never more than its capacity


def test_tokens_are_reserved_with_the_limit_and_the_rest_is_given_back():
    quota = Quota(Limit(tokens_per_minute=600.0))
    assert quota.exceeded(400, 0.0) is None
    assert quota.exceeded(300, 0.0) == "tokens"  # 200 left
    quota.settle(reserved=400, used=100)  # 200 + 300 = 500
    assert quota.exceeded(500, 0.0) is None
    assert quota.exceeded(11, 1.0) == "tokens"  # a second brings 600 / 60 = 10
    assert quota.exceeded(10, 1.0) is None


def test_no_limit_admits_everything():
    quota = Quota(Limit())
    assert all(quota.exceeded(10**9, 0.0) is None for _ in range(1000))


def test_requests_over_the_burst_get_429(faulty):
    answers = [raw_wire.send(faulty.url, "InvokeEndpoint", "few-requests", bodies.tgi(1)) for _ in range(8)]
    # burst 5, 2 a second: 8 calls of about 25 ms take 0.2 s and refill less than one
    assert [a.status for a in answers] == [200] * 5 + [429] * 3
    assert shapes.walk_error("sagemaker", "InvokeEndpoint", answers[-1]) == "ThrottlingException"


def test_tokens_over_the_minute_get_429_with_bedrocks_words(faulty):
    # 600 a minute. The first takes 8 + 20; the second would reserve 8 + 600, more than there ever is.
    first = raw_wire.send(faulty.url, "Converse", "fault.few-tokens", bodies.converse(20))
    assert first.status == 200
    second = raw_wire.send(faulty.url, "Converse", "fault.few-tokens", bodies.converse(600))
    assert (second.status, second.json()["message"]) == (429, "Too many tokens, please wait before trying again.")
    assert shapes.walk_error("bedrock", "Converse", second) == "ThrottlingException"
