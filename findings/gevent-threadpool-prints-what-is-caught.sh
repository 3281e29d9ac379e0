#!/usr/bin/env bash
# Guess: gevent's threadpool.apply hands an exception of its function to the caller, who catches it, and that is all, as
#   with concurrent.futures.
# What happens: the caller gets it, and gevent has by then printed it, with its traceback, to stderr, as an error that
#   nobody handles. spawn(...).get() does the same; the standard library's pool prints nothing.
# Versions: gevent 26.9.0.
# Why it matters: blocking calls that may fail (fsync on a full disk, a name that does not resolve) are moved to threads
#   so that the loop that times requests goes on; each failure that was foreseen then looks like a crash in the log.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check gevent==26.9.0

cat >probe.py <<'PY'
import concurrent.futures
import contextlib
import importlib.metadata
import io
import sys

import gevent


def foreseen():
    raise OSError(28, "No space left on device")


def printed(name, call):
    """Whether anything was printed, although the exception was caught."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            call()
        except OSError:
            pass
        gevent.sleep(0.1)
    print(f"{name}: caught, and printed a traceback: {'Traceback' in said.getvalue()}")
    return "Traceback" in said.getvalue()


print("gevent", importlib.metadata.version("gevent"))
pool, standard = gevent.get_hub().threadpool, concurrent.futures.ThreadPoolExecutor()
found = [
    printed("gevent's threadpool.apply", lambda: pool.apply(foreseen)),
    printed("gevent's threadpool.spawn(...).get()", lambda: pool.spawn(foreseen).get()),
    printed("concurrent.futures", lambda: standard.submit(foreseen).result()),
]
if found != [True, True, False]:
    sys.exit("changed: gevent's threadpool no longer prints an exception that its caller gets")
PY
venv/bin/python probe.py
