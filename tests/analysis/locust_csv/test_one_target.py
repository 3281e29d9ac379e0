"""One target of a Swarmledger run, costed from the CSV files that Locust wrote beside it."""

import csv
import json

import pandas as pd
import pytest

from tests.helpers.locust_csv import HISTORY_COLUMNS, RUNS, run_cost

STAGES = [("p4d", 2), ("p4d", 4), ("bedrock", 2), ("bedrock", 4)]


def two_targets(folder, stages=STAGES):
    """20 s a stage, 1 request a second and user; no user between the targets. At 4 users p4d's last call of 2 users ends late."""
    total, counts, second = 0, {}, 0
    with open(folder / "locust_stats_history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()

        def row(users, name, kind, requests):
            cells = [1_700_000_000 + second, users, kind, name, 310, 680, 990, requests, 0, 90, 500.0]
            writer.writerow(dict(zip(HISTORY_COLUMNS, cells, strict=True)))

        for i, (target, users) in enumerate(stages):
            for held in range(21 if i != 2 else 22):
                idle = i == 2 and held == 0
                late = (target, users) == ("p4d", 4) and held == 12
                if not idle:
                    counts[f"{target} en @{users}"] = counts.get(f"{target} en @{users}", 0) + users
                    counts["p4d en @2"] = counts.get("p4d en @2", 0) + late
                    total += users + late
                for name, requests in counts.items():
                    row(0 if idle else users, name, "POST", requests)
                row(0 if idle else users, "Aggregated", "", total)
                second += 1
    targets = [{"target": target, "users": users} for target, users in stages]
    (folder / "manifest.json").write_text(json.dumps({"stages": targets}))
    return folder / "locust"


def test_a_run_of_several_targets_is_not_costed_at_one_price(tmp_path, capsys):
    prefix = two_targets(tmp_path)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6) == 1
    error = capsys.readouterr().err
    assert f"{prefix}: holds 2 targets (p4d, bedrock), which one price does not fit" in error
    assert f"use `python -m analysis report {tmp_path}`, or --target NAME" in error and len(error.splitlines()) == 1


def test_one_target_of_a_run_is_costed_by_its_own_stages(tmp_path, capsys):
    prefix = two_targets(tmp_path)
    for target in ("p4d", "bedrock"):
        out = tmp_path / target
        assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--target", target, "--out", out) == 0
        table = pd.read_csv(out / "cost.csv")
        assert table["name"].tolist() == [f"{target} en @2", f"{target} en @4"]  # without the late one at 4 users
        # 2/s and 4/s at $3.6/h: 3.6 / 7,200 and 3.6 / 14,400
        assert table["cost_per_transaction"].tolist() == pytest.approx([0.0005, 0.00025])
    assert "taken together" not in capsys.readouterr().out


def test_a_target_that_is_not_in_the_run_is_refused_with_those_that_are(tmp_path, capsys):
    assert run_cost("--locust-csv", two_targets(tmp_path), "--usd-per-hour", 1, "--target", "p5") == 1
    assert "--target p5: no such target; give one of p4d, bedrock" in capsys.readouterr().err
    assert run_cost("--locust-csv", RUNS / "full", "--usd-per-hour", 1, "--target", "p5") == 1
    assert "no such target; give the PREFIX beside a run's manifest.json" in capsys.readouterr().err


def test_stages_that_users_do_not_tell_apart_end_where_the_next_one_s_answers_begin(tmp_path, capsys):
    prefix = two_targets(tmp_path, [("p4d", 2), ("bedrock", 2)])  # no user less between them
    for target in ("p4d", "bedrock"):
        assert run_cost("--locust-csv", prefix, "--usd-per-hour", 7.2, "--target", target, "--out", tmp_path) == 0
        # 2 a second at $7.2 an hour: 7.2 / 7,200
        assert pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"].tolist() == pytest.approx([0.001])


def test_by_the_hour_a_target_is_not_costed_from_sums_over_the_whole_run(tmp_path, capsys):
    (tmp_path / "manifest.json").write_text(json.dumps({"stages": [{"target": t} for t in ("p4d", "bedrock")]}))
    stats = (RUNS / "full_stats.csv").read_text().replace("/chat", "p4d en @2").replace("/login", "bedrock en @2")
    (tmp_path / "locust_stats.csv").write_text(stats)
    prefix = tmp_path / "locust"
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1, "--target", "p4d") == 1
    assert "only sums over the whole run are known, and other stages' seconds are in them" in capsys.readouterr().err
    tokens = [
        "--input-usd-per-1k",
        0.001,
        "--output-usd-per-1k",
        0.002,
        "--prompt-tokens",
        1000,
        "--completion-tokens",
        50,
    ]
    assert run_cost("--locust-csv", prefix, "--target", "p4d", *tokens, "--out", tmp_path) == 0
    table = pd.read_csv(tmp_path / "cost.csv")
    # 1,000 x 0.001 / 1,000 + 50 x 0.002 / 1,000
    assert (table["users"].tolist(), table["cost_per_transaction"].tolist()) == ([2], [pytest.approx(0.0011)])


def open_loop(folder, rates=(1, 2, 4), held=30):
    """Stages of one target at rates, 20 users at all of them; a name without a new request in a second has no row in it."""
    counts, second = {}, 0
    with open(folder / "locust_stats_history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY_COLUMNS)
        writer.writeheader()
        for rate in rates:
            for i in range(held):
                name = f"sm en @{rate}/s"
                came = rate if i % 2 else 0  # every other second
                counts[name] = counts.get(name, 0) + 2 * came
                rows = [(name, "InvokeEndpoint", counts[name])] if came else []
                for label, kind, n in [*rows, ("Aggregated", "", sum(counts.values()))]:
                    cells = [1_700_000_000 + second, 20, kind, label, 310, 680, 990, n, 0, 90, 500.0]
                    writer.writerow(dict(zip(HISTORY_COLUMNS, cells, strict=True)))
                second += 1
    (folder / "manifest.json").write_text(json.dumps({"stages": [{"target": "sm"} for _ in rates]}))
    return folder / "locust"


@pytest.mark.parametrize("options", [(), ("--target", "sm")])
def test_rates_of_an_open_loop_are_rows_of_their_own(tmp_path, options):
    assert run_cost("--locust-csv", open_loop(tmp_path), "--usd-per-hour", 3.6, "--out", tmp_path, *options) == 0
    table = pd.read_csv(tmp_path / "cost.csv")
    # 1, 2 and 4 a second on average, $0.001 a second
    assert table["cost_per_transaction"].tolist() == pytest.approx([0.001, 0.0005, 0.00025])


@pytest.mark.parametrize("settle", [3, 4, 5, 6, 7])
def test_a_name_without_a_row_in_a_second_keeps_its_counts(tmp_path, settle):
    prefix = open_loop(tmp_path, rates=(2,))
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--settle-s", settle, "--out", tmp_path) == 0
    # 4 answers every other second
    assert pd.read_csv(tmp_path / "cost.csv")["successes_per_s"].tolist() == pytest.approx([2])


def test_stages_too_short_to_be_seen_have_no_price_by_the_hour(tmp_path, capsys):
    prefix = open_loop(tmp_path, held=4)
    (tmp_path / "locust_stats.csv").write_text(
        (RUNS / "full_stats.csv").read_text().replace("GET,/chat", "InvokeEndpoint,sm en @1/s")
    )
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--out", tmp_path) == 0
    assert pd.read_csv(tmp_path / "cost.csv")["cost_per_transaction"].isna().all()
    assert "seconds of its stages are not in these files" in capsys.readouterr().out
