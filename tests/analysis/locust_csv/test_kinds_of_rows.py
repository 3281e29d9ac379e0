"""What is a transaction: rows of several kinds in one run, chosen, refused or looked up in the whole run's file."""

import csv

import pandas as pd
import pytest

from analysis.locust_csv.counts import Key
from analysis.locust_csv.kinds import is_metric
from tests.helpers.locust_csv import run_cost
from tests.helpers.locust_files import write_files

CALL = ("POST", "/v1/chat/completions", 1, 900, 0)
TTFT, PER_TOKEN = ("METRIC", "time_to_first_token", 1, 200, 0), ("METRIC", "latency_per_token", 1, 12, 0)
LEVELS = [(1, 30), (5, 30)]


def costed(prefix, tmp_path, *options):
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--out", tmp_path, *options) == 0
    return pd.read_csv(tmp_path / "cost.csv")


def test_measurements_beside_calls_are_no_transactions(tmp_path, capsys):
    table = costed(write_files(tmp_path / "a", [CALL, TTFT, PER_TOKEN], LEVELS), tmp_path)
    # 1 and 5 POSTs a second; $3.6 an hour is $0.001 a second
    assert table["successes_per_s"].tolist() == [1, 5]
    assert table["cost_per_transaction"].tolist() == pytest.approx([0.001, 0.0002])
    said = capsys.readouterr().out
    assert "Costed are calls only (POST /v1/chat/completions); left out are rows that measure them: METRIC" in said


@pytest.mark.parametrize("options", [(), ("--name", "/v1/chat/completions"), ("--type", "post")])
def test_where_the_history_has_sums_only_calls_are_costed_over_the_whole_run(tmp_path, capsys, options):
    prefix = write_files(tmp_path / "a", [CALL, TTFT, PER_TOKEN], LEVELS, full=False)
    table = costed(prefix, tmp_path, *options)
    # 30 x 1 + 30 x 5 = 180 POSTs in 60 s: 3 a second
    assert (table["successes"].tolist(), table["basis"].tolist()) == ([180], ["whole run"])
    assert table["cost_per_transaction"].tolist() == pytest.approx([0.001 / 3])
    assert "the history has sums only, which do not tell POST /v1/chat/completions apart" in capsys.readouterr().out


def test_a_mixture_of_kinds_is_refused_until_one_is_named(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [("GET", "/login", 1, 50, 0), ("LLM", "chat", 2, 900, 0)], LEVELS)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6) == 1
    error = capsys.readouterr().err
    assert "holds rows of several kinds (GET 180, LLM 360), which may not all be transactions; give --type GET" in error
    assert costed(prefix, tmp_path, "--type", "LLM")["successes_per_s"].tolist() == [2, 10]
    assert costed(prefix, tmp_path, "--name", "/login")["successes_per_s"].tolist() == [1, 5]


def test_one_name_of_two_types_is_two_rows(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [("GET", "/chat", 1, 50, 0), ("POST", "/chat", 2, 900, 0)], LEVELS)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--name", "/chat") == 1
    assert "--name /chat: stands for rows of several kinds (GET 180, POST 360)" in capsys.readouterr().err
    assert costed(prefix, tmp_path, "--name", "/chat", "--type", "POST")["latency_mean_s"].tolist() == [0.9, 0.9]


def test_a_measurement_that_is_named_in_full_is_meant(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [CALL, TTFT], LEVELS)
    assert costed(prefix, tmp_path, "--type", "METRIC")["latency_mean_s"].tolist() == [0.2, 0.2]


def test_a_type_or_name_that_is_not_there_is_answered_with_those_that_are(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [CALL], LEVELS)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--type", "GRPC") == 1
    assert "--type GRPC: no such request; give a type of these files: POST" in capsys.readouterr().err
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--name", "/v1/chat/completion") == 1
    assert "did you mean /v1/chat/completions?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "row",
    "METRIC|x TTFT|/chat custom_metric|itl LLM|ttft POST|ttft tokens|/chat LLM|tokens_per_second latency|/chat "
    "stream|time-to-first-token POST|inter-token-latency bedrock|output_tokens".split(),
)
def test_rows_that_measure_calls_are_known_by_type_or_name(row):
    assert is_metric(Key(*row.split("|")))


@pytest.mark.parametrize(
    "row",
    "POST|/chat GET|/metrics POST|/oauth/token POST|/tokens LLM|chat grpc|/svc/Generate GET|/stats WSS|send POST|latest "
    "InvokeEndpoint|sm-en@1 GET|https://x/ttl POST|decode".split(),
)
def test_calls_are_not_taken_for_measurements(row):
    assert not is_metric(Key(*row.split("|")))


def test_a_total_that_is_not_the_sum_of_its_rows_is_costed_by_its_rows_and_said(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [CALL], [(4, 30)])
    path = tmp_path / "a_stats_history.csv"
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    column = rows[0].index("Total Request Count")
    with open(path, "w", newline="") as file:
        for row in rows:
            if row[3] == "Aggregated":
                row[column] = str(2 * int(row[column]))
            csv.writer(file).writerow(row)
    # 4 calls a second by name, 8 in the total
    assert costed(prefix, tmp_path, "--error-rate", 0.4)["successes_per_s"].tolist() == [4]
    said = capsys.readouterr().out
    assert "Aggregated is not the sum of its rows: it has 120 of 240 requests that no name has" in said
    assert "costed is the sum of the names, and the others count for --error-rate" in said
    assert "error rate ≤ 40 % failed in 1 of 1" in said  # 4 of 8 may have failed
