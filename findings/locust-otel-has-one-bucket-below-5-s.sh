#!/usr/bin/env bash
# Guess: the histogram of latencies that `locust --otel` exports tells 50 ms from 4 s.
# What happens: it records seconds with bounds that were made for milliseconds (0, 5, 10, 25 … 10000), so that every request
#   below 5 s is in one bucket; its quantiles are those of a straight line from 0 to 5 s.
# Versions: Locust 2.47.0, OpenTelemetry SDK 1.45.2.
# Why it matters: histogram_quantile says 4.75 s for the p95 of answers that all took 50 ms. A limit of 2 s looks missed by a
#   service that keeps it forty times over.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0 gevent==26.9.0 opentelemetry-sdk==1.45.2

cat >locustfile.py <<'PY'
from locust import User, constant, task

LATENCIES_MS = [50, 500, 4000]


class Chat(User):
    wait_time = constant(0.1)

    @task
    def ask(self):
        for latency in LATENCIES_MS:  # as a client that measured it reports it
            self.environment.events.request.fire(
                request_type="LLM", name="chat", response_time=latency, response_length=1, exception=None, context={}
            )
PY
OTEL_METRICS_EXPORTER=console OTEL_TRACES_EXPORTER=none OTEL_LOGS_EXPORTER=none \
    venv/bin/locust -f locustfile.py --otel --headless --users 1 --run-time 2s --only-summary >said 2>&1 || true
venv/bin/python - <<'PY'
import json

text, reader, buckets = open("said").read(), json.JSONDecoder(), None
for begin in [n for n in range(len(text)) if text.startswith('{\n    "resource_metrics"', n)]:
    document, _ = reader.raw_decode(text[begin:])
    for scope in document["resource_metrics"][0]["scope_metrics"]:
        for metric in scope["metrics"]:
            if metric["name"] == "locust.client.duration":
                point = metric["data"]["data_points"][0]
                buckets = [(end, n) for end, n in zip([*point["explicit_bounds"], "inf"], point["bucket_counts"]) if n]
                print(f"unit {metric['unit']}, bounds {point['explicit_bounds'][:4]} …: up to {buckets[0][0]}: {buckets[0][1]} requests")
if not buckets or len(buckets) != 1 or buckets[0][0] != 5.0:
    raise SystemExit(f"changed: 50 ms, 500 ms and 4 s are in {buckets}")
PY
