"""Calls of several attempts: what a user waited for, and what is counted once."""

import random
import re
import time

import pandas as pd
import pytest

from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.html_stages import stages
from analysis.report.markdown import markdown
from analysis.report.plots.view import View
from analysis.report.summary_json import summary_of
from analysis.report.text_tables import full_table, short_table
from analysis.runs.retried_calls import calls_of
from analysis.runs.run_reader import load_run
from analysis.words.columns import METRICS
from locustfiles.contract.record import FIELDS
from tests.helpers.flat import steps, table
from tests.helpers.made_run import BEDROCK, made_run, record, streamed, window

RETRY = {"retry": {"attempts": 3, "base_s": 1.0, "max_s": 20.0}}


def throttled(at, latency=0.1, **other):
    return record(at, latency, error="throttled", http_status=429, **other)


def hand_made():
    """Window [10, 20). Five calls begin in it, one before it; call 3 of two workers are two calls."""
    return [
        # begun in settle: its second attempt is a request of the window, the call is none of it
        throttled(9, call=1, phase="settle"),
        record(11, 1, call=1, attempt=2),
        # good at once: 1 s
        record(12, 1, call=2, prompt_id="2"),
        # throttled at 13 (0.1 s), again at 14 (0.1 s), good from 16 to 18: the user waited 18 - 13 = 5 s
        throttled(13, call=3, prompt_id="3"),
        throttled(14, call=3, attempt=2, prompt_id="3"),
        record(16, 2, call=3, attempt=3, prompt_id="3"),
        # another worker's call 3: throttled at 19.5, good at 21 for 1.5 s, in the hold: 22.5 - 19.5 = 3 s
        throttled(19.5, call=3, worker="w2", prompt_id="4"),
        record(21, 1.5, call=3, attempt=2, worker="w2", phase="hold", prompt_id="4"),
        # never good: its last attempt fails for good
        throttled(15, call=4, prompt_id="5"),
        record(15.5, 0.2, call=4, attempt=2, error="client", prompt_id="5"),
        # incomplete: stopped in the pause before its second attempt
        throttled(18, call=5, prompt_id="6"),
    ]


def analysed(path, records, **keys):
    keys = {"scenario_keys": RETRY} | keys
    stage = keys.pop("stage", window(1, 10, 20))
    return analyse([made_run(path, records, [stage], **keys)])


def test_calls_by_hand(tmp_path):
    row = steps(analysed(tmp_path / "r", hand_made())).iloc[0]
    # requests are attempts that began in the window: 1b, 2, 3a 3b 3c, w2's 3a, 4a, 4b, 5
    assert (row["requests"], row["successes"], row["failures"]) == (9, 3, 6)
    # calls 2, 3, w2's 3, 4, 5; 4 and 5 never succeeded
    assert (row["calls"], row["calls_failed"], row["call_error_rate"]) == (5, 2, 0.4)
    # (1 + 3 + 2 + 2 + 1) / 5
    assert row["attempts_per_call_mean"] == pytest.approx(1.8)
    # only call 2 was good at once
    assert (row["first_attempt_latency_n"], row["first_attempt_latency_mean_s"]) == (1, pytest.approx(1.0))
    assert row["call_latency_n"] == 3
    assert row["call_latency_mean_s"] == pytest.approx((1 + 5 + 3) / 3)
    assert row["call_latency_p50_s"] == pytest.approx(3.0)
    assert row["call_latency_p99_s"] == pytest.approx(4.96)  # linear: 3 + 0.98 x (5 - 3)
    # the latency of requests stays that of attempts: 1, 1 and 2 s
    assert row["latency_mean_s"] == pytest.approx(4 / 3)
    # prompts 1 to 6 of six calls (the window's attempts are of calls 1, 2, 3, w2's 3, 4, 5): none is repeated
    assert (row["prompts_distinct"], row["prompt_repeat_share"]) == (6, 0.0)


