"""A container's metrics out of a real Prometheus: gauges, counters that grow, and times by their histograms, in a stage's window."""

import http.server
import threading
import time

import pytest

from analysis.enrich.prometheus import Prometheus, Unreached, container_side, matchers_of
from locustfiles.contract.bad_input import BadInput
from tests.helpers.enriching import enrich
from tests.helpers.made_run import START, made_run, record, window
from tests.helpers.patience import until
from tests.helpers.prometheus_process import prometheus


class Server(http.server.BaseHTTPRequestHandler):
    """As vLLM and DCGM's exporter write: 3 and 5 requests wait, on one GPU of 80 % and one of 60 %; each scrape finds 100 tokens and
    2 requests of 500 ms more."""

    scrapes = 0

    def do_GET(self):
        Server.scrapes += 1
        n = Server.scrapes
        text = f"""# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{model_name="m"}} {3 if n % 2 else 5}
vllm:num_requests_running{{model_name="m"}} 8
vllm:kv_cache_usage_perc{{model_name="m"}} 0.95
vllm:generation_tokens_total{{model_name="m"}} {100 * n}
vllm:e2e_request_latency_seconds_sum{{model_name="m"}} {n}
vllm:e2e_request_latency_seconds_count{{model_name="m"}} {2 * n}
DCGM_FI_DEV_GPU_UTIL{{gpu="0"}} 80
DCGM_FI_DEV_GPU_UTIL{{gpu="1"}} 60
DCGM_FI_DEV_FB_USED{{gpu="0"}} 30
DCGM_FI_DEV_FB_FREE{{gpu="0"}} 10
""".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def test_a_stages_window_has_the_containers_figures(tmp_path, monkeypatch, capsys):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as exporter:
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        with prometheus(tmp_path / "p", f"127.0.0.1:{exporter.server_port}") as server:
            until(lambda: len(server.now("vllm:num_requests_running")) == 1, lambda: "nothing scraped")
            begin = time.time()
            until(lambda: time.time() > begin + 4, lambda: "")
            end = time.time()
            found = container_side(Prometheus(server.url, begin, end), "", begin, end)
            other = container_side(Prometheus(server.url, begin, end), 'job="another"', begin, end)
            told = enrich(monkeypatch, capsys, run_between(tmp_path / "r", begin, end), "", "--prometheus", server.url)
            with pytest.raises(Unreached, match="it answers 400"):
                container_side(Prometheus(server.url, begin, end), "job=", begin, end)
        exporter.shutdown()
    assert found.waiting_max == 5 and 3 < found.waiting_mean < 5
    assert (found.running_mean, found.kv_cache_max_share, found.dcgm_memory_share) == (8, 0.95, 0.75)
    assert found.dcgm_gpu_share == pytest.approx(0.7) and found.container_latency_mean_ms == pytest.approx(500)
    assert found.container_completion_tokens in (200, 300, 400, 500)  # a hundred a second
    assert found.preemptions is found.container_ttft_mean_ms is None
    assert set(vars_of(other)) == {None}
    code, said, document = told
    (row,) = document["stages"]
    assert (code, document["missing"], row["missing"], row["running_mean"]) == (0, [], None, 8.0)
    assert row["waiting_mean"] == pytest.approx(found.waiting_mean) and "requests waiting in the container" in said[0]


def run_between(folder, begin: float, end: float):
    """One stage of a server that is not AWS's."""
    target = {"name": "own", "service": "openai", "base_url": "http://h:8000/v1", "model_id": "m"}
    records = [record(begin - START, 1.0, target="own", service="openai", operation="ChatCompletions")]
    stages = [window(1, begin - START, end - START, target="own")]
    return made_run(folder, records, stages, [target], {"own": {"input": 0.001, "output": 0.005}}, started_at=begin)


def vars_of(side) -> list:
    return [getattr(side, name) for name in side.__slots__]


def test_a_server_that_is_none_is_a_line():
    with pytest.raises(Unreached, match="--prometheus http://127.0.0.1:9: cannot be asked .*; check the address"):
        container_side(Prometheus("http://127.0.0.1:9", 0, 60), "", 0, 60)
    with pytest.raises(BadInput, match="with a password"):
        Prometheus("http://me:secret@h:9090", 0, 60)


def test_the_only_target_needs_no_matchers_and_several_do():
    assert matchers_of([], ["a"]) == {"a": ""}
    assert matchers_of(['b=job="x",gpu="0"'], ["a", "b"]) == {"b": 'job="x",gpu="0"'}
    with pytest.raises(BadInput, match="the run has 2 targets; say which series are whose: --select a="):
        matchers_of([], ["a", "b"])
