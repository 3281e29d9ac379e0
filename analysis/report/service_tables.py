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
_NAMES = ("Run", "Target", "Dataset", "Level")
_ALSO = (*_NAMES, "Minutes", "Not known")
LEAD = (
    "Client and service are compared over the same minutes of CloudWatch, by the requests that ended in them; these are not "
    "exactly the measured window of the other tables. Client minus service is of means alone, the same statistic on both "
    "sides: network, TLS, and queues before the service's clock starts. Of several minutes the service's percentiles are given "
    "as bounds, from the lowest minute's to the highest's; SageMaker's are of ModelLatency alone, but those of asynchronous "
    "endpoints, whose client waits until it finds the answer in S3. The container's figures are of the measured window."
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


def shown_service(files: dict[str, ServiceFile], several_runs: bool) -> dict[str, pd.DataFrame]:
    """Title -> text cells, a row a stage, by target and level; without columns, and tables, of which nothing is known."""
    stages = [(run, s) for run, found in files.items() for s in found.stages]
    stages.sort(
        key=lambda one: (one[0], one[1].target, one[1].payload, one[1].users or 0, one[1].rate or 0.0, one[1].stage)
    )
    found = {}
    for title, cells in _TABLES.items():
        frame = frame_of_rows((_names(run, s) | cells(s) for run, s in stages), several_runs)
        told = [c for c in frame if c not in _ALSO and set(frame[c]) - {show.UNKNOWN}]
        if "Minutes" not in frame:
            frame = frame[(frame[told] != show.UNKNOWN).any(axis=1)]
        if len(frame):
            found[title] = frame[[c for c in frame if c in told or c in _ALSO]]
    return found


def _names(run: str, s: ServiceFigures) -> dict[str, str]:
    return {"Run": run, "Target": s.target, "Dataset": s.payload, "Level": level_text(s)}


def _latency(s: ServiceFigures) -> dict[str, str]:
    client, service, apart, minutes = s.client, s.service, s.differences, s.minutes
    parts = (service.model_latency_mean_ms, service.overhead_latency_mean_ms)
    unit = "" if minutes.period_s in (None, 60.0) else f" of {minutes.period_s:g} s"
    return {
        "Minutes": f"{minutes.periods}{unit} {_BASIS.get(minutes.basis or '', '')}" if minutes.periods else "none",
        "Mean of the client": _ms(client.client_latency_mean_ms),
        "of the service": _ms(service.service_latency_mean_ms),
        "client minus service": _ms(apart.network_queue_ms),
        "of the service: model / overhead": _pair(*map(_ms, parts)),
        "of the service: model / backlog": _pair(_ms(service.model_latency_mean_ms), _ms(service.backlog_time_mean_ms)),
        "p50: client / service": _pair(
            _ms(client.client_latency_p50_ms), _bounds(service.service_p50_low_ms, service.service_p50_high_ms)
        ),
        "p99: client / service": _pair(
            _ms(client.client_latency_p99_ms), _bounds(service.service_p99_low_ms, service.service_p99_high_ms)
        ),
        "TTFT mean: client / service": _pair(_ms(client.client_ttft_mean_ms), _ms(service.service_ttft_mean_ms)),
        "TTFT: client minus service": _ms(apart.ttft_network_queue_ms),
        "Not known": s.missing or "",
    }


def _counts(s: ServiceFigures) -> dict[str, str]:
    client, service, apart, quota = s.client, s.service, s.differences, s.quota
    errors = (service.service_client_errors, service.service_server_errors)
    return {
        "Requests: client / service": _pair(show.count(client.client_requests), show.count(service.service_requests)),
        "Throttled: client / service": _pair(
            show.count(client.client_throttled), show.count(service.service_throttles)
        ),
        "Errors of the service: 4xx / 5xx": _pair(*map(show.count, errors)),
        "Prompt tokens: client / service": _pair(
            show.count(client.client_prompt_tokens), _more(service.service_prompt_tokens, apart.prompt_tokens_more)
        ),
        "Output tokens: client / service": _pair(
            show.count(client.client_completion_tokens),
            _more(service.service_completion_tokens, apart.completion_tokens_more),
        ),
        "Tokens of the quota": _of_quota(quota.tokens_quota_share, quota.tokens_per_minute_quota, "/min"),
        "Requests of the quota": _of_quota(quota.requests_quota_share, quota.requests_per_minute_quota, "/min"),
        "Instances of the quota": _of_quota(quota.instances_quota_share, quota.instances_quota, ""),
    }


def _server(s: ServiceFigures) -> dict[str, str]:
    service, box = s.service, s.container
    return {
        "GPU at work": show.percent(service.gpu_share if service.gpu_share is not None else box.dcgm_gpu_share),
        "GPU memory": show.percent(box.dcgm_memory_share)
        if box.dcgm_memory_share is not None
        else _of_one(service.gpu_memory_percent, "GPU"),
        "CPU": _of_one(service.cpu_percent, "core"),
        "Concurrent at the endpoint": _mean_max(service.concurrent_mean, service.concurrent_max),
        "In the endpoint's backlog": _mean_max(service.backlog_mean, service.backlog_max),
        "Waiting in the container": _mean_max(box.waiting_mean, box.waiting_max),
        "Running in it": _mean_max(box.running_mean, box.running_max),
        "KV cache in use": show.percent(box.kv_cache_mean_share),
        "Its queue, mean": _ms(box.container_queue_mean_ms),
        "Its latency, mean": _ms(box.container_latency_mean_ms),
        "Its TTFT, mean": _ms(box.container_ttft_mean_ms),
        "Preemptions": show.count(box.preemptions),
        "Output tokens it counted": show.count(box.container_completion_tokens),
    }


_TABLES: dict[str, typing.Callable[[ServiceFigures], dict[str, str]]] = {
    "Latency": _latency,
    "Requests, tokens and quotas": _counts,
    "The server at work": _server,
}


def _ms(value: float | None) -> str:
    return show.UNKNOWN if value is None else show.seconds(value / 1000)


def _bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None or _ms(low) == _ms(high):
        return _ms(low)
    return f"{_ms(low)} to {_ms(high)}"


def _more(value: int | None, more: int | None) -> str:
    """`1,234 (+12)`"""
    return show.count(value) + (f" ({more:+,})" if more else "")


def _pair(one: str, other: str) -> str:
    return show.UNKNOWN if other == show.UNKNOWN else f"{one} / {other}"


def _of_quota(share: float | None, whole: float | None, unit: str) -> str:
    """`68.6 % of 15,000/min`"""
    return show.UNKNOWN if share is None else f"{show.percent(share)} of {show.count(whole)}{unit}"


def _of_one(percent: float | None, what: str) -> str:
    return show.UNKNOWN if percent is None else f"{show.number(percent)} % of a {what}"


def _mean_max(mean: float | None, most: float | None) -> str:
    return show.UNKNOWN if mean is None else f"{show.number(mean)} (at most {show.number(most)})"