def test_without_retry_nothing_is_known_of_calls(tmp_path):
    report = analysed(tmp_path / "r", [record(12, 1)], scenario_keys={})
    assert steps(report)[[m.name for m in METRICS if m.path[0] == "calls"]].isna().all(axis=None)
    assert report.retries == {}
    assert "With retries" not in markdown(report, [])


def test_the_users_ttft_runs_from_the_first_attempts_send(tmp_path):
    records = [
        throttled(12, call=1),
        streamed(14, 2, ttft=0.5, tokens=5, call=1, attempt=2),  # 14.5 - 12 = 2.5 s
        streamed(13, 2, ttft=0.7, tokens=5, call=2),
    ]
    row = steps(analysed(tmp_path / "r", records)).iloc[0]
    assert (row["call_ttft_n"], row["call_ttft_mean_s"]) == (2, pytest.approx((2.5 + 0.7) / 2))
    assert row["ttft_mean_s"] == pytest.approx(0.6)


def test_a_call_that_our_own_stop_ended_in_an_attempt_is_outside_the_call_error_rate(tmp_path):
    records = [
        throttled(12, call=1),
        record(13, 1, call=1, attempt=2, error="cancelled", http_status=None),
        throttled(14, call=2),
        record(15, 1, call=3),
    ]
    row = steps(analysed(tmp_path / "r", records)).iloc[0]
    # of three calls one was cancelled; of the other two one failed
    assert (row["calls"], row["calls_failed"], row["call_error_rate"]) == (3, 1, 0.5)


def test_a_call_whose_first_attempt_is_missing_is_not_counted(tmp_path):
    report = analysed(tmp_path / "r", [record(12, 1, call=1, attempt=2), record(13, 1, call=2)])
    assert steps(report)["calls"].tolist() == [1]


def busy(good_at_once):
    """90 calls, of which all succeed: `good_at_once` of them in 1 s, the others throttled and good 4 s after the send."""
    records = []
    for i in range(90):
        at = 10 + i
        if i < good_at_once:
            records.append(streamed(at, 1, ttft=0.4, tokens=5, call=i + 1, prompt_id=str(i)))
        else:
            records.append(throttled(at, call=i + 1, prompt_id=str(i)))
            records.append(streamed(at + 3, 1, ttft=0.4, tokens=5, call=i + 1, attempt=2, prompt_id=str(i)))
    return records


def test_limits_are_judged_on_calls_and_the_report_says_so(tmp_path):
    slo = {"latency_s": {"p95": 2.0, "mean": 1.5}, "ttft_s": {"p95": 0.5}, "error_rate": 0.0}
    keys = {
        "slo": slo,
        "stage": window(1, 10, 110),
        "targets": [BEDROCK | {"name": "p4d"}],
        "prices": {"p4d": {"input": 0.1, "output": 0.1}},
    }
    report = analysed(tmp_path / "r", busy(60), **keys)
    states = dict(zip(table(report, "criteria")["criterion"], table(report, "criteria")["state"], strict=True))
    # every attempt that succeeded took 1 s, but 30 of 90 calls took 4 s; their TTFT was 3.4 s. No call failed.
    assert states == {"latency_mean": "missed", "latency_p95": "missed", "ttft_p95": "missed", "error_rate": "met"}
    # (60 x 1 + 30 x 4) / 90
    assert table(report, "criteria")["cell"].tolist() == ["2.00 s ✗", "4.00 s ✗", "3.40 s ✗", "0 % ✓"]
    assert table(report, "criteria")["words"].tolist()[1:] == [
        "call latency p95 ≤ 2 s",
        "call TTFT p95 ≤ 0.5 s",
        "call error rate ≤ 0 %",
    ]
    sentence = report.retries["r"]
    assert "up to 3 attempts in all, with random pauses of at most 1 s, doubling up to 20 s." in sentence
    assert (
        "Its limits on latency, TTFT and error rate, and its plots, are of calls, as a user perceives them" in sentence
    )
    assert "`call latency p95 ≤ 2 s` was missed" in table(report, "sentences")["recommendation"][0]


