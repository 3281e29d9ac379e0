#!/usr/bin/env bash
# Guess: gevent.spawn_later(0.2, f) runs f no earlier than 0.2 s from the call, as gevent.sleep(0.2) returns no
#   earlier.
# What happens: it depends on what last woke the caller. In a greenlet woken by a socket or by the end of a sleep the
#   delay counts from the time that the loop cached at that moment, so after 0.3 s of work (parsing, signing, garbage
#   collection) it has run out already and f starts at once. In a greenlet woken by an Event or just spawned, the same
#   line waits 0.2 s, for there a starting timer renews the cached time. gevent.sleep renews it always.
# Versions: gevent 26.9.0.
# Why it matters: arrivals of an open loop or deadlines scheduled with spawn_later by a greenlet that has just read an
#   answer come early by its own computing time, and in bunches, just when the generator is busy. A queue that is then
#   measured at the endpoint was made by the instrument, and a test of the scheduler that uses Events does not see it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check gevent==26.9.0

cat >probe.py <<'PY'
import sys
import time

import gevent
import gevent.event
import gevent.socket


def by_nothing():
    """The greenlet has only just been spawned."""


def by_an_event():
    event = gevent.event.Event()
    gevent.spawn(event.set)
    event.wait()


def by_a_sleep():
    gevent.sleep(0.01)


def by_a_socket():
    ours, theirs = gevent.socket.socketpair()
    with ours, theirs:
        gevent.spawn(theirs.send, b"an answer")
        ours.recv(100)


def delay(woken, wait):
    """Seconds that `wait(0.2)` takes in a greenlet that was woken and then worked for 0.3 s."""
    woken()
    end = time.perf_counter() + 0.3
    while time.perf_counter() < end:
        pass
    begin = time.perf_counter()
    wait(0.2)
    return time.perf_counter() - begin


def later(seconds):
    gevent.spawn_later(seconds, lambda: None).join()


delays = {}
for woken in (by_nothing, by_an_event, by_a_sleep, by_a_socket):
    delays[woken] = [gevent.spawn(delay, woken, wait).get() for wait in (gevent.sleep, later)]
    print(f"woken {woken.__name__:12} then 0.3 s of work: gevent.sleep(0.2) {delays[woken][0]:.3f} s, "
          f"spawn_later(0.2, f) {delays[woken][1]:.3f} s")  # fmt: skip
full = [delays[by_nothing], delays[by_an_event], delays[by_a_sleep][:1], delays[by_a_socket][:1]]
if min(map(min, full)) < 0.19 or max(delays[by_a_sleep][1], delays[by_a_socket][1]) > 0.1:
    sys.exit("changed: the delay of spawn_later no longer depends on what woke the caller")
PY
venv/bin/python probe.py
