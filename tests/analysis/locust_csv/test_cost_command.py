"""`python -m analysis cost --locust-csv`: what it prints and writes, and one line for each mistake."""

import csv
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.locust_csv import HISTORY_COLUMNS, ROOT, RUNS, read_steps, run_cost, write_history


def test_the_command_prints_a_table_and_writes_it(tmp_path, capsys):
    code = run_cost(
        "--locust-csv", RUNS / "full", "--instance", "ml.g5.12xlarge", "--completion-tokens", 50, "--out", tmp_path
    )
    printed = capsys.readouterr().out
    assert code == 0
    assert (tmp_path / "cost.md").read_text(encoding="utf-8") == printed
    table = pd.read_csv(tmp_path / "cost.csv")
    assert list(table["users"]) == [2, 6, 2]
    hourly = 7.09 / 3600 / table["successes_per_s"]
    assert list(table["cost_per_transaction"]) == pytest.approx(list(hourly))
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3 and len({line.count("|") for line in lines}) == 1
    assert "p95 (rounded)" in lines[0] and "rounded to two digits by Locust, over its last ~10 s" in printed
    assert "1 × ml.g5.12xlarge at $7.09 an hour" in printed and "Mean latency covers failures" in printed
    assert "**Cheapest of 3 steps: 6 users" in printed


def test_several_runs_stand_in_one_table(capsys):
    assert run_cost("--locust-csv", RUNS / "local", RUNS / "distributed", "--usd-per-hour", 1) == 0
    printed = capsys.readouterr().out
    assert printed.count("local |") == 3 and printed.count("distributed |") == 3