def test_a_recommendation_shows_what_a_user_waits(tmp_path):
    report = analysed(tmp_path / "r", busy(60), stage=window(1, 10, 110))
    assert "latency of a call, retries included, mean 2.00 s, p95 4.00 s" in report.recommendation.text
    information = dict(report.tables["recommended_stage"].itertuples(index=False))
    assert (information["calls"], information["call_latency_mean"]) == (90, pytest.approx(2.0))


def test_first_attempt_and_user_perceived_stand_side_by_side(tmp_path):
    report = analysed(tmp_path / "r", busy(60), stage=window(1, 10, 110))
    assert summary_of(report)["retries"] == report.retries
    write_html(report, [], tmp_path / "r.html")
    page, text = (tmp_path / "r.html").read_text(), markdown(report, [])
    section = page[page.index('<section id="retries">') : page.index('<section id="tokens">')]
    linked = re.findall(r'<a href="#([a-z-]+)"', page)
    assert linked == re.findall(r'<section id="([a-z-]+)"', page) and {"retries", "tokens"} <= set(linked)
    assert "First attempt, latency s" in section and "User-perceived, latency s" in section
    # 30 of 90 calls needed a second attempt: 120 / 90
    assert ">1.33</td>" in section and ">4<small>" in section.replace("4.00", "4")
    lines = text[text.index("## With retries") :].splitlines()
    row = next(line for line in lines if line.startswith("| p4d"))
    assert row.startswith("| p4d | en | 1 user | 90 | 0 | 0 % | 1.33 | 1.00 s | 1.00 s (1.00 s – 1.00 s) |")
    # 60 calls of 1 s and 30 of 4 s; p99 of 90 has no upper end. The mean: forty batches of two, 25 of 1 s, then 15 of 4 s, mean
    # 2.125, squares 84.4, products of neighbours 77.5, r = 0.918; 2.023 x sqrt(84.4 / 39 / 40 x 1.918 / 0.082) = 2.28
    assert (
        "| 2.00 s (0 s – 4.28 s) | 1.00 s (1.00 s – 1.00 s) | 4.00 s (4.00 s – 4.00 s) | 4.00 s (4.00 s – 4.00 s) | 4.00 s (4.00 s – wide) |"
        in row
    )


def test_plots_are_of_calls(tmp_path):
    report = analysed(tmp_path / "r", busy(60), stage=window(1, 10, 110), slo={"error_rate": 0.0})
    view = View.of(report)
    assert len(view.points) == 90
    assert view.points.numbers["latency_ms"].mean() == pytest.approx(2000)
    # 30 of 120 attempts failed, and no call
    assert (steps(report)["error_rate"][0], view.steps[0].user.error_rate) == (0.25, 0.0)


def test_users_in_back_off_are_not_taken_for_a_generator_that_did_not_keep_up(tmp_path):
    # one user: 0.5 s throttled, 1 s of pause, 0.5 s good: 0.5 in flight of 1 user, and 0.5 in the pause
    records = []
    for i in range(40):
        phase, at = ("measure" if i >= 2 else "settle"), 6 + 2 * i
        records += [throttled(at, 0.5, call=i + 1, phase=phase, prompt_id=str(i))]
        records += [record(at + 1.5, 0.5, call=i + 1, attempt=2, phase=phase, prompt_id=str(i))]
    report = analysed(tmp_path / "a", records, stage=window(1, 10, 86))
    assert (steps(report)["verdict"][0], steps(report)["reasons"][0]) == ("VALID", "")
    assert steps(report)["in_flight_mean"][0] == pytest.approx(0.5)
    # two users were planned, one of them never came: (2 - 0.5 in the pause) were due
    report = analysed(tmp_path / "b", records, stage=window(1, 10, 86, users=2))
    assert steps(report)["reasons"][0].startswith("0.500 requests in flight where 1.50 were due, so ")


