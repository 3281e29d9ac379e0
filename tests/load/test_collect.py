"""Records from a worker to the master over a line that loses and doubles messages."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common import collect
from locustfiles.common.collect import Account, Inbox, Outbox, cell
from locustfiles.common.record import RequestRecord


def record(call: int, worker: str = "w") -> RequestRecord:
    return RequestRecord(
        started_at=1.7e9 + call, worker=worker, user=1, target="t", service="bedrock", operation="Converse", payload="p",
        prompt_id="1", stage=1, repeat=1, users=1, phase="measure", call=call, reconnect=0, latency_ms=1.0,
        prompt_token_source="none", token_source="none", response_bytes=0, in_flight=1, lag_ms=0.0,
    )  # fmt: skip


def calls(rows) -> list[int]:
    return [int(cell(row, "call")) for row in rows]


class Line:
    """Both directions of a line that drops 30 % and doubles 20 % of its messages, and delivers some of them late."""

    def __init__(self, seed: int, outbox: Outbox, inbox: Inbox) -> None:
        self.random, self.outbox, self.inbox = random.Random(seed), outbox, inbox
        self.late: list[dict] = []

    def _copies(self) -> int:
        return 0 if self.random.random() < 0.3 else 2 if self.random.random() < 0.2 else 1

    def report(self, final: bool) -> None:
        report = self.outbox.report(final)
        for _ in range(self._copies()):
            if self.random.random() < 0.1:
                self.late.append(report)  # overtaken by later ones
            else:
                self._deliver(report)
        if self.late and self.random.random() < 0.3:
            self._deliver(self.late.pop(0))

    def _deliver(self, report: dict) -> None:
        upto = self.inbox.receive("w", report)
        for _ in range(self._copies()):
            self.outbox.acknowledge(self.inbox.run_id, upto)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**9), steps=st.lists(st.integers(0, 12), max_size=40), cap=st.integers(1, 20))
def test_every_record_arrives_exactly_once_and_in_order_whatever_the_line_loses(seed, steps, cap):
    taken: list = []
    outbox, inbox = Outbox("r"), Inbox("r", taken.append)
    line, before = Line(seed, outbox, inbox), collect.ROWS_A_REPORT
    collect.ROWS_A_REPORT = cap  # so that one report does not hold all
    try:
        number = 0
        for step in steps:
            for _ in range(step):
                number += 1
                outbox.add(record(number))
            line.report(final=False)
            assert calls(taken) == list(range(1, len(taken) + 1))  # at every moment: whole from the start, in order
        for _ in range(5000):
            line.report(final=True)
            if outbox.empty and inbox.account("w").settled:
                break
    finally:
        collect.ROWS_A_REPORT = before
    assert calls(taken) == list(range(1, number + 1))
    assert inbox.accounts["w"] == Account(received=number, produced=number)
    assert outbox.empty


def test_a_report_of_another_run_is_ignored():
    taken: list = []
    inbox, old = Inbox("new", taken.append), Outbox("old")
    old.add(record(1))
    assert inbox.receive("w", old.report(final=True)) is None
    assert (taken, inbox.accounts) == ([], {})
    old.acknowledge("new", 1)  # an acknowledgement of another run frees nothing
    assert not old.empty


def test_a_gap_is_not_filled_with_what_comes_after_it():
    """Row 0 was lost on the way: rows 1 and 2 wait, and nothing beyond row 0 is acknowledged."""
    taken: list = []
    inbox, outbox = Inbox("r", taken.append), Outbox("r")
    for number in (1, 2, 3):
        outbox.add(record(number))
    report = outbox.report(final=False)
    later = report | {"first": 1, "rows": report["rows"][1:]}
    assert inbox.receive("w", later) == 0
    assert taken == []
    assert inbox.receive("w", report) == 3
    assert calls(taken) == [1, 2, 3]
    assert inbox.receive("w", later) == 3  # the late double changes nothing
    assert calls(taken) == [1, 2, 3]


def test_accounts_of_workers_are_kept_apart():
    taken: list = []
    inbox, boxes = Inbox("r", taken.append), {w: Outbox("r") for w in "ab"}
    for worker, box in boxes.items():
        box.add(record(1, worker))
        assert inbox.receive(worker, box.report(final=worker == "a")) == 1
    assert [cell(row, "worker") for row in taken] == ["a", "b"]
    assert inbox.account("a").settled
    assert not inbox.account("b").settled  # it has not said how many there are in all
    assert not inbox.account("never heard of").settled


def test_a_worker_that_produced_more_than_arrived_is_not_settled():
    inbox, outbox = Inbox("r", lambda row: None), Outbox("r")
    outbox.add(record(1))
    outbox.add(record(2))
    inbox.receive("w", outbox.report(final=True) | {"rows": []})
    assert inbox.account("w") == Account(received=0, produced=2)
    assert not inbox.account("w").settled
