"""A run above `confirm_above_usd` in the web UI: it waits for an answer, which may be yes, no, none at all, or Stop."""

import contextlib
import signal
import typing

import pytest

from locustfiles.common.planning.confirm import Question
from tests.helpers import folders
from tests.helpers.locust_page import answered, asked, await_page, await_state, post, refused
from tests.helpers.locust_process import LocustProcess, free_port, one_locust
from tests.helpers.patience import until

LOAD = {"users": [1], "settle_s": 0, "measure_s": 0.5}


@pytest.fixture
def waiting(endpoint, tmp_path):
    """A run that waits for its answer, after its first call: $0.001 a second, and a ten-thousandth of a dollar is to be confirmed.
    (process, address of the page, question, run folder, first calls)"""

    @contextlib.contextmanager
    def begin(before: int) -> typing.Iterator[tuple[LocustProcess, str, dict]]:
        targets = [folders.sagemaker("quick")]
        scenario = folders.make_scenario(tmp_path, endpoint.url, targets, LOAD, confirm_above_usd=0.0001)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process:
            await_page(url)
            post(url, "/swarm", user_count=1, spawn_rate=1)
            until(lambda: asked(url), lambda: f"asked: {process.text[-3000:]}")
            assert endpoint.stats()["requests"] - before == 1
            yield process, url, asked(url)

    return begin


def test_yes_goes_on_and_the_question_is_answered_once(waiting, endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    with waiting(before) as (process, url, question):
        assert question["text"].startswith("The run may cost $0.")
        assert ", above $0.0001. This run takes about 1 min, " in question["text"]
        assert answered(url, id=question["id"] + 1, yes=1)[0] == 409
        assert answered(url, id=question["id"])[0] == answered(url, yes=1)[0] == 400
        assert answered(url, id=question["id"], yes=1) == (200, "done\n")
        await_state(url, "stopped")
        assert asked(url) is None and refused(url) is None
        told = answered(url, id=question["id"], yes=0)  # of another tab
        assert told == (409, "nothing is asked now, or another question: it was answered, or its run has ended\n")
        process.send(signal.SIGTERM)
        assert process.wait() == 0, process.text
    assert folders.manifest(tmp_path / "run")["status"] == "complete"
    assert len(folders.rows(tmp_path / "run")) == endpoint.stats()["requests"] - before > 1


def test_no_sends_nothing_more_and_says_so_in_the_terminals_words(waiting, endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    with waiting(before) as (process, url, question):
        assert answered(url, id=question["id"], yes=0) == (200, "done\n")
        await_state(url, "stopped")
        said = "confirm_above_usd: not confirmed, nothing but first calls was sent; answer yes, or add --yes"
        assert refused(url) == said
        process.send(signal.SIGTERM)
        assert process.wait() == 1, process.text
    assert process.errors == [f"error: {said}"]
    assert endpoint.stats()["requests"] - before == len(folders.rows(tmp_path / "run")) == 1


def test_stop_while_it_asks_ends_the_run_and_nothing_more_is_sent(waiting, endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    with waiting(before) as (process, url, question):
        assert post(url, "/stop")["success"]
        await_state(url, "stopped")
        assert asked(url) is None
        assert answered(url, id=question["id"], yes=1)[0] == 409
        process.send(signal.SIGTERM)
        assert process.wait() == 4, process.text
    assert folders.manifest(tmp_path / "run")["status"] == "stopped"
    assert endpoint.stats()["requests"] - before == len(folders.rows(tmp_path / "run")) == 1
    assert "Traceback" not in process.text


def test_a_question_that_nobody_answers_is_answered_by_none():
    question = Question("Go on?")
    assert question.wait(0.01) is None
    question.answer(True)
    question.answer(False)  # too late
    assert question.wait(0.01) is True
