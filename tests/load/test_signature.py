"""Signatures that are repeated, against botocore's own header, byte for byte."""

import datetime
import types

import botocore.auth
import botocore.awsrequest
import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.transport import aws_session, signature
from locustfiles.common.transport.aws_session import AwsSession
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.calls import SCENARIO
from tests.helpers.signature import parts

ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
BEDROCK = {"service": "bedrock", "model_id": "meta.llama3-8b-instruct-v1:0"}
SAGEMAKER = {"service": "sagemaker", "endpoint": "my-endpoint", "dialect": "tgi"}
TARGETS = [
    SAGEMAKER | {"stream": True, "variant": "Blue", "endpoint_url": "https://example.test"},
    SAGEMAKER | {"custom_attributes": "a  b=c,  20260131T235959Z", "endpoint_url": "https://[::1]:8443/base/"},
    BEDROCK | {"stream": True, "endpoint_url": "http://127.0.0.1:8080"},
    BEDROCK | {"model_id": ARN, "endpoint_url": "http://Example.test:80"},
    BEDROCK | {"api": "invoke", "stream": True, "endpoint_url": "https://example.test:443/a/b"},
    BEDROCK | {"api": "invoke", "parameters": {"requestMetadata": {"team": "a b"}}, "endpoint_url": "https://h.test"},
]
_SCENARIO = Scenario.model_validate(
    SCENARIO | {"targets": [{"name": f"t{n}"} | target for n, target in enumerate(TARGETS)]}
)
MIDNIGHT = int(datetime.datetime(2026, 1, 31, 23, 59, 58, tzinfo=datetime.UTC).timestamp())


@pytest.fixture(scope="module")
def session():
    """One for all, so that nearly every request repeats what an earlier one has left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.delenv(name, raising=False)
        yield AwsSession(_SCENARIO)


def at(patch, seconds: int) -> None:
    """The same moment for both."""
    patch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.datetime.fromtimestamp(seconds, datetime.UTC))
    patch.setattr(
        signature,
        "time",
        types.SimpleNamespace(
            time=lambda: seconds + 0.7, strftime=signature.time.strftime, gmtime=signature.time.gmtime
        ),
    )


def botocores(session: AwsSession, target, path: str, headers: dict, body: bytes) -> str:
    base = session._base(target)
    url = f"{base.scheme}://{base.netloc}{base.path.rstrip('/')}{path}"
    request = botocore.awsrequest.AWSRequest(method="POST", url=url, headers=headers, data=body)
    credentials = session._credentials.get_frozen_credentials()
    botocore.auth.SigV4Auth(credentials, target.service, "us-east-1").add_auth(request)
    return request.headers["Authorization"]


_keys = st.tuples(
    st.sampled_from(["AKIAIOSFODNN7EXAMPLE", "ASIANEWNEWNEWNEWNEW1"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
)
_calls = st.tuples(
    st.integers(0, len(TARGETS) - 1),
    st.binary(max_size=300),
    st.sampled_from(["", "/x", "/a%20b", "/%C3%A9/~.-_", "//d", "/./e/../f"]),
    st.integers(0, 4),  # seconds: the second one on is another day
)


@given(_keys, _keys, st.lists(_calls, min_size=2, max_size=8))
@settings(max_examples=150, deadline=None)
def test_every_header_is_botocores_own_over_bodies_paths_midnight_and_new_credentials(session, first, second, calls):
    for number, (which, content, suffix, seconds) in enumerate(calls):
        session._credentials = Credentials(*(first if number < len(calls) / 2 else second))
        target = _SCENARIO.targets[which]
        request = build(target, Prompt("p", "Hi", None))
        path, headers = request.path + suffix, dict(request.headers)
        with pytest.MonkeyPatch.context() as patch:
            at(patch, MIDNIGHT + seconds)
            sent = session.request(target, path, headers, content)
            head, body = sent.split(b"\r\n\r\n", 1)
            said = parts(head)[1]
            assert said["authorization"] == botocores(session, target, path, headers, content)
        assert body == content and said["content-length"] == str(len(content))
        assert said.get("x-amz-security-token") == session._credentials.token


def test_what_is_repeated_is_not_signed_by_botocore_again(session, monkeypatch):
    target = _SCENARIO.targets[2]
    request = build(target, Prompt("p", "Hi", None))
    session._credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "secret")
    asked = []
    monkeypatch.setattr(aws_session, "signed", lambda *a: asked.append(a) or signature.signed(*a))
    for body in (b"1", b"2", b"3"):
        session.request(target, "/counted", request.headers, body)
    assert len(asked) == 1


def test_credentials_are_refreshed_as_botocore_does_it(session):
    """The second ones come when the first have expired, and sign the very next request."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
    later = soon + datetime.timedelta(hours=6)
    fresh = {"access_key": "ASIASECOND", "secret_key": "s2", "token": "t2", "expiry_time": later.isoformat()}
    session._credentials = RefreshableCredentials("ASIAFIRST", "s1", "t1", later, lambda: fresh, "test")
    target = _SCENARIO.targets[2]
    request = build(target, Prompt("p", "Hi", None))

    def credential() -> str:
        head = session.request(target, request.path, request.headers, b"{}").split(b"\r\n\r\n")[0]
        said = parts(head)[1]
        return said["authorization"].split("Credential=")[1].split("/")[0] + " " + said["x-amz-security-token"]

    assert [credential(), credential()] == ["ASIAFIRST t1"] * 2
    session._credentials._expiry_time = soon
    assert [credential(), credential()] == ["ASIASECOND t2"] * 2


def test_a_header_that_looks_like_the_date_is_left_to_botocore(session):
    stamp = "20260131T235959Z"  # the custom attributes of the second target hold it
    target = _SCENARIO.targets[1]
    request = build(target, Prompt("p", "Hi", None))
    with pytest.MonkeyPatch.context() as patch:
        at(patch, MIDNIGHT + 1)
        for body in (b"1", b"2"):
            head = session.request(target, request.path, request.headers, body).split(b"\r\n\r\n")[0]
            said = parts(head)[1]
            assert said["x-amz-date"] == stamp and stamp in said["x-amzn-sagemaker-custom-attributes"]
            assert said["authorization"] == botocores(session, target, request.path, request.headers, body)
