"""Records from a worker to the master over a line that loses and doubles messages."""

import collections
import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.common.recording import delivery
from locustfiles.common.recording.arrived import Arrived, read
from locustfiles.common.recording.delivery import LINES_A_REPORT, Account, Inbox, Outbox
from locustfiles.common.recording.hand_in import HandIn
from locustfiles.common.recording.messages import Acknowledged, RecordsReport
from locustfiles.contract.lines import line_of, lines_of
from locustfiles.contract.record import FIELDS, RequestRecord
from tests.helpers.run_parts import record


def calls(records: list[Arrived]) -> list[int]:
    return [record.call for record in records]


def inbox_of(run_id: str) -> tuple[Inbox, list[Arrived]]:
    """An inbox, and what it takes."""
    taken: list[Arrived] = []

    def take(lines, records) -> None:
        assert lines.count(b"\n") == len(records)
        taken.extend(records)

    return Inbox(run_id, take), taken


class Line:
    """Both directions of a worker's line to the master: it drops 30 % and doubles 20 % of its messages, reports and
    acknowledgements alike, and holds some back until later ones have passed."""

    def __init__(self, draws: random.Random, worker: str, inbox: Inbox) -> None:
        self.draws, self.worker, self.inbox = draws, worker, inbox
        self.outbox = Outbox(inbox.run_id)
        self.sent = 0  # records, which are its calls
        self.settled = False  # it has heard that the master has all
        self.late: list[tuple] = []  # (deliver, message)
        self.fates: collections.Counter[str] = collections.Counter()

    def record(self) -> None:
        self.sent += 1
        self.outbox.add(record(self.sent, self.worker))

    def report(self, final: bool, silent: bool = False) -> None:
        self._carry(self._at_master, self.outbox.report(final, silent))

    def _at_master(self, report: RecordsReport) -> None:
        upto = self.inbox.receive(self.worker, report)
        self._carry(self._at_worker, (upto, self.inbox.account(self.worker).settled))

    def _at_worker(self, ack: tuple[int, bool]) -> None:
        upto, settled = ack
        assert upto <= self.sent
        self.outbox.acknowledge(self.inbox.run_id, upto)
        self.settled = self.settled or settled

    def _carry(self, deliver, message) -> None:
        fate = self.draws.choices(["lost", "doubled", "late", "fine"], [30, 20, 10, 40])[0]
        self.fates[fate] += 1
        if fate == "late":
            self.late.append((deliver, message))
        for _ in range({"lost": 0, "doubled": 2, "late": 0, "fine": 1}[fate]):
            deliver(message)
        if self.late and self.draws.random() < 0.3:
            held, earlier = self.late.pop(self.draws.randrange(len(self.late)))
            held(earlier)


def packed(*records: RequestRecord) -> bytes:
    return "".join(map(line_of, records)).encode()


def by_worker(records: list[Arrived]) -> dict[str, list[int]]:
    found = collections.defaultdict(list)
    for each in records:
        found[each.worker].append(each.call)
    return found


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.booleans()), max_size=60)


@settings(max_examples=200)
@given(seed=st.integers(0, 10**9), steps=STEPS, cap=st.integers(1, 20))
def test_every_record_of_several_workers_arrives_exactly_once_and_in_order_whatever_the_line_loses(seed, steps, cap):
    """steps: this worker makes so many records and reports, as to a silent master (without rows) or not."""
    (inbox, taken), draws = inbox_of("r"), random.Random(seed)
    lines, before = {w: Line(draws, w, inbox) for w in "abc"}, delivery.LINES_A_REPORT
    delivery.LINES_A_REPORT = cap  # so that one report does not hold all
    try:
        for worker, count, silent in steps:
            for _ in range(count):
                lines[worker].record()
            lines[worker].report(final=False, silent=silent)
            for calls_of in by_worker(taken).values():  # at every moment: whole from the start, in order
                assert calls_of == list(range(1, len(calls_of) + 1))
        for _ in range(5000):
            for line in lines.values():
                line.report(final=True)
            if all(line.settled and line.outbox.empty for line in lines.values()):
                break
    finally:
        delivery.LINES_A_REPORT = before
    assert by_worker(taken) == {w: list(range(1, line.sent + 1)) for w, line in lines.items() if line.sent}
    assert inbox.accounts == {w: Account(received=line.sent, produced=line.sent) for w, line in lines.items()}
    assert all(line.settled and line.outbox.empty for line in lines.values())


