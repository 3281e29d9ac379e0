"""A scenario as the endpoint's own configuration: all that its targets name is there, at plausible speeds."""

import pathlib
import shlex
import typing
import urllib.parse

import pydantic

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.bedrock_apis import GUARDING
from locustfiles.contract.scenario.scenario import Scenario
from scripts.emulator import speeds
from scripts.emulator.config import Config
from scripts.emulator.engine_config import Engine, Timed
from scripts.emulator.operations import model_ids
from scripts.emulator.served_fronts import LOCAL_BUCKET, behind, fronts_of, variables

LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")
_SESSION_S = 3600.0
_GUARDING_MS, _COUNTING_MS = 100.0, 20.0  # that a guardrail takes, and counting a prompt
#: what a default prompt router's id contains -> two models that it may choose
_ROUTED = {
    "anthropic": ["anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-5-sonnet-20240620-v1:0"],
    "meta": ["meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-70b-instruct-v1:0"],
    "": ["amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0"],
}


def config_of(path: str, scenario: Scenario, ttft_ms: float | None, tokens_per_second: float | None) -> Config:
    """Raises BadInput for a target that cannot be served. Two targets of one name share what answers, the first's speed."""
    parts: dict[str, dict[str, dict]] = {"endpoints": {}, "models": {}, "openai": {}}
    engines: dict[str, Engine] = {}
    for target in scenario.targets:
        engines[target.name] = _engine(scenario, target, ttft_ms, tokens_per_second)
        match target.service:
            case "sagemaker" if not target.gateway:
                for name in behind(target):
                    _add_endpoint(path, parts["endpoints"], target, name)
            case "bedrock" if target.api not in GUARDING:
                _add_model(path, parts["models"], target)
            case "openai" | "sagemaker":
                prefix = scenario.prefix_of(target)
                caches = {"caches_prompts": True} if prefix and prefix.cache_point == "automatic" else {}
                parts["openai"].setdefault(target.model_id or "", {"engine": target.name} | caches)
    _name_models(parts["models"])
    guards = [t.guardrail for t in scenario.targets if t.service == "bedrock" and t.guardrail]
    paths = [urllib.parse.urlsplit(t.base_url).path.rstrip("/") for t in scenario.targets if t.service == "openai"]
    used = {entry["engine"] for part in parts.values() for entry in part.values()}
    made = {
        "engines": {name: engine for name, engine in engines.items() if name in used},
        "guardrails": sorted({f"{g.id}:{g.version}" for g in guards}),
        "guarding": {"latency_ms": _GUARDING_MS if ttft_ms is None else ttft_ms},
        "openai_paths": sorted({"/v1", *paths}),
        **fronts_of(scenario),
        **{name: part for name, part in parts.items() if part},
    }
    try:
        return Config.model_validate(made)
    except pydantic.ValidationError as e:  # of a raw answer
        place, reason = e.errors()[0]["loc"], e.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(
            f"{path}: endpoint `{place[1]}`: {reason}; serve this container itself, or write its answers more plainly"
        ) from None


def _engine(scenario: Scenario, target, ttft_ms: float | None, tokens_per_second: float | None) -> Engine:
    if ttft_ms is not None or tokens_per_second is not None:
        ttft, rate = 200.0 if ttft_ms is None else ttft_ms, tokens_per_second or 50.0
        return Timed(kind="timed", ttft_ms=ttft, tokens_per_second=rate, seed=scenario.seed)
    names = (getattr(target, "model_id", None), target.model, getattr(target, "asked", None))
    instance = getattr(target, "instance_type", None)
    return speeds.engine_of(names, instance, getattr(target, "instance_count", 1), scenario.seed)


def _add_endpoint(path: str, endpoints: dict[str, dict], target, name: str) -> None:
    entry = endpoints.setdefault(name, {"engine": target.name, "dialect": target.dialect})
    if "raw" in (entry["dialect"], target.dialect):
        answer = target.answer.model_dump(exclude_none=True) if target.answer else None
        if entry["dialect"] != target.dialect or entry.setdefault("answer", answer) != answer:
            raise BadInput(
                f"{path}: target `{target.name}`: endpoint `{name}` answers another target in another way; "
                "a container has one `raw` form here: give each its own endpoint"
            )
    elif target.dialect != entry["dialect"]:
        _add(entry, "more_dialects", target.dialect)
    for key, value in (("inference_components", target.inference_component), ("target_models", target.target_model)):
        _add(entry, key, value)
    if target.variant and entry.setdefault("variant", target.variant) != target.variant:
        _add(entry, "more_variants", target.variant)
    if target.async_inference:
        entry["asynchronous"] = {
            "output": f"s3://{LOCAL_BUCKET}/{name}",
            "failure": f"s3://{LOCAL_BUCKET}/failed/{name}",
        }
    if target.session_id == "NEW_SESSION":
        entry["session_s"] = _SESSION_S


