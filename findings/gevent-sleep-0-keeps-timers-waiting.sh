#!/usr/bin/env bash
# Guess: a greenlet that calls gevent.sleep(0) between two pieces of work lets everything else have its turn, timers that
#   are due and sockets that have data as well.
# What happens: it lets other ready greenlets run, and comes back. Timers and sockets have their turn only when the loop
#   has called fifty of its callbacks, and then has spent 5 ms on them: with 4 ms of work between two sleep(0) a timer of
#   10 ms comes some 200 ms late, again and again. gevent.sleep(0.000001) is a timer itself, and with it none is late by
#   more than a piece of work.
# Versions: gevent 26.9.0 (its libev loop).
# Why it matters: a load generator's loop that takes in answers, or a master's that takes in the reports of a hundred
#   workers, yields by sleep(0) so as not to hold the others up. Its deadlines, heartbeats and first-token stamps are late
#   by fifty pieces all the same, only under load, and a probe that is itself a greenlet with sleep(0) sees nothing of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check gevent==26.9.0

cat >probe.py <<'PY'
import socket
import struct
import sys
import threading
import time

import gevent
import gevent.socket

PIECE_S, PIECES, EVERY_S = 0.004, 400, 0.01


def lateness(pause):
    """(ms that a timer is late, due every EVERY_S; ms until a byte is read that a thread sends), at worst, while a greenlet
    works in pieces."""
    late, taken, before = [], [], [time.perf_counter()]

    def look():
        now = time.perf_counter()
        late.append(now - before[0] - EVERY_S)
        before[0] = now

    def send(theirs):
        for _ in range(20):
            time.sleep(0.05)
            theirs.send(struct.pack("d", time.perf_counter()))

    def read(ours):
        while True:
            (sent,) = struct.unpack("d", ours.recv(8))
            taken.append(time.perf_counter() - sent)

    one, theirs = socket.socketpair()
    reader = gevent.spawn(read, gevent.socket.socket(fileno=one.detach()))
    timer = gevent.get_hub().loop.timer(EVERY_S, EVERY_S)
    timer.start(look)
    sender = threading.Thread(target=send, args=(theirs,))
    sender.start()
    for _ in range(PIECES):
        end = time.perf_counter() + PIECE_S
        while time.perf_counter() < end:
            pass
        gevent.sleep(pause)
    timer.stop()
    sender.join()
    reader.kill()
    return 1000 * max(late), 1000 * max(taken)


found = {}
for pause in (0, 0.000001):
    found[pause] = timer_ms, socket_ms = lateness(pause)
    print(f"gevent.sleep({pause:g}) between pieces of 4 ms: a timer is up to {timer_ms:.0f} ms late, a byte {socket_ms:.0f} ms")
if found[0][0] < 100 or found[0.000001][0] > 60:
    sys.exit("changed: gevent.sleep(0) lets timers have their turn, or a short sleep does not")
PY
venv/bin/python probe.py
