"""A published table as a CSV of our own form: what it says is taken, what it does not say stays unknown."""

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.flat import flat, steps
from tests.helpers.peer_results import STUDIES, refusal, run_of

HEADER = "target,instance_type,usd_per_hour,payload,users,error_rate,transactions_per_minute,latency_mean_s,latency_p95_s,completion_tokens_mean,region"
ROW = "box,ml.g5.xlarge,3.6,chat,4,0,60,2,3,30,us-east-1"


def table_of(tmp_path, *rows, header=HEADER):
    file = tmp_path / "study.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def analysed(tmp_path, *rows, header=HEADER, options=()):
    return analyse([run_of("table", table_of(tmp_path, *rows, header=header), tmp_path / "run", *options)])


def test_rates_costs_and_users_in_flight_follow_from_what_is_told(tmp_path):
    row = steps(analysed(tmp_path, ROW)).iloc[0]
    # 60 a minute is 1/s; 3.6 $/h is 0.001 $ a second; 30 tokens/s: 1e6 / 30 / 3600 x 3.6 = 33.33 $; 1/s x 2 s are in flight
    assert (row["throughput_per_s"], row["completion_tokens_per_s"]) == (1.0, 30.0)
    assert (row["usd_per_transaction"], row["usd_per_10k_transactions"]) == (pytest.approx(0.001), pytest.approx(10.0))
    assert row["usd_per_1m_output_tokens"] == pytest.approx(33.3333, abs=1e-4)
    assert row["usd_per_transaction_at_30pct"] == pytest.approx(0.001 / 0.3)
    assert row["in_flight_mean"] == pytest.approx(2.0)
    assert "2.00 requests in flight where 4.00 were due" in row["reasons"]


def test_what_it_does_not_tell_is_empty_and_never_0(tmp_path):
    row = steps(analysed(tmp_path, ROW)).iloc[0]
    unknown = (
        "requests",
        "successes",
        "failures",
        "cancelled",
        "latency_p99_s",
        "ttft_mean_s",
        "window_s",
        "latency_n",
    )
    for name in (*unknown, "latency_p95_low_s", "throughput_low", "usd_per_transaction_ci_low", "prompt_tokens_mean"):
        assert pd.isna(row[name]), name


def test_a_limit_on_its_percentile_is_undecided_and_on_its_mean_is_judged(tmp_path):
    report = analysed(tmp_path, ROW)
    run = next(iter(report.runs.values()))
    run.scenario["slo"] = {"latency_s": {"mean": 2.5, "p95": 10.0}, "error_rate": 0.0}
    RunFolder(tmp_path / "run").write_manifest(run)
    again = analyse([tmp_path / "run"])
    (result,) = again.results
    states = {check.criterion.name: check.state for check in result.checks}
    assert states == {"latency_mean": "met", "latency_p95": "undecided", "error_rate": "met"}
    assert flat(result)["slo"] == "undecided"
    assert "the tool's own percentile" in flat(result)["slo_open"]


def test_priced_by_tokens_a_call_of_mean_length_is_billed(tmp_path):
    header = "target,model_id,input_usd_per_1k,output_usd_per_1k,users,error_rate,transactions_per_minute,prompt_tokens_mean,completion_tokens_mean,region"
    row = "b,meta.llama2-13b-chat-v1,0.00075,0.001,10,{},190,2923,24,us-east-1"
    report = analysed(tmp_path, row.format("0"), header=header)
    # 2923 x 0.00075 / 1000 + 24 x 0.001 / 1000
    assert steps(report)["usd_per_transaction"][0] == pytest.approx(0.00221625)
    # of those that failed nobody knows what they were billed
    (result,) = analysed(tmp_path, row.format("0.1"), header=header, options=["--overwrite"]).results
    assert result.usd is None and "10 % of its requests failed" in result.cost_reason
    assert result.figures.cost.usd_per_transaction_low == pytest.approx(0.00221625)


def test_intervals_that_it_tells_carry_over_to_the_cost(tmp_path):
    report = analysed(tmp_path, ROW + ",0.8,1.25", header=HEADER + ",throughput_low,throughput_high")
    row = steps(report).iloc[0]
    # 0.001 $ a second by 1.25 and by 0.8
    assert (row["usd_per_transaction_ci_low"], row["usd_per_transaction_ci_high"]) == (
        pytest.approx(0.0008),
        pytest.approx(0.00125),
    )


