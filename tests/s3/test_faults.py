"""What is said of S3's faults: what it is and the remedy in a line, and no key."""

import pytest

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.s3.address import Address, address_of
from locustfiles.contract.s3.bucket import Bucket
from locustfiles.contract.s3.faults import S3Fault
from locustfiles.contract.s3.operations import ACTIONS, OPERATIONS
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import free_port
from tests.helpers.proxies import KEY
from tests.helpers.s3_server import gone, refused

ARN = "User: arn:aws:sts::123456789012:assumed-role/load/x is not authorized to perform: "
ANSWERS = {
    "permission": (refused(403, "AccessDenied", f"{ARN}s3:PutObject"), "s3:PutObject is not allowed (AccessDenied); allow s3:PutObject"),
    "key": (refused(403, "AccessDenied", f"{ARN}kms:GenerateDataKey"), "the KMS key cannot be used (AccessDenied); check the key"),
    "region": (
        refused(301, "PermanentRedirect", headers=[("x-amz-bucket-region", "eu-west-1")]),
        "the bucket is in eu-west-1 (PermanentRedirect); set AWS_DEFAULT_REGION=eu-west-1",
    ),
    "region, by its text": (
        refused(400, "AuthorizationHeaderMalformed", more="<Region>eu-central-1</Region>"),
        "the bucket is in eu-central-1 (AuthorizationHeaderMalformed); set AWS_DEFAULT_REGION=eu-central-1",
    ),
    "busy": (refused(503, "SlowDown", "Please reduce your request rate."), "S3 asks to go slower (SlowDown); try again"),
    "credentials": (refused(400, "ExpiredToken", f"The token {KEY} has expired"), "S3 does not take the credentials (ExpiredToken); renew"),
    "other": (refused(400, "Weird", f"secret_access_key={KEY}"), "S3 refuses put_object (Weird: "),
    "network": (gone, "S3 cannot be reached (ConnectionClosedError); check the network"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_each_fault_is_one_line_with_its_remedy_and_no_key(front, bucket, name):
    front.fault, said = ANSWERS[name]
    with pytest.raises(S3Fault) as found:
        bucket.put("a", b"b")
    text = str(found.value)
    assert text.startswith(f"{bucket.address}: {said}"), text
    assert found.value.kind == name.partition(",")[0]
    assert "\n" not in text and KEY not in text and "123456789012" not in text and "AKIA" not in text


def test_a_bucket_that_is_not_there(front):
    with pytest.raises(S3Fault, match=r"^s3://not-there/a: there is no bucket `not-there`; create it"):
        Bucket(Address("not-there", "a")).list()


def test_a_server_that_is_not_there(front, monkeypatch, address):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(S3Fault, match=r"S3 cannot be reached \(EndpointConnectionError\)"):
        Bucket(address).list()


def test_no_credentials_at_all(front, monkeypatch, address):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    bucket = Bucket(address)
    with pytest.raises(S3Fault, match=r"no AWS credentials to be had \(Unable to locate credentials\); renew them"):
        bucket.list()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    assert bucket.list() == {}  # those that came meanwhile are used


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://", "names no bucket of S3"),
        ("s3://My_Bucket/a", "names no bucket of S3"),
        ("s3://bucket", "needs a place in the bucket; add one, as s3://bucket/runs/study"),
        ("s3://bucket/", "needs a place in the bucket"),
        ("s3://bucket/a//b", "an empty or unprintable part in it"),
        ("s3://bucket/a/../b", "has `..` in it"),
        ("s3://bucket/a\x1b[2J", "an empty or unprintable part in it"),
        ("s3://bucket/" + "a/" * 460 + "a", "longer than 900 characters"),
        ("s3://user:s3cr3t@bucket/a", "names no bucket of S3"),
    ],
)
def test_addresses_that_are_none_are_refused(text, said):
    with pytest.raises(BadInput) as found:
        address_of(text, "--run-dir")
    assert said in str(found.value) and "s3cr3t" not in str(found.value) and "\x1b" not in str(found.value)


def test_the_encryption_that_was_asked_for_is_sent(front, address):
    for text, told in {
        "": (None, None),
        "AES256": ("AES256", None),
        "aws:kms": ("aws:kms", None),
        "alias/runs": ("aws:kms", "alias/runs"),
    }.items():
        Bucket(address, text).put("a", b"b")
        headers = front.asked[-1].headers
        name = "x-amz-server-side-encryption"
        assert (headers[name], headers[f"{name}-aws-kms-key-id"]) == told


def test_every_call_is_of_an_operation_that_roles_are_told_of():
    known = {operation.action for operation in OPERATIONS}
    assert set(ACTIONS.values()) <= known
    assert "s3:DeleteObject" not in known
    text = (ROOT / "locustfiles/README.md").read_text()
    assert [action for action in known if f"`{action}`" not in text] == []
