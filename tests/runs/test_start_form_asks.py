"""A run above `confirm_above_usd` in the web UI: it waits for an answer, which may be Stop, yes, or none at all (no: test_web.py)."""

import signal

from locustfiles.common.planning.confirm import Question
from tests.helpers import folders
from tests.helpers.locust_page import answered, asked, await_idle, await_page, post, refused
from tests.helpers.locust_process import free_port, one_locust
from tests.helpers.patience import until

LOAD = {"users": [1], "settle_s": 0, "measure_s": 0.5}


def test_a_run_that_asks_can_be_stopped_and_the_next_ones_question_is_answered_once(endpoint, tmp_path):
    """$0.001 a second, and a ten-thousandth of a dollar is to be confirmed."""
    targets, before, port = [folders.sagemaker("quick")], endpoint.stats()["requests"], free_port()
    scenario = folders.make_scenario(tmp_path, endpoint.url, targets, LOAD, confirm_above_usd=0.0001)
    url, gone = (
        f"http://127.0.0.1:{port}",
        "nothing is asked now, or another question: it was answered, or its run has ended\n",
    )
    with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process:
        await_page(url)

        def begin() -> dict:
            post(url, "/swarm", user_count=1, spawn_rate=1)
            until(lambda: asked(url), lambda: f"asked: {process.text[-3000:]}")
            return asked(url)

        first = begin()
        assert endpoint.stats()["requests"] - before == 1  # the first call
        assert post(url, "/stop")["success"]
        await_idle(url)
        assert asked(url) is None and answered(url, id=first["id"], yes=1) == (409, gone)
        assert folders.manifest(tmp_path / "run")["status"] == "stopped"
        assert endpoint.stats()["requests"] - before == len(folders.rows(tmp_path / "run")) == 1
        second = begin()
        assert second["text"].startswith("The run may cost $0.")
        assert ", above $0.0001. This run takes about 1 min, " in second["text"]
        assert answered(url, id=first["id"], yes=1) == (409, gone)  # another tab still shows the first one
        assert answered(url, id=second["id"])[0] == answered(url, yes=1)[0] == 400
        assert answered(url, id=second["id"], yes=1) == (200, "done\n")
        complete = lambda: folders.manifest(tmp_path / "run-2")["status"] == "complete"  # noqa: E731
        until(complete, lambda: process.text[-3000:])
        until(lambda: asked(url) is None, "no question any more")
        assert refused(url) is None
        assert answered(url, id=second["id"], yes=0) == (409, gone)
        process.send(signal.SIGTERM)
        assert process.wait() == 4, process.text  # one was stopped
    assert len(folders.rows(tmp_path / "run-2")) == endpoint.stats()["requests"] - before - 1 > 1
    assert "Traceback" not in process.text


def test_a_question_that_nobody_answers_is_answered_by_none():
    question = Question("Go on?")
    assert question.wait(0.01) is None
    question.answer(True)
    question.answer(False)  # too late
    assert question.wait(0.01) is True
