"""Bodies that are JSON and yet wrong, and mistakes of the emulator's own: each is answered, said and counted."""

import asyncio
import re
import time

import pytest

from scripts.emulator import service
from scripts.emulator.clock import clock
from scripts.emulator.config import load
from scripts.emulator.operations import route
from scripts.emulator.truth import Truth
from tests.helpers import bodies, raw_wire, shapes
from tests.helpers.emulator_process import running_emulator

MESSAGES = bodies.converse(2)["messages"]
CACHED = [{"role": "user", "content": [{"text": 7}, {"cachePoint": {"type": "default"}}]}]
COMMAND_R, EMBED = "cohere.command-r-v1:0", "cohere.embed-english-v3"
WRONG = {
    "a tool is demanded and none is there": (
        "Converse",
        bodies.NOVA,
        {"messages": MESSAGES, "toolConfig": {"toolChoice": {"any": {}}}},
    ),
    "a tool without a name is demanded": (
        "Converse",
        bodies.NOVA,
        {"messages": MESSAGES, "toolConfig": {"toolChoice": {"tool": {}}}},
    ),
    "a text that is a number, cached": ("Converse", bodies.NOVA, {"messages": CACHED}),
    "a history without a message": ("InvokeModel", COMMAND_R, {"message": "Hi", "chat_history": [{"role": "USER"}]}),
    "a history of strings": ("InvokeModel", COMMAND_R, {"message": "Hi", "chat_history": ["Hi"]}),
    "a preamble that is a number": ("InvokeModel", COMMAND_R, {"message": "Hi", "preamble": 1}),
    "texts that are numbers": ("InvokeModel", EMBED, {"texts": [1], "input_type": "search_query"}),
    "half a character": ("InvokeModel", bodies.LLAMA, b'{"prompt": "\\uD83d"}'),
}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """(answers by their name, the endpoint's counters at the end, its log)"""
    with running_emulator(bodies.CONFIG, truth=tmp_path_factory.mktemp("malformed") / "truth.jsonl") as e:
        answers = {name: raw_wire.send(e.url, *wrong) for name, wrong in WRONG.items()}
        stats = e.stats()
    return answers, stats, e.truth_rows()


@pytest.mark.parametrize("name", WRONG)
def test_a_malformed_body_is_refused_as_the_service_does_it(answered, name):
    answer = answered[0][name]
    assert (answer.status, shapes.walk_error("bedrock", WRONG[name][0], answer)) == (400, "ValidationException")
    assert re.match(r"Malformed input request: |\d validation errors? detected: ", answer.json()["message"])


def test_each_of_them_is_in_the_log_and_none_stays_in_flight(answered):
    answers, stats, rows = answered
    assert (stats["requests"], stats["in_flight"], len(rows)) == (len(WRONG), 0, len(WRONG))
    assert {row["error"] for row in rows} == {"ValidationException"}
    assert {row["request_id"] for row in rows} == {a.headers["x-amzn-requestid"] for a in answers.values()}


def test_a_whole_pair_of_escapes_is_a_character(emulator):
    answer = raw_wire.send(emulator.url, "InvokeModel", bodies.LLAMA, b'{"prompt": "\\ud83d\\ude42", "max_gen_len": 2}')
    assert (answer.status, answer.json()["prompt_token_count"]) == (200, 1)


class Sink:
    """A connection's end that keeps what is answered; nothing is corked before it leaves."""

    cork = uncork = None

    def respond(self, status, headers, body):
        self.status, self.headers = status, dict(headers)


def test_a_mistake_of_the_emulators_own_is_a_server_error_with_its_traceback(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.yaml").write_text(
        "engines: {e: {kind: timed, ttft_ms: 1, tokens_per_second: 1}}\nmodels: {m: {engine: e, family: nova}}\n"
    )
    monkeypatch.setattr(service.Service, "_begin", lambda self, answer: 1 / 0)
    truth, sink = Truth(None), Sink()
    made = service.Service(load(tmp_path / "config.yaml"), truth)
    path = "/model/m/converse"
    assert route("POST", path)
    request = type(
        "Request",
        (),
        {"method": "POST", "raw_path": path, "headers": {}, "body": b"{}", "arrived": time.perf_counter()},
    )()
    made.serve(request, sink)
    assert (sink.status, sink.headers["x-amzn-ErrorType"].split(":")[0]) == (500, "InternalServerException")
    assert (truth.requests, truth.in_flight) == (1, 0)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_callback_that_raises_does_not_stop_the_clock():
    rung = []

    async def rings(number):
        over = time.perf_counter() + 60
        while number not in rung and time.perf_counter() < over:
            await asyncio.sleep(0.01)

    async def ring():
        loop = asyncio.get_running_loop()
        raised = []
        loop.set_exception_handler(lambda loop, context: raised.append(context["exception"]))
        timer, now = clock(loop), time.perf_counter()
        timer.at(now, lambda: 1 / 0)
        timer.at(now + 0.01, lambda: rung.append(1))
        await rings(1)
        timer.at(time.perf_counter(), lambda: rung.append(2))  # asked for after the mistake
        await rings(2)
        timer.close()
        return raised

    (raised,) = asyncio.run(ring())
    assert isinstance(raised, ZeroDivisionError) and rung == [1, 2]
