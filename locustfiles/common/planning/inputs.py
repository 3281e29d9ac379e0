"""All that a run reads before it sends anything: scenario, payloads, price book. Every mistake is found here."""

import dataclasses
import datetime
import hashlib
import json
import pathlib

from locustfiles.common.dialects.request import build
from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.planning.embedded_prices import check_embedded
from locustfiles.common.planning.sent_lines import (
    Prefixes,
    asked_by_system,
    asked_of_cache,
    digests_of,
    prefixes_of,
    synthetic_lines,
    with_prefix,
    with_system,
)
from locustfiles.common.planning.session_checks import check_sessions
from locustfiles.common.planning.tokenizers_found import count_prompts, with_tokenizers
from locustfiles.common.planning.trace_fit import ByLength, fit
from locustfiles.common.planning.traces import LINES_OF_SUCH_LENGTHS, traces_of
from locustfiles.common.prompts.payloads import BadPayload, Prompt, load_payload
from locustfiles.common.prompts.synthetic import digest_of, inexact
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.prices.price import AnyPrice, TokenPrice
from locustfiles.contract.prices.sourced import Source
from locustfiles.contract.scenario.answer_limit import answer_limit
from locustfiles.contract.scenario.billed_units import by_the_image, embeds, never_counted, unguarded
from locustfiles.contract.scenario.loads import Level, Load
from locustfiles.contract.scenario.scenario import Scenario, find_file, load_scenario
from locustfiles.contract.scenario.target_prices import price_of_model, prices_of
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.stage_asked import CacheAsked, TraceFit
from locustfiles.contract.strict_yaml import place_of


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    scenario: Scenario  # a `tokenizer:` that is a file has the path where it was found
    scenario_file: pathlib.Path
    payloads: dict[str, list[Prompt]]  # stem -> prompts
    payload_files: dict[
        str, dict
    ]  # stem -> {"file", "sha256", "prompts"}, "cache_points": prompts that have some, "media_sha256"
    prices: dict[str, AnyPrice]  # target -> price; may be empty at a worker
    sources: dict[str, Source]  # target -> where its price is from
    content: str  # hash of scenario, payloads, tokenizers and traces: equal on every worker
    # `replay` as the scenario names it -> arrivals
    traces: dict[str, list[Arrival]] = dataclasses.field(default_factory=dict)
    by_length: dict[tuple[str, str], ByLength] = dataclasses.field(default_factory=dict)  # of those with prompt lengths
    prefixes: Prefixes = dataclasses.field(default_factory=dict)  # of the targets that have a `prefix:`

    def stems_of(self, target_name: str) -> list[str]:
        """The payloads of one target, in the scenario's order."""
        return [pathlib.Path(p).stem for p in self.scenario.payloads_of(self.scenario.target(target_name))]

    def sent(self, target: Target, payload: str, prompt: Prompt) -> Prompt:
        """What a request sends in the place of a payload's line; behind a prefix it is another one each time."""
        made = self.prefixes.get((target.name, payload))
        return with_system(target, prompt) if made is None else made.dress(prompt)

    def by_the_image(self, target: Target) -> bool:
        """Whether a target is billed by the images that it embeds."""
        return embeds(target) and by_the_image(target, self.prices[target.name])

    def cache_asked(self, target: str, payload: str) -> CacheAsked | None:
        """What is wanted of a prompt cache, where that is known."""
        made = self.prefixes.get((target, payload))
        if made is not None:
            return asked_of_cache(made)
        return asked_by_system(self.scenario.target(target), self.payloads[payload])

    def most_tokens(self, target: Target) -> int | None:
        """The most output tokens that any call of it asks for; None where one has no limit."""
        prompts = [one for stem in self.stems_of(target.name) for p in self.payloads[stem] for one in p.requests]
        asked: set[int | None] = {answer_limit(target.parameters | p.parameters) for p in prompts}
        if trace := self.traces.get(self.scenario.load_of(target).replay or ""):
            asked = {a.max_tokens or n for a in trace for n in asked}
        known = [n for n in asked if n is not None]
        return max(known) if len(known) == len(asked) else None

    def price_of_model(self, model_id: str) -> TokenPrice | None:
        """Of a model that is no target; None where no source has it."""
        today = datetime.datetime.now(datetime.UTC).date()
        return price_of_model(model_id, self.scenario, self.scenario_file, today)

    @property
    def prices_as_json(self) -> dict[str, dict]:
        return {name: price.model_dump(mode="json") for name, price in self.prices.items()}

    @property
    def sources_as_json(self) -> dict[str, dict]:
        return {name: source.model_dump(mode="json") for name, source in self.sources.items()}

    @property
    def price_cautions(self) -> list[str]:
        """A line for whatever speaks against a target's price."""
        return [f"target `{name}`: {caution}" for name, source in self.sources.items() for caution in source.cautions]

    def levels_of(self, load: Load) -> list[Level]:
        """The stages of a load that are known beforehand."""
        if load.replay is None:
            return load.levels
        trace = self.traces[load.replay]
        return [Level(None, round((len(trace) - 1) / trace[-1].at_s, 6))]

    def trace_fit(self, target: str, payload: str) -> TraceFit | None:
        """Of a target that replays a trace with prompt lengths, else None."""
        named = self.scenario.load_of(self.scenario.target(target)).replay
        if named is None:
            return None
        lines = self.by_length.get((target, payload))
        return fit(self.traces[named], lines or ByLength(self.payloads[payload], self.scenario.target(target)))

    @property
    def far_replays(self) -> list[str]:
        """A line for each (target, payload) whose prompts are not those that its trace asks for."""
        lines = []
        for target in self.scenario.targets:
            for stem in self.stems_of(target.name):
                if (found := self.trace_fit(target.name, stem)) and found.off > TraceFit.OFF_AT_MOST:
                    named = self.scenario.load_of(target).replay
                    lines.append(
                        f"target `{target.name}`, payload `{stem}`: {named} {found.text}; {LINES_OF_SUCH_LENGTHS}"
                    )
        return lines

    @property
    def inexact_lines(self) -> list[str]:
        """A line for each synthetic payload some prompts of which are not as long as asked."""
        off = {name: inexact(self.payloads[name]) for name in self.scenario.synthetic}
        return [
            f"synthetic payload `{name}`: {len(lines)} of {len(self.payloads[name])} prompts are not exactly as long as asked, for its "
            "tokenizer makes no text of such a length"
            for name, lines in off.items()
            if lines
        ]

    def stage_s(self, load: Load) -> float:
        """How long a stage is planned to take, s: at least settling and measuring."""
        settle_s = 0.0 if load.ramp else load.settle_s
        return self.traces[load.replay][-1].at_s if load.replay else settle_s + load.at_most_s