def test_the_line_of_these_tests_loses_and_doubles_what_it_says():
    line = Line(random.Random(1), "a", inbox_of("r")[0])
    for _ in range(4000):
        line.report(final=False)
    total = sum(line.fates.values())
    # 4,000 reports and the answers to those that arrive: shares of 30, 20 and 10 %, within four standard errors (0.7 %)
    assert total > 6000
    for fate, share in {"lost": 0.3, "doubled": 0.2, "late": 0.1}.items():
        assert abs(line.fates[fate] / total - share) < 0.03


def test_what_is_spooled_is_what_is_not_acknowledged():
    (inbox, _), outbox = inbox_of("r"), Outbox("r")
    for number in (1, 2, 3):
        outbox.add(record(number))
    outbox.acknowledge("r", inbox.receive("w", outbox.report(final=False)))
    for number in (4, 5):
        outbox.add(record(number))
    spool = outbox.spool("w", final=True)
    assert (spool.run_id, spool.worker, spool.first, spool.produced, spool.known) == ("r", "w", 3, 5, 5)
    assert calls(read(lines_of(spool.rows).encode())) == [4, 5]
    assert outbox.spool("w", final=False).produced is None  # more may come


def test_a_silent_master_is_sent_no_records_and_gets_them_all_when_it_is_back():
    """Reports queue up on the way to it: with the records in each, a minute of them would fill the memory."""
    (inbox, _), outbox = inbox_of("r"), Outbox("r")
    outbox.add(record(1))
    report = outbox.report(final=False, silent=True)
    assert report.lines == b""
    assert inbox.receive("w", report) == 0
    assert inbox.receive("w", outbox.report(final=False)) == 1


def test_records_that_are_collected_a_few_at_a_time_come_each_once_and_in_order():
    (inbox, taken), outbox = inbox_of("r"), Outbox("r")
    for number in range(1, 8):
        outbox.add(record(number))
    received = []
    while not outbox.empty:
        received.append(inbox.receive("w", outbox.report(final=False, most=3)))
        outbox.acknowledge("r", received[-1])
    assert received == [3, 6, 7] and calls(taken) == [1, 2, 3, 4, 5, 6, 7]


def test_a_worker_that_makes_more_than_a_report_holds_reports_again_once_for_each_that_was_taken():
    records = HandIn("r")
    for number in range(1, 2 * LINES_A_REPORT + 3):
        records.add(record(number))
    assert records.acknowledged(Acknowledged("r", LINES_A_REPORT, False))  # as many are left, and two
    assert not records.acknowledged(Acknowledged("r", LINES_A_REPORT, False))  # of the same report, which came twice
    assert not records.acknowledged(Acknowledged("another", 2 * LINES_A_REPORT, False))
    assert not records.acknowledged(
        Acknowledged("r", 2 * LINES_A_REPORT, False)
    )  # two: the next second's report has them
    records.final = True
    assert records.acknowledged(Acknowledged("r", 2 * LINES_A_REPORT + 1, False))  # one, and none will follow
    assert not records.acknowledged(Acknowledged("r", 2 * LINES_A_REPORT + 2, True)) and not records.owes


def test_a_report_of_another_run_is_ignored():
    (inbox, taken), old = inbox_of("new"), Outbox("old")
    old.add(record(1))
    assert inbox.receive("w", old.report(final=True)) is None
    assert (taken, inbox.accounts) == ([], {})
    old.acknowledge("new", 1)  # an acknowledgement of another run frees nothing
    assert not old.empty


