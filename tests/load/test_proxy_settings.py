"""Proxies: who is reached through one, as boto3 decides it, and the settings that are refused."""

import pytest

from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.proxy import Proxy, proxy_for
from locustfiles.contract.bad_input import BadInput
from tests.helpers.proxies import BASIC, QUOTED, SECRET, boto3s_session

pytestmark = [pytest.mark.timed, pytest.mark.usefixtures("no_proxies")]

ENVIRONMENTS = [
    {},
    {"HTTPS_PROXY": "http://upper:3128"},
    {"HTTPS_PROXY": "http://upper:3128", "https_proxy": "http://lower:3129"},
    {"HTTP_PROXY": "http://plain:8080"},
    {"http_proxy": "http://plain:8080", "https_proxy": "tls:8081"},
    {"https_proxy": "//slashes:1"},
    {"HTTPS_PROXY": "http://port-is-80"},
    {"HTTPS_PROXY": "http://[::1]:3128", "HTTP_PROXY": "http://[::1]:3129"},
    {"ALL_PROXY": "http://all:1"},
    {"HTTPS_PROXY": "http://upper:3128", "https_proxy": ""},
]
BYPASSES = [
    None,
    "*",
    "amazonaws.com",
    ".amazonaws.com",
    "us-east-1.amazonaws.com:443",
    "other.test",
    "127.0.0.1",
    "localhost,127.0.0.0/8",
    "10.1.2.3",
]
URLS = [
    "https://bedrock-runtime.us-east-1.amazonaws.com",
    "http://127.0.0.1:8080",
    "https://10.1.2.3:8443/base",
    "http://model.test",
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=",".join)
def test_every_endpoint_goes_where_boto3_sends_it(environment, monkeypatch):
    """boto3's own client is asked, for every NO_PROXY and endpoint."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for bypass in BYPASSES:
        monkeypatch.delenv("NO_PROXY", raising=False)
        if bypass:
            monkeypatch.setenv("NO_PROXY", bypass)
        for url in URLS:
            client = boto3s_session().client("bedrock-runtime", region_name="us-east-1", endpoint_url=url)
            theirs = client._endpoint.http_session._proxy_config.proxy_url_for(url)
            ours = proxy_for(url)
            said = theirs and (theirs if theirs.count(":") > 1 and not theirs.endswith("]") else theirs + ":80")
            assert (ours and f"http://{ours}") == said, (bypass, url)


def test_user_and_password_are_percent_decoded_and_shown_nowhere(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://m%2Euser:{QUOTED}@10.0.0.5:3128/")
    proxy = proxy_for("https://model.test")
    assert (proxy.host, proxy.port, proxy.variable, proxy.authorization) == ("10.0.0.5", 3128, "HTTPS_PROXY", BASIC)
    shown = repr(proxy) + str(proxy) + repr(Origin("https", "h", 443, proxy))
    assert "m.user" not in shown and "s3cr3t" not in shown and BASIC not in shown
    assert str(Proxy("::1", 3128, "x")) == "[::1]:3128"


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [
        (f"https://user:{QUOTED}@proxy.test:443", "an https:// proxy needs `transport: boto3`"),
        (f"socks5://user:{QUOTED}@proxy.test:1080", "a proxy's URL begins with http://, this one with socks5://"),
        (f"http://user:{SECRET}@proxy.test:3128", "special characters in user and password percent-encoded"),
        ("http://user:12#s3cr3t@proxy.test:3128", "special characters in user and password percent-encoded"),
        ("http://proxy.test:s3cr3t", "write http://host:port"),
        ("http://proxy.test:0", "write http://host:port"),
        ("http://:3128", "write http://host:port"),
        ("http://[::1:3128", "write http://host:port"),
        ("http://my s3cr3t proxy:3128", "write http://host:port"),
    ],
)
def test_a_proxy_setting_that_cannot_be_used_is_refused_before_anything_is_sent(setting, remedy, monkeypatch):
    monkeypatch.setenv("https_proxy", setting)
    with pytest.raises(BadInput) as e:
        proxy_for("https://model.test")
    assert str(e.value).startswith("https_proxy: ") and remedy in str(e.value) and "\n" not in str(e.value)
    assert "s3cr3t" not in str(e.value) and "user:12" not in str(e.value)
    assert proxy_for("http://model.test") is None
