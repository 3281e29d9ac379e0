"""The service's side as tables: what CloudWatch, the quotas and a container's metrics say, beside the client's figures."""

import typing

import pandas as pd

from analysis.advice.report_model import Report
from analysis.report.run_tables import frame_of_rows
from analysis.runs.service_file import ServiceFile
from analysis.words import format as show
from analysis.words.level import level_text
from analysis.words.service_columns import SERVICE_METRICS, service_row
from analysis.words.service_figures import ServiceFigures

_KINDS = {"count": "Int64", "number": "float64"}
#: a row's names, which stay though nothing else is known
_NAMES = ("Run", "Target", "Dataset", "Level", "Periods", "Not known")
LEAD = (
    "Client and service are compared over the same minutes of CloudWatch, by the requests that ended in them; these are not "
    "exactly the measured window of the other tables. Client minus service is of means alone, the same statistic on both "
    "sides: network, TLS, and queues before the service's clock starts. Of several minutes the service's percentiles are given "
    "as bounds, from the lowest minute's to the highest's; SageMaker's are of ModelLatency alone. The container's figures are of "
    "the measured window."
)
_BASIS = {"inside": "in the window", "alone": "around the window"}


class Notes(typing.NamedTuple):
    """lead: what the table is; why: of knees; missing: what could not be asked for."""

    lead: str
    why: list[str]
    missing: list[str]


def service_notes(report: Report) -> Notes:
    several = len(report.runs) > 1
    missing = [
        f"{f'{run}: ' if several else ''}{line}" for run, found in report.service.items() for line in found.missing
    ]
    return Notes(LEAD, report.knee_reasons, missing)


def service_rows(files: dict[str, ServiceFile]) -> pd.DataFrame:
    """Of numbers: tables/service.csv; without columns where nothing is there."""
    rows = [{"run": run} | service_row(s) for run, found in files.items() for s in found.stages]
    if not rows:
        return pd.DataFrame()
    kinds = {"run": "object"} | {c.name: _KINDS.get(c.kind, "object") for c in SERVICE_METRICS}
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in kinds.items()})


def shown_service(files: dict[str, ServiceFile], several_runs: bool) -> pd.DataFrame:
    """Text cells, a row a stage; without columns of which nothing is known."""
    frame = frame_of_rows((_shown(run, s) for run, found in files.items() for s in found.stages), several_runs)
    return frame[[c for c in frame if c in _NAMES or set(frame[c]) - {show.UNKNOWN, ""}]] if len(frame) else frame


def _shown(run: str, s: ServiceFigures) -> dict[str, str]:
    client, service, apart, box = s.client, s.service, s.differences, s.container
    basis = _BASIS.get(s.minutes.basis or "", "")
    return {
        "Run": run,
        "Target": s.target,
        "Dataset": s.payload,
        "Level": level_text(s),
        "Periods": f"{s.minutes.periods} × {s.minutes.period_s:g} s {basis}" if s.minutes.periods else "none",
        "Latency mean: client": _ms(client.client_latency_mean_ms),
        "service": _ms(service.service_latency_mean_ms),
        "client minus service": _ms(apart.network_queue_ms),
        "Of the service: model": _ms(service.model_latency_mean_ms),
        "overhead": _ms(service.overhead_latency_mean_ms),
        "p50: client": _ms(client.client_latency_p50_ms),
        "p50: service": _bounds(service.service_p50_low_ms, service.service_p50_high_ms),
        "p99: client": _ms(client.client_latency_p99_ms),
        "p99: service": _bounds(service.service_p99_low_ms, service.service_p99_high_ms),
        "TTFT mean: client": _ms(client.client_ttft_mean_ms),
        "TTFT mean: service": _ms(service.service_ttft_mean_ms),
        "TTFT: client minus service": _ms(apart.ttft_network_queue_ms),
        "Requests: client": show.count(client.client_requests),
        "Requests: service": show.count(service.service_requests),
        "Throttled: client": show.count(client.client_throttled),
        "Throttled: service": show.count(service.service_throttles),
        "Errors of the client's": show.count(service.service_client_errors),
        "Errors of the server's": show.count(service.service_server_errors),
        "Prompt tokens: client": show.count(client.client_prompt_tokens),
        "Prompt tokens: service": _more(service.service_prompt_tokens, apart.prompt_tokens_more),
        "Output tokens: client": show.count(client.client_completion_tokens),
        "Output tokens: service": _more(service.service_completion_tokens, apart.completion_tokens_more),
        "Quota of tokens taken": show.percent(s.quota.tokens_quota_share),
        "Quota of requests taken": show.percent(s.quota.requests_quota_share),
        "Quota of instances taken": show.percent(s.quota.instances_quota_share),
        "GPU": show.percent(service.gpu_share if service.gpu_share is not None else box.dcgm_gpu_share),
        "GPU memory": show.percent(box.dcgm_memory_share)
        if box.dcgm_memory_share is not None
        else _of_one(service.gpu_memory_percent, "GPU"),
        "CPU": _of_one(service.cpu_percent, "core"),
        "Concurrent at the endpoint": _mean_max(service.concurrent_mean, service.concurrent_max),
        "Waiting in the container": _mean_max(box.waiting_mean, box.waiting_max),
        "Running": _mean_max(box.running_mean, box.running_max),
        "KV cache": show.percent(box.kv_cache_mean_share),
        "Container: queue": _ms(box.container_queue_mean_ms),
        "Container: latency": _ms(box.container_latency_mean_ms),
        "Container: TTFT": _ms(box.container_ttft_mean_ms),
        "Preemptions": show.count(box.preemptions),
        "Not known": s.missing or "",
    }  # fmt: skip


def _ms(value: float | None) -> str:
    return show.UNKNOWN if value is None else show.seconds(value / 1000)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None or _ms(low) == _ms(high):
        return _ms(low)
    return f"{_ms(low)} to {_ms(high)}"


def _more(value: int | None, more: int | None) -> str:
    """`1,234 (+12)`"""
    return show.count(value) + (f" ({more:+,})" if more else "")


def _of_one(percent: float | None, what: str) -> str:
    return show.UNKNOWN if percent is None else f"{show.number(percent)} % of a {what}"


def _mean_max(mean: float | None, most: float | None) -> str:
    return show.UNKNOWN if mean is None else f"{show.number(mean)} (at most {show.number(most)})"
