"""What is sent in a payload line's place: synthetic lines are made, and a prefix is put before each, as the scenario says."""

import collections.abc
import dataclasses
import functools
import hashlib
import pathlib
import random

from locustfiles.common.dialects.request import dialect_of
from locustfiles.common.dialects.table import DIALECTS
from locustfiles.common.planning.arrivals import load_trace
from locustfiles.common.prompts.made_text import TextMaker
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.prefixed import BLOCK, BREAK, Prefixed, counted, nonce
from locustfiles.common.prompts.synthetic import Pair, lengths_of, made_lines
from locustfiles.common.prompts.token_counter import Counter, counter_of
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.scenario.prefix import Prefix
from locustfiles.contract.scenario.scenario import Scenario, find_file
from locustfiles.contract.scenario.targets import BedrockTarget, Target
from locustfiles.contract.stage_asked import CacheAsked
from locustfiles.contract.strict_yaml import place_of

Payloads = collections.abc.Mapping[str, list[Prompt]]
Prefixes = dict[tuple[str, str], Prefixed]  # (target, payload)


def synthetic_lines(path: str, scenario: Scenario, name: str) -> list[Prompt]:
    """Of one payload under `synthetic:`. scenario: with its tokenizers as they were found. Raises BadScenario."""
    spec, seed_text = scenario.synthetic[name], f"{scenario.seed}/synthetic/{name}"
    users = [t for t in scenario.targets if name in scenario.payloads_of(t)]
    counter = counter_of(spec.tokenizer or next(t.tokenizer for t in users if t.tokenizer))
    trace: list[Pair] = []
    beside = 0  # tokens: a trace's lengths are those of all that is sent
    if spec.trace is not None:
        trace = [(a.prompt_tokens, a.max_tokens) for a in load_trace(find_file(spec.trace, path))]
        beside = min(_beside(t, counter) for t in users)
    try:
        return made_lines(name, lengths_of(spec, trace, seed_text), counter.text, seed_text, beside)
    except BadInput as e:
        raise BadScenario(f"{place_of(path, name)}: synthetic payload `{name}`: {e}") from None


@functools.cache
def _system_tokens(tokenizer: str | None, system: str | None) -> int:
    return counter_of(tokenizer).text(system) if tokenizer and system else 0


def with_system(target: Target, prompt: Prompt) -> Prompt:
    """A line whose length was asked for is longer by the target's system text."""
    asked = prompt.asked
    if target.system is None or asked.prompt_tokens is None or asked.whole:
        return prompt
    tokens = asked.prompt_tokens + _system_tokens(target.tokenizer, target.system)
    return dataclasses.replace(prompt, asked=asked._replace(prompt_tokens=tokens, whole=True))


def _beside(target: Target, counter: Counter) -> int:
    """Tokens of the system text, and of a number that stands alone before a prompt."""
    alone = target.prefix is not None and not target.prefix.has_text
    return _system_tokens(target.tokenizer, target.system) + (counter.text(nonce() + BREAK) if alone else 0)


def prefixes_of(path: str, scenario: Scenario, payloads: Payloads) -> Prefixes:
    """Of every target that has a `prefix:`, for each of its payloads. Raises BadScenario."""
    found: Prefixes = {}
    for target in scenario.targets:
        if target.prefix is None:
            continue
        _check(path, target, target.prefix)
        counter = counter_of(target.tokenizer) if target.tokenizer else None
        for stem in (pathlib.Path(name).stem for name in scenario.payloads_of(target)):
            found[target.name, stem] = _prefixed(path, scenario, target, target.prefix, payloads[stem], counter)
    return found


def _check(path: str, target: Target, prefix: Prefix) -> None:
    """Raises BadScenario for what the target cannot do."""
    dialect = dialect_of(target)
    if prefix.ttl and not DIALECTS[dialect].caches:
        raise BadScenario(
            f"{place_of(path, target.name)}: target `{target.name}`: {dialect} takes no cache points; write `cache_point: automatic` "
            "where the service caches by itself, or `none`"
        )
    if target.tokenizer is None and (prefix.shared_tokens or prefix.share):
        raise BadScenario(
            f"{place_of(path, target.name)}: target `{target.name}`: `prefix` needs a tokenizer to be made by; add `tokenizer:`, or "
            "give a text of your own as `file:`"
        )


