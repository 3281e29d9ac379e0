"""Metrics of a whole run: a real Prometheus scrapes it, and a collector that takes its time gets them by OTLP."""

import base64
import collections
import itertools
import json
import signal
import time
import urllib.error
import urllib.request

import pytest

from tests.helpers import folders
from tests.helpers.collector import collector
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import environment, free_port, one_locust
from tests.helpers.patience import queued_s, until
from tests.helpers.prometheus_process import prometheus

pytestmark = pytest.mark.alone  # people wait for what it looks at: it is timed by the program's own rhythm

TARGETS = [folders.sagemaker("throttled"), folders.bedrock("quick-model")]
LOAD = {"users": [2, 4], "settle_s": 0.5, "measure_s": 5}
PASSWORD, KEY = "scrape me: gently", "key-of-a-collector"
ANSWER_S = 1.5
SLOW_TO_COME = {"swarmledger_cache_read_tokens_total"}  # of caches, which this endpoint has none of
DASHBOARD = json.loads((ROOT / "configs/grafana/swarmledger.json").read_text())


def read(url: str, user: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


class Seen:
    """What was there when the run had ended, and its folder. `waited_s`: how long load test and endpoint stood in line for a core."""


@pytest.fixture(scope="module")
def seen(endpoint, tmp_path_factory):
    folder, it = tmp_path_factory.mktemp("metrics"), Seen()
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD, budget_usd=5)
    port, other = free_port(), free_port()
    env = environment(
        SWARMLEDGER_WEB_USERS=f"ada:{PASSWORD}",
        OTEL_EXPORTER_OTLP_HEADERS=f"api-key={KEY}",
        OTEL_METRIC_EXPORT_INTERVAL="500",
        SWARMLEDGER_WATCH_NICE="0",  # on a full machine Prometheus would meet the last seconds alone
    )
    more = ("--web-port", port, "--web-login", "--autostart", "--metrics-port", other)
    login = {"basic_auth": {"username": "ada", "password": PASSWORD}}
    it.began, it.run = time.time(), folder / "run"
    with collector(ANSWER_S) as it.sink:
        started = one_locust(scenario, it.run, *more, "--otlp", it.sink.url, headless=False, env=env)
        with started as it.process, prometheus(folder / "prometheus", f"127.0.0.1:{port}", **login) as it.prometheus:
            until(lambda: it.prometheus.now("swarmledger_run_exit_code"), lambda: it.process.text[-3000:])
            it.waited_s = queued_s(it.process.popen.pid) + queued_s(endpoint.pid)
            until(
                lambda: it.prometheus.now("sum(swarmledger_requests_total)")[0][1] == len(folders.rows(it.run)), "all"
            )
            it.url, it.other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
            yield it
            it.process.send(signal.SIGTERM)
            assert it.process.wait() == 0, it.process.text
    assert PASSWORD not in it.process.text and KEY not in it.process.text and "Traceback" not in it.process.text


def test_prometheus_has_the_counts_of_the_run_folder(seen):
    counted = collections.Counter((r.stage, r.target, r.phase, r.error or "success") for r in folders.rows(seen.run))
    found = seen.prometheus.now("swarmledger_requests_total")
    labels = ("stage", "target", "phase", "outcome")
    assert {tuple(of[label] for label in labels): n for of, n in found} == {
        (str(stage), *names): n for (stage, *names), n in counted.items()
    }
    assert any(outcome == "throttled" for *_, outcome in counted)
    rows = [r for r in folders.rows(seen.run) if r.phase == "measure" and not r.error]
    for stage in ("1", "2", "3", "4"):
        mine = [r for r in rows if str(r.stage) == stage]
        (_, n), *_ = seen.prometheus.now(f'swarmledger_time_to_first_token_seconds_count{{stage="{stage}"}}')
        (_, tokens), *_ = seen.prometheus.now(f'swarmledger_completion_tokens_total{{stage="{stage}",phase="measure"}}')
        (_, in_all), *_ = seen.prometheus.now(f'swarmledger_request_duration_seconds_sum{{stage="{stage}"}}')
        assert n == sum(r.ttft_ms is not None for r in mine) and tokens == sum(r.completion_tokens for r in mine)
        assert in_all == pytest.approx(sum(r.latency_ms for r in mine) / 1000)


def queries() -> list[str]:
    of_panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return of_panels + [each["expr"] for each in DASHBOARD["annotations"]["list"]]


@pytest.mark.parametrize("query", sorted({q for q in queries() if not any(name in q for name in SLOW_TO_COME)}))
def test_every_query_of_the_dashboard_finds_something(seen, query):
    for name, value in {"$run": ".*", "$target": ".*", "$__rate_interval": "60s"}.items():
        query = query.replace(name, value)
    found = seen.prometheus.seen(query, seen.began, time.time())
    assert any(value not in ("NaN", "+Inf") for each in found for _, value in each["values"]), query


def test_variables_of_the_dashboard_find_the_run_and_its_targets(seen):
    assert seen.prometheus.get("label/run/values") == ["run"]
    assert seen.prometheus.get("label/target/values") == ["by-quick-model", "on-throttled"]


def test_only_who_may_log_in_is_told_on_the_web_uis_port_and_this_machine_on_the_other(seen):
    assert read(f"{seen.url}/metrics")[0] == read(f"{seen.url}/metrics", "ada:guessed")[0] == 401
    assert read(f"{seen.url}/metrics", f"ada:{PASSWORD}")[0] == 200
    status, text = read(f"{seen.other}/metrics")
    assert status == 200 and "swarmledger_run_exit_code" in text
    asked = urllib.request.Request(f"{seen.other}/metrics", headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(asked, timeout=60)


def test_a_slow_collector_gets_sums_of_every_stage_that_are_those_of_the_run_folder(seen):
    rows = folders.rows(seen.run)

    def counts() -> dict:
        return {
            (
                of["swarmledger.stage"],
                of["swarmledger.target"],
                of["swarmledger.phase"],
                of.get("error.type"),
            ): point.count
            for of, point in seen.sink.points("gen_ai.client.inference.duration")
        }

    until(lambda: seen.sink.came and sum(counts().values()) == len(rows), "all of it came")
    assert counts() == collections.Counter((r.stage, r.target, r.phase, r.error) for r in rows)
    tokens = sum(p.as_int for _, p in seen.sink.points("gen_ai.client.inference.usage.output_tokens"))
    assert tokens == sum(r.completion_tokens for r in rows if not r.error)
    assert len(seen.sink.came) >= 3  # an export, a long wait, the next one
    path, headers, _ = seen.sink.came[-1]
    assert path == "/v1/metrics" and headers["api-key"] == KEY and seen.sink.resource["service.name"] == "swarmledger"


@pytest.mark.timed
def test_a_slow_collector_delays_no_request(seen):
    rows = [r for r in folders.rows(seen.run) if r.phase == "measure"]
    for stage in (1, 2, 3, 4):
        sent = sorted(r.started_at for r in rows if r.stage == stage)
        assert max(after - before for before, after in itertools.pairwise(sent)) < ANSWER_S / 2 + seen.waited_s
