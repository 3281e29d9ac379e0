"""A container's own metrics out of a Prometheus server (query_range): vLLM, TGI and SGLang, and NVIDIA's DCGM exporter."""

import itertools
import json
import re
import statistics
import typing
import urllib.error
import urllib.parse
import urllib.request

from analysis.words.service_figures import ContainerSide
from locustfiles.contract.bad_input import BadInput

_MOST_POINTS = 11_000  # of a series in an answer of Prometheus
_FINEST_S = 1.0
_TIMEOUT_S = 30.0
_SELECT = re.compile(r"([^=]+)=(.*)", re.DOTALL)
Points = list[tuple[float, float]]  # Unix seconds, value; ascending

#: gauges, of several series the sum: name -> metrics, of which the first that is there is taken
_SUMS = {
    "waiting": ("vllm:num_requests_waiting", "tgi_queue_size", "sglang:num_queue_reqs"),
    "running": ("vllm:num_requests_running", "tgi_batch_current_size", "sglang:num_running_reqs"),
}
#: shares, of several series the mean; and what makes a share of them
_SHARES = {
    "kv": (("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "sglang:token_usage"), 1.0),
    "gpu": (("DCGM_FI_DEV_GPU_UTIL",), 100.0),
}
_MEMORY = ("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE")
#: counters
_COUNTS = {
    "preemptions": ("vllm:num_preemptions_total", "vllm:num_preemptions"),
    "prompt": ("vllm:prompt_tokens_total", "tgi_request_input_length_sum", "sglang:prompt_tokens_total"),
    "completion": (
        "vllm:generation_tokens_total",
        "tgi_request_generated_tokens_sum",
        "sglang:generation_tokens_total",
    ),
}
#: histograms of seconds
_TIMES = {
    "queue": ("vllm:request_queue_time_seconds", "tgi_request_queue_duration", "sglang:queue_time_seconds"),
    "latency": ("vllm:e2e_request_latency_seconds", "tgi_request_duration", "sglang:e2e_request_latency_seconds"),
    "ttft": ("vllm:time_to_first_token_seconds", "sglang:time_to_first_token_seconds"),
}


class Unreached(Exception):
    """Why Prometheus tells nothing, a line."""


class Prometheus:
    """A server, of a time. Answers are kept: many stages ask for the same."""

    def __init__(self, url: str, begin: float, end: float) -> None:
        """Raises BadInput."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(f"--prometheus {url}: no address of a server; give it as http://127.0.0.1:9090")
        if parts.username or parts.password or parts.query:
            raise BadInput(
                "--prometheus: an address with a password or a token; give one that asks for none, as a tunnel's"
            )
        self._url, self._begin, self._end = url.rstrip("/"), begin, end
        self._step = max(_FINEST_S, (end - begin) / (_MOST_POINTS - 1))
        self._kept: dict[str, Points] = {}

    def points(self, query: str) -> Points:
        """Of one series, which the query has to make; empty where there is none. Raises Unreached."""
        if query not in self._kept:
            asked = {"query": query, "start": self._begin, "end": self._end, "step": self._step}
            body = urllib.parse.urlencode({name: str(value) for name, value in asked.items()}).encode()
            self._kept[query] = _points(self._ask(body), self._url)
        return self._kept[query]

    def _ask(self, body: bytes) -> typing.Any:
        """Raises Unreached."""
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/query_range", body, timeout=_TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            said = " ".join(e.read(300).decode(errors="replace").split())
            raise Unreached(
                f"--prometheus {self._url}: it answers {e.code} ({said[:200]}); check --select and the address"
            ) from None
        except (OSError, ValueError) as e:
            why = getattr(e, "reason", e)
            raise Unreached(
                f"--prometheus {self._url}: cannot be asked ({why}); check the address and the network"
            ) from None


def _points(answer: typing.Any, url: str) -> Points:
    """Raises Unreached."""
    try:
        result = answer["data"]["result"]
        found = [(float(at), float(value)) for at, value in (result[0]["values"] if result else ())]
    except (LookupError, TypeError, ValueError):
        raise Unreached(f"--prometheus {url}: its answer is none of Prometheus; check the address") from None
    return [(at, value) for at, value in found if value == value]  # NaN: of 0 by 0


def container_side(server: Prometheus, matcher: str, begin: float, end: float) -> ContainerSide:
    """Of the measured window. matcher: labels that choose the server's series, as in a query. Raises Unreached."""

    def gauge(query: str) -> list[float]:
        return [value for at, value in server.points(query) if begin <= at < end]

    def first(metrics: typing.Iterable[str], of: str = "sum") -> list[float]:
        return next((found for m in metrics if (found := gauge(f"{of}({m}{{{matcher}}})"))), [])

    def grown(metric: str) -> float | None:
        values = gauge(f"sum({metric}{{{matcher}}})")
        pairs = itertools.pairwise(values)
        return sum(max(0.0, b - a) for a, b in pairs) if len(values) > 1 else None  # it falls where a server began anew

    def count(name: str) -> float | None:
        return next((n for m in _COUNTS[name] if (n := grown(m)) is not None), None)

    def mean_ms(name: str) -> float | None:
        each = ((grown(f"{m}_sum"), grown(f"{m}_count")) for m in _TIMES[name])
        return next((1000 * total / n for total, n in each if total is not None and n), None)

    waiting, running = first(_SUMS["waiting"]), first(_SUMS["running"])
    kv, gpu = ([v / whole for v in first(metrics, "avg")] for metrics, whole in _SHARES.values())
    used, free = (f"sum({metric}{{{matcher}}})" for metric in _MEMORY)
    return ContainerSide(
        waiting_mean=_mean(waiting),
        waiting_max=max(waiting, default=None),
        running_mean=_mean(running),
        running_max=max(running, default=None),
        kv_cache_mean_share=_mean(kv),
        kv_cache_max_share=max(kv, default=None),
        preemptions=count("preemptions"),
        container_queue_mean_ms=mean_ms("queue"),
        container_latency_mean_ms=mean_ms("latency"),
        container_ttft_mean_ms=mean_ms("ttft"),
        container_prompt_tokens=count("prompt"),
        container_completion_tokens=count("completion"),
        dcgm_gpu_share=_mean(gpu),
        dcgm_memory_share=_mean(gauge(f"{used} / ({used} + {free})")),
    )


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None


def matchers_of(given: typing.Iterable[str], targets: typing.Sequence[str]) -> dict[str, str]:
    """Target -> label matchers, of those whose server Prometheus watches: `TARGET=job="vllm"` each; the only target needs none.
    Raises BadInput."""
    found = {}
    for text in given:
        match = _SELECT.fullmatch(text)
        if match is None or match[1] not in targets:
            raise BadInput(
                f"--select {text}: names no target of the run; write TARGET=MATCHERS, of {', '.join(targets)}"
            )
        if "{" in match[2] or "}" in match[2]:
            raise BadInput(f'--select {text}: without braces; write {match[1]}=instance="10.0.0.5:8000"')
        found[match[1]] = match[2]
    if not found and len(targets) == 1:
        return {targets[0]: ""}
    if not found:
        raise BadInput(
            f'--prometheus: the run has {len(targets)} targets; say which series are whose: --select {targets[0]}=instance="…"'
        )
    return found