def _prefixed(
    path: str, scenario: Scenario, target: Target, spec: Prefix, prompts: list[Prompt], counter: Counter | None
) -> Prefixed:
    if counter is None:
        texts = [_text_of(path, spec.file)] if spec.file else []
        characters = [sum(map(len, p.texts)) + len(nonce() + BREAK) for p in prompts]
        prefix = sum(map(len, texts)) + len(target.system or "")
        share = prefix / (prefix + sum(characters) / len(characters)) if texts else 0.0
        return Prefixed(spec, texts, None, share=share)
    system = _system_tokens(target.tokenizer, target.system)
    alone = {p.id: counter.prompt(target, p) for p in prompts}
    number = counter.text(nonce() + BREAK)
    texts = [_text_of(path, spec.file)] if spec.file else []
    tokens = spec.shared_tokens
    if spec.share is not None:
        mean = sum(alone.values()) / len(alone) - system + number
        tokens = max(1, round(spec.share / (1 - spec.share) * mean) - system)
    if tokens is not None:
        maker, draw = TextMaker(lambda text: counter.text(text + BREAK)), random.Random(f"{scenario.seed}/prefix")
        texts = [maker.text(tokens, draw)[0] for _ in range(spec.prefixes)]
    made = Prefixed(spec, texts, system)
    return counted(made, prompts, alone, lambda prompt: counter.anew(target, prompt))


def _text_of(path: str, named: str) -> str:
    """Raises BadScenario."""
    try:
        text = find_file(named, path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise BadScenario(f"{place_of(path, named)}: {named}: not UTF-8 text; save it as UTF-8") from None
    if not text:
        raise BadScenario(f"{place_of(path, named)}: {named}: holds no text; write the prefix into it")
    return text


def digests_of(prefixes: Prefixes) -> list[str]:
    """A hash of what each says before its prompts."""
    return [hashlib.sha256(BREAK.join(one.texts).encode()).hexdigest() for one in prefixes.values()]


def asked_of_cache(made: Prefixed) -> CacheAsked | None:
    """What a stage is judged by; None where no cache is asked for."""
    if not made.spec.asks_for_a_cache:
        return None
    share = 0.0 if made.spec.nonce == "start" else made.share or 0.0
    leeway = BLOCK / made.mean_tokens if made.spec.cache_point == "automatic" and made.mean_tokens else 0.0
    return CacheAsked(share, leeway)


def asked_by_system(target: Target, prompts: list[Prompt]) -> CacheAsked | None:
    """What `cache_system` asks for: the system text's share, where it can be counted and nothing else asks for a cache."""
    counted = isinstance(target, BedrockTarget) and target.cache_system and target.tokenizer is not None
    more = {"tools", "toolConfig", "system"} & target.parameters.keys() or any(
        p.cache_ttls or p.turns or not p.plain for p in prompts
    )
    if not counted or more or target.tokenizer is None:
        return None
    counter = counter_of(target.tokenizer)
    mean = sum(counter.prompt(target, p) for p in prompts) / len(prompts)
    return CacheAsked(_system_tokens(target.tokenizer, target.system) / mean, 0.0)


def with_prefix(scenario: Scenario) -> Scenario:
    """Each target with the prefix that holds for it."""
    if scenario.prefix is None:
        return scenario
    targets = [t.model_copy(update={"prefix": scenario.prefix_of(t)}) for t in scenario.targets]
    return scenario.model_copy(update={"targets": targets})


def for_arrival(prompt: Prompt, prompt_tokens: int | None, max_tokens: int | None) -> Prompt:
    """A line as an arrival of a trace asks for it."""
    asked = prompt.asked if prompt_tokens is None else prompt.asked._replace(prompt_tokens=prompt_tokens, whole=True)
    if max_tokens is None:
        return prompt if asked == prompt.asked else dataclasses.replace(prompt, asked=asked)
    asked = asked._replace(completion_tokens=max_tokens)
    return dataclasses.replace(prompt, parameters=prompt.parameters | {"max_tokens": max_tokens}, asked=asked)
