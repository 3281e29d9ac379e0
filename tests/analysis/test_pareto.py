"""The Pareto front: who is on it, who beats the others, and quality where labels tell it."""

import pandas as pd
import pytest

from analysis.advice.analyse import analyse
from analysis.report.plots.pareto import pareto_front
from analysis.report.plots.price import price_performance
from analysis.report.plots.view import View
from tests.helpers.first_study import stage_of
from tests.helpers.made_run import P4D, made_run, record, window

#: name -> $/h, transactions a minute, latency s: a is cheapest, b fastest, c of most transactions; d is worse than a in all
ROWS = {"a": (1.0, 60, 0.9), "b": (3.0, 60, 0.5), "c": (9.0, 120, 0.49), "d": (2.0, 50, 1.1)}


def report(path, rows=ROWS, quality=None, extra=()):
    """extra: (target, its stage's records and window) that are added."""
    quality = quality or {}
    targets = [
        P4D | {"name": n, "endpoint": n, "labels": {"quality": quality[n]} if n in quality else {}} for n in rows
    ]
    stages = [stage_of(i, 100 * i, 1, rate, 0, s, target=n) for i, (n, (_, rate, s)) in enumerate(rows.items(), 1)]
    prices = {n: {"usd_per_hour": usd} for n, (usd, _, _) in rows.items()}
    for target, made in extra:
        targets.append(target)
        stages.append(made)
        prices[target["name"]] = {"usd_per_hour": 1.0}
    records = [r for made, _ in stages for r in made]
    return analyse([made_run(path, records, [w for _, w in stages], targets=targets, prices=prices)])


def front(found):
    return {o.who: (o.number, o.beaten_by) for o in found.pareto.options}


def test_the_front_is_what_nothing_beats_in_price_latency_and_throughput(tmp_path):
    found = report(tmp_path / "r")
    # $2.78, $8.33, $12.50 and $6.67 per 10,000: d costs more than a, is slower and does less; c is faster than b and does more
    assert front(found) == {"a": (1, None), "d": (None, "a at 1 user"), "b": (2, None), "c": (3, None)}
    table = found.tables["pareto"]
    assert table["Target"].tolist() == ["a", "b", "c", "d"]
    assert table["USD per 10,000"].tolist() == pytest.approx(
        [10_000 / 3600, 30_000 / 3600, 90_000 / 7200, 20_000 / 3000]
    )
    assert table["Recommended"].tolist() == ["recommended", "", "", ""]
    assert pd.isna(table["Number"][3]) and table["Front of its model"].tolist() == [True, True, True, False]


def test_a_label_of_quality_keeps_an_option_on_the_front(tmp_path):
    better = report(tmp_path / "a", quality={"a": 0.6, "b": 0.6, "c": 0.6, "d": 0.7})
    assert front(better)["d"] == (2, None)
    assert better.tables["pareto"]["Quality"].tolist() == [0.6, 0.7, 0.6, 0.6]
    worse = report(tmp_path / "b", quality={"a": 0.7, "b": 0.6, "c": 0.6, "d": 0.6})
    assert front(worse)["d"] == (None, "a at 1 user")
    unknown = report(tmp_path / "c", quality={"a": 0.7})
    assert front(unknown)["d"] == (2, None)  # of d nothing is known, so a does not beat it
    assert len(pareto_front(View.of(better)).axes) == 3


def test_what_misses_a_limit_fails_or_never_answered_is_not_on_the_front(tmp_path):
    failing = P4D | {"name": "failing", "endpoint": "failing"}
    never = P4D | {"name": "never", "endpoint": "never", "labels": {}}
    spot = {"stage": 9, "target": "never", "payload": "payload_en_3000-3840"}
    silent = [
        record(900 + i, 0.1, prompt_id=str(i), error="client", error_message="no such model", **spot) for i in range(30)
    ]
    extra = [
        (failing, stage_of(8, 800, 1, 60, 5, 0.4, target="failing")),
        (never, (silent, window(9, 900, 960, target="never", payload="payload_en_3000-3840"))),
    ]
    found = report(tmp_path / "r", extra=extra)
    assert set(front(found)) == set(ROWS)  # 5 of 65 failed: 7.7 %
    assert "`never` could not be compared" in found.recommendation.facts[0]
    view = View.of(found)
    for figure in (pareto_front(view), price_performance(view)):
        words = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert "never: never answered" in words
