"""The list of cautions is whole: every kind has its words and remedy, code yields each of them and no other, with its figures."""

import ast
import dataclasses
import pathlib

import pytest

from analysis.advice.analyse import analyse
from analysis.verdicts.caution import FORMS, NAMES, brief, caution, fields_of, headline, priced, reasons, trust_of
from analysis.verdicts.caution_kinds import KINDS
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from tests.helpers.made_run import made_run, steady, window

ROOT = pathlib.Path(__file__).parents[2]


def yielded():
    """kind -> the names of its figures, of every call of `caution` in the analysis."""
    found = {}
    for path in (ROOT / "analysis").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "caution":
                (kind,) = node.args
                found.setdefault(ast.literal_eval(kind), []).append({keyword.arg for keyword in node.keywords})
    return found


def test_code_yields_every_kind_of_the_list_and_no_other_each_with_the_figures_that_its_sentence_names():
    found = yielded()
    assert found.keys() == KINDS.keys()
    wrong = {kind: names for kind, some in found.items() for names in some if names != fields_of(kind).keys()}
    assert wrong == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_and_a_remedy_without_a_stop_at_its_end(kind):
    of = KINDS[kind]
    assert of.seen and of.remedy
    assert not any(text.endswith((".", ";", ":", " ")) or "  " in text for text in (of.seen, of.means, of.remedy))
    assert {form.split(" ")[0] for form in fields_of(kind).values()} <= {"", NAMES, *FORMS}
    assert of.means or of.verdict == "INVALID"
    assert not of.price or of.verdict == "SUSPECT"


HOUR, TOKENS = HourlyPrice(usd_per_hour=1.0), TokenPrice(input=0.001, output=0.002)
LATE = caution("loop_late", p99_ms=24.7, share=0.1001, what="TTFT")
FLIGHT = caution("users_missing", own=2.78, due=4.0)
CACHED = caution("cache_reads", share=0.2)


def test_a_sentence_says_what_was_seen_what_it_does_and_what_to_do():
    assert reasons([LATE]) == (
        "the load generator itself was late (its event loop lagged 24.7 ms at p99, 10.01 % of the median TTFT), so true times are "
        "lower: use more workers, or fewer users each"
    )


def test_each_reason_says_itself_which_way_the_price_is_off():
    few = caution("few_successes", successes=12)
    assert brief(priced([FLIGHT, few, CACHED], HOUR)) == (
        "2.78 requests in flight where 4.00 were due, so its price is too high; only 12 successes; 20 % of the prompt tokens were "
        "read from a cache, so its price is too low"
    )
    # by tokens the load does not matter, and what a cache had seen is billed less
    told = priced([FLIGHT, few, CACHED], TOKENS)
    assert [one.price for one in told] == [None, None, "too low"]
    assert (trust_of(told).price_bias, trust_of(priced([FLIGHT, CACHED], HOUR)).price_bias) == (
        "too low",
        "too high or too low",
    )


def test_what_is_mended_alike_has_its_remedy_once():
    lost = [caution("file_damaged", text=text) for text in ("2 damaged lines", "1 doubled record")]
    assert reasons(lost) == (
        "2 damaged lines, and 1 doubled record: put back requests.csv as the run wrote it, or run the stage again (`--resume`)"
    )
    assert trust_of(lost).verdict == "INVALID"
    assert (trust_of([*lost, LATE]).cautions, trust_of([]).verdict, trust_of([]).reasons) == (
        "file_damaged, loop_late",
        "VALID",
        "",
    )


def test_a_headline_of_many_reasons_leaves_out_what_they_do_to_times_and_keeps_price_and_remedy():
    few = caution("few_successes", successes=1)
    assert headline([few, LATE]) == reasons([few, LATE])
    assert headline(priced([few, FLIGHT, CACHED], HOUR)).startswith(
        "only 1 success: measure longer (`measure_s`); 2.78 requests in flight where 4.00 were due, so its price is too high: use "
    )


def repeated(tmp_path, counts, **keys):
    """Repetitions of one user, each with so many successes of 2 s in a window as long as these take."""
    records, stages = [], []
    for number, n in enumerate(counts, 1):
        a = 100 * number
        records += steady(number, a, a + 2 * n, 1, 2.0, lead=4, repeat=number)
        stages.append(window(number, a, a + 2 * n, repeat=number, **keys))
    return analyse([made_run(tmp_path / "r", records, stages)])


def test_how_many_successes_there_are_is_judged_of_all_repetitions_together(tmp_path):
    found = repeated(tmp_path / "a", (15, 15))
    assert [r.figures.trust.reasons[:17] for r in found.results] == ["only 15 successes"] * 2
    (together,) = found.candidates
    # 30 of 20
    assert (together.figures.outcome.successes, together.figures.trust.verdict, together.cautions) == (30, "VALID", ())
    (still,) = repeated(tmp_path / "b", (8, 9)).candidates
    assert brief(still.cautions) == "only 17 successes"


def test_what_is_of_some_repetitions_names_them_and_what_is_of_all_does_not(tmp_path):
    found = repeated(tmp_path / "a", (15, 15, 15), steady=False)
    assert brief(found.candidates[0].cautions) == "its latencies were still drifting after 100 s to 300 s of settling"
    mixed = [dataclasses.replace(LATE, repetitions=(n,)) for n in (1, 3)]
    assert brief(mixed).startswith("repetitions 1 and 3: the load generator itself was late (its event loop")


def test_the_manual_says_where_the_list_is_and_names_what_an_invalid_stage_is():
    text = (ROOT / "analysis/README.md").read_text(encoding="utf-8")
    assert "`cautions`" in text and "`analysis/verdicts/caution_kinds.py`" in text
