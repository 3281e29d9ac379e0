"""Signature Version 4 is verified for real: what is accepted, and what each refusal says."""

import datetime
import json
from unittest import mock

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from scripts.emulator.sigv4 import signing_key
from tests.helpers import bodies, raw_wire, shapes
from tests.helpers.emulator_process import running_emulator

CONFIG = {
    "region": "us-east-1",
    "credentials": [
        {"access_key": EXAMPLE_ACCESS_KEY, "secret_key": EXAMPLE_SECRET_KEY},
        {"access_key": "ASIATEMPORARY", "secret_key": "temporary", "session_token": "the-token"},
        {"access_key": "ASIAEXPIRED", "secret_key": "expired", "session_token": "old", "expired": True},
    ],
    "bearer_tokens": ["bedrock-api-key-example"],
    "engines": {"e": {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 1000}},
    "endpoints": {"tgi": {"engine": "e"}},
    "models": {"m.one-v1:0": {"engine": "e", "family": "nova"}},
}


@pytest.fixture(scope="module")
def strict():
    with running_emulator(CONFIG) as e:
        yield e


def _converse(e, credentials=raw_wire.EXAMPLE, **signing):
    return raw_wire.send(e.url, "Converse", "m.one-v1:0", bodies.converse(2), credentials=credentials, **signing)


def _refusal(answer) -> tuple[str, str]:
    assert answer.status == 403
    return shapes.walk_error("bedrock", "Converse", answer), answer.json()["message"]


def test_a_colon_in_a_model_id_is_signed_encoded_twice(strict):
    answer = _converse(strict)
    assert answer.status == 200
    path, _ = raw_wire.signed(strict.url, "Converse", "m.one-v1:0", b"")
    assert path == "/model/m.one-v1%3A0/converse"


@pytest.mark.parametrize(("service", "operation"), [("bedrock", "Converse"), ("sagemaker", "InvokeEndpoint")])
def test_a_wrong_secret_gets_awss_403(strict, service, operation):
    target, body = ("m.one-v1:0", bodies.converse(2)) if service == "bedrock" else ("tgi", bodies.tgi(2))
    answer = raw_wire.send(strict.url, operation, target, body, credentials=Credentials(EXAMPLE_ACCESS_KEY, "wrong"))
    assert answer.status == 403
    assert shapes.walk_error(service, operation, answer) == "InvalidSignatureException"
    assert answer.json()["message"].startswith(
        "The request signature we calculated does not match the signature you provided. "
    )


def test_boto3_shows_a_wrong_secret_as_it_does_with_aws(strict):
    with pytest.raises(ClientError) as e:
        strict.client("bedrock-runtime", aws_secret_access_key="wrong").converse(
            modelId="m.one-v1:0", **bodies.converse(2)
        )
    assert e.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_changed_body_breaks_the_signature(strict):
    body = json.dumps(bodies.converse(2)).encode()
    path, headers = raw_wire.signed(strict.url, "Converse", "m.one-v1:0", body)
    changed = body.replace(b"harbour", b"airport")
    assert len(changed) == len(body)
    assert _refusal(raw_wire.post(strict.url, path, headers, changed))[0] == "InvalidSignatureException"


def test_a_changed_path_breaks_the_signature(strict):
    body = json.dumps(bodies.converse(2)).encode()
    path, headers = raw_wire.signed(strict.url, "Converse", "m.one-v1:0", body)
    assert (
        _refusal(raw_wire.post(strict.url, path.replace("converse", "invoke"), headers, body))[0]
        == "InvalidSignatureException"
    )


def test_extra_signed_headers_count(strict):
    """The invoke headers that a client signs are part of what is checked."""
    body = json.dumps(bodies.converse(2)).encode()
    path, headers = raw_wire.signed(
        strict.url, "Converse", "m.one-v1:0", body, headers={"X-Amzn-Bedrock-Trace": "ENABLED"}
    )
    assert "x-amzn-bedrock-trace" in headers["Authorization"]
    assert raw_wire.post(strict.url, path, headers, body).status == 200
    assert (
        _refusal(raw_wire.post(strict.url, path, {**headers, "X-Amzn-Bedrock-Trace": "DISABLED"}, body))[0]
        == "InvalidSignatureException"
    )


