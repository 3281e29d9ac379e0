#!/usr/bin/env bash
# Guess: with --stop-timeout long enough for every request in flight, a headless run of a master and its workers
#   counts every answered request, as a run without workers does.
# What happens: the master fires test_stop, prints its summary and goes 0.5 s after telling the workers to stop,
#   whatever the --stop-timeout. The workers wait for their users as asked, and then send their last report to nobody.
#   What they hold is lost; the exit code is 0 and the master's log has no word of it.
# Versions: Locust 2.47.0, gevent 26.9.0.
# Why it matters: a request to an LLM takes seconds, so the lost ones are those under the full load and the slow ones
#   among them. Here one machine counts 12 of 12, two workers count half of their 12: throughput, totals and cost per
#   transaction are wrong by a factor that depends on how the load was distributed.
set -euo pipefail
work=$(mktemp -d)
cleanup() {
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0 gevent==26.9.0

cat >locustfile.py <<'PY'
import os

import gevent
from locust import User, constant, events, task


class Chat(User):
    wait_time = constant(5)  # the run ends in the second answer of each user

    @task
    def ask(self):
        gevent.sleep(3)
        self.environment.events.request.fire(
            request_type="chat", name="3 s", response_time=3000, response_length=0, exception=None, context={}
        )
        with open(os.environ["ANSWERED"], "a") as f:
            f.write("x")


@events.quitting.add_listener
def at_the_end(environment, **_):
    print("counted", environment.stats.total.num_requests, flush=True)
PY
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
run=(venv/bin/locust -f locustfile.py --headless --users 6 --spawn-rate 100 --run-time 10 --stop-timeout 10)
worker=(venv/bin/locust -f locustfile.py --worker --master-host 127.0.0.1 --master-port "$port")

ANSWERED=alone.txt "${run[@]}" >alone.log 2>&1
export ANSWERED=workers.txt
"${worker[@]}" >worker-1.log 2>&1 &
"${worker[@]}" >worker-2.log 2>&1 &
"${run[@]}" --master --master-bind-host 127.0.0.1 --master-bind-port "$port" --expect-workers 2 \
    >workers.log 2>&1
wait

for how in alone workers; do
    counted=$(awk '$1 == "counted" { print $2 }' "$how.log")
    answered=$(wc -c <"$how.txt")
    echo "$how: answered $((answered)), counted in Locust's statistics at the end $counted"
    echo "$((answered)) $counted" >"$how.result"
done
grep "Shutting down" workers.log
if [ "$(cat alone.result)" != "12 12" ] || [ "$(cat workers.result)" != "12 6" ]; then
    echo "changed: the master counts other than half of what its workers got answered" >&2
    exit 1
fi
