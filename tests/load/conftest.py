"""For all tests of this folder."""

import os

import pytest

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY


@pytest.fixture(scope="module")
def credentials():
    """The example credentials, and nothing else of AWS's in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", EXAMPLE_ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", EXAMPLE_SECRET_KEY)
        yield