def test_token_means_by_users_are_used_step_by_step(tmp_path, capsys):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("users,prompt_tokens_mean,completion_tokens_mean\n2,1000,100\n6,2000,50\n")
    options = ["--model", "meta.llama2-13b-chat-v1", "--tokens", tokens, "--out", tmp_path]
    assert run_cost("--locust-csv", RUNS / "local", *options) == 0
    costs = list(pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"])
    # 1 x 0.00075 + 0.1 x 0.001 = 0.00085; 2 x 0.00075 + 0.05 x 0.001 = 0.00155
    assert costs == pytest.approx([0.00085, 0.00155, 0.00085])


def test_token_means_by_name_are_weighted_by_the_successes_of_each_name(tmp_path, capsys):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("name,prompt_tokens_mean,completion_tokens_mean\n/chat,1000,100\n/login,0,0\n")
    options = ["--input-usd-per-1k", 0.001, "--output-usd-per-1k", 0.001, "--tokens", tokens, "--out", tmp_path]
    assert run_cost("--locust-csv", RUNS / "full", *options) == 0
    table = pd.read_csv(tmp_path / "cost.csv")
    chats, logins = (read_steps(RUNS / "full", name=name)[0]["successes"] for name in ("/chat", "/login"))
    # a /chat costs 1.1 x 0.001, a /login nothing
    assert list(table["cost_per_transaction"]) == pytest.approx(list(0.0011 * chats / (chats + logins)))


def test_a_name_can_be_costed_alone(tmp_path, capsys):
    assert run_cost("--locust-csv", RUNS / "full", "--usd-per-hour", 3.6, "--name", "/chat", "--out", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "The whole hourly price is charged to GET /chat; other requests ran as well: GET /login." in printed
    rates = read_steps(RUNS / "full", name="/chat")[0]["successes_per_s"]
    assert list(pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"]) == pytest.approx(list(0.001 / rates))


def test_a_run_slower_than_what_is_left_out_says_so(tmp_path, capsys):
    prefix = write_history(tmp_path, [(second, 2, second, 0, 8000) for second in range(40)])
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1) == 0
    assert "In 1 of 1 steps the mean latency is above the 5 s left out at the start" in capsys.readouterr().out


def ramp_and_step(tmp_path, names=()):
    """1, 2 and 3 users for 4 s each with requests named in `names`, then 6 users for 30 s."""
    ramp = [(second, 1 + second // 4, 5 * second, 0, 100) for second in range(12)]
    return write_history(tmp_path, ramp + [(second, 6, 5 * second, 0, 100) for second in range(12, 42)], names=names)


def test_a_step_left_alone_by_a_ramp_is_called_no_comparison(tmp_path, capsys):
    assert run_cost("--locust-csv", ramp_and_step(tmp_path), "--usd-per-hour", 3.6) == 0
    printed = capsys.readouterr().out
    assert (
        "**No comparison: one step was measured, 3 levels were held too briefly to be: 6 users, at $0.0002" in printed
    )
    assert "Only step" not in printed
    assert "left out, held for less than 5 s: 1 user (4 s), 2 users (4 s), 3 users (4 s)." in printed


def test_a_name_whose_requests_fell_into_a_ramp_is_not_denied(tmp_path, capsys):
    prefix = ramp_and_step(tmp_path)
    path = Path(f"{prefix}_stats_history.csv")
    # /login is called during the ramp only: its count stays at 5 from second 1 on
    with open(path, newline="") as file:
        cells = list(csv.DictReader(file))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for i, row in enumerate(cells):
            if i:
                counts = {"Total Request Count": 5, "Total Failure Count": 0, "Total Average Response Time": 100}
                writer.writerow(row | {"Type": "GET", "Name": "/login"} | counts)
            writer.writerow(row)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--name", "/login") == 1
    error = capsys.readouterr().err
    assert f"--name /login: is in {prefix}_stats_history.csv, but only outside its steps" in error
    held = "held for less than 5 s: 1 user (4 s), 2 users (4 s), 3 users (4 s)); hold each level for 5 s or longer"
    assert held in error
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--name", "/none") == 1
    assert "--name /none: no such request; give a name of these files: /login" in capsys.readouterr().err


def test_a_name_that_only_the_totals_file_has_is_costed_over_the_whole_run(tmp_path, capsys):
    assert run_cost("--locust-csv", RUNS / "local", "--usd-per-hour", 3.6, "--name", "/chat", "--out", tmp_path) == 0
    assert (
        "the history has sums only, which do not tell GET /chat apart (--csv-full-history does)"
        in capsys.readouterr().out
    )
    # local_stats.csv: 1,587 /chat, 159 of them failures, in 1,979 / 26.358 per s = 75.08 s
    row = pd.read_csv(tmp_path / "cost.csv").iloc[0]
    assert (row["successes"], row["basis"]) == (1428, "whole run")
    assert row["cost_per_transaction"] == pytest.approx(0.001 * 75.08 / 1428, rel=1e-4)


def test_prices_are_printed_with_every_digit_and_no_exponent(tmp_path, capsys):
    assert run_cost("--locust-csv", RUNS / "full", "--usd-per-hour", 1234.5678) == 0
    assert "at $1234.5678 an hour" in capsys.readouterr().out
    tokens = ["--model", "amazon.nova-lite-v1:0", "--prompt-tokens", 100, "--completion-tokens", 10]
    assert run_cost("--locust-csv", RUNS / "full", *tokens) == 0
    assert "at $0.00006 in, $0.00024 out per 1,000" in capsys.readouterr().out


BAD_TOKENS = "users,prompt_tokens_mean,completion_tokens_mean\n2,1000,\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--locust-csv", "nowhere/x", "--usd-per-hour", 1], "nowhere/x_stats.csv: no such file"),
        (["--locust-csv", "{here}/other", "--usd-per-hour", 1], "other_stats.csv:1: not written by Locust"),
        (["--locust-csv", "{here}", "--usd-per-hour", 1], "is a folder; give the PREFIX of its files, such as"),
        (["--locust-csv", "{run}"], "no price; give one of --instance"),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--model", "x"], "more than one price; give one of"),
        (
            ["--locust-csv", "{run}", "--usd-per-hour", 1, "--input-usd-per-1k", 0.1, "--output-usd-per-1k", 0.1],
            "more than one price",
        ),
        (["--locust-csv", "{run}", "--instance", "ml.p4d.24xlarg"], "did you mean ml.p4d.24xlarge?"),
        (
            ["--locust-csv", "{run}", "--model", "no.such", "--prompt-tokens", 1, "--completion-tokens", 1],
            "no price for model `no.such`",
        ),
        (["--locust-csv", "{run}", "--model", "meta.llama2-13b-chat-v1"], "a token price needs token means"),
        (
            ["--locust-csv", "{run}", "--input-usd-per-1k", 3, "--output-usd-per-1k", 0.1],
            "looks like USD per million tokens",
        ),
        (
            ["--locust-csv", "{run}", "--input-usd-per-1k", 0.1, "--prompt-tokens", 1, "--completion-tokens", 1],
            "half a token price",
        ),
        (["--locust-csv", "{run}", "--usd-per-hour", 0], "--usd-per-hour 0: not above 0"),
        (["--locust-csv", "{run}", "--usd-per-hour", "nan"], "--usd-per-hour nan: not above 0"),
        (
            ["--locust-csv", "{run}", "--usd-per-hour", 1, "--error-rate", 5],
            "--error-rate 5: above 1, all requests; for 5 % give 0.05",
        ),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--name", "/none"], "--name /none: no such request"),
        (["--locust-csv", "{run}", "--instance", "x", "--pricing", "no.yaml"], "no.yaml: cannot be read"),
        (
            ["--locust-csv", "{run}", "--usd-per-hour", 1, "--tokens", "{here}/tokens.csv"],
            "tokens.csv:2: completion_tokens_mean is no number",
        ),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--tokens", "no.csv"], "no.csv: cannot be read"),
        (["--locust-csv", "{run}", "--usd-per-hour", 1, "--out", "{here}/other_stats.csv"], "cannot be written"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_1(options, message, tmp_path, capsys):
    (tmp_path / "other_stats.csv").write_text("a,b\n1,2\n")
    (tmp_path / "tokens.csv").write_text(BAD_TOKENS)
    places = {"here": tmp_path, "run": RUNS / "local"}
    assert run_cost(*[str(option).format(**places) for option in options]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and error.startswith("error: ") and message in error


def test_reading_locusts_files_needs_neither_gevent_nor_locust_nor_boto3():
    code = "import sys, analysis.commands.cost; print(sorted({'gevent', 'locust', 'boto3', 'botocore'} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "[]\n"
