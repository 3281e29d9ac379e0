"""The tokenizers that a scenario names, found, read and asked once before the load."""

import hashlib
import pathlib

from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import counter_of
from locustfiles.common.prompts.tokenizer_packages import FAMILIES, vocabulary_file
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.scenario.scenario import Scenario, find_file
from locustfiles.contract.strict_yaml import place_of


def count_prompts(scenario: Scenario, payloads: dict[str, list[Prompt]]) -> None:
    """Now: a long one takes milliseconds that no answer should wait for."""
    for target in scenario.targets:
        if target.tokenizer:
            counter = counter_of(target.tokenizer)
            for name in scenario.payloads_of(target):
                for prompt in payloads[pathlib.Path(name).stem]:
                    for number in range(max(1, len(prompt.turns))):
                        counter.prompt(target, prompt.so_far(number + 1) if prompt.turns else prompt)


def with_tokenizers(scenario: Scenario, path: str) -> tuple[Scenario, list[str]]:
    """The scenario with its tokenizers' paths as found, and the files' hashes. Raises BadScenario."""
    targets, digests, synthetic = [], [], dict(scenario.synthetic)
    for target in scenario.targets:
        if not target.tokenizer:
            targets.append(target)
            continue
        tokenizer, file = _tokenizer(target.tokenizer, path, f"target `{target.name}`")
        targets.append(target.model_copy(update={"tokenizer": tokenizer}))
        digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
    for name, spec in scenario.synthetic.items():
        if spec.tokenizer:
            tokenizer, file = _tokenizer(spec.tokenizer, path, f"synthetic payload `{name}`")
            synthetic[name] = spec.model_copy(update={"tokenizer": tokenizer})
            digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return scenario.model_copy(update={"targets": targets, "synthetic": synthetic}), digests


def _tokenizer(named: str, path: str, of: str) -> tuple[str, pathlib.Path]:
    """A tokenizer's path as found, or its family's name, and the file; it can be read. Raises BadScenario."""
    try:
        file = vocabulary_file(named) if named in FAMILIES else find_file(named, path)
        found = named if named in FAMILIES else str(file)
        counter_of(found)
        return found, file
    except BadScenario:
        problem = f"no file `{named}`; give the path of a tokenizer.json from the working folder, or one of {', '.join(FAMILIES)}"
        raise BadScenario(f"{place_of(path, named)}: {of}: {problem}") from None
    except BadInput as e:
        raise BadScenario(f"{place_of(path, named)}: {of}: {e}") from None