def _add(entry: dict, key: str, value: str | None) -> None:
    if value is not None and value not in entry.setdefault(key, []):
        entry[key].append(value)


def _add_model(path: str, models: dict[str, dict], target) -> None:
    # Converse is the same for all, and so is Rerank
    family = "cohere-rerank" if target.api == "rerank" else target.family or "llama"
    entry = models.setdefault(target.model_id, {"engine": target.name, "family": family})
    if "prompt-router/" in target.model_id:
        entry["routes_to"] = next(routed for name, routed in _ROUTED.items() if name in target.model_id)
    if target.api == "count-tokens":
        entry |= {"counts_tokens": True, "counting": {"latency_ms": _COUNTING_MS}}
    asked = target.api == "invoke" or (target.api == "count-tokens" and target.dialect)  # its body is the family's
    if asked and entry["family"] != family:
        if entry.get("invoked"):
            raise BadInput(
                f"{path}: target `{target.name}`: model `{target.model_id}` has two families; mend its `dialect:`"
            )
        entry["family"] = family


def _name_models(models: dict[str, dict]) -> None:
    """By their own ids, too, where a profile is named: CountTokens asks for the model itself."""
    named = set(models)
    for model_id, entry in models.items():
        bare = model_ids(model_id)[-1]
        if "." in bare and bare not in named:
            entry["aliases"] = [bare]
            named.add(bare)


def ports_of(scenario: Scenario) -> list[int]:
    """The ports on this machine, without TLS, that the scenario itself names."""
    return list(dict.fromkeys(port for url in _addresses(scenario) if (port := local_port(url))))


def _addresses(scenario: Scenario) -> list[str]:
    own = [t.base_url if t.service == "openai" else t.endpoint_url or scenario.endpoint_url for t in scenario.targets]
    return [url for url in own if url]


def local_port(url: str) -> int | None:
    """The port of an address on this machine that is asked without TLS; else None."""
    parts = urllib.parse.urlsplit(url)
    return (parts.port or 80) if parts.scheme == "http" and parts.hostname in LOOPBACK else None


def told(path: str, scenario: Scenario, config: Config, url: str, ports: typing.Collection[int]) -> list[str]:
    """What to type to run the scenario against the endpoint at `url`, which listens on all of `ports`."""
    lines = [f"serves what {path} names, at speeds that stand in for the real ones:"]
    lines += [f"  {t.name}: {_speed(config, t)}" for t in scenario.targets]
    lines.append("in another shell:")
    wants = [t for t in scenario.targets if t.service != "openai" and not (t.endpoint_url or scenario.endpoint_url)]
    if any(t.service != "openai" for t in scenario.targets):
        key = config.credentials[0]
        lines += [
            "  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK",
            f"  export AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY={key.secret_key}",
        ]
    if wants:
        lines.append(f"  export {' '.join(f'{name}={url}' for name in variables(wants))}")
    elsewhere = {_origin(a) for a in _addresses(scenario) if url.startswith("https") or local_port(a) not in ports}
    run = path
    if elsewhere:
        edits = " ".join(f"-e 's#{origin}#{url}#'" for origin in sorted(elsewhere))
        run = str(pathlib.Path(path).with_suffix(".local.yaml"))
        lines.append(
            f"  sed {edits} {shlex.quote(path)} > {shlex.quote(run)}  # these addresses are the scenario's own"
        )
    lines.append(f"  locust -f locustfiles/sweep.py --scenario {shlex.quote(run)} --run-dir runs/local --headless")
    return lines


def _origin(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _speed(config: Config, target) -> str:
    if getattr(target, "api", None) in GUARDING:
        return f"{target.model_id}, {config.guarding.latency_ms:g} ms"
    kind, name = target.service, getattr(target, "model_id", None) or ""
    if kind == "sagemaker":
        kind, name = ("openai", name) if target.gateway else (kind, behind(target)[0])
    served = {"sagemaker": config.endpoints, "bedrock": config.models, "openai": config.openai}
    section: dict[str, typing.Any] = served[kind]  # type: ignore[assignment]  # of three kinds of targets
    engine = config.engines[section[name].engine]
    if isinstance(engine, Timed):
        return f"{name}, first token after {engine.ttft_ms:g} ms, {engine.tokens_per_second:g} tokens/s"
    assert engine.kind == "simulated"  # no other kind is made here
    rate = 1000 / (engine.decode_base_ms + engine.decode_per_sequence_ms)
    return f"{name}, {rate:.0f} tokens/s alone, prompts at {engine.prefill_tokens_per_second:,.0f} tokens/s"
