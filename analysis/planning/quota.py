"""What the load takes of Bedrock's quotas, and which is hit first.

Tokens a minute: a call first takes its prompt and its `max_tokens`, and what it did not use is given back at its end; in the end
it has taken its prompt but for cached tokens that were read, and its output times the model's burndown rate (Amazon Bedrock's
user guide, "How tokens are counted in Amazon Bedrock": 5 for the Claude models from 3.7 on, else 1). Tokens a day are counted
alike. Requests a minute: accounts and models that still have such a quota.
"""

import re
import typing

from analysis.planning.demand import Demand
from analysis.verdicts.measured import Measured
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from locustfiles.contract.bad_input import BadInput

KINDS = {"rpm": "requests a minute", "tpm": "tokens a minute", "tpd": "tokens a day"}
_CLAUDE = re.compile(r"anthropic\.claude-(?:(?:opus|sonnet|haiku|fable)-)?(\d+)(?:-(\d{1,2}))?(?!\d)")
_FIVE_FROM = (3, 7)


class Need(typing.NamedTuple):
    """What one transaction takes, on average. asked: the output tokens that it may have, None where no `max_tokens` is sent."""

    who: str
    model_id: str
    prompt: float
    cached: float  # of the prompt, read from a cache
    output: float
    asked: int | None
    burndown: int

    @property
    def settled(self) -> float:
        """Tokens of the quota in the end."""
        return self.prompt - self.cached + self.output * self.burndown

    @property
    def at_start(self) -> float | None:
        """Tokens of the quota while it runs, at least."""
        return None if self.asked is None else self.prompt + self.asked

    def takes(self, demand: Demand) -> dict[str, tuple[float, float | None]]:
        """Kind of quota -> (in the end, while calls run) at the peak; of a day at the dearest day."""
        a_minute = demand.peak
        most = None if self.at_start is None else max(self.at_start, self.settled) * a_minute
        tokens = self.settled * a_minute
        a_day = self.settled * 60 * _dearest_day(demand)
        return {"rpm": (a_minute, a_minute), "tpm": (tokens, most), "tpd": (a_day, a_day)}

    def fits(self, kind: str, quota: float) -> float:
        """The most transactions a minute that a quota of the kind surely allows; of a day spread evenly."""
        each = {"rpm": 1.0, "tpm": max(self.at_start or 0.0, self.settled), "tpd": self.settled * 60 * 24}[kind]
        return quota / each


def _dearest_day(demand: Demand) -> float:
    """Transactions a minute, summed over its 24 hours."""
    rates = demand.per_minute
    if len(rates) == 1:
        return 24 * rates[0]
    return max(sum(rates[day : day + 24]) for day in range(0, len(rates), 24))


def burndown_of(model_id: str) -> int:
    """us.anthropic.claude-sonnet-4-5-20250929-v1:0 -> 5."""
    found = _CLAUDE.search(model_id)
    return 5 if found and (int(found[1]), int(found[2] or 0)) >= _FIVE_FROM else 1


def need_of(result: Result, measured: Measured) -> Need | None:
    """Of a stage of a Bedrock model; None where its tokens are not known, or it is no model of Bedrock's."""
    f = result.figures
    prompt, output = f.tokens.prompt_tokens_mean, f.tokens.completion_tokens_mean
    model_id = f.identity.instance_type
    if f.identity.service != "bedrock" or prompt is None or output is None or model_id is None:
        return None
    cached = prompt * (f.tokens.cache_read_share or 0.0)
    return Need(result.who, model_id, prompt, cached, output, measured.most_tokens(result), burndown_of(model_id))


def quotas_of(texts: typing.Sequence[str]) -> dict[str, float]:
    """`tpm=200000` each. Raises BadInput."""
    found = {}
    for text in texts:
        kind, _, value = text.partition("=")
        number = value.replace(",", "").replace("_", "")
        if kind not in KINDS or not re.fullmatch(r"\d+(\.\d+)?", number) or not float(number):
            raise BadInput(f"--quota `{text}`: no quota; write {' or '.join(f'{name}=NUMBER' for name in KINDS)}")
        found[kind] = float(number)
    return found


def exceeded(need: Need, demand: Demand, quotas: dict[str, float]) -> list[str]:
    """The kinds of quota that the peak, or the dearest day, goes beyond, in words."""
    takes = need.takes(demand)
    return [KINDS[kind] for kind, quota in quotas.items() if (takes[kind][1] or takes[kind][0]) > quota]


def quota_lines(need: Need, demand: Demand, quotas: dict[str, float]) -> list[str]:
    """What is needed, and of the quotas that are known which is hit first."""
    takes = need.takes(demand)
    asked = (
        f"max_tokens {show.count(need.asked)}"
        if need.asked is not None
        else "no max_tokens, so all that the model can write"
    )
    tokens = f"{show.number(takes['tpm'][0])} tokens a minute in the end"
    if takes["tpm"][1] is not None:
        tokens += f", up to {show.number(takes['tpm'][1])} while calls run"
    prompt = f"prompt {show.number(need.prompt)}, of it {show.number(need.cached)} from a cache"
    each = f"{prompt}, output {show.number(need.output)} × {need.burndown}, {asked}"
    lines = [f"{need.who} at the peak: {tokens} ({each}); {show.number(takes['tpd'][0])} tokens on the busiest day"]
    if not quotas:
        return [*lines, f"{need.who}: quotas are not known; give those of the account as --quota tpm=… --quota tpd=…"]
    fits = {kind: need.fits(kind, quota) for kind, quota in quotas.items()}
    first = min(fits, key=fits.__getitem__)
    beyond = exceeded(need, demand, quotas)
    lines.append(
        f"{need.who}: the first quota to be hit is {KINDS[first]} ({show.count(round(quotas[first]))}), at "
        f"{show.number(fits[first])} transactions a minute"
        + (f"; the plan is beyond {' and '.join(beyond)}: ask for more before it" if beyond else "; the plan fits")
    )
    return lines
