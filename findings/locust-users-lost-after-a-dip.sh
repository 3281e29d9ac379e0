#!/usr/bin/env bash
# Guess: a LoadTestShape that asks for 10, then 4, then 10 users runs 10 users again; Locust even logs that it does.
# What happens: with --stop-timeout, users told to stop finish their request first, and until then still count. A rise
#   that comes in this time finds 10 users, starts none, logs "All users spawned: 10", and then the 6 leave. The shape
#   goes on asking for 10, but an unchanged answer of tick() is not applied again: 4 users run to the end of the step.
# Versions: Locust 2.47.0, gevent 26.9.0.
# Why it matters: an answer of an LLM takes seconds, so every dip of a load curve is followed by such a rise. The step
#   labelled 10 users shows the latency and the cost of 4.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0 gevent==26.9.0

cat >locustfile.py <<'PY'
import gevent
from locust import LoadTestShape, User, constant, events, task

STEPS = [(4, 10), (6, 4), (18, 10)]  # until second, users; a request takes 4 s
SEEN = {"in flight": 0, "at the end": None}


class Chat(User):
    wait_time = constant(0)

    @task
    def ask(self):
        SEEN["in flight"] += 1
        try:
            gevent.sleep(4)
        finally:
            SEEN["in flight"] -= 1


class Dip(LoadTestShape):
    def tick(self):
        now = self.get_run_time()
        users = next((users for until, users in STEPS if now < until), None)
        print(f"second {now:2.0f}: asked for {users} users, requests in flight: {SEEN['in flight']}", flush=True)
        if users is None:
            SEEN["at the end"] = SEEN["in flight"]
            return None
        return users, 100


@events.quitting.add_listener
def compare(environment, **_):
    environment.process_exit_code = 0 if SEEN["at the end"] == 4 else 9
PY
venv/bin/locust -f locustfile.py --headless --stop-timeout 10 >said 2>&1 && code=0 || code=$?
grep -E "second|All users spawned" said
if [ "$code" != 0 ]; then
    echo "changed: Locust exits with $code, or the users lost in the dip come back" >&2
    exit 1
fi
