"""One endpoint with every surface, and one with every fault, for all tests of this folder."""

import pathlib

import pytest

from scripts.bench.endpoint import make_certificate
from tests.helpers import bodies
from tests.helpers.emulator_process import ROOT, running_emulator


@pytest.fixture(scope="session")
def emulator():
    with running_emulator(bodies.CONFIG) as e:
        yield e


@pytest.fixture(scope="session")
def faulty(tmp_path_factory):
    with running_emulator(
        ROOT / "configs/emulator/faults.yaml", truth=tmp_path_factory.mktemp("faulty") / "truth.jsonl"
    ) as e:
        yield e


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[pathlib.Path, pathlib.Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))
