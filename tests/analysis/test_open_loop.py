"""Open-loop stages: named by their rate, judged from when a request was due, suspect when the load was another."""

import json

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.cost.pricing import prices_of_run
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.plots.catalogue import draw_all
from analysis.runs.run_reader import load_run
from analysis.verdicts.stage_results import results_of
from locustfiles.contract.stage_asked import TraceFit
from tests.helpers.flat import flat, steps, table
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, steady, streamed, window

OPEN = P4D | {"name": "open", "load": {"rate": [2, 4], "measure_s": 60, "max_users": 10}}
PRICES = {"open": {"usd_per_hour": 3.6, "instance_count": 1}, "bedrock": {"input": 0.001, "output": 0.001}}


def open_stage(stage, a, rate, n, latency=0.5, delay_ms=0.0, in_flight=2, **other):
    """`n` requests evenly over the minute from `a` on, each sent `delay_ms` later than it was due."""
    spot = {
        "target": "open",
        "stage": stage,
        "users": None,
        "rate": rate,
        "schedule_delay_ms": delay_ms,
        "in_flight": in_flight,
    }
    spot |= {"prompt_tokens": 10, **other}
    records = [streamed(a + i * 59 / n, latency, latency / 5, 5, prompt_id=f"{stage}-{i}", **spot) for i in range(n)]
    return records, window(stage, a, a + 60, target="open", users=None, rate=rate, settle_from=None, whole=True)


def one(tmp_path, made, trace_fit=None, **keys):
    """The row of a run of one open-loop stage."""
    made[1].trace_fit = trace_fit
    values = {"targets": [OPEN], "prices": PRICES} | keys
    run = load_run(made_run(tmp_path / "r", made[0], [made[1]], **values))
    (result,) = results_of(run, prices_of_run(run).of_target)
    return flat(result)


def test_the_achieved_rate_is_the_requests_sent_in_the_window_by_its_length(tmp_path):
    row = one(tmp_path, open_stage(1, 10, 2.0, 114))
    # 114 requests in 60 s: 1.9/s of 2/s planned, and 114 + 2 sqrt(120) = 135.9 is not below 0.95 x 120
    assert (row["users"], row["rate"], row["rate_achieved_per_s"]) == (None, 2.0, pytest.approx(1.9))
    assert row["verdict"] == "VALID"


def test_latency_from_when_it_was_due_stands_beside_latency_from_the_send(tmp_path):
    row = one(tmp_path, open_stage(1, 10, 2.0, 120, delay_ms=8.0))
    assert row["latency_p95_s"] == pytest.approx(0.5)
    assert row["intended_latency_p95_s"] == pytest.approx(0.508)
    assert row["ttft_p50_s"] == pytest.approx(0.1)
    assert row["intended_ttft_p50_s"] == pytest.approx(0.108)
    delays = [row[f"schedule_delay_{p}_ms"] for p in ("p50", "p99", "max")]
    assert delays == pytest.approx([8.0, 8.0, 8.0])


@pytest.mark.parametrize(("off", "verdict"), [(0.1, "VALID"), (0.12, "SUSPECT")])
def test_a_replay_of_other_lengths_than_its_trace_asks_for_is_suspect(tmp_path, off, verdict):
    row = one(tmp_path, open_stage(1, 10, 2.0, 120), trace_fit=TraceFit(500.0, 440.0, off))
    assert row["verdict"] == verdict
    assert row["reasons"] == (verdict == "SUSPECT") * (
        "the trace asks for 500 prompt tokens on average, the nearest lines have 440 (12 % off in sum), so the work was another: "
        "add lines of such lengths to the payload file"
    )


def test_a_limit_is_judged_on_the_time_from_when_the_request_was_due(tmp_path):
    slo = {"latency_s": {"p95": 0.505}}
    assert one(tmp_path / "a", open_stage(1, 10, 2.0, 120, delay_ms=2.0), slo=slo)["slo"] == "met"
    late = one(tmp_path / "b", open_stage(1, 10, 2.0, 120, delay_ms=8.0), slo=slo)
    assert (late["slo"], late["slo_failed"], late["goodput_per_s"]) == ("missed", "latency_p95", 0.0)


def test_a_limit_says_that_it_is_judged_from_when_the_request_was_due(tmp_path):
    records, stage = open_stage(1, 10, 2.0, 120, delay_ms=2000.0)
    slo = {"latency_s": {"p95": 1.0}, "error_rate": 0.0}
    report = analyse([made_run(tmp_path / "r", records, [stage], targets=[OPEN], prices=PRICES, slo=slo)])
    # 0.5 s from the send, 2.5 s from when it was due
    assert table(report, "criteria")["words"].tolist() == ["latency p95 from when it was due ≤ 1 s", "error rate ≤ 0 %"]
    assert table(report, "criteria")["cell"].tolist() == ["2.50 s ✗", "0 % ✓"]