def test_every_billed_attempt_costs(tmp_path):
    spot = {"target": "bedrock", "prompt_tokens": 1000, "completion_tokens": 100}
    records = [
        throttled(12, call=1, target="bedrock"),  # billed nothing
        record(13, 1, call=1, attempt=2, **spot, error="model_error"),  # its tokens are known: billed
        record(15, 1, call=1, attempt=3, **spot),
    ]
    row = steps(analysed(tmp_path / "r", records, targets=[BEDROCK], stage=window(1, 10, 20, target="bedrock"))).iloc[0]
    # 2 x (1 x 0.00075 + 0.1 x 0.001) for one success
    assert row["usd_per_transaction"] == pytest.approx(2 * 0.00085)


def slow_calls(records):
    """(attempts, error, latency of the call in ms) by (worker, call), one record after the other."""
    found = {}
    for r in sorted(records, key=lambda r: r.attempt):
        first = found[r.worker, r.call][0] if (r.worker, r.call) in found else r
        found[r.worker, r.call] = first, r
    return {
        key: (last.attempt, last.error, 1000 * (last.started_at - first.started_at) + last.latency_ms)
        for key, (first, last) in found.items()
    }


def test_calls_agree_with_a_plain_implementation_whatever_the_order(tmp_path):
    draw, records = random.Random(5), []
    for n in range(200):
        at, worker = draw.uniform(10, 90), draw.choice(["a", "b"])
        for attempt in range(1, draw.randint(1, 3) + 1):
            error = draw.choice([None, "throttled"])
            records.append(
                record(
                    at, draw.uniform(0.1, 1), call=n // 2 + 1, attempt=attempt, worker=f"{worker}{n % 2}", error=error
                )
            )
            at += draw.uniform(1, 3)
            if error is None:
                break
    draw.shuffle(records)
    table = calls_of(load_run(made_run(tmp_path / "r", records, [window(1, 10, 100)])).records).table
    expected = slow_calls(records)
    assert len(table) == len(expected)
    for row in table.itertuples():
        attempts, error, latency_ms = expected[row.worker, row.call]
        assert (row.attempt, row.error if isinstance(row.error, str) else None) == (attempts, error)
        assert row.latency_ms == pytest.approx(latency_ms, abs=0.005)


def test_three_hundred_thousand_attempts_take_a_second_or_two():
    n = 300_000
    records = pd.DataFrame({name: [None] * n for name in FIELDS if name.endswith("_ms")}, dtype="float64")
    records = records.assign(
        worker=["w1", "w2"] * (n // 2), call=[i // 4 for i in range(n)], attempt=[1 + i // 2 % 2 for i in range(n)]
    )
    records = records.assign(sent=[i / 100 for i in range(n)], latency_ms=10.0, phase="measure", error=None)
    records["ended"] = records["sent"] + 0.01
    began = time.process_time()  # what it does, not what it waits for a core
    found = calls_of(records)
    assert time.process_time() - began < 3
    assert len(found.table) == n // 2 and len(found.pauses) == n // 2
    # each second attempt was sent two rows, 0.02 s, after the first, which had taken 0.01 s
    assert (found.pauses[:, 1] - found.pauses[:, 0]).mean() == pytest.approx(0.01)
    assert found.table["latency_ms"].iloc[0] == pytest.approx(30.0)


def test_errors_are_said_to_be_of_attempts_or_of_calls(tmp_path):
    stage = window(1, 10, 100)
    report = analysed(tmp_path / "r", busy(good_at_once=60), stage=stage)
    # 30 of 120 attempts failed, none of 90 calls
    assert "25 % errors of attempts, 0 % errors of calls, latency of a call" in report.recommendation.text
    short = short_table(report.results)
    assert short.loc[0, ["attempts", "attempt errors", "call errors", "call p95"]].tolist() == [
        "120",
        "25 %",
        "0 %",
        "4.00 s",
    ]
    assert {"Attempts", "Error rate of attempts"} <= set(full_table(report.results).columns)
    heads = [h.text for h in stages(report).heads]
    assert {"call error rate", "error rate of attempts", "latency p95 of attempts, s", "attempts"} <= set(heads)
    plain = analysed(tmp_path / "plain", [record(12, 1), throttled(13)], scenario_keys={})
    assert "error rate" in [h.text for h in stages(plain).heads] and "errors" in short_table(plain.results)