def load_inputs(path: str, services: tuple[str, ...], priced: bool = True) -> Inputs:
    """Read and check everything; priced: prices too, which a worker has no use for. Raises BadInput (BadScenario, BadPayload,
    BadPriceBook)."""
    scenario = load_scenario(path)
    for target in scenario.targets:
        if target.service not in services:
            raise BadScenario(
                f"{place_of(path, target.name)}: target `{target.name}` is of service {target.service}, this locustfile sends to "
                f"{' and '.join(services)} only; use locustfiles/sweep.py"
            )
    digests = [hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()]
    scenario, tokenizer_digests = with_tokenizers(with_prefix(scenario), path)
    payloads, files = _payloads(path, scenario)
    check_sessions(path, scenario, payloads)
    count_prompts(scenario, payloads)
    prefixes = prefixes_of(path, scenario, payloads)
    for target in scenario.targets:
        for name in scenario.payloads_of(target):
            stem = pathlib.Path(name).stem
            made = prefixes.get((target.name, stem))
            _check_bodies(path, target, name, [made.dress(p) for p in payloads[stem]] if made else payloads[stem])
    needed = priced or any(embeds(target) for target in scenario.targets)  # whose images its sender counts
    prices, sources = _prices(path, scenario, payloads) if needed else ({}, {})
    traces, lines = traces_of(path, scenario, payloads, prefixes)
    digests += [f["sha256"] for f in files.values()]
    digests += [f["media_sha256"] for f in files.values() if "media_sha256" in f]
    digests += [hashlib.sha256(repr(trace).encode()).hexdigest() for trace in traces.values()]
    content = hashlib.sha256(" ".join(digests + tokenizer_digests + digests_of(prefixes)).encode()).hexdigest()
    return Inputs(scenario, pathlib.Path(path), payloads, files, prices, sources, content, traces, lines, prefixes)


