"""One server for all tests of this folder, and a front of its own for each."""

import os

import pytest

from locustfiles.contract.s3.address import Address
from locustfiles.contract.s3.bucket import Bucket
from tests.helpers.proxies import KEY
from tests.helpers.s3_server import BUCKET, Front, moto


@pytest.fixture(scope="session")
def server():
    with moto() as url:
        yield url


@pytest.fixture
def front(server, monkeypatch, tmp_path):
    """boto3's settings name it; the working folder is empty."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("AWS_"):
            monkeypatch.delenv(name)
    with Front(server) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", found.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.chdir(tmp_path)
        yield found


@pytest.fixture
def address(request) -> Address:
    """Each test's own."""
    return Address(BUCKET, f"runs/{request.node.name.partition('[')[0]}-{abs(hash(request.node.name))}")


@pytest.fixture
def bucket(front, address) -> Bucket:
    return Bucket(address)
