"""What is not the same in the runs compared, beside their figures: software, region, prices, prompts, parameters, trust."""

import collections
import json
import typing

from analysis.comparison.model import Condition
from analysis.cost.price_rows import price_rows
from analysis.cost.pricing import Prices
from analysis.metrics.token_counts import token_sources
from analysis.runs.run_reader import Run
from analysis.verdicts.stage_results import Result
from analysis.words import format as show
from analysis.words.safe_text import shown
from analysis.words.stage_figures import Verdict
from locustfiles.contract.manifest import ImportedFrom
from locustfiles.contract.scenario.mixes import mix_text
from locustfiles.contract.scenario.targets import Target

Kind = typing.Literal["measured", "prices", "trust", "load", "software"]
Fact = tuple[Kind, str, str]  # kind, what, of which target; "" for all
Facts = dict[Fact, str]  # of one run
NOT_KNOWN = "not known"
REVISION, PROMPTS = "git revision", "prompts (SHA-256)"

#: of a scenario: what changes what is measured. Limits, budgets and names do not
_OF_SCENARIO: dict[str, Kind] = {
    "region": "measured",
    "endpoint_url": "measured",
    "request_timeout_s": "load",
    "error_pause_s": "load",
    "retry": "load",
    "transport": "software",
    "stamps": "software",
    "seed": "load",
}
#: of a target: what has a row of its own, or is no condition
_NOT_OF_TARGET = ("name", "load", "payloads", "price", "discount_percent")
#: whose keys have rows of their own
_BY_KEY = ("parameters", "labels", "prefix", "sessions", "ramp")
_LONGEST = 120
_VERDICTS: tuple[Verdict, ...] = ("VALID", "SUSPECT", "INVALID")


def conditions(
    runs: list[Run],
    prices: dict[str, Prices],
    results: dict[str, list[Result]],
    pairs: dict[str, dict[str, str]],
    instrument: dict[str, str],
) -> tuple[list[Condition], list[str]]:
    """(what differs, what is the same in all of them). prices, results, instrument: by run; pairs: by run its target -> the
    reference's name of it."""
    facts = {run.name: _facts(run, prices, results[run.name], pairs[run.name], instrument[run.name]) for run in runs}
    every = list(dict.fromkeys(key for of_run in facts.values() for key in of_run))
    order: list[Kind] = ["measured", "prices", "trust", "load", "software"]
    every.sort(key=lambda key: order.index(key[0]))
    differing: dict[tuple, list[str]] = {}
    same: list[str] = []
    for kind, what, who in every:
        values = tuple(_readable(of_run.get((kind, what, who))) for of_run in facts.values())
        if set(values) <= {NOT_KNOWN, None} and what == REVISION:
            continue  # installed without git: that nobody knows it is no difference, and versions are told
        if len(set(values)) > 1 or values[0] == NOT_KNOWN:
            differing.setdefault((kind, what, values), []).append(who)
        else:
            same.append(_named(what, [who]))
    rows = [
        Condition(kind, _named(what, whose), dict(zip(facts, values, strict=True)))
        for (kind, what, values), whose in differing.items()
    ]
    return rows, same


def _readable(value: str | None) -> str | None:
    return None if value is None else shown(value)


def _named(what: str, whose: list[str]) -> str:
    """price of p4d, bedrock"""
    targets = ", ".join(who for who in whose if who)
    return shown(f"{what} of {targets}" if targets else what)


def _facts(run: Run, prices: dict[str, Prices], results: list[Result], pairs: dict[str, str], instrument: str) -> Facts:
    """pairs: this run's targets that are compared -> the reference's name."""
    facts: Facts = {}
    scenario = run.scenario.model_dump(mode="json")
    for name, kind in _OF_SCENARIO.items():
        if scenario.get(name) is not None:
            facts[kind, name, ""] = _text(scenario[name])
    if run.scenario.mix:
        facts["load", "mix", ""] = mix_text(run.scenario.parts)
    if run.scenario.cancel:
        facts["load", "cancel", ""] = run.scenario.cancel.text
    for target, who in pairs.items():
        facts |= _of_target(run, run.target(target), who)
    facts |= _prices(run, prices, pairs)
    facts |= _payloads(run, list(dict.fromkeys(r.payload for r in results)))
    facts |= _trust(run, results, pairs, instrument)
    facts |= {
        ("measured", "turns of a conversation, mean", who): turns
        for own, who in pairs.items()
        if (turns := _turns(results, own))
    }
    facts |= {
        ("measured", "limits of goodput", pairs[own]): words for own in pairs if (words := good_within(results, own))
    }
    versions = dict(run.manifest.versions)
    if run.manifest.imported is None:  # another tool's run has none of ours
        versions[REVISION] = _short(run.manifest.git_revision)
    facts |= {("software", name, ""): str(version) for name, version in versions.items()}
    hosts = dict.fromkeys([run.manifest.host, *(w.host for w in run.manifest.workers)])
    facts["software", "host", ""] = ", ".join(hosts)
    facts["software", "workers", ""] = show.count(len(run.manifest.workers))
    return facts