def test_an_unknown_key_is_an_unrecognized_client(strict):
    assert _refusal(_converse(strict, Credentials("AKIAUNKNOWN", "x"))) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_a_session_token_must_be_the_right_one(strict):
    assert _converse(strict, Credentials("ASIATEMPORARY", "temporary", "the-token")).status == 200
    for token in (None, "another"):
        assert (
            _refusal(_converse(strict, Credentials("ASIATEMPORARY", "temporary", token)))[0]
            == "UnrecognizedClientException"
        )


def test_an_expired_token_says_so(strict):
    assert _refusal(_converse(strict, Credentials("ASIAEXPIRED", "expired", "old"))) == (
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )


def test_a_request_without_authorization_misses_its_token(strict):
    answer = raw_wire.post(
        strict.url, "/model/m.one-v1%3A0/converse", {"Host": "localhost", "Content-Length": "2"}, b"{}"
    )
    assert _refusal(answer) == ("MissingAuthenticationTokenException", "Missing Authentication Token")


def test_a_mutilated_authorization_header_is_incomplete(strict):
    body = b"{}"
    path, headers = raw_wire.signed(strict.url, "Converse", "m.one-v1:0", body)
    headers["Authorization"] = headers["Authorization"].split(", Signature")[0]
    code, message = _refusal(raw_wire.post(strict.url, path, headers, body))
    assert (code, message) == ("IncompleteSignatureException", "Authorization header requires 'Signature' parameter.")


def _signed_at(strict, offset_s: float):
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=offset_s)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=now.replace(tzinfo=None)):
        return _converse(strict)


def test_a_clock_more_than_five_minutes_off_is_refused(strict):
    assert _signed_at(strict, -290).status == 200
    assert _signed_at(strict, 290).status == 200
    code, message = _refusal(_signed_at(strict, -310))
    assert (
        code == "InvalidSignatureException"
        and message.startswith("Signature expired: ")
        and message.endswith(" - 5 min.)")
    )
    code, message = _refusal(_signed_at(strict, 310))
    assert code == "InvalidSignatureException" and message.startswith("Signature not yet current: ")


@pytest.mark.parametrize(
    ("service", "region", "text"),
    [("sagemaker", "us-east-1", "correct service: 'bedrock'"), ("bedrock", "eu-west-1", "a valid region")],
)
def test_another_scope_is_refused(strict, service, region, text):
    body = json.dumps(bodies.converse(2)).encode()
    request = AWSRequest("POST", f"{strict.url}/model/m.one-v1%3A0/converse", headers={}, data=body)
    SigV4Auth(raw_wire.EXAMPLE, service, region).add_auth(request)
    headers = {**dict(request.headers), "Host": strict.url[7:], "Content-Length": str(len(body))}
    code, message = _refusal(raw_wire.post(strict.url, "/model/m.one-v1%3A0/converse", headers, body))
    assert code == "InvalidSignatureException" and text in message


def test_bedrock_takes_a_bearer_token(certificate, monkeypatch):
    """boto3 sends bearer tokens over TLS only."""
    cert, key = certificate
    with running_emulator(CONFIG, arguments=("--tls-cert", str(cert), "--tls-key", str(key))) as e:

        def converse(token: str) -> dict:
            monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", token)
            client = e.client("bedrock-runtime", aws_access_key_id=None, aws_secret_access_key=None, verify=str(cert))
            return client.converse(modelId="m.one-v1:0", **bodies.converse(2))

        assert converse("bedrock-api-key-example")["usage"]["outputTokens"] == 2
        with pytest.raises(ClientError, match="Please make sure your API Key is valid") as refused:
            converse("wrong")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_sagemaker_takes_no_bearer_token(strict):
    headers = {"Host": "localhost", "Authorization": "Bearer bedrock-api-key-example", "Content-Length": "2"}
    answer = raw_wire.post(strict.url, "/endpoints/tgi/invocations", headers, b"{}")
    assert (answer.status, shapes.walk_error("sagemaker", "InvokeEndpoint", answer)) == (
        403,
        "IncompleteSignatureException",
    )


def test_the_published_example_of_awss_documentation_is_reproduced():
    """Signing key of AWS's own worked example (General Reference, "Deriving the signing key"), 20120215,
    us-east-1, iam."""
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"
