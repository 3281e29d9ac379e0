#!/usr/bin/env bash
# Guess: listeners of a Locust event are called in the order in which they were added, of whichever event.
# What happens: so it is for all but `quitting`, whose listeners are called last first: a listener that was added to finish
#   behind another one (flush, then upload what was flushed) finishes before it.
# Versions: Locust 2.47.0.
# Why it matters: what a run still has to write is written at its end. An upload that listens to `quitting` behind the writer,
#   as it does to `test_stop`, sends the files before their last rows are in them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0

cat >locustfile.py <<'PY'
from locust import User, constant, events, task


class Idle(User):
    wait_time = constant(1)

    @task
    def nothing(self):
        pass


for name in ("test_start", "test_stop", "quitting", "quit"):
    for number in ("first", "second"):
        getattr(events, name).add_listener(lambda name=name, number=number, **_: print(f"{name}: {number}", flush=True))
PY
venv/bin/locust -f locustfile.py --headless -u 1 -t 1s --only-summary --loglevel ERROR 2>/dev/null >said || true
grep -E '^(test_start|test_stop|quitting|quit): ' said
order=$(grep '^quitting: ' said | tr '\n' ' ')
others=$(grep -E '^(test_start|test_stop|quit): ' said | tr '\n' ' ')
[ "$order" = "quitting: second quitting: first " ] || { echo "changed: quitting is called otherwise"; exit 1; }
[ "$others" = "test_start: first test_start: second test_stop: first test_stop: second quit: first quit: second " ] ||
    { echo "changed: other events are called otherwise"; exit 1; }
