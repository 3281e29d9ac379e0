#!/usr/bin/env bash
# Guess: Requests/s in Locust's _stats_history.csv is the rate of the last seconds, so it falls to 0 when answers
#   cease.
# What happens: "the last seconds" are counted back from the newest answer, not from the row's own Timestamp. When
#   nothing is answered any more the column stands still, row after row, for as long as the run lasts; Total Request
#   Count beside it stands still too, which is the only sign.
# Versions: Locust 2.47.0, gevent 26.9.0.
# Why it matters: a plot of the history shows steady throughput through a stall, a cold start or the death of the
#   endpoint, and in-flight = rate x latency (Little's law) or dollars per hour from those rows are invented.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0 gevent==26.9.0

cat >locustfile.py <<'PY'
import time

import gevent
from locust import User, constant, task

dies_at = time.time() + 8


class Chat(User):
    wait_time = constant(0)

    @task
    def ask(self):
        gevent.sleep(0.1 if time.time() < dies_at else 3600)
        self.environment.events.request.fire(
            request_type="chat", name="0.1 s", response_time=100, response_length=0, exception=None, context={}
        )
PY
venv/bin/locust -f locustfile.py --headless --users 2 --spawn-rate 100 --run-time 30 --csv run >said 2>&1

cat >probe.py <<'PY'
import csv
import sys

with open("run_stats_history.csv", newline="") as f:
    rows = [row for row in csv.DictReader(f) if row["Name"] == "Aggregated"]
total = rows[-1]["Total Request Count"]
silent = [row for row in rows if row["Total Request Count"] == total]
seconds = int(silent[-1]["Timestamp"]) - int(silent[0]["Timestamp"])
rates = [float(row["Requests/s"]) for row in silent]
print(f"{total} answers, the last of them {seconds} s before the last row")
print("Requests/s of every second since:", *(f"{rate:.0f}" for rate in rates))
if seconds < 12 or rates[-1] < 10:
    sys.exit("changed: Requests/s falls while nothing is answered")
PY
venv/bin/python probe.py
