"""Best price-performance: what the rule picked of one dataset, of each model and across them, against whom and by what margin."""

import dataclasses

from analysis.advice import recommendation_texts as texts
from analysis.advice.choice import RULE, choose, priced
from analysis.advice.models import by_model, unnamed
from analysis.advice.tie import tie
from analysis.verdicts.stage_results import Result, StageKey


@dataclasses.dataclass(slots=True)
class Recommendation:
    """Best price-performance for one dataset: what was picked, by which rule, and against whom.

    `pick` is None when no stage can be recommended; `facts` then say why.
    """

    dataset: str
    rule: str  # in words
    criteria: list[str]  # the limits in words: "latency p95 ≤ 2 s"
    pick: StageKey | None
    label: str | None  # what must stand beside the pick: "SUSPECT: …", "SLO undecided"; None: nothing
    runner_up: StageKey | None
    margin: float | None  # runner-up's cost above the pick's, as a share of the pick's
    tie: bool | None  # no difference between the costs of pick and runner-up is seen
    worst_criterion: str | None  # the criterion that most stages failed
    facts: list[str]  # a sentence or two each, what was picked first
    warnings: list[str]  # like for like, stages never reached: why the comparison needs care
    cheaper: list[StageKey] = dataclasses.field(default_factory=list)  # not picked, though they cost less or may
    stages: list[int] = dataclasses.field(default_factory=list)  # of a pick that was measured more than once: all of it
    members: list[StageKey] = dataclasses.field(default_factory=list)  # the same with their runs
    model: str | None = None  # among whose stages alone it was picked; None: among all
    by_model: list["Recommendation"] = dataclasses.field(default_factory=list)  # where there are several models

    @property
    def text(self) -> str:
        """All facts."""
        return " ".join(self.facts)


def recommend(
    results: list[Result],
    dataset: str,
    warnings: list[str],
    without: str = "",
    quality: texts.Quality | None = None,
) -> Recommendation:
    """The recommendation for one dataset among all its stages, where it has several models of each of them first.

    without: what could not be compared, which its first fact says. quality: of a target, in words, where its labels tell.
    """
    here = [r for r in results if r.payload == dataset]
    models = by_model(here)
    found = _among(here, dataset, without)
    found.warnings = [*warnings, *unnamed(here)]
    if len(models) < 2:
        return found
    found.by_model = [dataclasses.replace(_among(some, dataset), model=model) for model, some in models.items()]
    picks = {of.model or "": next((r for r in here if r.key == of.pick), None) for of in found.by_model}
    if found.pick:
        pick = next(r for r in here if r.key == found.pick)
        first = [f"{texts.per_model(dataset, picks, quality)} {without}".rstrip(), texts.across(pick, models, quality)]
        found.facts = [*first, *found.facts[1:]]
    return found


def _among(here: list[Result], dataset: str, without: str = "") -> Recommendation:
    """Of stages of one dataset."""
    criteria = list(dict.fromkeys(c.criterion.text for r in here for c in r.checks))
    worst = texts.most_missed(here)
    choice = choose(here)
    if choice is None:
        text = f"No stage can be recommended for `{dataset}`: {texts.why_none(here)} {without}".rstrip()
        return Recommendation(dataset, RULE, criteria, None, None, None, None, None, worst, [text], [])
    pick, runner_up = choice.pick, choice.runner_up
    margin = (priced(runner_up) - priced(pick)) / priced(pick) if runner_up and pick.usd else None
    tied = tie(pick, runner_up) if runner_up else None
    label = texts.label_of(choice)
    facts = [
        f"The best price-performance for `{dataset}` is {texts.with_price(pick)}. {without}".rstrip(),
        texts.speed(pick.figures),
        texts.standing(choice, criteria),
        f"It is {label}." if label else "",
        texts.against(pick, runner_up, margin, tied),
        *texts.cheaper_ones(choice),
        texts.cheapest_valid(choice),
    ]
    return Recommendation(
        dataset, RULE, criteria, pick.key, label, runner_up.key if runner_up else None, margin, tied, worst,
        [fact for fact in facts if fact], [], [r.key for r in choice.cheaper], list(pick.stages), list(pick.members),
    )  # fmt: skip
