"""Locust's own totals, with workers: no call is missing that was over before Locust sent the worker users."""

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import free_port, one_locust

#: Locust clears a worker's counts when its first users come; here they come in the midst of the first calls
LATE_USERS = """
import gevent
from locust import events
from locust.runners import WorkerRunner


@events.init.add_listener
def late(runner, **_):
    if not isinstance(runner, WorkerRunner):
        return
    handle = runner.handle_message

    def slowly(message):
        if message.type == "spawn":
            gevent.spawn_later(0.3, handle, message)
        else:
            handle(message)

    runner.handle_message = slowly
"""


def test_first_calls_that_end_before_there_are_users_are_in_locusts_totals(endpoint, tmp_path):
    (tmp_path / "plugin.py").write_text(LATE_USERS)
    before, port = endpoint.stats()["requests"], free_port()
    load = {"users": [1], "settle_s": 0, "settle_at_most_s": 0.5, "measure_s": 1}
    targets = [folders.sagemaker("quick"), folders.bedrock("quick-model")]
    scenario = folders.make_scenario(tmp_path, endpoint.url, targets, load)
    more = ("--processes", 1, "--master-bind-port", port, "--master-port", port)
    files = f"{ROOT / 'locustfiles/sweep.py'},{tmp_path / 'plugin.py'}"
    with one_locust(scenario, tmp_path / "run", *more, locustfile=files) as process:
        assert process.wait() == 0, process.text
    rows, sent = folders.rows(tmp_path / "run"), endpoint.stats()["requests"] - before
    assert sum(row.phase == "warmup" for row in rows) >= 2
    assert int(folders.total(tmp_path / "run")["Request Count"]) == len(rows) == sent
