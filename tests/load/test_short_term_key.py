"""Short-term API keys: AWS's own form, and when a key is made anew."""

import base64
import urllib.parse

import botocore.credentials
import pytest

from locustfiles.common.transport import short_term_key
from locustfiles.common.transport.short_term_key import ShortTermKey

FIRST, SECOND = (botocore.credentials.ReadOnlyCredentials(f"AKIA{n}", "secret", "token/+=") for n in "12")


@pytest.mark.parametrize("service", ["bedrock", "sagemaker"])
def test_a_key_is_a_presigned_request_of_its_service_and_region(service):
    key = ShortTermKey(service, "eu-west-1").of(FIRST)
    text = base64.b64decode(key.removeprefix(f"{service}-api-key-"), validate=True).decode()
    place, _, query = text.partition("?")
    asked = dict(urllib.parse.parse_qsl(query))
    assert (place, asked["Action"], query[-10:]) == (f"{service}.amazonaws.com/", "CallWithBearerToken", "&Version=1")
    assert asked["X-Amz-Credential"].endswith(f"/eu-west-1/{service}/aws4_request")
    assert (asked["X-Amz-Security-Token"], asked["X-Amz-Expires"]) == ("token/+=", "3600")
    assert "secret" not in text


def test_a_key_is_made_anew_with_its_credentials_and_before_it_ends(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(short_term_key.time, "monotonic", lambda: now[0])
    made = []
    monkeypatch.setattr(ShortTermKey, "_made", lambda self, credentials: made.append(credentials) or f"key {len(made)}")
    key = ShortTermKey("bedrock", "us-east-1")
    assert [key.of(FIRST), key.of(FIRST), key.of(SECOND)] == ["key 1", "key 1", "key 2"]
    now[0] += short_term_key.LASTS_S / 2 - 1
    assert key.of(SECOND) == "key 2"
    now[0] += 2
    assert key.of(SECOND) == "key 3" and made == [FIRST, SECOND, SECOND]
