"""The traces that a scenario replays, and whether its payloads and targets can give the lengths that they ask for."""

import collections.abc
import pathlib

from locustfiles.common.dialects.request import build
from locustfiles.common.planning.arrivals import Arrival, load_trace
from locustfiles.common.planning.sent_lines import Prefixes, for_arrival
from locustfiles.common.planning.trace_fit import REFUSED_ABOVE, ByLength, fit
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadInput, BadScenario
from locustfiles.contract.scenario.scenario import Scenario, find_file
from locustfiles.contract.scenario.targets import Target
from locustfiles.contract.strict_yaml import place_of

LINES_OF_SUCH_LENGTHS = (
    "have them made (`synthetic:` with `trace:`), add lines of such lengths to the payload, with their `prompt_tokens`, or remove "
    "the trace's column"
)


def traces_of(
    path: str, scenario: Scenario, payloads: collections.abc.Mapping[str, list[Prompt]], prefixes: Prefixes
) -> tuple[dict[str, list[Arrival]], dict[tuple[str, str], ByLength]]:
    """Every `replay` file, and of those with prompt lengths (target, payload) -> its lines by length. Raises BadScenario for one
    whose lengths no payload can give, or the target cannot be asked for."""
    traces: dict[str, list[Arrival]] = {}
    lines: dict[tuple[str, str], ByLength] = {}
    for target in scenario.targets:
        named = scenario.load_of(target).replay
        if named is None:
            continue
        if named not in traces:
            traces[named] = load_trace(find_file(named, path))
        stems = [pathlib.Path(name).stem for name in scenario.payloads_of(target)]
        if any(a.prompt_tokens or a.max_tokens for a in traces[named]) and any(
            p.turns for s in stems for p in payloads[s]
        ):
            raise BadScenario(
                f"{place_of(path, named)}: {named} has lengths, which are of single requests, and target `{target.name}` has "
                "conversations; remove those columns, and each arrival begins one"
            )
        if any(a.prompt_tokens for a in traces[named]):
            more = {stem: made.more_tokens or 0 for stem in stems if (made := prefixes.get((target.name, stem)))}
            by_stem = {stem: ByLength(payloads[stem], target, more.get(stem, 0)) for stem in stems}
            _check_prompts(f"{place_of(path, named)}: {named}", target, traces[named], by_stem)
            lines |= {(target.name, stem): one for stem, one in by_stem.items()}
        if any(a.max_tokens for a in traces[named]) and not _takes_lengths(target, payloads[stems[0]][0]):
            raise BadScenario(
                f"{place_of(path, named)}: {named} has answer lengths, but the body of target `{target.name}` has no place for "
                "`max_tokens`; add one, or remove the column `completion_tokens`"
            )
    return traces, lines


def _check_prompts(where: str, target: Target, trace: list[Arrival], lines: dict[str, ByLength]) -> None:
    """Of a trace with prompt lengths. Raises BadScenario."""
    if target.prefix is not None and target.prefix.has_text:
        raise BadScenario(
            f"{where} has prompt lengths, which a shared prefix would add to; keep `nonce: start` alone in the `prefix` of target "
            f"`{target.name}`, or remove the column"
        )
    if any(one.uncounted for one in lines.values()):
        raise BadScenario(
            f"{where} has prompt lengths, but not every payload line of target `{target.name}` has "
            "`prompt_tokens`; add them, or a `tokenizer:` that counts, or remove the column"
        )
    for stem, one in lines.items():
        found = fit(trace, one)
        if found and found.off > REFUSED_ABOVE:
            raise BadScenario(
                f"{where} {found.text.replace('lines', f'lines of payload `{stem}`')}; {LINES_OF_SUCH_LENGTHS}"
            )


def _takes_lengths(target: Target, prompt: Prompt) -> bool:
    """Whether `max_tokens` makes a difference to the target's requests, and what holds it has a place."""
    lengths = (for_arrival(prompt, None, n) for n in (1, 2))
    try:
        return len({build(target, p).body for p in lengths}) == 2
    except BadInput:  # the dialect refuses it
        return False
