"""All that a run reads before it sends anything: scenario, payloads, price book. Every mistake is found here."""

import dataclasses
import hashlib
import pathlib

from locustfiles.common.dialects import build
from locustfiles.common.payloads import BadPayload, Prompt, load_payload
from locustfiles.common.price_book import Price, PriceBook
from locustfiles.common.scenario import BadScenario, Scenario, Target, find_file, load_scenario, prices_of
from locustfiles.common.yaml_file import BadInput, place_of


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    scenario: Scenario
    scenario_file: pathlib.Path
    payloads: dict[str, list[Prompt]]  # stem -> prompts
    payload_files: dict[str, dict]  # stem -> {"file", "sha256", "prompts"}
    book: PriceBook
    prices: dict[str, Price]  # target -> price
    content: str  # hash of scenario and payloads: equal on every worker

    def stems_of(self, target_name: str) -> list[str]:
        """The payloads of one target, in the scenario's order."""
        return [pathlib.Path(p).stem for p in self.scenario.payloads_of(self.scenario.target(target_name))]


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
    for target in scenario.targets:
        for name in scenario.payloads_of(target):
            _check_bodies(path, target, name, payloads[pathlib.Path(name).stem])
    book, prices = prices_of(scenario, path)
    digests = [hashlib.sha256(scenario.model_dump_json().encode()).hexdigest(), *(f["sha256"] for f in files.values())]
    content = hashlib.sha256(" ".join(digests).encode()).hexdigest()
    return Inputs(scenario, pathlib.Path(path), payloads, files, book, prices, content)


def _check_bodies(path: str, target: Target, payload: str, prompts: list[Prompt]) -> None:
    """Build every request once, so that a prompt or parameter that a dialect cannot take is found before sending."""
    for prompt in prompts:
        try:
            build(target, prompt)
        except BadPayload as e:
            raise BadPayload(f"{payload}: {e}") from None
        except BadInput as e:
            raise BadScenario(f"{path}: {e}") from None
