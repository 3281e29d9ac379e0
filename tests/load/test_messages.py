"""The messages of master and workers: what travels, that it comes back the same, and what becomes of anything else."""

import dataclasses
import logging
import types

import msgpack
import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.calls.unreachable import Unreachable
from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import (
    Challenge,
    Hello,
    Knock,
    Ping,
    Pong,
    Proof,
    Refused,
    ScenarioChosen,
    Stranger,
)
from locustfiles.common.recording.messages import (
    Acknowledged,
    ArrivalsDealt,
    CallAsked,
    Called,
    CallMade,
    CutShort,
    EndpointsChecked,
    Flush,
    Message,
    Raised,
    RecordsReport,
    RunBegins,
    RunEnded,
    StageAnnounced,
    StageClear,
)
from locustfiles.contract.lines import line_of
from locustfiles.contract.prices.charge import Usage
from locustfiles.contract.record import RequestRecord
from tests.helpers.emulator_process import ROOT
from tests.helpers.run_parts import record

#: each message, and its fields as they travel
SENT: list[tuple[Message, dict]] = [
    (Knock(), {}),
    (Challenge("c"), {"challenge": "c"}),
    (Proof(["a"]), {"answers": ["a"]}),
    (
        Hello("c", "host", None, False, {"locust": "2.47.0"}, "c"),
        {
            "content": "c",
            "host": "host",
            "problem": None,
            "again": False,
            "versions": {"locust": "2.47.0"},
            "chosen": "c",
        },
    ),
    (ScenarioChosen("configs/x.yaml", "c"), {"file": "configs/x.yaml", "content": "c"}),
    (RunBegins("r", "runs/x"), {"run": "r", "folder": "runs/x"}),
    (StageAnnounced("r", None, "settle"), {"run": "r", "visit": None, "phase": "settle"}),
    (
        StageAnnounced("r", StageSpec(3, "t", "p", None, 2.5, 2, 1), "hold"),
        {
            "run": "r",
            "visit": {"stage": 3, "target": "t", "payload": "p", "users": None, "rate": 2.5, "repeat": 2, "look": 1, "part": 0},
            "phase": "hold",
        },
    ),
    (
        ArrivalsDealt("r", 3, [(1.5, None, None), (2.0, 10, 20)]),
        {"run": "r", "stage": 3, "due": [(1.5, None, None), (2.0, 10, 20)]},
    ),
    (
        CallAsked("r", 1, "t", "p", "7"),
        {"run": "r", "ask": 1, "target": "t", "payload": "p", "prompt_id": "7"},
    ),
    (
        EndpointsChecked("r", 1, [Unreachable("no; none", "check it", ["t"])], {"t": "https"}),
        {"run": "r", "ask": 1, "problems": [("no; none", "check it", ["t"])], "schemes": {"t": "https"}},
    ),
    (StageClear("r", 3, "hold", 1, {"cpu": 0.5}, 9), {"run": "r", "stage": 3, "phase": "hold", "look": 1, "load": {"cpu": 0.5}, "produced": 9}),
    (Flush("r"), {"run": "r"}),
    (Ping(1.5), {"sent": 1.5}),
    (Pong(1.5, 2.5), {"sent": 1.5, "now": 2.5}),
    (Acknowledged("r", 7, True), {"run": "r", "upto": 7, "final": True}),
    (Refused("no"), {"why": "no"}),
    (Stranger(), {}),
    (Raised(), {}),
    (RunEnded(4), {"exit_code": 4}),
    (CutShort(22.0), {"within_s": 22.0}),
]  # fmt: skip


class Line:
    """A runner that hands every message on by Locust's own packing."""

    def __init__(self) -> None:
        self.listeners: dict = {}
        self.sent: list[tuple[str, dict, str | None]] = []

    def register_message(self, kind, listener, concurrent=False) -> None:
        self.listeners[kind] = listener

    def send_message(self, kind, data=None, client_id=None) -> None:
        self.sent.append((kind, data, client_id))
        unpacked = msgpack.loads(msgpack.dumps(data), raw=False, strict_map_key=False)
        self.listeners[kind](environment=None, msg=types.SimpleNamespace(data=unpacked, node_id="w"))


