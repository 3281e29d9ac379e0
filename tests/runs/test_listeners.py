"""A listener of somebody's own plugin that raises: exit code 2, in whatever process it does."""

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import free_port, one_locust

RAISING = """
from locust import events


@events.request.add_listener
def raising(name, **_):
    if "@1" in name:
        raise ValueError("a listener of a plugin")
"""


@pytest.mark.parametrize("processes", [0, 1])
def test_a_listener_that_raises_makes_the_exit_code_2(endpoint, tmp_path, processes):
    (tmp_path / "plugin.py").write_text(RAISING)
    load, port = {"users": [1], "settle_s": 0, "settle_at_most_s": 0.5, "measure_s": 1}, free_port()
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    more = ("--processes", processes, "--master-bind-port", port, "--master-port", port) if processes else ()
    files = f"{ROOT / 'locustfiles/sweep.py'},{tmp_path / 'plugin.py'}"
    with one_locust(scenario, tmp_path / "run", *more, locustfile=files) as process:
        assert process.wait() == 2, process.text
    assert ("raised there (see its log): exit code 2" in process.text) == bool(processes)
    manifest = folders.manifest(tmp_path / "run")
    assert (manifest["status"], manifest["problems"]) == ("complete", [])  # the records are all there
