"""Proxies: tunnels and absolute URLs on a real wire, and what a refusal is called."""

import socket
import time

import pytest

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.transport.aws_session import AwsSession
from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.proxy import Proxy
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.scenario import Scenario
from tests.helpers.calls import SCENARIO
from tests.helpers.proxies import BASIC, KEY, QUOTED, boto3s_session
from tests.helpers.signature import parts, signature_of
from tests.helpers.wire_client import ANSWER, REQUEST, body, run
from tests.helpers.wire_server import answering, certificate, receive, serving, sleep, tunnelling

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("no_proxies")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The certificate of a host that no resolver knows: it is reached through the tunnel or not at all."""
    return certificate(tmp_path_factory.mktemp("model"), "model.invalid")


def through(port: int, scheme: str = "https", authorization: str | None = BASIC) -> Origin:
    proxy = Proxy("127.0.0.1", port, "HTTPS_PROXY", authorization=authorization)
    return Origin(scheme, "model.invalid", 443 if scheme == "https" else 80, proxy)


def test_https_goes_through_a_tunnel_and_is_verified_against_the_endpoint(model):
    ca, context = model
    with serving(answering(ANSWER), tls=context) as server, serving(tunnelling(server.port)) as proxy:
        transport, origin = ConnectionPool(str(ca)), through(proxy.port)
        exchanges = [run(origin, transport=transport) for _ in range(3)]
    assert [(body(e), e.ended, e.error, e.reconnect) for e in exchanges] == [
        (b"hello", True, None, r) for r in (1, 0, 0)
    ]
    assert (proxy.connections, server.connections) == (1, 1)
    (asked,) = proxy.requests
    assert asked.split(b"\r\n")[:3] == [
        b"CONNECT model.invalid:443 HTTP/1.1",
        b"Host: model.invalid:443",
        f"Proxy-Authorization: {BASIC}".encode(),
    ]
    assert server.requests == [REQUEST] * 3


def test_a_tunnel_opened_ahead_is_used_and_its_request_opened_none(model):
    ca, context = model
    with serving(answering(ANSWER), tls=context) as server, serving(tunnelling(server.port)) as proxy:
        transport, origin = ConnectionPool(str(ca)), through(proxy.port, authorization=None)
        assert transport.open(origin) is None
        exchange = run(origin, transport=transport)
        direct = run(Origin("https", "127.0.0.1", server.port), transport=transport)
    assert (exchange.reconnect, exchange.error, proxy.connections) == (0, None, 1)
    assert b"Proxy-Authorization" not in proxy.requests[0]
    assert (direct.reconnect, direct.error) == (
        1,
        "connect",
    )  # another origin; and the certificate is not for 127.0.0.1


def test_a_certificate_for_another_host_inside_the_tunnel_is_not_the_proxys_fault(tmp_path):
    ca, context = certificate(tmp_path, "other.invalid")
    with serving(answering(ANSWER), tls=context) as server, serving(tunnelling(server.port)) as proxy:
        exchange = run(through(proxy.port), transport=ConnectionPool(str(ca)))
    assert exchange.error == "connect" and "certificate" in exchange.error_message.lower()
    assert "proxy" not in exchange.error_message.lower()
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "what", "remedy"),
    [
        (
            b"HTTP/1.1 407 Nope\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            "407 Proxy Authentication Required",
            "password into HTTPS_PROXY",
        ),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403 Forbidden", "list model.invalid in NO_PROXY"),
        (b"HTTP/1.0 502 \r\n\r\n", "502 Bad Gateway", "check that the proxy reaches it"),
        (b"HTTP/1.1 599 x\r\n\r\n", ": 599; ", "check that the proxy reaches it"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "answered something that is not HTTP", "check HTTPS_PROXY"),
        (b"HTTP/1.1 OK\r\n\r\n", "answered something that is not HTTP", "check HTTPS_PROXY"),
        (b"HTTP/1.1 200 OK\r\n", "answered something that is not HTTP", "check HTTPS_PROXY"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "answered something that is not HTTP", "check HTTPS_PROXY"),
        (b"", "closed the connection instead of opening a tunnel", "check HTTPS_PROXY"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_of_class_connect_and_named(answer, what, remedy):
    def script(connection, server):
        receive(connection)
        connection.sendall(answer)

    with serving(script) as proxy:
        exchange, opened = run(through(proxy.port)), ConnectionPool().open(through(proxy.port))
    assert (exchange.error, exchange.status, exchange.ended) == ("connect", None, False)
    for message in (exchange.error_message, opened):
        assert message.startswith(f"proxy 127.0.0.1:{proxy.port}") and what in message and remedy in message
        assert len(message) <= 200 and "m.user" not in message and BASIC[6:] not in message


def test_a_proxy_that_says_nothing_is_given_up_with_the_connect_timeout():
    with serving(lambda connection, server: sleep(1)) as proxy:
        began = time.perf_counter()
        exchange = run(through(proxy.port), timeout_s=0.3)
    assert exchange.error == "connect" and exchange.error_message.startswith(
        f"proxy 127.0.0.1:{proxy.port}: no connection within 0.3 s; check HTTPS_PROXY"
    )
    assert 0.28 < time.perf_counter() - began < 0.9


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_is_named(scheme):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    exchange = run(through(port, scheme))
    assert exchange.error == "connect"
    assert (
        exchange.error_message
        == f"proxy 127.0.0.1:{port}: Connection refused; check HTTPS_PROXY, or list model.invalid in NO_PROXY"
    )
    unknown = Origin(scheme, "h", 1, Proxy("no-such-proxy.invalid", 3128, "HTTP_PROXY"))
    assert ConnectionPool().open(unknown).startswith("proxy no-such-proxy.invalid:3128: ")


@pytest.mark.parametrize(("status", "error"), [(407, "connect"), (403, None), (502, None)])
def test_a_plain_requests_407_is_the_proxys_and_any_other_status_may_be_the_endpoints(status, error):
    with serving(answering(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)) as proxy:
        exchange = run(through(proxy.port, "http"))
    assert (exchange.status, exchange.error) == (status, error)
    if error:
        assert "put a valid user and password into HTTPS_PROXY" in exchange.error_message


def test_a_407_without_a_proxy_is_the_endpoints():
    with serving(answering(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as server:
        exchange = run(Origin("http", "127.0.0.1", server.port))
    assert (exchange.status, exchange.error) == (407, None)


CONVERSE = {"name": "t", "service": "bedrock", "model_id": "meta.llama3-8b-instruct-v1:0", "stream": False}


def scenario(**more) -> Scenario:
    return Scenario.model_validate(SCENARIO | {"targets": [CONVERSE]} | more)


@pytest.mark.parametrize("base", ["", "/base/"])
def test_a_plain_endpoints_proxy_gets_the_whole_url_unsigned_as_from_boto3(base, monkeypatch):
    """The signature is that of the path alone: boto3's first line, and the canonical request made anew from our bytes."""
    with serving(answering(ANSWER.replace(b"hello", b"{}   "))) as proxy:
        monkeypatch.setenv(
            "HTTP_PROXY", f"http://m.user:{QUOTED.replace('%C3%A4', 'a')}@127.0.0.1:{proxy.port}"
        )  # boto3 knows ASCII alone
        sc = scenario(endpoint_url=f"http://model.invalid:8080{base}")
        session, built = AwsSession(sc), build(sc.targets[0], Prompt("p", "hi", None))
        origin = session.origin(sc.targets[0])
        exchange = run(origin, session.request(sc.targets[0], built.path, dict(built.headers), built.body))
        boto3s_session().client("bedrock-runtime", region_name="us-east-1", endpoint_url=sc.endpoint_url).converse(
            modelId=CONVERSE["model_id"], messages=[]
        )
    assert (exchange.error, exchange.status, origin.host, origin.port) == (None, 200, "model.invalid", 8080)
    (line, ours), (their_line, theirs) = (parts(request) for request in proxy.requests)
    assert line == their_line
    assert line.startswith(
        b"POST http://model.invalid:8080"
        + base.rstrip("/").encode()
        + b"/model/meta.llama3-8b-instruct-v1%3A0/converse "
    )
    assert ours["proxy-authorization"] == theirs["proxy-authorization"]
    assert ours["host"] == theirs["host"] == "model.invalid:8080"
    assert "proxy-authorization" not in ours["authorization"]
    path = line.decode().replace("http://model.invalid:8080", "")
    assert (
        signature_of(path, ours, proxy.requests[0].split(b"\r\n\r\n", 1)[1], KEY)
        == ours["authorization"].rsplit("Signature=", 1)[1]
    )