def test_fewer_requests_than_planned_beyond_the_noise_of_arrivals_make_it_suspect(tmp_path):
    # of 240: 0.95 x 240 = 228, less 2 sqrt(240) = 31.0: from 197 on it may be chance
    assert one(tmp_path / "a", open_stage(1, 10, 4.0, 198))["verdict"] == "VALID"
    row = one(tmp_path / "b", open_stage(1, 10, 4.0, 192))
    assert (row["verdict"], row["reasons"]) == (
        "SUSPECT",
        "3.20 requests/s were sent where 4 were planned (20 % fewer), so the load was below the planned one and its price is too high: "
        "use more workers, or raise `max_users`",
    )


def test_requests_between_a_searchs_looks_at_its_limits_were_sent_but_are_not_measured(tmp_path):
    records, stage = open_stage(1, 10, 4.0, 240)
    # of the 12 s from the 20th on, 49 of 240 requests, the look waited for what was under way; five more came after the window
    between = [
        type(r)(**{f: getattr(r, f) for f in r.__slots__} | ({"phase": "hold"} if 80 <= i < 129 else {}))
        for i, r in enumerate(records)
    ]
    after, _ = open_stage(1, 70.1, 4.0, 5, phase="hold")
    row = one(tmp_path, (between + after, stage))
    assert (row["requests"], row["rate_achieved_per_s"], row["verdict"]) == (191, pytest.approx(4.0), "VALID")


def test_reaching_the_limit_of_users_makes_it_suspect_and_is_said(tmp_path):
    records, stage = open_stage(1, 10, 2.0, 120, in_flight=5)
    half = [
        r if i % 2 else type(r)(**{f: getattr(r, f) for f in r.__slots__} | {"worker": "w2"})
        for i, r in enumerate(records)
    ]
    row = one(tmp_path, (half, stage))  # 5 in flight on each of two workers: all 10 users
    assert row["verdict"] == "SUSPECT"
    assert row["reasons"] == (
        "`max_users` (10) was reached, so requests that were due waited for a user and its price is too high: raise `max_users`, "
        "unless the rate is above what the endpoint can take"
    )


def test_a_stage_that_never_settled_is_suspect_with_the_remedy(tmp_path):
    records, stage = open_stage(1, 10, 2.0, 120)
    stage.steady, stage.settle_from = False, stage.measure_from - 60
    assert one(tmp_path / "a", (records, stage))["reasons"] == (
        "its latencies were still drifting after 60.0 s of settling, so a longer run may measure others: raise `settle_at_most_s`, "
        "or lower a rate that is above capacity"
    )
    closed = window(1, 10, 40, users=2, steady=False)
    report = analyse([made_run(tmp_path / "b", steady(1, 10, 40, 2, 0.5, lead=2), [closed])])
    assert steps(report)["reasons"].tolist() == [
        "its latencies were still drifting after 10.0 s of settling, so a longer run may measure others: raise `settle_at_most_s`"
    ]