@pytest.mark.parametrize(("message", "fields"), SENT)
def test_a_message_travels_as_its_fields_and_comes_as_it_was(message, fields):
    line, heard = Line(), []
    kind = Called if isinstance(message, Called) else type(message)
    messenger.register(line, kind, lambda *got: heard.append(got))
    messenger.send(line, message, "w")
    assert line.sent == [(message.KIND, fields, "w")]
    assert heard == [(message, "w")]


def test_a_whole_rate_stays_whole():
    line, heard = Line(), []
    messenger.register(line, StageAnnounced, lambda message, worker: heard.append(message.visit.rate))
    for rate in (1, 1.0):
        messenger.send(line, StageAnnounced("r", StageSpec(1, "t", "p", None, rate), "settle"))
    assert [repr(rate) for rate in heard] == ["1", "1.0"]  # requests.csv writes 1 and 1.000


def test_a_warm_up_calls_answer_has_the_records_fields_and_all_that_is_billed():
    made = dataclasses.replace(record(1), error="client", error_code="X", http_status=400, prompt_tokens=5)
    answer = CallMade.of(made, CallAsked("r", 4, "t", "p"))
    fields = [f.name for f in dataclasses.fields(answer)]
    assert (answer.run, answer.ask) == ("r", 4)
    assert all(getattr(answer, name) == getattr(made, name) for name in fields[2:])
    types_of = {f.name: f.type for f in dataclasses.fields(RequestRecord)}
    assert all(f.type == types_of[f.name] for f in dataclasses.fields(answer)[2:])
    billed = {name for name in Usage._fields if name.endswith("_tokens")} | {"billed_units", "guardrail_units"}
    assert billed < set(fields)
    line, heard = Line(), []
    messenger.register(line, Called, lambda *got: heard.append(got))
    messenger.send(line, answer)
    assert heard == [(answer, "w")]


def test_records_ride_in_locusts_report_and_are_not_copied():
    lines = line_of(record(1)).encode()
    report = RecordsReport("r", 0, lines, None)
    assert report.data() == {"run": "r", "first": 0, "lines": lines, "produced": None, "gaps": [], "lately": {}}
    assert messenger.records_in({"stats": [], "swarmledger": report.data()}, "w").lines is lines
    assert messenger.records_in({"stats": []}, "w") is None


@pytest.mark.parametrize(
    "data", [None, {}, {"run": "r"}, {"run": "r", "upto": "many", "final": True}, {"run": "r", "upto": 1, "final": True, "more": 1}]
)  # fmt: skip
def test_what_another_version_sends_is_said_and_not_heard(data, caplog):
    line, heard = Line(), []
    messenger.register(line, Acknowledged, lambda *got: heard.append(got))
    with caplog.at_level(logging.ERROR, "swarmledger"):
        line.send_message(Acknowledged.KIND, data)
    assert heard == []
    (said,) = caplog.messages
    assert (
        f"{Acknowledged.KIND}, worker w: " in said
        and "have master and workers run the same one" in said
        and "\n" not in said
    )


def test_kinds_are_spelled_in_their_two_files_alone():
    here = [path for folder in ("locustfiles", "scripts", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    prefix = Hello.KIND.partition("_")[0] + "_"
    quoted = [path.name for path in here if f'"{prefix}' in path.read_text() or f"'{prefix}" in path.read_text()]
    assert quoted == ["joining.py", "messages.py"]
    kinds = [cls.KIND for cls in (Called, *(type(m) for m, _ in SENT if not isinstance(m, Called)))]
    assert len(set(kinds)) == len({type(m) for m, _ in SENT}) == 20
