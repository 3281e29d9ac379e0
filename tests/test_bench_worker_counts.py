"""The bench of worker counts: a real short load by one and by two workers, and when two runs agree."""

import argparse

import pytest

from analysis.comparison.build import compare
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED
from scripts.bench.worker_counts import agree, main, report
from tests.helpers.two_runs import drawn_run

ASKED = argparse.Namespace(seconds=30.0, repeat=1)


def test_one_worker_and_two_send_the_same_load_and_each_level_has_a_row(capsys):
    given = ["--users", "6", "--workers", "1,2", "--seconds", "3", "--repeat", "1"]
    assert main(given) == NOT_TRUSTED  # a handful of requests: no stage is VALID
    head, _, row = capsys.readouterr().out.splitlines()[-3:]
    cells = [cell.strip() for cell in row.strip("| ").split("|")]
    assert head.startswith("| level | runs | verdicts | requests | latency p50 |")
    assert cells[:2] == ["6 users", "workers-2 beside workers-1"]
    assert all("few_successes" in verdict for verdict in cells[2].split(" / "))
    assert all(int(count) > 1 for count in cells[3].split(" / "))


def test_runs_of_the_same_agree_and_a_slower_one_does_not(tmp_path):
    speeds = {"one": 1.0, "four": 1.0, "slow": 1.2}
    runs = [drawn_run(tmp_path / name, slower, (5, 10), n) for n, (name, slower) in enumerate(speeds.items())]
    same, slower = compare([runs[0], runs[1]]), compare([runs[0], runs[2]])
    assert {r.figures.trust.verdict for r in same.results + slower.results} == {"VALID"}
    assert agree(same) and not agree(slower)
    assert " !" not in report(same, ASKED).split("\n\n")[1] and report(slower, ASKED).count(" !") > 4
    assert "+0.00 (" in report(same, ASKED)  # points of the error rate


def test_no_stage_that_is_valid_in_both_is_no_agreement(tmp_path):
    runs = [drawn_run(tmp_path / name, users=(1,), seed=n, window_s=3.0) for n, name in enumerate(("one", "four"))]
    assert not agree(compare(runs))


@pytest.mark.parametrize(
    "wrong", [["--workers", "1"], ["--workers", "1,99"], ["--users", "0"], ["--users", "5,5"], ["--repeat", "0"]]
)
def test_a_wrong_number_is_refused(wrong, capsys):
    try:
        assert main(wrong) == BAD_INPUT
    except SystemExit as e:
        assert e.code == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
