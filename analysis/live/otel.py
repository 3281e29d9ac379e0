"""A run by OpenTelemetry's semantic conventions for generative AI, release 0.1.0, and what these have no name for.

| instrument | of |
|---|---|
| gen_ai.client.inference.duration | every request, `error.type` of those that failed |
| gen_ai.client.inference.time_to_first_chunk, .time_per_output_chunk | successes that streamed; the gaps to 2.5 % |
| gen_ai.client.inference.usage.* | tokens of successes, input with those of a cache |
| swarmledger.client.time_per_output_token | successes that streamed, as the report has it |
| swarmledger.stage.* | conversations, cache, parts of a mix, cost: of finished stages the report's; `stage_under_way` so far |
| swarmledger.* | dollars, stages, users, workers |

Every point of requests has its stage and phase: those of `swarmledger.phase` measure are those of the stage in steps.csv.
"""

import itertools
import typing
import urllib.parse

from analysis.live import otlp_wire
from analysis.live.otlp_wire import Attributes, Point, Spread
from analysis.live.round import Document, Round
from analysis.live.stage_metrics import METRICS, of_finished, of_under_way
from analysis.live.tally import ADVISED, SUCCESS, TOKENS, Entry, Key, Times
from locustfiles.contract.scenario.families import embeds
from locustfiles.contract.scenario.scenario import Scenario

SCOPE = "swarmledger"
SECOND = 10**9
KINDS = {
    "input": ("input_tokens", "Tokens of prompts"),
    "output": ("output_tokens", "Tokens that were answered"),
    "cache_read": ("cache_read.input_tokens", "Of the input: read from a cache"),
    "cache_write": ("cache_write.input_tokens", "Of the input: written to a cache"),
    "reasoning": ("reasoning.output_tokens", "Of the output: reasoning"),
}
PROVIDERS = {"bedrock": "aws.bedrock", "openai": "openai"}  # else a name of our own, as the conventions allow
COMPLETIONS = ("openai-completions", "tgi", "lmi")
Named = list[tuple[Attributes, Entry, Key]]


class Writer:
    """Metrics of one moment."""

    def __init__(self, since: int, at: int) -> None:
        self._since, self._at = since, at
        self.metrics: list[bytes] = []

    def times(self, name: str, words: str, bounds: tuple[float, ...], of: list[tuple[Attributes, Times]]) -> None:
        spreads = [Spread(labels, _counts(times, bounds), times.sum) for labels, times in of if times.n]
        if spreads:
            self.metrics.append(otlp_wire.histogram(name, "s", words, bounds, spreads, self._since, self._at))

    def sums(self, name: str, unit: str, words: str, of: list[tuple[Attributes, typing.Any]]) -> None:
        points = [Point(labels, value) for labels, value in of if value is not None]
        if points:
            self.metrics.append(otlp_wire.counter(name, unit, words, points, self._since, self._at))

    def now(self, name: str, unit: str, words: str, of: list[tuple[Attributes, typing.Any]]) -> None:
        points = [Point(labels, float(value)) for labels, value in of if value is not None]
        if points:
            self.metrics.append(otlp_wire.gauge(name, unit, words, points, self._at))


def exported(now: Round, resource: Attributes, version: str) -> bytes:
    """The body of an export request."""
    run = now.load.get("run") or {}
    writer = Writer(int((run.get("started_at") or 0) * SECOND), int((now.load.get("at") or 0) * SECOND))
    targets = _targets(now.scenario)
    if now.tally:
        _requests(writer, [(_of(key, targets), entry, key) for key, entry in now.tally.sorted()])
    _stages(writer, now.figures, now.load)
    _load(writer, now.load, now.figures)
    of = resource | {"swarmledger.run.id": str(run.get("id") or ""), "swarmledger.run.name": str(run.get("name") or "")}
    scenario = (now.load.get("scenario") or {}).get("name")
    of |= {"swarmledger.scenario": str(scenario)} if scenario else {}
    return otlp_wire.request(of, SCOPE, version, writer.metrics)


