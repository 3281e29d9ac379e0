"""`--processes`: a master and its workers of one command, and what stays of them."""

import contextlib
import os
import signal

from tests.helpers import folders
from tests.helpers.locust_process import free_port, one_locust
from tests.helpers.patience import until


def test_a_bad_scenario_leaves_no_worker_of_processes_behind(tmp_path):
    """They try for five minutes to reach the master that is gone, and hold its output open."""
    scenario = folders.make_scenario(
        tmp_path, "http://127.0.0.1:9", [folders.sagemaker("quick")], {"users": [1], "measure_s": 1}, lod=1
    )
    port = free_port()
    more = ("--processes", 2, "--master-bind-port", port, "--master-port", port)
    with one_locust(scenario, tmp_path / "run", *more) as process:
        assert process.wait() == 1, process.text

        def gone() -> bool:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.popen.pid, 0)
                return False
            return True

        try:
            until(gone, lambda: process.text, timeout_s=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.popen.pid, signal.SIGKILL)
