import pytest

from tests.emulator_process import running_emulator
from tests.runs import folders


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    with running_emulator(folders.EMULATOR, truth=tmp_path_factory.mktemp("endpoint") / "truth.jsonl") as e:
        yield e