def _requests(writer: Writer, named: Named) -> None:
    duration = [
        (of if outcome == SUCCESS else of | {"error.type": outcome}, times)
        for of, entry, _ in named
        for outcome, times in sorted(entry.latency.items())
    ]
    inference = "gen_ai.client.inference"
    writer.times(
        f"{inference}.duration", "GenAI inference, from the request to the end of its answer.", ADVISED, duration
    )
    chunks = [(of, entry.ttft) for of, entry, _ in named]
    writer.times(f"{inference}.time_to_first_chunk", "Time to the first chunk with output.", ADVISED, chunks)
    gaps = [(of, entry.gaps) for of, entry, _ in named]
    writer.times(f"{inference}.time_per_output_chunk", "Time from chunk to chunk.", TOKENS, gaps)
    tokens = [(of, entry.tpot) for of, entry, _ in named]
    words = "Time per output token after the first, a value a stream."
    writer.times("swarmledger.client.time_per_output_token", words, TOKENS, tokens)
    for kind, (name, words) in KINDS.items():
        # no record tells text from pictures, for which the conventions have this word
        counts = [(of | {"gen_ai.token.modality": "unknown"}, entry.tokens.get(kind)) for of, entry, _ in named]
        writer.sums(f"{inference}.usage.{name}", "{token}", f"{words}.", counts)
    usd = [(of, entry.usd) for of, entry, _ in named]
    writer.sums("swarmledger.cost.tokens", "USD", "Dollars by the price of tokens.", usd)


def _stages(writer: Writer, figures: Document, load: Document) -> None:
    for metric in METRICS:
        for name, points in (
            ("stage", of_finished(metric, figures)),
            ("stage_under_way", of_under_way(metric, figures, load)),
        ):
            named = [({f"swarmledger.{key}": each for key, each in of.items()}, value) for of, value in points]
            writer.now(f"swarmledger.{name}.{metric.name}", metric.unit, f"{metric.words}.", named)


def _load(writer: Writer, load: Document, figures: Document) -> None:
    run, stage, users = load.get("run") or {}, load.get("stage") or {}, load.get("users") or {}
    spend, accrued = load.get("spend") or {}, (figures.get("series") or {}).get("usd") or [None]
    for name, unit, words, value in (
        ("cost.accrued", "USD", "What the run has cost so far.", accrued[-1]),
        ("cost.at_most", "USD", "What the run may have cost at most.", spend.get("usd")),
        ("budget.left", "USD", "What is left of the budget at least.", spend.get("left_usd")),
        ("stage.current", "1", "Number of the stage under way.", stage.get("stage")),
        ("stages.done", "{stage}", "Stages that have ended.", run.get("stages_done")),
        ("users.planned", "{user}", "Users of the stage under way.", users.get("planned")),
        ("users.running", "{user}", "Users that run.", users.get("running")),
        ("requests.in_flight", "{request}", "Requests under way.", users.get("in_flight")),
    ):
        none: Attributes = {}
        writer.now(f"swarmledger.{name}", unit, words, [(none, value)])
    workers: list[tuple[Attributes, Document]] = [
        ({"swarmledger.worker": str(w.get("worker"))}, w) for w in load.get("workers") or []
    ]
    writer.now(
        "swarmledger.worker.cpu", "1", "Share of a core, last second.", [(of, w.get("cpu")) for of, w in workers]
    )
    lags = [(of, None if w.get("lag_ms") is None else w["lag_ms"] / 1000) for of, w in workers]
    writer.now("swarmledger.worker.loop_lag", "s", "Worst lag of its event loop, last second.", lags)


def _of(key: Key, targets: dict[str, Attributes]) -> Attributes:
    own: Attributes = {
        "swarmledger.stage": key.stage, "swarmledger.target": key.target, "swarmledger.payload": key.payload,
        "swarmledger.phase": key.phase,
    }  # fmt: skip
    return targets.get(key.target, {}) | own


def _targets(scenario: Scenario | None) -> dict[str, Attributes]:
    """What the conventions want to know of each target."""
    found: dict[str, Attributes] = {}
    for target in scenario.targets if scenario else ():
        dialect = getattr(target, "dialect", None) or ""
        operation = "embeddings" if embeds(target) else "text_completion" if dialect in COMPLETIONS else "chat"
        if not target.writes_text:
            operation = getattr(target, "api", operation).replace("-", "_")
        model = getattr(target, "model_id", None) or getattr(target, "endpoint", None) or target.model or target.name
        found[target.name] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": PROVIDERS.get(target.service, f"aws.{target.service}"),
            "gen_ai.request.model": str(model),
            **_server(getattr(target, "base_url", None) or target.endpoint_url),
        }
    return found


def _server(url: typing.Any) -> Attributes:
    """Of a URL that the scenario names; AWS's own endpoints are known by the region and stand nowhere in it."""
    parts = urllib.parse.urlsplit(str(url or ""))
    if not parts.hostname:
        return {}
    return {"server.address": parts.hostname, "server.port": parts.port or (80 if parts.scheme == "http" else 443)}


def _counts(times: Times, bounds: tuple[float, ...]) -> list[int]:
    ends = [0, *times.up_to(bounds), times.n]
    return [after - before for before, after in itertools.pairwise(ends)]
