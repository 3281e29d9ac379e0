"""Which stages of several runs stand beside each other: the same target (else what it calls, else its model), payload and level."""

import collections
import typing

from analysis.verdicts.stage_results import Result
from analysis.words.level import level_text, load_kind, value_of

Candidates = dict[str, list[Result]]  # by run: a Result a level
Hashes = dict[str, str | None]  # payload -> SHA-256 of its file, where it is known
Key = tuple[str, str, str, float]  # target as the reference calls it, payload, kind of load, how many


def targets_of(reference: list[Result], other: list[Result], of_service: bool = False) -> dict[str, str]:
    """Target of `other` -> the reference's that it stands beside: of the same name, else what calls the same endpoint, model id or
    URL, else the same model where each run has one target of it and no more. of_service: and both are of one service."""
    ours, theirs = _known(reference), _known(other)
    found = {name: name for name in theirs if name in ours}
    for key, everyone in ((_called, False), (_of_model(of_service), True)):
        left = [name for name in ours if everyone or name not in found.values()]
        rest = [name for name in theirs if everyone or name not in found]
        own, counts = (
            collections.Counter(key(some[name]) for name in names) for some, names in ((ours, left), (theirs, rest))
        )
        for name in theirs:
            what = key(theirs[name])
            if name not in found and counts[what] == own[what] == 1:
                (beside,) = (n for n in left if key(ours[n]) == what)
                if beside not in found.values():
                    found[name] = beside
    return found


def _known(results: list[Result]) -> dict[str, Result]:
    """A stage of each target."""
    return {r.figures.identity.target: r for r in results}


def _called(result: Result) -> tuple[str, ...]:
    return (result.place.service, *result.place.called)


def _of_model(of_service: bool) -> typing.Callable[[Result], tuple[str, ...]]:
    """A different model is never meant, and of two targets of one model nobody knows which."""

    def key(result: Result) -> tuple[str, ...]:
        identity = result.figures.identity
        return (identity.model, identity.service) if of_service else (identity.model,)

    return key


def payloads_of(ours: Hashes, theirs: Hashes) -> dict[str, str]:
    """Payload of another run -> the reference's that it stands beside: of the same name, else the same file by its hash, else the only
    two left of which one has no hash, for tools that do not tell their prompts name them as they like."""
    found = {stem: stem for stem in theirs if stem in ours}
    by_hash = {digest: stem for stem, digest in ours.items() if digest and stem not in found.values()}
    found |= {stem: by_hash[digest] for stem, digest in theirs.items() if stem not in found and digest in by_hash}
    left = [stem for stem in ours if stem not in found.values()]
    rest = [stem for stem in theirs if stem not in found]
    if len(left) == len(rest) == 1 and not (ours[left[0]] and theirs[rest[0]]):
        found[rest[0]] = left[0]
    return found


def aligned(
    candidates: Candidates, reference: str, hashes: dict[str, Hashes]
) -> tuple[dict[Key, dict[str, Result]], list[str]]:
    """(stages by run, of each key that the reference and another run have; sentences on those without a partner).

    hashes: by run, of its payloads.
    """
    by_key: dict[Key, dict[str, Result]] = {}
    strangers: dict[str, list[Result]] = {}
    names = [reference, *(run for run in candidates if run != reference)]
    for run in names:
        known = targets_of(candidates[reference], candidates[run])
        payloads = payloads_of(hashes[reference], hashes[run])
        for r in candidates[run]:
            target = r.figures.identity.target
            if target in known and r.payload in payloads:
                by_key.setdefault(key_of(r, known[target], payloads[r.payload]), {})[run] = r
            else:
                strangers.setdefault(run, []).append(r)
    both = {key: some for key, some in by_key.items() if reference in some and len(some) > 1}
    for key, some in by_key.items():
        if key not in both:
            for run, r in some.items():
                strangers.setdefault(run, []).append(r)
    missing = [(run, key, some[reference]) for key, some in both.items() for run in names if run not in some]
    return both, [*_only_in(strangers), *_not_in(missing)]


def key_of(r: Result, target: str, payload: str) -> Key:
    """target, payload: as the reference calls them. A part of a mix stands beside one of a mix of so many users, whatever its share."""
    ramp = r.figures.ramp
    return target, payload, load_kind(r.figures) + (f" {ramp}" if ramp else ""), value_of(r.figures)


def _only_in(strangers: dict[str, list[Result]]) -> list[str]:
    """`Only run b has `chat` on `en`: 4 users, 8 users.`"""
    found = []
    for run, results in strangers.items():
        for (target, payload), some in _by_place(results).items():
            levels = ", ".join(level_text(r.figures) for r in some)
            found.append(f"Only run {run} has `{target}` on `{payload}` at {levels}.")
    return found


def _by_place(results: typing.Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    found: dict[tuple[str, str], list[Result]] = {}
    for r in sorted(results, key=lambda r: value_of(r.figures)):
        found.setdefault((r.figures.identity.target, r.payload), []).append(r)
    return found


def _not_in(missing: list[tuple[str, Key, Result]]) -> list[str]:
    """The last of each: the reference's stage."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for run, (target, payload, _, _), r in missing:
        found.setdefault((run, target, payload), []).append(level_text(r.figures))
    return [
        f"Run {run} has no `{target}` on `{payload}` at {', '.join(levels)}."
        for (run, target, payload), levels in found.items()
    ]
