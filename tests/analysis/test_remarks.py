"""Doubts by kind: reasons that differ only in their figures are said once, as ranges."""

import dataclasses
import re

from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.verdict_summary import doubts
from analysis.verdicts.caution import caution, sentence
from tests.helpers import samples
from tests.helpers.first_study import run_of, stage_of
from tests.helpers.made_run import P4D, made_run, record, window


def doubted(*cautions):
    """A report of a stage at 1, 2, 4 … users for each of these lists of cautions; of none it is VALID."""
    steps, records = samples.made_up(
        1, users=(1, 2, 4, 6, 8, 10)[: len(cautions)], payloads=("payload_en_1-500",), n=20
    )
    return samples.doubted(samples.report(steps, records, pick=1), dict(enumerate(cautions, 1)))


def late(p99_ms, share):
    return caution("loop_late", p99_ms=p99_ms, share=share, what="TTFT")


def few(successes):
    return caution("few_successes", successes=successes)


def joined(*workers):
    return caution("late_worker", workers=workers, after_s=tuple(range(1, 1 + len(workers))))


def test_reasons_of_one_kind_stand_once_with_their_range_and_their_stages():
    found = doubts(doubted([late(261, 1.8989), few(13)], [late(1200, 10.12)], [], [late(10.4, 0.0929), few(9)]))
    assert list(found) == ["SUSPECT"]
    first, second = found["SUSPECT"]
    assert first.words == (
        "the load generator itself was late (its event loop lagged 10.4 ms to 1,200 ms at p99, 9.29 % to 1012 % of the median TTFT), "
        "so true times are lower: use more workers, or fewer users each"
    )
    assert (first.count, first.stages) == (3, "llama2-13b-p4d-0 payload_en_1-500 @1, 2, 6")
    assert (
        second.words == "only 9 to 13 successes, so one slow request moves every figure: measure longer (`measure_s`)"
    )
    assert second.count == 2


def test_of_workers_the_first_are_named_and_the_others_counted():
    (one,) = doubts(doubted([joined("w1")], [joined("w2", "w1")]))["SUSPECT"]
    assert one.words.startswith("workers w1 and w2 joined in mid-stage (first request 1.00 s to 2.00 s after")
    (many,) = doubts(doubted([joined(*(f"w{i}" for i in range(24)))]))["SUSPECT"]
    assert many.words.startswith("workers w0, w1, w2 and 21 more joined in mid-stage")


def test_what_a_run_says_itself_is_of_a_kind_where_it_is_the_same_text():
    lost, gone = (caution("told_with_remedy", text=t, remedy="add its file; or repeat") for t in ("7 lost", "8 lost"))
    found = doubts(doubted([lost], [gone], [lost]))["INVALID"]
    assert [(r.words, r.count) for r in found] == [
        ("7 lost: add its file; or repeat", 2),
        ("8 lost: add its file; or repeat", 1),
    ]


def test_a_price_that_is_off_at_some_of_the_stages_only_is_said_to_be_one_by_the_hour():
    hourly, of_tokens = dataclasses.replace(late(10, 0.1), price="too high"), late(10, 0.1)
    (both,) = doubts(doubted([hourly], [of_tokens]))["SUSPECT"]
    assert "so true times are lower and its price by the hour is too high: " in both.words
    (alone,) = doubts(doubted([hourly]))["SUSPECT"]
    assert "so true times are lower and its price is too high: " in alone.words


def test_a_reason_of_the_open_loop_with_its_remedy_is_one_doubt(tmp_path):
    # 240 requests of 4 s at 4 a second, all 8 users busy
    spot = {
        "users": None,
        "rate": 4.0,
        "schedule_delay_ms": 0.1,
        "in_flight": 8,
        "prompt_tokens": 10,
        "completion_tokens": 5,
    }
    records = [record(100 + i / 4, 4.0, prompt_id=str(i), **spot) for i in range(240)]
    load = {"rate": [4.0], "max_users": 8, "measure_s": 60}
    path = made_run(tmp_path / "r", records, [window(1, 100, 160, users=None, rate=4.0)], scenario_keys={"load": load})
    (remark,) = doubts(analyse([path]))["SUSPECT"]
    assert remark.words.startswith(
        "`max_users` (8) was reached, so requests that were due waited for a user and its price is too high"
    )


def test_more_than_three_kinds_of_doubt_are_folded_and_none_is_lost(tmp_path):
    kinds = [caution("max_users", most=8), caution("cut_short"), late(9, 0.09), few(9), caution("not_closed")]
    words = [sentence([kind]).replace("`", "") for kind in kinds]
    write_html(doubted(kinds), [], tmp_path / "r.html")
    page = re.sub(r"</?code>", "", (tmp_path / "r.html").read_text(encoding="utf-8"))
    shown, folded = page[: page.index("</section>")].split("<details>")
    assert "<summary>2 more kinds of doubt</summary>" in folded
    assert all(kind in shown for kind in words[:3]) and all(kind in folded for kind in words[3:])
    write_html(doubted(kinds[:3]), [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<details>" not in page[: page.index("</section>")]


def few_successes(tmp_path):
    """At 1 and 2 users 9 and 8 successes of 5 s in a minute, by few of which the users were busy."""
    return run_of(
        tmp_path,
        [stage_of(1, 100, 1, 9, 0, 5), stage_of(2, 200, 2, 8, 0, 5)],
        targets=[P4D],
        slo={"latency_s": {"p95": 9.0}},
    )


def test_the_markdown_counts_stages_once_however_many_doubts_they_have(tmp_path):
    words = markdown(few_successes(tmp_path), [])
    assert "Of 2 stages 2 SUSPECT: see the reasons" in words
    # 9 x 5 s / 60 s = 0.75 of 1 in flight, 8 x 5 / 60 = 0.667 of 2
    flight = "0.667 to 0.750 requests in flight where 1.00 to 2.00 were due"
    lines = [line for line in words.splitlines() if line.startswith("- SUSPECT, 2 stages: ")]
    assert [line.removeprefix("- SUSPECT, 2 stages: ").partition(", so ")[0] for line in lines] == [
        flight,
        "only 8 to 9 successes",
    ]
    assert all(line.endswith(" (p4d payload_en_3000-3840 @1, 2)") for line in lines)


def test_no_list_of_the_markdown_follows_a_line_of_text_directly(tmp_path):
    lines = markdown(few_successes(tmp_path), []).splitlines()
    items = [i for i, line in enumerate(lines) if line.startswith("- ")]
    assert len(items) > 4 and all(lines[i - 1] == "" or lines[i - 1].startswith("- ") for i in items)


def test_what_the_same_stages_have_and_is_mended_alike_is_one_remark():
    lost = [caution("file_damaged", text=text) for text in ("2 damaged lines", "1 doubled record")]
    found = doubts(doubted(lost, lost, [lost[0], caution("internal", requests=3)]))["INVALID"]
    # the first text is of three stages, the second of two
    assert [(r.words.partition(": ")[0], r.count) for r in found] == [
        ("2 damaged lines", 3),
        ("1 doubled record", 2),
        ("3 requests ended by a fault of the load generator itself (class internal)", 1),
    ]
    (both,) = doubts(doubted(lost, lost))["INVALID"]
    assert both.words.startswith("2 damaged lines, and 1 doubled record: put back requests.csv") and both.count == 2
