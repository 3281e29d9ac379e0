#!/usr/bin/env bash
# Guess: Locust's row Aggregated is the sum of the rows above it, and a request event with an exception is a failure.
# What happens: a request event without a length (response_length=None, natural for a call that brought no answer) is
#   counted by Aggregated, as a success, and by no row: Locust adds it to the total first and breaks off at the length,
#   before it comes to the name and to the failure. Only a line in the log tells.
# Versions: Locust 2.47.0.
# Why it matters: scripts that fire events for an LLM's client do so for calls that failed. With 3 of 10 failing, every
#   file and the web UI show 0 % errors, and a cost per transaction that is 30 % too low.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0

cat >probe.py <<'PY'
import logging
import sys

from locust import HttpUser
from locust.env import Environment

logging.disable(logging.CRITICAL)
environment = Environment(user_classes=[HttpUser])
environment.create_local_runner()
for i in range(10):
    failed = i < 3
    environment.events.request.fire(
        request_type="POST",
        name="/chat",
        response_time=100.0,
        response_length=None if failed else 5,
        exception=RuntimeError("no answer") if failed else None,
        context={},
    )
stats = environment.stats
total, row = stats.total, stats.entries["/chat", "POST"]
print(f"Aggregated: {total.num_requests} requests, {total.num_failures} failures")
print(f"POST /chat: {row.num_requests} requests, {row.num_failures} failures")
if (total.num_requests, total.num_failures, row.num_requests, row.num_failures) != (10, 0, 7, 0):
    sys.exit("changed: a failure without a length is counted otherwise")
PY
venv/bin/python probe.py
