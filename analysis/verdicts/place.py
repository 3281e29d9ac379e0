"""Where a stage was measured and under which conditions. Stages alike in both, in prompts and level are repetitions of each
other, whichever run they are of and whatever the target is called there.

Conditions are what changes what a call does or costs: the target's keys, what a user does between two calls, the price, and an
address that is asked in place of AWS's own. AWS's own addresses (public, FIPS, dual-stack, of a VPC endpoint) lead to one place: what
is bought there is the same. How long was measured is no condition.
"""

import json
import typing

from analysis.cost.pricing import price_text
from analysis.runs.run_reader import Run
from analysis.verdicts.aws_hosts import own_region
from analysis.words import format as show
from locustfiles.contract.prices.price import HourlyPrice, Price
from locustfiles.contract.scenario.mixes import mix_text
from locustfiles.contract.scenario.targets import Target

Conditions = tuple[tuple[str, str], ...]  # (what, its value in words), in a fixed order

#: which of a target's keys say what it calls
_CALLED: dict[str, tuple[str, ...]] = {
    "sagemaker": (
        "endpoint", "inference_component", "variant", "target_model", "target_container", "inference_router", "routing_target",
        "gateway", "model_id",
    ),
    "bedrock": ("model_id",),
    "openai": ("base_url", "model_id"),
}  # fmt: skip
#: keys that neither say what is called nor change a call: instances, price and the address that is asked stand apart
_BESIDE = (
    "name", "service", "labels", "payloads", "load", "price", "discount_percent", "endpoint_url", "api_key_env", "auth", "signing_name",
    "identity_token_env", "instance_type", "instance_count", "instance_share", "parameters", "inference_id",
)  # fmt: skip
PRICE, ADDRESS = "price", "endpoint_url"


class Place(typing.NamedTuple):
    """One option to choose: `called` is the endpoint, with component and variant, the model id, or the URL with its model."""

    service: str
    called: tuple[str, ...]
    region: str | None  # of AWS's services
    instance: str | None  # `2 x ml.p4d.24xlarge`
    conditions: Conditions = ()

    @property
    def spot(self) -> "Place":
        """The same whatever the conditions."""
        return self._replace(conditions=())


def place_of(run: Run, target: Target, prices: dict[str, Price]) -> Place:
    """Of a run's target. Targets of one run are told apart by their names, for whoever wrote them wants them compared."""
    own = _place(run, target, prices[target.name])
    before = [t for t in run.scenario.targets[: run.scenario.targets.index(target)] if t.service == target.service]
    alike = sum(_place(run, other, prices[other.name]) == own for other in before)
    return own._replace(conditions=(*own.conditions, ("again in its run", str(alike)))) if alike else own


def _place(run: Run, target: Target, price: Price) -> Place:
    region = None if target.service == "openai" else run.scenario.region
    called = tuple(str(getattr(target, key) or "") for key in _CALLED[target.service])
    return Place(target.service, called, region, _instances(target, price), _conditions(run, target, price))


def _instances(target: Target, price: Price) -> str | None:
    kind = getattr(target, "instance_type", None)
    count = price.instance_count if isinstance(price, HourlyPrice) else getattr(target, "instance_count", 1)
    return f"{count} x {kind or 'what its price names'}" if kind or isinstance(price, HourlyPrice) else None


def _conditions(run: Run, target: Target, price: Price) -> Conditions:
    scenario, load = run.scenario, run.scenario.load_of(target)
    own = target.model_dump(exclude_none=True, exclude_defaults=True)
    found = {key: own[key] for key in own if key not in (*_BESIDE, *_CALLED[target.service])}
    found |= {f"parameters.{key}": value for key, value in target.parameters.items()}
    found |= {"think_s": load.think_s} if load.think_s else {}
    found |= {"sessions": load.sessions.model_dump(exclude_none=True)} if load.sessions else {}
    found |= {"arrivals": load.replay or load.arrivals_text} if load.open_loop else {}
    found |= {"retry": scenario.retry.model_dump()} if scenario.retry else {}
    if load.ramp:
        found |= {"ramp": f"{load.ramp.begin:g} to {load.ramp.end:g} requests/s"}
    if scenario.mix:
        found |= {"mix": mix_text(scenario.parts)}
    found |= {"cancel": scenario.cancel.text} if scenario.cancel and target.stream else {}
    found |= {"transport": scenario.transport} if scenario.transport != "fast" else {}
    words = {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in found.items()
    }
    if asked := _asked_instead(run, target):
        words[ADDRESS] = asked
    guardrail = getattr(price, "guardrail", None)
    words[PRICE] = price_text(price) + (f", guardrail {json.dumps(guardrail, sort_keys=True)}" if guardrail else "")
    return tuple(sorted(words.items()))


def _asked_instead(run: Run, target: Target) -> str | None:
    """The address of an AWS service's target that is not AWS's own in the run's region, for what answers there may be another."""
    if target.service == "openai":
        return None  # its URL is what is called
    if url := getattr(target, "endpoint_url", None) or run.scenario.endpoint_url:
        own = own_region(target.service, url)
        return None if own and own == run.scenario.region else url.rstrip("/")
    # AWS_ENDPOINT_URL_* is in no manifest, but AWS is not asked over http
    return "one over http, by the environment" if run.manifest.schemes.get(target.name) == "http" else None


def differing(one: Place, other: Place, without: typing.Collection[str] = ()) -> str:
    """`parameters.max_tokens 100 against 200, price $1 per hour against $2 per hour`: what sets two places of one spot apart."""
    ours, theirs = dict(one.conditions), dict(other.conditions)
    names = [name for name in sorted({*ours, *theirs}) if name not in without and ours.get(name) != theirs.get(name)]
    parts = [f"{name} {_short(ours.get(name))} against {_short(theirs.get(name))}" for name in names]
    counts = [f"{one.instance} against {other.instance}"] if one.instance != other.instance else []
    return ", ".join([*counts, *parts])


def _short(words: str | None) -> str:
    text = show.text(words)
    return text if len(text) <= 60 else f"{text[:59]}…"


def prompts_of(run: Run, payload: str) -> str | None:
    """The payload file's SHA-256; None: not known."""
    digest = run.manifest.payloads.get(payload, {}).get("sha256")
    return None if digest is None else str(digest)
