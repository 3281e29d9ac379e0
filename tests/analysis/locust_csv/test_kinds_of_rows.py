"""What is a transaction: rows of several kinds in one run, chosen, refused or looked up in the whole run's file."""

import csv

import pandas as pd
import pytest

from analysis.locust_csv.counts import Key
from analysis.locust_csv.kinds import is_metric
from tests.helpers.locust_csv import run_cost, write_history
from tests.helpers.locust_files import Names, write_files, write_stats

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
    said = capsys.readouterr().out
    assert "the history has sums only, which do not tell POST /v1/chat/completions apart" in said
    assert "other requests ran as well" not in said  # measurements are none


def test_a_mixture_of_kinds_is_refused_until_one_is_named(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [("GET", "/login", 1, 50, 0), ("LLM", "chat", 2, 900, 0)], LEVELS)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6) == 1
    error = capsys.readouterr().err
    assert (
        "holds rows of several kinds (GET 180, LLM 360), which may not all be transactions; give --type GET, " in error
    )
    assert "--type LLM or --name NAME" in error
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


def test_a_type_that_is_asked_for_is_costed_without_its_measurements(tmp_path, capsys):
    # a stream's own type holds its whole calls, 1 a second and user, and the first token of each
    calls = [("STREAM", "E2E", 1, 900, 0), ("STREAM", "TTFT", 1, 200, 0), ("POST", "chat (headers)", 1, 100, 0)]
    prefix = write_files(tmp_path / "a", calls, LEVELS)
    assert costed(prefix, tmp_path, "--type", "STREAM")["successes_per_s"].tolist() == [1, 5]
    assert "Costed are calls only (STREAM E2E); left out are rows that measure them: STREAM TTFT" in (
        capsys.readouterr().out
    )


def test_a_first_chunk_beside_its_whole_answer_is_no_second_transaction(tmp_path):
    calls = [("POST", "ask", 3, 900, 0), ("POST", "ask_stream: whole answer", 1, 900, 0)]
    prefix = write_files(tmp_path / "a", [*calls, ("POST", "ask_stream: first chunk", 1, 300, 0)], [(2, 30)])
    row = costed(prefix, tmp_path).iloc[0]
    # 2 users x (3 + 1) calls a second
    assert (row["successes_per_s"], row["latency_mean_s"]) == (8, pytest.approx(0.9))


HEALTH, CHAT = ("GET", "/health", 4, 5, 0), ("POST", "/chat", 1, 900, 0)


@pytest.mark.parametrize("full", [True, False])
def test_health_checks_beside_calls_are_no_transactions(tmp_path, capsys, full):
    # 2 chats a second for 60 s, and 480 health checks, which would make a chat cost a fifth
    row = costed(write_files(tmp_path / "a", [HEALTH, CHAT], [(2, 60)], full=full), tmp_path).iloc[0]
    assert row["cost_per_transaction"] == pytest.approx(0.001 / 2)
    assert "by their names keep a service up, and are no transactions: GET /health 480" in capsys.readouterr().out


def test_a_health_check_now_and_then_costs_no_step(tmp_path, capsys):
    # 600 chats are known to 2 / sqrt(600), which is 8 %: 30 checks more are within that
    history = [(s, 10, 10 * s + s // 2, 0, 900) for s in range(61)]
    prefix = write_history(tmp_path, history)
    write_stats(prefix, Names({("POST", "/chat"): [600, 0, 9e5], ("GET", "/health"): [30, 0, 100]}), 60, ["50%"])
    row = costed(prefix, tmp_path).iloc[0]
    assert (row["basis"], row["users"]) == ("step of the history", 10)
    assert "Requests of 2 names count alike as transactions; --name costs one of them: POST /chat 600, GET /health" in (
        capsys.readouterr().out
    )


def test_health_checks_alone_are_what_was_called(tmp_path):
    assert costed(write_files(tmp_path / "a", [HEALTH], LEVELS), tmp_path)["successes_per_s"].tolist() == [4, 20]
    both = write_files(tmp_path / "b", [HEALTH, CHAT], LEVELS)
    assert costed(both, tmp_path, "--name", "/health")["successes_per_s"].tolist() == [4, 20]


def test_a_type_or_name_that_is_not_there_is_answered_with_those_that_are(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [CALL], LEVELS)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--type", "GRPC") == 1
    assert "--type GRPC: no such request; give a type of these files: POST" in capsys.readouterr().err
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--name", "/v1/chat/completion") == 1
    assert "did you mean /v1/chat/completions?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "row",
    "METRIC|x TTFT|/chat custom_metric|itl LLM|ttft POST|ttft tokens|/chat LLM|tokens_per_second latency|/chat stream|"
    "time-to-first-token POST|inter-token-latency bedrock|output_tokens POST|chat_first_chunk POST|ttfb "
    "POST|/chat\t(first\ttoken) POST|chat:\tfirst\tbyte".split(" "),
)
def test_rows_that_measure_calls_are_known_by_type_or_name(row):
    assert is_metric(Key(*row.replace("\t", " ").split("|")))


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
