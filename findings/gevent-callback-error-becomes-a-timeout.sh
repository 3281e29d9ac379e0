#!/usr/bin/env bash
# Guess: an exception in the callback of a gevent watcher reaches the greenlet that waits for it, or ends the program.
# What happens: gevent prints a traceback to stderr and goes on. The watcher stays active, the waiting greenlet is
#   never told, and sleeps to the end of its timeout (without one, for ever). The exit code is 0.
# Versions: gevent 26.9.0.
# Why it matters: a load tester that reads its sockets in callbacks, as the fast ones do, turns a bug in its own
#   parser into read timeouts "of the endpoint" at exactly the limit; a traceback on stderr among the logs of a
#   thousand requests says otherwise. Catch in the callback, and hand the exception to the waiter.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check gevent==26.9.0

cat >probe.py <<'PY'
import json
import sys
import time

import gevent
import gevent.event
import gevent.socket


def outcome():
    """How a request ends for its greenlet when the callback that parses the answer raises, and after how long."""
    ours, theirs = gevent.socket.socketpair()
    answer = gevent.event.AsyncResult()
    watcher = gevent.get_hub().loop.io(ours.fileno(), 1)
    watcher.start(lambda: answer.set(json.loads(ours.recv(1000))))  # JSONDecodeError
    theirs.send(b"data: [DONE]")
    begin = time.perf_counter()
    try:
        answer.get(timeout=2)
        ended = "with an answer"
    except Exception as e:
        ended = f"with {type(e).__name__}"
    except gevent.Timeout:
        ended = "with gevent.Timeout"
    finally:
        watcher.stop()
        watcher.close()
    return ended, time.perf_counter() - begin


ended, seconds = outcome()
print(f"the answer came at once, its callback raised JSONDecodeError; the request ended {ended} after {seconds:.1f} s")
if ended != "with gevent.Timeout" or seconds < 1.9:
    sys.exit("changed: the waiting greenlet learns of an exception in the callback")
PY
venv/bin/python probe.py 2>stderr.log && code=0 || code=$?
grep -c "JSONDecodeError" stderr.log | sed 's/^/lines on stderr that name the error: /'
if [ "$code" != 0 ]; then
    cat stderr.log >&2
    exit 1
fi
