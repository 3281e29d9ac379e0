"""Turns of those whose answers have ended: none while a socket has something to be read, but none that waits for ever."""

import socket

import gevent
import pytest
from gevent.hub import Waiter, get_hub

from locustfiles.common.transport import turns
from locustfiles.common.transport.turns import Turns


class Scene:
    """A socket that is read by the loop, and greenlets that wait for their turn; `said` is what happened, in order."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.turns, self.said = Turns(), []
        self.watch = get_hub().loop.io(self.ours.fileno(), 1)

    def read(self) -> None:
        self.said.append(self.ours.recv(100).decode())

    def spawn(self, name: str, then=lambda: None) -> gevent.Greenlet:
        waiter = Waiter()
        self.waiters = [*getattr(self, "waiters", []), waiter]

        def wait() -> None:
            waiter.get()
            self.said.append(name)
            then()

        return gevent.spawn(wait)

    def end(self) -> None:
        self.watch.stop()
        self.watch.close()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def scene():
    scene = Scene()
    yield scene
    scene.end()


def test_what_comes_during_one_turn_is_read_before_the_next(scene):
    scene.watch.start(scene.read)
    jobs = [scene.spawn("first", lambda: scene.theirs.send(b"bytes")), scene.spawn("second"), scene.spawn("third")]
    gevent.sleep(0.01)  # they wait, and the loop has the socket
    for waiter in scene.waiters:
        scene.turns.take(waiter)
    gevent.joinall(jobs, timeout=5)
    assert scene.said == ["first", "bytes", "second", "third"]
    assert not scene.turns._idle.active  # a loop that has nothing to do sleeps


def test_those_who_have_waited_long_go_on_whatever_there_is_to_be_read(scene, monkeypatch):
    scene.theirs.send(b"bytes that nobody reads")
    scene.watch.start(lambda: None)  # the socket stays readable
    jobs = [scene.spawn(name) for name in ("first", "second", "third")]
    gevent.sleep(0.01)
    scene.turns.take(scene.waiters[0])
    scene.turns.take(scene.waiters[1])
    gevent.sleep(0.05)
    assert scene.said == []
    monkeypatch.setattr(turns, "LATEST_S", 0.0)
    scene.turns.take(scene.waiters[2])  # each that comes lets one go, the oldest
    gevent.joinall(jobs, timeout=0.2)
    assert scene.said == ["first"]
    gevent.killall(jobs)


def test_one_that_was_killed_while_it_waited_takes_nobodys_turn(scene):
    jobs = [scene.spawn(name) for name in ("first", "second")]
    gevent.sleep(0.01)
    jobs[0].kill()
    for waiter in scene.waiters:
        scene.turns.take(waiter)
    gevent.joinall(jobs, timeout=5)
    assert scene.said == ["second"]
