"""Kernel stamps against the truth: when the server sent, by the same machine's clock."""

import sys
import time
import types

import gevent
import pytest

from locustfiles.common.transport import kernel_stamps
from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.connection_pool import ConnectionPool
from locustfiles.common.transport.kernel_stamps import require_kernel_stamps
from locustfiles.contract.bad_input import BadInput
from tests.helpers.wire_client import CHUNKED, REQUEST, body, http, run
from tests.helpers.wire_server import certificate, receive, serving, sleep

pytestmark = [
    pytest.mark.timed,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what it receives"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("right"))


def pieces_at(*pauses: float):
    """A server's script that sends one byte after each pause, and the list of when it did."""
    sent: list[float] = []

    def script(connection, server):
        while receive(connection):
            sent.clear()
            connection.sendall(CHUNKED)
            for pause in pauses:
                sleep(pause)
                sent.append(time.perf_counter())
                connection.sendall(b"1\r\nx\r\n")
            sleep(0.15)
            connection.sendall(b"0\r\n\r\n")

    return script, sent


def blocked(origin: Origin, transport: ConnectionPool, after: float, seconds: float = 0.08):
    """A request during which the loop stands still from `after` on; the exchange."""
    job = gevent.spawn(run, origin, REQUEST, 5, transport)
    gevent.sleep(after)
    time.sleep(seconds)
    job.join()
    assert (job.value.error, job.value.ended) == (None, True)
    return job.value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_blocked_loop_does_not_make_a_kernel_stamp_late(authority, scheme):
    """The piece comes at 60 ms; the loop stands from 50 to 130 ms and looks 70 ms late."""
    ca, context = authority
    script, sent = pieces_at(0.06)
    with serving(script, tls=context if scheme == "https" else None) as server:
        origin = Origin(scheme, "127.0.0.1", server.port)
        late, delay = {}, {}
        for kernel in (True, False):
            transport = ConnectionPool(str(ca), kernel_stamps=kernel)
            assert transport.open(origin) is None
            exchange = blocked(origin, transport, 0.05)
            assert body(exchange) == b"x"
            late[kernel], delay[kernel] = exchange.chunks[0][0] - sent[0], exchange.stamp_delay_s
            assert exchange.sent_at < exchange.chunks[0][0] < exchange.done_at
    assert 0 <= late[True] < 0.005
    assert 0.05 < late[False] < 0.09
    assert 0.05 < delay[True] < 0.09
    assert delay[False] is None


def test_segments_that_waited_for_one_read_have_the_newest_ones_time():
    """At 60, 80 and 100 ms, with the loop standing from 50 to 130 ms: all three bear the third's time, 30 ms before the loop's."""
    script, sent = pieces_at(0.06, 0.02, 0.02)
    with serving(script) as server:
        transport = ConnectionPool(kernel_stamps=True)
        transport.open(http(server.port))
        exchange = blocked(http(server.port), transport, 0.05)
    assert [data for _, data in exchange.chunks] == [b"x" * 3]
    assert len({at for at, _ in exchange.chunks}) == 1
    assert 0 <= exchange.chunks[0][0] - sent[2] < 0.005
    assert 0.01 < exchange.stamp_delay_s < 0.05


def test_undisturbed_pieces_have_stamps_before_the_loops_and_in_order():
    script, sent = pieces_at(0.01, 0.01, 0.01, 0.01, 0.01)
    with serving(script) as server:
        exchange = run(http(server.port), transport=ConnectionPool(kernel_stamps=True))
    at = [at for at, _ in exchange.chunks]
    assert len(at) == 5 and at == sorted(at)
    assert all(0 <= a - s < 0.005 for a, s in zip(at, sent, strict=True))
    assert exchange.stamp_delay_s > 0
    assert exchange.sent_at < at[0] and at[-1] < exchange.done_at


@pytest.mark.parametrize("step", [-30.0, -0.02, 0.02, 30.0])
def test_a_wall_clock_that_is_set_in_mid_answer_leaves_the_loops_stamps(monkeypatch, step):
    """The loop reads at 130 ms or later what came at 60 ms, and says so: no stamp is bent by the step."""
    shift = [0.0]
    clocks = types.SimpleNamespace(
        time=lambda: time.time() + shift[0], perf_counter=time.perf_counter, sleep=time.sleep
    )
    script, sent = pieces_at(0.06)
    with serving(script) as server, monkeypatch.context() as patch:
        transport = ConnectionPool(kernel_stamps=True)
        transport.open(http(server.port))
        patch.setattr(kernel_stamps, "time", clocks)
        job = gevent.spawn(run, http(server.port), REQUEST, 5, transport)
        gevent.sleep(0.03)
        assert job.value is None
        shift[0] = step
        gevent.sleep(0.02)
        time.sleep(0.08)
        job.join()
    assert 0.05 < job.value.chunks[0][0] - sent[0] < 0.09


def stamp(seconds: float) -> list[tuple[int, int, bytes]]:
    whole = int(seconds)
    return [(1, kernel_stamps.SO_TIMESTAMPNS, kernel_stamps.TIMESPEC.pack(whole, round((seconds - whole) * 1e9)))]


def test_a_stamp_that_cannot_be_true_gives_way_to_the_loops():
    witness = require_kernel_stamps()
    with witness:
        kernel = kernel_stamps.KernelStamps(witness)
        kernel.begin()
        kernel._lead, kernel._last = 1000.0, 5.0  # wall = perf + 1000 s; the request left at 5 s
        assert kernel._arrival(stamp(1006.0), 1006.5, 6.5) == pytest.approx(6.0)
        assert kernel.worst_s == pytest.approx(0.5)
        for what, extra in {
            "none": [],
            "of another kind": [(1, 99, stamp(1006.0)[0][2])],
            "later than now": stamp(1007.0),
            "older than the request": stamp(1004.9),
        }.items():
            assert kernel._arrival(extra, 1006.5, 6.5) == 6.5, what
        assert kernel._arrival(stamp(1006.0), 1006.6, 6.5) == 6.5  # the wall clock went 0.1 s ahead
        assert kernel.worst_s == pytest.approx(0.5)
        kernel.begin()
        assert kernel.worst_s is None


@pytest.mark.parametrize(
    ("name", "value"), [("sys", types.SimpleNamespace(platform="darwin")), ("SO_TIMESTAMPNS", 9999)]
)
def test_a_system_without_such_stamps_is_refused_at_the_start(monkeypatch, name, value):
    monkeypatch.setattr(kernel_stamps, name, value)
    with pytest.raises(BadInput, match=r"`stamps: kernel`: needs Linux, .*; remove `stamps:`") as e:
        ConnectionPool(kernel_stamps=True)
    assert "\n" not in str(e.value)
    ConnectionPool()
