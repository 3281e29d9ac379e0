"""All that a run reads before it sends anything: scenario, payloads, price book. Every mistake is found here."""

import dataclasses
import datetime
import hashlib
import json
import pathlib

from locustfiles.common.dialects.request import build
from locustfiles.common.planning.arrivals import Arrival, load_trace
from locustfiles.common.planning.session_checks import check_sessions
from locustfiles.common.planning.trace_fit import REFUSED_ABOVE, fit
from locustfiles.common.prompts.payloads import BadPayload, Prompt, load_payload
from locustfiles.common.prompts.token_counter import Counter, counter_of
from locustfiles.common.prompts.tokenizer_packages import FAMILIES, vocabulary_file
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.manifest import TraceFit
from locustfiles.contract.prices.price import AnyPrice, TokenPrice
from locustfiles.contract.prices.sourced import Source
from locustfiles.contract.scenario.answer_limit import answer_limit
from locustfiles.contract.scenario.billed_units import never_counted, unguarded
from locustfiles.contract.scenario.loads import Level, Load
from locustfiles.contract.scenario.scenario import Scenario, find_file, load_scenario
from locustfiles.contract.scenario.target_prices import price_of_model, prices_of
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.strict_yaml import place_of

LINES_OF_SUCH_LENGTHS = (
    "add lines of such lengths to the payload, with their `prompt_tokens`, or remove the trace's column"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    scenario: Scenario  # a `tokenizer:` that is a file has the path where it was found
    scenario_file: pathlib.Path
    payloads: dict[str, list[Prompt]]  # stem -> prompts
    payload_files: dict[
        str, dict
    ]  # stem -> {"file", "sha256", "prompts"}, "cache_points": prompts that have some, "media_sha256"
    prices: dict[str, AnyPrice]  # target -> price
    sources: dict[str, Source]  # target -> where its price is from
    content: str  # hash of scenario, payloads, tokenizers and traces: equal on every worker
    # `replay` as the scenario names it -> arrivals
    traces: dict[str, list[Arrival]] = dataclasses.field(default_factory=dict)

    def stems_of(self, target_name: str) -> list[str]:
        """The payloads of one target, in the scenario's order."""
        return [pathlib.Path(p).stem for p in self.scenario.payloads_of(self.scenario.target(target_name))]

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
        return fit(self.traces[named], self.payloads[payload]) if named else None

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

    def stage_s(self, load: Load) -> float:
        """How long a stage is planned to take, s: at least settling and measuring."""
        settle_s = 0.0 if load.ramp else load.settle_s
        return self.traces[load.replay][-1].at_s if load.replay else settle_s + load.at_most_s


def load_inputs(path: str, services: tuple[str, ...]) -> Inputs:
    """Read and check everything. Raises BadInput (BadScenario, BadPayload, BadPriceBook)."""
    scenario = load_scenario(path)
    for target in scenario.targets:
        if target.service not in services:
            raise BadScenario(
                f"{place_of(path, target.name)}: target `{target.name}` is of service {target.service}, this locustfile sends to "
                f"{' and '.join(services)} only; use locustfiles/sweep.py"
            )
    named = dict.fromkeys(f for t in scenario.targets for f in scenario.payloads_of(t))
    payloads: dict[str, list[Prompt]] = {}
    files: dict[str, dict] = {}
    for name in named:
        found = find_file(name, path)
        if found.stem in payloads:
            raise BadScenario(f"{place_of(path, name)}: two payload files are named `{found.stem}`; rename one")
        payloads[found.stem] = load_payload(found)
        digest = hashlib.sha256(found.read_bytes()).hexdigest()
        files[found.stem] = {"file": str(found), "sha256": digest, "prompts": len(payloads[found.stem])}
        if points := sum(_asks_for_a_cache(p) for p in payloads[found.stem]):
            files[found.stem]["cache_points"] = points
        if media_files := dict.fromkeys(f for p in payloads[found.stem] for f in p.files):
            media = b"".join(hashlib.sha256(f.read_bytes()).digest() for f in media_files)
            files[found.stem]["media_sha256"] = hashlib.sha256(media).hexdigest()
    for target in scenario.targets:
        for name in scenario.payloads_of(target):
            _check_bodies(path, target, name, payloads[pathlib.Path(name).stem])
    check_sessions(path, scenario, payloads)
    _, priced = prices_of(scenario, path, datetime.datetime.now(datetime.UTC).date())
    prices = {target: found.price for target, found in priced.items()}
    sources = {target: found.source for target, found in priced.items()}
    _check_budget(path, scenario, prices)
    digests = [hashlib.sha256(scenario.model_dump_json().encode()).hexdigest(), *(f["sha256"] for f in files.values())]
    digests += [f["media_sha256"] for f in files.values() if "media_sha256" in f]
    traces = _traces(path, scenario, payloads)
    digests += [hashlib.sha256(repr(trace).encode()).hexdigest() for trace in traces.values()]
    scenario, tokenizer_digests = _with_tokenizers(scenario, path, payloads)
    digests += tokenizer_digests
    content = hashlib.sha256(" ".join(digests).encode()).hexdigest()
    return Inputs(scenario, pathlib.Path(path), payloads, files, prices, sources, content, traces)


def _check_budget(path: str, scenario: Scenario, prices: dict[str, AnyPrice]) -> None:
    """Raises BadScenario for a budget that nothing would guard."""
    for target in scenario.targets if scenario.budget_usd is not None else ():
        if why := never_counted(target, prices[target.name]):
            raise BadScenario(f"{place_of(path, target.name)}: {unguarded(target, why)}")


def _traces(path: str, scenario: Scenario, payloads: dict[str, list[Prompt]]) -> dict[str, list[Arrival]]:
    """Every `replay` file. Raises BadScenario for one whose lengths no payload can give, or the target cannot be asked for."""
    traces = {}
    for target in scenario.targets:
        named = scenario.load_of(target).replay
        if named is None:
            continue
        traces[named] = load_trace(find_file(named, path))
        prompts = [p for name in scenario.payloads_of(target) for p in payloads[pathlib.Path(name).stem]]
        if any(a.prompt_tokens or a.max_tokens for a in traces[named]) and any(p.turns for p in prompts):
            raise BadScenario(
                f"{place_of(path, named)}: {named} has lengths, which are of single requests, and target `{target.name}` has "
                "conversations; remove those columns, and each arrival begins one"
            )
        if any(a.prompt_tokens for a in traces[named]) and not all(p.prompt_tokens for p in prompts):
            raise BadScenario(
                f"{place_of(path, named)}: {named} has prompt lengths, but not every payload line of target `{target.name}` has "
                "`prompt_tokens`; add them, or remove the column"
            )
        for stem in (pathlib.Path(name).stem for name in scenario.payloads_of(target)):
            found = fit(traces[named], payloads[stem])
            if found and found.off > REFUSED_ABOVE:
                raise BadScenario(
                    f"{place_of(path, named)}: {named} {found.text.replace('lines', f'lines of payload `{stem}`')}; "
                    f"{LINES_OF_SUCH_LENGTHS}"
                )
        if any(a.max_tokens for a in traces[named]) and not _takes_lengths(target, prompts[0]):
            raise BadScenario(
                f"{place_of(path, named)}: {named} has answer lengths, but the body of target `{target.name}` has no place for "
                "`max_tokens`; add one, or remove the column `completion_tokens`"
            )
    return traces


def _takes_lengths(target: Target, prompt: Prompt) -> bool:
    """Whether `max_tokens` makes a difference to the target's requests."""
    lengths = (dataclasses.replace(prompt, parameters=prompt.parameters | {"max_tokens": n}) for n in (1, 2))
    try:
        return len({build(target, p).body for p in lengths}) == 2
    except BadInput:  # the dialect refuses it
        return False


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


def _with_tokenizers(scenario: Scenario, path: str, payloads: dict[str, list[Prompt]]) -> tuple[Scenario, list[str]]:
    """Load every tokenizer and count the prompts now: a long one takes milliseconds that no answer should wait for.

    Returns the scenario with the files' paths as found, and the files' hashes.
    """
    targets, digests = [], []
    for target in scenario.targets:
        if not target.tokenizer:
            targets.append(target)
            continue
        found, file, counter = _with_tokenizer(target, target.tokenizer, path)
        targets.append(found)
        digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
        for prompt in (p for name in scenario.payloads_of(found) for p in payloads[pathlib.Path(name).stem]):
            for number in range(max(1, len(prompt.turns))):
                counter.prompt(found, prompt.so_far(number + 1) if prompt.turns else prompt)
    return scenario.model_copy(update={"targets": targets}), digests


def _with_tokenizer(target: Target, named: str, path: str) -> tuple[Target, pathlib.Path, Counter]:
    """The target with its tokenizer's path as found, or its family's name, the file and its counter. Raises BadScenario."""
    try:
        file = vocabulary_file(named) if named in FAMILIES else find_file(named, path)
        found = named if named in FAMILIES else str(file)
        return target.model_copy(update={"tokenizer": found}), file, counter_of(found)
    except BadScenario:
        problem = f"no file `{named}`; give the path of a tokenizer.json from the working folder, or one of {', '.join(FAMILIES)}"
        raise BadScenario(f"{place_of(path, named)}: target `{target.name}`: {problem}") from None
    except BadInput as e:
        raise BadScenario(f"{place_of(path, named)}: target `{target.name}`: {e}") from None
