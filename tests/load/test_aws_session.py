"""Signing and endpoint resolution against botocore's own, without a network."""

import datetime
import os

import boto3
import pytest
from botocore.config import Config

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.transport.aws_session import AwsSession, NoCredentials
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.calls import SCENARIO
from tests.helpers.signature import parts, signature_of
from tests.helpers.wire_server import receive, serving

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
TARGETS = {
    "sagemaker": {
        "service": "sagemaker",
        "endpoint": "my-endpoint",
        "dialect": "tgi",
        "stream": True,
        "variant": "Blue",
    },
    "converse": {"service": "bedrock", "model_id": "meta.llama3-8b-instruct-v1:0", "stream": True},
    "invoke": {
        "service": "bedrock",
        "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
        "api": "invoke",
        "parameters": {"max_tokens": 5},
    },
    "arn": {"service": "bedrock", "model_id": ARN, "stream": False},
}
ANSWER = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """Example credentials, and nothing else of the machine's."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def scenario(*targets: dict, **more) -> Scenario:
    named = [{"name": f"t{n}"} | target for n, target in enumerate(targets)]
    return Scenario.model_validate(SCENARIO | {"targets": named} | more)


def signed(target: dict, **more) -> tuple[bytes, dict[str, str]]:
    """Our request for the target: its first line, and its headers in lower case."""
    sc = scenario(target, **more)
    body = build(sc.targets[0], Prompt("p", "Héllo there", None))
    request = AwsSession(sc).request(sc.targets[0], body.path, dict(body.headers), body.body)
    head, sent = request.split(b"\r\n\r\n", 1)
    assert sent == body.body
    return parts(head)


def boto3s(target: dict, port: int, server) -> tuple[bytes, dict[str, str]]:
    """What boto3 sends for the same call, on the wire."""
    sc = scenario(target)
    body = build(sc.targets[0], Prompt("p", "Héllo there", None)).body
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    name = "sagemaker-runtime" if target["service"] == "sagemaker" else "bedrock-runtime"
    client = boto3.Session().client(
        name, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}", config=config
    )
    calls = {
        "sagemaker": lambda: client.invoke_endpoint_with_response_stream(
            EndpointName="my-endpoint", Body=body, ContentType="application/json", TargetVariant="Blue"
        ),
        "converse": lambda: client.converse_stream(modelId=target["model_id"], messages=[]),
        "invoke": lambda: client.invoke_model(
            modelId=target["model_id"], body=body, contentType="application/json", accept="application/json"
        ),
        "arn": lambda: client.converse(modelId=target["model_id"], messages=[]),
    }
    kind = next(k for k, t in TARGETS.items() if t is target)
    with pytest.raises(client.exceptions.ClientError):
        calls[kind]()
    return parts(server.requests[-1])


def answer(connection, server):
    while request := receive(connection):
        server.requests.append(request)
        connection.sendall(ANSWER)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("token", [None, "SESSION/TOKEN+=="])
def test_path_and_headers_are_those_that_boto3_sends_and_the_signature_is_botocores(kind, token, monkeypatch):
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    target = TARGETS[kind]
    with serving(answer) as server:
        line, theirs = boto3s(target, server.port, server)
        ours_line, ours = signed(target, endpoint_url=f"http://127.0.0.1:{server.port}")
    assert ours_line == line
    said = ours["authorization"].split(", ")
    theirs_said = theirs["authorization"].split(", ")
    scope = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d") + (
        "/us-east-1/sagemaker" if kind == "sagemaker" else "/us-east-1/bedrock"
    )
    assert said[0] == f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}/aws4_request"
    assert said[0][:-8] == theirs_said[0][:-8]
    names = set(said[1].removeprefix("SignedHeaders=").split(";"))
    assert {"host", "x-amz-date"} <= names and ("x-amz-security-token" in names) is bool(token)
    assert ours["host"] == theirs["host"]
    assert ours.get("x-amz-security-token") == token == theirs.get("x-amz-security-token")
    for name, value in theirs.items():
        if name.startswith("x-amzn-") or name in ("content-type", "accept"):
            assert ours.get(name) == value, name


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://example.test", "https://example.test:443", "http://Example.test:80/base/"]
)
def test_the_signature_is_right_for_what_is_on_the_wire(kind, url):
    """An independent check: the canonical request is made anew from the bytes that are sent, by the published rules."""
    sc = scenario(TARGETS[kind], endpoint_url=url)
    body = build(sc.targets[0], Prompt("p", "Héllo there", None))
    request = AwsSession(sc).request(sc.targets[0], body.path, dict(body.headers), body.body)
    line, headers = parts(request.split(b"\r\n\r\n", 1)[0])
    assert (
        signature_of(line.decode(), headers, request.split(b"\r\n\r\n", 1)[1], SECRET)
        == headers["authorization"].rsplit("Signature=", 1)[1]
    )
    if "/base" in url:
        assert line.startswith((b"POST /base/model/", b"POST /base/endpoints/"))


def origin(target: dict, **more) -> str:
    sc = scenario(target, **more)
    found = AwsSession(sc).origin(sc.targets[0])
    return f"{found.scheme}://{found.host}:{found.port}"


def test_the_endpoint_is_the_targets_then_the_scenarios_then_the_environments_then_the_regions(monkeypatch):
    bedrock, sagemaker = TARGETS["converse"], TARGETS["sagemaker"]
    assert origin(bedrock) == "https://bedrock-runtime.us-east-1.amazonaws.com:443"
    assert origin(sagemaker, region="eu-west-1") == "https://runtime.sagemaker.eu-west-1.amazonaws.com:443"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert origin(bedrock) == origin(sagemaker) == "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:2")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:3")
    assert (origin(bedrock), origin(sagemaker)) == ("http://127.0.0.1:2", "http://127.0.0.1:3")
    assert origin(bedrock, endpoint_url="http://127.0.0.1:4") == "http://127.0.0.1:4"
    assert (
        origin(bedrock | {"endpoint_url": "http://127.0.0.1:5"}, endpoint_url="http://127.0.0.1:4")
        == "http://127.0.0.1:5"
    )


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "localhost", "http://", "ftp://example.test", "http://example.test:port"]
)
def test_an_endpoint_that_is_no_url_is_refused_with_the_targets_name(url):
    with pytest.raises(BadInput, match=r"target `t0`: no endpoint: .*; check `endpoint_url` and `region`"):
        origin(TARGETS["converse"], endpoint_url=url)


def test_without_credentials_the_remedy_is_named(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(
        NoCredentials,
        match="AWS credentials: none found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ):
        AwsSession(scenario(TARGETS["converse"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"AWS_SECRET_ACCESS_KEY": None},
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_PROFILE": "nobody"},
    ],
    ids=["half a pair", "a profile that does not exist"],
)
def test_credentials_that_cannot_be_used_are_a_mistake_of_the_input(changes, monkeypatch):
    for name, value in changes.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as e:
        AwsSession(scenario(TARGETS["converse"]))
    assert "\n" not in str(e.value)


def test_a_bearer_token_takes_the_place_of_the_signature_for_bedrock_alone(monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-abc")
    _, headers = signed(TARGETS["converse"])
    assert headers["authorization"] == "Bearer bedrock-api-key-abc"
    assert "x-amz-date" not in headers
    assert signed(TARGETS["sagemaker"])[1]["authorization"].startswith("AWS4-HMAC-SHA256 ")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert signed(TARGETS["converse"])[1]["authorization"] == "Bearer bedrock-api-key-abc"
    with pytest.raises(NoCredentials):
        AwsSession(scenario(TARGETS["sagemaker"]))


def test_credentials_that_change_are_used_at_once(monkeypatch):
    """A session's credentials are asked for anew at every request, so that a refreshed token takes effect."""
    sc = scenario(TARGETS["converse"])
    session, body = AwsSession(sc), build(sc.targets[0], Prompt("p", "x", None))
    session._credentials.access_key = "AKIANEWNEWNEWNEWNEW1"
    request = session.request(sc.targets[0], body.path, dict(body.headers), body.body)
    assert b"Credential=AKIANEWNEWNEWNEWNEW1/" in request