def test_a_target_whose_proxy_cannot_be_used_is_named_but_boto3_may_use_it(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{port}")
        with pytest.raises(BadInput, match=r"target `t`: HTTPS_PROXY: an https:// proxy needs `transport: boto3`"):
            Sender(scenario(), Clock(), print)
        sc = scenario(transport="boto3")
        origin = AwsSession(sc).origin(sc.targets[0])
        assert (origin.host, origin.proxy.secure) == ("bedrock-runtime.us-east-1.amazonaws.com", True)
        assert ConnectionPool().open(origin) is None
    assert ConnectionPool().open(origin).startswith(f"proxy 127.0.0.1:{port}: Connection refused; check HTTPS_PROXY")


def test_an_endpoint_behind_a_refusing_proxy_is_unreachable_with_the_proxys_reason(monkeypatch):
    refuse = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(refuse)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://m.user:{QUOTED}@127.0.0.1:{proxy.port}")
        (found,) = Sender(scenario(), Clock(), print).unreachable()
    problem = found.what  # all of it, with the `;` in the proxy's own words
    assert found.remedy.startswith("check ") and found.targets == ["t"]
    assert problem.startswith(
        "https://bedrock-runtime.us-east-1.amazonaws.com:443 (t): accepts no connection: proxy 127.0.0.1:"
    )
    assert "407 Proxy Authentication Required; put a valid user and password into HTTPS_PROXY" in problem
    assert "s3cr3t" not in problem and "m.user" not in problem
