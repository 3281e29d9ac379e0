"""For these tests: the command, which asks a local endpoint."""

import functools

import pytest

from tests.helpers.enriching import enrich


@pytest.fixture
def ask(monkeypatch, capsys):
    return functools.partial(enrich, monkeypatch, capsys)
