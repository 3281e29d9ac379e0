"""One endpoint for the runs of this folder that need none of their own."""

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    with running_emulator(folders.EMULATOR, truth=tmp_path_factory.mktemp("endpoint") / "truth.jsonl") as e:
        yield e
