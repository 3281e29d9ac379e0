"""compare.json: a comparison as plain data; analysis/README.md says what stands where."""

import typing

from analysis.comparison.figures import NAMES
from analysis.comparison.gist import gist_sentences
from analysis.comparison.model import Compared, Comparison, Group, Level
from analysis.report.summary_json import plain
from analysis.verdicts.stage_results import Result


def comparison_data(comparison: Comparison) -> dict[str, typing.Any]:
    """JSON-ready; what is not known is null."""
    return plain(
        {
            "made_at": comparison.made_at,
            "made_by": comparison.made_by,
            "reference": comparison.reference,
            "runs": [{"run": run, "scenario": comparison.names[run]} for run in comparison.runs],
            "gist": gist_sentences(comparison),
            "conditions": [c._asdict() for c in comparison.conditions],
            "same": comparison.same,
            "cautions": comparison.cautions,
            "only_in": comparison.only_in,
            "assumptions": comparison.assumptions,
            "asked": comparison.asked,
            "groups": [_group(group) for group in comparison.groups],
        }
    )


def _group(group: Group) -> dict[str, typing.Any]:
    return {
        "target": group.who,
        "payload": group.payload,
        "over_levels": {run: [_compared(c) for c in some] for run, some in group.together.items()},
        "levels": [_level(level) for level in group.levels],
    }


def _level(level: Level) -> dict[str, typing.Any]:
    first = next(iter(level.results.values())).figures
    return {
        "level": level.words,
        "users": first.users,
        "rate": first.rate,
        "stages": {run: _stage(r) for run, r in level.results.items()},
        "compared": {run: [_compared(c) for c in some] for run, some in level.compared.items()},
    }


def _stage(result: Result) -> dict[str, typing.Any]:
    figures = result.figures
    return {
        "target": figures.identity.target,
        "model": figures.identity.model,
        "stages": list(result.stages or (figures.identity.stage,)),
        "requests": figures.outcome.requests,
        "successes": figures.outcome.successes,
        "verdict": figures.trust.verdict,
        "reasons": figures.trust.reasons,
        "cautions": figures.trust.cautions,
        "price_bias": figures.trust.price_bias,
    }


def _compared(c: Compared) -> dict[str, typing.Any]:
    """one, other: the figures (null over levels). of: whether low, high and smallest are of the ratio or of the difference."""
    found = c.difference
    return {
        "figure": c.column.name,
        "name": NAMES[c.column],
        "unit": c.column.unit,
        "better": c.column.better,
        "one": c.one,
        "other": c.other,
        "levels": c.levels,
        "of": None if found is None else "ratio" if found.shares is None else "difference",
        "ratio": None if found is None else found.ratio,
        "difference": None if found is None or found.shares is None else found.other - found.one,
        "low": None if found is None else found.low,
        "high": None if found is None else found.high,
        "smallest": None if found is None else found.smallest,
        "said": c.said,
        "p": None if found is None else found.p,
        "p_adjusted": c.adjusted,
        "sure": c.sure,
        "method": None if found is None else found.method,
    }