def _payloads(path: str, scenario: Scenario) -> tuple[dict[str, list[Prompt]], dict[str, dict]]:
    """Stem -> prompts, and what the manifest says of them. Raises BadScenario or BadPayload."""
    payloads: dict[str, list[Prompt]] = {}
    files: dict[str, dict] = {}
    for name in dict.fromkeys(f for t in scenario.targets for f in scenario.payloads_of(t)):
        if name in scenario.synthetic:
            stem, told, prompts = name, "synthetic", synthetic_lines(path, scenario, name)
            digest = digest_of(prompts)
        else:
            found = find_file(name, path)
            stem, told, prompts = found.stem, str(found), load_payload(found)
            digest = hashlib.sha256(found.read_bytes()).hexdigest()
        if stem in payloads:
            raise BadScenario(f"{place_of(path, name)}: two payload files are named `{stem}`; rename one")
        payloads[stem] = prompts
        files[stem] = {"file": told, "sha256": digest, "prompts": len(prompts)}
        if points := sum(_asks_for_a_cache(p) for p in prompts):
            files[stem]["cache_points"] = points
        if media_files := dict.fromkeys(f for p in prompts for f in p.files):
            media = b"".join(hashlib.sha256(f.read_bytes()).digest() for f in media_files)
            files[stem]["media_sha256"] = hashlib.sha256(media).hexdigest()
    return payloads, files


def _prices(
    path: str, scenario: Scenario, payloads: dict[str, list[Prompt]]
) -> tuple[dict[str, AnyPrice], dict[str, Source]]:
    """Target -> price, and where it is from. Raises BadScenario or BadPriceBook."""
    _, found = prices_of(scenario, path, datetime.datetime.now(datetime.UTC).date())
    check_embedded(path, scenario, payloads, found)
    prices = {target: each.price for target, each in found.items()}
    _check_budget(path, scenario, prices)
    return prices, {target: each.source for target, each in found.items()}


def _check_budget(path: str, scenario: Scenario, prices: dict[str, AnyPrice]) -> None:
    """Raises BadScenario for a budget that nothing would guard."""
    for target in scenario.targets if scenario.budget_usd is not None else ():
        if why := never_counted(target, prices[target.name]):
            raise BadScenario(f"{place_of(path, target.name)}: {unguarded(target, why)}")


def _asks_for_a_cache(prompt: Prompt) -> bool:
    """Whether a prompt marks what shall be cached, in its messages or among its parameters."""
    marked = json.dumps(prompt.parameters)
    return any(one.cache_ttls for one in prompt.requests) or '"cachePoint"' in marked or '"cache_control"' in marked


def _check_bodies(path: str, target: Target, payload: str, prompts: list[Prompt]) -> None:
    """Build every request once, so that a prompt or parameter that a dialect cannot take is found before sending."""
    for prompt in (one for line in prompts for one in line.requests):
        try:
            build(target, prompt)
        except BadPayload as e:
            place = payload if prompt.line is None else f"{payload}:{prompt.line}"
            raise BadPayload(f"{place}: {e}") from None
        except BadInput as e:
            raise BadScenario(f"{path}: {e}") from None