def test_a_gap_is_not_filled_with_what_comes_after_it():
    """Row 0 was lost on the way: rows 1 and 2 wait, and nothing beyond row 0 is acknowledged."""
    (inbox, taken), outbox = inbox_of("r"), Outbox("r")
    for number in (1, 2, 3):
        outbox.add(record(number))
    report = outbox.report(final=False)
    later = dataclasses.replace(report, first=1, lines=b"".join(report.lines.splitlines(keepends=True)[1:]))
    assert inbox.receive("w", later) == 0
    assert taken == []
    assert inbox.receive("w", report) == 3
    assert calls(taken) == [1, 2, 3]
    assert inbox.receive("w", later) == 3  # the late double changes nothing
    assert calls(taken) == [1, 2, 3]


def test_accounts_of_workers_are_kept_apart():
    (inbox, taken), boxes = inbox_of("r"), {w: Outbox("r") for w in "ab"}
    for worker, box in boxes.items():
        box.add(record(1, worker))
        assert inbox.receive(worker, box.report(final=worker == "a")) == 1
    assert [record.worker for record in taken] == ["a", "b"]
    assert inbox.account("a").settled
    assert not inbox.account("b").settled  # it has not said how many there are in all
    assert not inbox.account("never heard of").settled


def test_a_worker_that_produced_more_than_arrived_is_not_settled():
    (inbox, _), outbox = inbox_of("r"), Outbox("r")
    outbox.add(record(1))
    outbox.add(record(2))
    inbox.receive("w", dataclasses.replace(outbox.report(final=True), lines=b""))
    assert inbox.account("w") == Account(received=0, produced=2)
    assert not inbox.account("w").settled


def test_what_is_read_of_a_row_has_the_types_and_the_values_of_its_record():
    types = {field.name: field.type for field in dataclasses.fields(RequestRecord)}
    assert {name: types[name] for name in Arrived._fields} == Arrived.__annotations__
    made = dataclasses.replace(
        record(7),
        schedule_delay_ms=1.23456,
        latency_ms=2.0,
        ttft_ms=0.0,
        completion_tokens=0,
        http_status=200,
        error="client",
    )
    (found, other) = read(packed(made, record(8)))
    as_in_the_file = {name: getattr(made, name) for name in Arrived._fields} | {"schedule_delay_ms": 1.235}
    assert found._asdict() == as_in_the_file  # 0 is not empty
    assert (other.ttft_ms, other.completion_tokens, other.http_status, other.error) == (None, None, None, None)
    assert read(b"") == []


GOOD = packed(record(1))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (b"\n", "cells instead|argument 2 is"),
        (b"1," * (len(FIELDS) - 2) + b"1\n", "cells instead|argument 2 is"),
        (b"x," * (len(FIELDS) - 1) + b"x\n", "convert"),  # no number
        (b"," * (len(FIELDS) - 1) + b"\n", "convert"),  # no record lacks its start
        (GOOD[:-1], "no whole lines"),
        (GOOD.replace(b"Converse", b"Con\rverse"), "no whole lines"),
        (GOOD.replace(b"Converse", b"Con\nverse"), "cells instead|argument 2 is"),
        (GOOD.replace(b"Converse", b'"Converse'), "unexpected end of data"),
        (GOOD.replace(b"Converse", b"\xff"), "decode"),
        (packed(record(2, "another")), "another worker"),
    ],
)
@pytest.mark.parametrize("before", [b"", GOOD])
def test_lines_that_are_no_records_of_the_worker_are_not_taken_and_nothing_with_them(before, lines, why):
    inbox, taken = inbox_of("r")
    with pytest.raises(ValueError, match=why):
        inbox.receive("w", RecordsReport("r", 0, before + lines, None))
    assert (taken, inbox.account("w")) == ([], Account())
    assert inbox.receive("w", RecordsReport("r", 0, GOOD, None)) == 1  # as if they had been lost