def test_a_steps_table_of_our_own_is_a_table_too(tmp_path):
    run = run_of("table", STUDIES / "fmbench-llama2.csv", tmp_path / "run")
    first = steps(analyse([run]))
    file = tmp_path / "steps.csv"
    first.assign(region="us-east-1", usd_per_hour=[37.688] * 10 + [None] * 5).to_csv(file, index=False)
    again = steps(analyse([run_of("table", file, tmp_path / "again", "--pricing", "configs/pricing/us-east-1.yaml")]))
    for name in ("users", "transactions_per_minute", "latency_mean_s", "error_rate", "usd_per_10k_transactions"):
        assert again[name].tolist() == pytest.approx(first[name].tolist(), nan_ok=True), name


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        (HEADER + ",latency_p59_s", ROW + ",1", "column `latency_p59_s` is not known; `latency_p"),
        (HEADER + ",users", ROW + ",1", "column `users` stands twice"),
        (HEADER, ROW + ",1", "not as many cells"),
        (HEADER, ROW.replace(",60,", ",fast,"), ":2: `transactions_per_minute` is `fast`, no number"),
        (HEADER, ROW.replace(",0,60,", ",5,60,"), "`error_rate` is 5, and more than all; give it as a share"),
        (HEADER, ROW.replace(",4,", ",,"), "needs `users`"),
        (HEADER, ROW.replace("box", ""), "`target` is empty"),
        (HEADER, ROW.replace("60,2,3,30", ",,3,"), "nothing that a level can be judged by"),
        (HEADER + ",input_usd_per_1k", ROW + ",1", "half a price, or two"),
        (HEADER + ",service", ROW + ",azure", "give openai, sagemaker or bedrock"),
        (HEADER + ",started_at", ROW + ",soon", "no time"),
    ],
)
def test_what_is_wrong_in_a_table_is_named_by_line_and_column(tmp_path, capsys, header, row, words):
    assert words in refusal(capsys, "table", table_of(tmp_path, row, header=header), tmp_path / "run")


def test_one_name_for_two_targets_is_refused(tmp_path, capsys):
    table = table_of(tmp_path, ROW, ROW.replace("3.6", "7.2"))
    assert ":3: `box` was another target above" in refusal(capsys, "table", table, tmp_path / "run")


def test_a_level_that_is_told_twice_is_one_candidate_of_both(tmp_path):
    report = analysed(tmp_path, ROW, ROW.replace(",60,2,3,", ",120,4,9,"))
    (candidate,) = report.candidates
    found = flat(candidate)
    # without counts both weigh alike: (60 + 120) / 2 a minute, (2 + 4) / 2 s, of the two p95 the worse; 3.6 / 60 / 90
    assert (found["transactions_per_minute"], found["latency_mean_s"], found["latency_p95_s"]) == (90.0, 3.0, 9.0)
    assert found["usd_per_transaction"] == pytest.approx(3.6 / 60 / 90)
    assert found["verdict"] == "SUSPECT" and len(report.results) == 2


def test_figures_alone_go_through_gate_and_compare(tmp_path, capsys):
    run = run_of("table", table_of(tmp_path, ROW), tmp_path / "run")
    other = run_of("table", table_of(tmp_path, ROW.replace(",60,", ",80,")), tmp_path / "other")
    limits = tmp_path / "slo.yaml"
    for text, code in (("latency_s: {mean: 2.5}", 0), ("latency_s: {mean: 1.5}", 3), ("latency_s: {p95: 9}", 2)):
        limits.write_text(f"slo: {{{text}}}\n")
        assert main(["gate", str(run), "--slo", str(limits)]) == code, text
    assert main(["gate", str(run), "--baseline", str(other)]) == 2  # no interval: whether it is worse is not known
    capsys.readouterr()
    assert main(["compare", str(run), str(other)]) == 0
    assert "not known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "cells", "why"),
    [
        ("latency_p50_s,latency_p95_s", "5,1", "`latency_p95_s` is 1, below `latency_p50_s`, 5"),
        ("latency_mean_s,latency_p99_9_s,latency_p99_s", "1,1,2", "`latency_p99_9_s` is 1, below `latency_p99_s`, 2"),
        ("latency_p50_s,requests,failures", "1,10,20", "`requests` is 10, below `failures`, 20"),
        ("latency_p50_s,instance_count", "1,0", "`instance_count` is `0`, no whole number above 0"),
        ("latency_p50_s,instance_count", "1,1.5", "`instance_count` is `1.5`, no whole number above 0"),
    ],
)
def test_figures_that_contradict_each_other_are_refused_by_their_line(tmp_path, capsys, columns, cells, why):
    file = table_of(tmp_path, f"box,2,{cells}", header=f"target,users,{columns}")
    assert f"{file}:2: {why}" in refusal(capsys, "table", file, tmp_path / "run")


def test_more_users_than_a_number_holds_are_refused(tmp_path, capsys):
    file = table_of(tmp_path, "box,1e30,1", header="target,users,latency_p50_s")
    assert "needs `users`, a whole number" in refusal(capsys, "table", file, tmp_path / "run")