def test_a_stage_that_never_settled_says_where_its_calls_failed_or_had_not_ended(tmp_path):
    def reasons(name: str, *settling, users: int) -> str:
        stage = window(1, 10, 40, users=users, steady=False)
        run = made_run(tmp_path / name, [*settling, *steady(1, 10, 40, users, 0.5)], [stage])
        return steps(analyse([run]))["reasons"][0]

    began = [record(at, 0.5, stage=1, phase="settle", error="connect" if at > 3 else None) for at in range(10)]
    # the later half of ten are those at 5 to 9 s
    why = reasons("failing", *began, users=2)
    assert (
        "its calls still failed after 10.0 s of settling (5 of the last 5), so the endpoint may not have been ready: see why"
        in why
    )
    slow = [record(at, 60 if at else 2, stage=1, phase="settle") for at in range(3)]
    assert "only 1 of the first 3 calls had ended after 10.0 s of settling" in reasons("slow", *slow, users=3)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A run of one open-loop target at 2 and 4 requests/s and one closed-loop target at 2 and 4 users, with its report."""
    records, stages = [], []
    for stage, a, rate, n in ((1, 10, 2.0, 120), (2, 110, 4.0, 240)):
        made = open_stage(stage, a, rate, n)
        records, stages = records + made[0], [*stages, made[1]]
    for stage, users in ((3, 2), (4, 4)):
        spot = {"target": "bedrock", "prompt_tokens": 10, "completion_tokens": 5}
        records += steady(stage, 100 * stage, 100 * stage + 60, users, 0.5, lead=2, **spot)
        stages.append(window(stage, 100 * stage, 100 * stage + 60, target="bedrock", users=users))
    closed = BEDROCK | {"load": {"users": [2, 4], "measure_s": 60}}
    path = made_run(tmp_path_factory.mktemp("runs") / "both", records, stages, targets=[OPEN, closed], prices=PRICES)
    assert main(["report", str(path)]) == 0
    return path / "report"


def test_users_and_rates_never_share_an_axis(both):
    pictures = {p.stem for p in both.glob("*.png")}
    twice = {"tokens_vs_latency", "concurrency_vs_latency", "throughput"}
    assert twice | {f"{name}_by_rate" for name in twice} | {"concurrency_vs_ttft_by_rate"} <= pictures
    assert "price_performance" in pictures and "price_performance_by_rate" not in pictures


def test_every_stage_is_named_by_its_own_kind_of_level(both):
    for file in ("report.md", "report.html"):
        words = (both / file).read_text()
        assert "4 requests/s" in words and "4 users" in words
        assert "None users" not in words and "nan user" not in words.lower() and "None requests" not in words
    steps = pd.read_csv(both / "steps.csv")
    assert steps["users"].fillna(0).tolist() == [0, 0, 2, 4]
    assert steps["rate"].fillna(0).tolist() == [2, 4, 0, 0]


def test_a_knee_has_users_or_a_rate_and_the_tables_by_users_leave_rates_out(both):
    summary = json.loads((both / "summary.json").read_text())
    open_knee, closed_knee = summary["knees"]
    # 4 requests/s bring twice the throughput of 2, and so do 4 users
    assert (open_knee["users"], open_knee["state"]) == (None, "not reached")
    assert open_knee["text"] == "`open` on `en`: no knee up to 4 requests/s (240 transactions per minute there)."
    assert "up to 4 users" in closed_knee["text"]
    assert {row["Target"] for row in summary["tables"]["best_throughput"]} == {"bedrock"}


def test_an_hourly_price_at_a_planned_rate_is_not_called_one_at_full_use(both):
    summary = json.loads((both / "summary.json").read_text())
    sentence = summary["sentences"][0]["recommendation"]
    said = [*summary["notes"], *(m["definition"] for m in summary["metrics"])]
    full = [text for text in said if "full use" in text]
    assert len(full) == 2 and all("at full use, in the open loop at the planned rate" in text for text in full)
    # 3.6 $/h / (240/min x 60) = 0.00025 $; / 0.3 = 0.000833 $
    assert "$2.50 per 10,000 transactions at this rate ($8.33 at 30 % of it)" in sentence
    assert "a higher rate may do better" in sentence and "latency from when it was due" in sentence


def test_a_comparison_of_a_rate_with_users_is_warned_of(both):
    summary = json.loads((both / "summary.json").read_text())
    (warning,) = summary["recommendation"]["warnings"]
    assert warning.startswith("`bedrock` was loaded by users (closed loop), `open` by requests/s (open loop)")
    assert "`open` may have room above its planned 4 requests/s" in summary["break_even"][0]["text"]


def test_with_retries_a_call_is_timed_from_when_its_first_attempt_was_due(tmp_path):
    spot = {"target": "open", "users": None, "rate": 2.0}
    records = [
        record(12, 1, call=1, error="throttled", schedule_delay_ms=4.0, **spot),
        streamed(15, 2, ttft=0.5, tokens=5, call=1, attempt=2, **spot),
    ]
    stage = window(1, 10, 20, target="open", users=None, rate=2.0, whole=True)
    keys = {"retry": {"attempts": 3, "base_s": 0.1, "max_s": 1.0}}
    row = one(tmp_path, (records, stage), scenario_keys=keys)
    # one call in 10 s; from 11.996 s, when it was due, to 17 s and to its first output at 15.5 s
    assert row["rate_achieved_per_s"] == pytest.approx(0.1)
    assert (row["call_latency_p50_s"], row["latency_p50_s"]) == (pytest.approx(5.0), pytest.approx(2.0))
    assert row["intended_latency_p50_s"] == pytest.approx(5.004)
    assert row["intended_ttft_p50_s"] == pytest.approx(3.504)


def test_a_report_of_rates_alone_is_drawn_and_written(tmp_path):
    records, stage = open_stage(1, 10, 2.5, 150)
    report = analyse([made_run(tmp_path / "r", records, [stage], targets=[OPEN], prices=PRICES)])
    plots = draw_all(report, tmp_path)
    files = {p.name for p in plots}
    assert "throughput.png" in files and not any("by_rate" in f for f in files)
    write_html(report, plots, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "2.5 requests/s · en · stage 1" in page
    assert "limits on latency and TTFT, goodput and plots go by the times from then on" in markdown(report, plots)
