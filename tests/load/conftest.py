"""For all tests of this folder."""

import os

import pytest

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.proxies import KEY


@pytest.fixture(scope="module")
def credentials():
    """The example credentials, and nothing else of AWS's in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", EXAMPLE_ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", EXAMPLE_SECRET_KEY)
        yield


@pytest.fixture
def no_proxies(monkeypatch):
    """An environment that names no proxy, and nothing of AWS's but a key."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
