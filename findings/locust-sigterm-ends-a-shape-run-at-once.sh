#!/usr/bin/env bash
# Guess: SIGTERM ends a headless Locust run as it is known to do: users stop, test_stop and quitting are fired, the
#   CSV is complete.
# What happens: only without a LoadTestShape. With one, Locust waits for the shape before it installs its handler, so
#   the signal kills the process where it stands: no test_stop, no quitting, exit status that of a signal (143 in the
#   shell).
# Versions: Locust 2.47.0, gevent 26.9.0.
# Why it matters: SIGTERM is what CI cancellation, `timeout`, container stops and spot reclaims send, and a sweep over
#   levels of concurrency is a shape. Everything that a listener would save at the end of such a run, which is the
#   part that cost money, is gone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0 gevent==26.9.0

cat >plain.py <<'PY'
import gevent
from locust import User, constant, events, task


class Chat(User):
    wait_time = constant(0)

    @task
    def ask(self):
        gevent.sleep(0.2)


@events.spawning_complete.add_listener
def ready(**_):
    open("ready", "w").close()


@events.test_stop.add_listener
def stopped(**_):
    print("test_stop", flush=True)


@events.quitting.add_listener
def quitting(**_):
    print("quitting", flush=True)
PY
cat >shape.py <<'PY'
from locust import LoadTestShape

from plain import *  # noqa: F403


class Sweep(LoadTestShape):
    def tick(self):
        return (2, 100) if self.get_run_time() < 60 else None
PY

for file in plain shape; do
    rm -f ready
    venv/bin/locust -f "$file.py" --headless --users 2 --spawn-rate 100 --run-time 60 >"$file.log" 2>&1 &
    pid=$!
    while [ ! -e ready ] && kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
    sleep 1
    kill -TERM "$pid"
    wait "$pid" && code=0 || code=$?
    events=$(grep -xE 'test_stop|quitting' "$file.log" | tr '\n' ' ' || true)
    echo "$file: exit status $code, events: ${events:-none}" | tee "$file.said"
done
if ! grep -q "test_stop" plain.said || grep -q "test_stop" shape.said; then
    echo "changed: SIGTERM ends a run with a shape as it ends one without" >&2
    exit 1
fi
