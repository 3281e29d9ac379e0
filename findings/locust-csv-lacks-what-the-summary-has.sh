#!/usr/bin/env bash
# Guess: when a run is over, Locust's _stats.csv says what its summary on the terminal says: both show the same
#   statistics.
# What happens: the CSV is written by a timer while the run lasts, and not once more at its end. The requests that
#   users finish within --stop-timeout are in the summary (and in the exit code), not in the file. Here, with one
#   process and no worker, the summary has 12 requests and the file 6.
# Versions: Locust 2.47.0, gevent 26.9.0.
# Why it matters: the file is what is kept, plotted and priced. With answers of seconds it lacks the last one of every
#   user, the whole of a short stage, while the terminal, gone with the CI log, had it right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0 gevent==26.9.0

cat >locustfile.py <<'PY'
import gevent
from locust import User, constant, task


class Chat(User):
    wait_time = constant(5)  # the run ends in the second answer of each user

    @task
    def ask(self):
        gevent.sleep(3)
        self.environment.events.request.fire(
            request_type="chat", name="3 s", response_time=3000, response_length=0, exception=None, context={}
        )
PY
venv/bin/locust -f locustfile.py --headless --users 6 --spawn-rate 100 --run-time 10 --stop-timeout 10 \
    --only-summary --csv run >said 2>&1
summary=$(awk '$1 == "Aggregated" { print $2; exit }' said)
file=$(awk -F, '$2 == "Aggregated" { print $3 }' run_stats.csv)
echo "requests in the summary: $summary, in run_stats.csv: $file"
if [ "$summary" != 12 ] || [ "$file" != 6 ]; then
    echo "changed: the file and the summary no longer differ by the requests that ended last" >&2
    exit 1
fi