def _of_target(run: Run, target: Target, who: str) -> Facts:
    """Each key by itself, parameters too, so that one that differs is seen."""
    facts: Facts = {("measured", "name", who): target.name}
    dumped = target.model_dump(mode="json", exclude=set(_NOT_OF_TARGET), exclude_none=True)
    for name, value in dumped.items():
        for key, own in value.items() if name in _BY_KEY else [("", value)]:
            facts["measured", f"{name}.{key}" if key else name, who] = _text(own)
    if ImportedFrom.UNKNOWN_HOST in dumped.get("base_url", ""):
        facts["measured", "base_url", who] = NOT_KNOWN
    for name, value in run.scenario.load_of(target).model_dump(mode="json", exclude_none=True).items():
        if name != "measure_s" or run.manifest.imported is None:  # of an import it is what came about, which nobody set
            for key, own in value.items() if name in _BY_KEY else [("", value)]:
                facts["load", f"load.{name}.{key}" if key else f"load.{name}", who] = _text(own)
    if scheme := run.manifest.schemes.get(target.name):
        facts["measured", "scheme", who] = scheme
    return facts


def _prices(run: Run, prices: dict[str, Prices], pairs: dict[str, str]) -> Facts:
    facts: Facts = {}
    for row in price_rows([run], prices):
        if row.target in pairs:
            source = (row.name, row.entry, row.region, row.as_of)
            facts["prices", "price", pairs[row.target]] = row.price
            facts["prices", "source of the price", pairs[row.target]] = ", ".join(filter(None, source))
    return facts


def _payloads(run: Run, payloads: list[str]) -> Facts:
    """The prompts by name and by the hash of their file; payloads: those that are compared, in the reference's order."""
    found: Facts = {("measured", "payloads", ""): ", ".join(payloads)}
    hashes = [run.manifest.payloads.get(stem, {}).get("sha256") for stem in payloads]
    known = [str(digest)[:12] if digest else NOT_KNOWN for digest in hashes]
    found["measured", PROMPTS, ""] = NOT_KNOWN if None in hashes else ", ".join(known)
    return found


def _turns(results: list[Result], target: str) -> str:
    """How many its conversations were to have, over its stages; empty where there are none."""
    each = [r.figures.sessions.session_turns_mean for r in results if r.figures.identity.target == target]
    known = [n for n in each if n is not None]
    return show.number(sum(known) / len(known), 2) if known else ""


def good_within(results: list[Result], target: str) -> str:
    """`latency ≤ 300 ms, ttft ≤ 120 ms`: what a request keeps that goodput counts; of several classes of limits all of them."""
    each = dict.fromkeys(r.good_by for r in results if r.figures.identity.target == target and r.good_by)
    return " or ".join(
        ", ".join(f"{name.removesuffix('_ms').replace('_', ' ')} ≤ {show.milliseconds(ms)}" for name, ms in limits)
        for limits in each
    )


def _trust(run: Run, results: list[Result], pairs: dict[str, str], instrument: str) -> Facts:
    counts = collections.Counter(r.figures.trust.verdict for r in results)
    verdicts = ", ".join(f"{counts[v]} {v}" for v in _VERDICTS if counts[v])
    facts: Facts = {("trust", "verdicts", ""): verdicts, ("trust", "instrument error", ""): instrument}
    for sources in token_sources([run]):
        if sources.target in pairs:
            for counted, shares in (("prompt", sources.prompt), ("output", sources.output)):
                said = ", ".join(f"{who} {show.percent(share)}" for who, share in shares.items() if share)
                facts["trust", f"{counted} tokens' counter", pairs[sources.target]] = said or "nobody"
    return facts


def _short(revision: str | None) -> str:
    """a2b0cc3296a9-dirty"""
    name, dash, more = (revision or NOT_KNOWN).partition("-")
    return f"{name[:12]}{dash}{more}"


def _text(value: typing.Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
