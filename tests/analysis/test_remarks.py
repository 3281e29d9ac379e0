"""Doubts by kind: reasons that differ only in their figures are said once, as ranges."""

from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.verdict_summary import doubts
from tests.helpers import samples
from tests.helpers.first_study import run_of, stage_of
from tests.helpers.made_run import P4D, made_run, record, window


def doubted(reasons, verdict="SUSPECT"):
    """A report of a stage at 1, 2, 4 … users for each of these reasons; an empty one is VALID."""
    steps, records = samples.made_up(1, users=(1, 2, 4, 6, 8, 10)[: len(reasons)], payloads=("payload_en_1-500",), n=20)
    steps["reasons"] = reasons
    steps["verdict"] = [verdict if text else "VALID" for text in reasons]
    return samples.report(steps, records, pick=1)


LAG = "event-loop lag (p99 {}) is {} of the median TTFT"


def test_reasons_of_one_kind_stand_once_with_their_range_and_their_stages():
    lag = [LAG.format("261 ms", "189.89 %"), LAG.format("1.20 s", "1,012 %"), LAG.format("10.4 ms", "9.29 %")]
    found = doubts(doubted([f"{lag[0]}; only 13 successes", lag[1], "", f"{lag[2]}; only 9 successes"]))
    assert list(found) == ["SUSPECT"]
    first, second = found["SUSPECT"]
    assert first.words == LAG.format("10.4 ms to 1.20 s", "9.29 % to 1,012 %")
    assert (first.count, first.stages) == (3, "llama2-13b-p4d-0 payload_en_1-500 @1, 2, 6")
    assert (second.words, second.count) == ("only 9 to 13 successes", 2)


def test_numbers_inside_names_are_no_figures():
    found = doubts(doubted(["worker w1 joined in mid-stage", "worker w2 joined in mid-stage", "p95 is wide"]))
    assert [r.words for r in found["SUSPECT"]] == [
        "worker w1 joined in mid-stage",
        "worker w2 joined in mid-stage",
        "p95 is wide",
    ]


def test_what_the_load_side_found_wrong_is_one_text_though_it_has_a_semicolon():
    report = doubted(["7 records were lost; measure again"], "INVALID")
    (remark,) = doubts(report)["INVALID"]
    assert remark.words == "7 records were lost; measure again"


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
    assert remark.words == "max_users (8) was reached, requests that were due waited for a user: raise `max_users`"


def test_more_than_three_kinds_of_doubt_are_folded_and_none_is_lost(tmp_path):
    kinds = [
        "only 9 successes",
        "clocks differ",
        "calls were late",
        "prompts were repeats",
        "a worker was short of CPU",
    ]
    write_html(doubted(["; ".join(kinds)]), [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    shown, folded = page[: page.index("</section>")].split("<details>")
    assert "<summary>2 more kinds of doubt</summary>" in folded
    assert all(kind in shown for kind in kinds[:3]) and all(kind in folded for kind in kinds[3:])
    write_html(doubted(["; ".join(kinds[:3])]), [], tmp_path / "r.html")
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
    for why in (flight, "only 8 to 9 successes"):
        assert f"- SUSPECT, 2 stages: {why} (p4d payload_en_3000-3840 @1, 2)" in words


def test_no_list_of_the_markdown_follows_a_line_of_text_directly(tmp_path):
    lines = markdown(few_successes(tmp_path), []).splitlines()
    items = [i for i, line in enumerate(lines) if line.startswith("- ")]
    assert len(items) > 4 and all(lines[i - 1] == "" or lines[i - 1].startswith("- ") for i in items)
