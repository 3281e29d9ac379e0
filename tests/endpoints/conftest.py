"""For the commands of endpoints: the environment and boto3's client of a module's own `plane`."""

import pytest

from tests.helpers.control_plane import variables


@pytest.fixture
def user(plane, tmp_path, monkeypatch):
    """Whose environment leads to the plane; their folder."""
    for name, value in variables(plane.url, tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture(scope="module")
def client(plane):
    return plane.client("sagemaker")
