#!/usr/bin/env bash
# Guess: when `locust --processes N` ends, its N workers end with it; Locust has a handler for that, which sends SIGINT to those left.
# What happens: where the master ends before they are connected (a locustfile that refuses its settings in `init`), they stay. The
#   handler asks once whether each child has ended, and takes "not yet" for "yes": it strikes the child off its list, and nobody is
#   sent anything. The command's exit code is there at once; the workers try to reach a master on that port for five minutes.
# Versions: Locust 2.47.0.
# Why it matters: they hold the command's output open, so `locust … | tee log` in a CI job stands for five minutes after an error, on a
#   machine that is paid by the hour, and they report to the next master on that port.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0

cat >locustfile.py <<'PY'
import sys

from locust import User, events
from locust.runners import MasterRunner


class Nobody(User):
    pass


@events.init.add_listener
def refuse(runner, **_):
    if isinstance(runner, MasterRunner):
        sys.exit(1)
PY
cat >probe.py <<'PY'
import os
import signal
import socket
import subprocess
import sys
import time

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = str(s.getsockname()[1])
command = ["venv/bin/locust", "--headless", "--processes", "2", "--master-bind-port", port, "--master-port", port]
locust = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
code = locust.wait(60)
time.sleep(8)
try:
    os.killpg(locust.pid, signal.SIGKILL)
    left = True
except ProcessLookupError:
    left = False
print(f"exit code of the command: {code}; its workers 8 s later: {'still there' if left else 'gone'}")
if (code, left) != (1, True):
    sys.exit("changed: the workers end with their command")
PY
venv/bin/locust --version
venv/bin/python probe.py
