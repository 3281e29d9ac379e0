"""The bench of many stages: a made run is one that a report trusts, and both figures are measured of two builds."""

import pytest

from analysis.advice.analyse import analyse
from locustfiles.contract.exit_codes import BAD_INPUT
from scripts.bench.many_stages import make_run
from scripts.bench.stages import Took, _rows, main
from tests.helpers.emulator_process import ROOT


@pytest.mark.parametrize(("targets", "levels"), [(1, [2.25, 2.5, 2.75, 3.0, 3.25, 3.5]), (2, [1, 2, 3, 1, 2, 3])])
def test_a_made_runs_stages_are_valid_and_of_ascending_levels(tmp_path, targets, levels):
    report = analyse([make_run(tmp_path / "run", 6, 60, targets).path])
    figures = [r.figures for r in report.results]
    assert [f.trust.verdict for f in figures] == ["VALID"] * 6
    assert [f.rate if targets == 1 else f.users for f in figures] == levels
    assert [f.outcome.requests for f in figures] == [60] * 6


def test_a_save_and_a_report_of_two_builds_are_measured(capsys):
    assert main(["--stages", "2", "--records", "30", "--rounds", "1", "--before", str(ROOT)]) == 0
    head, _, before, ours = capsys.readouterr().out.splitlines()[-4:]
    assert head.startswith("| stages | build | save (ms)")
    assert before.startswith("| 2 | before |") and before.endswith("| – | – |")
    assert ours.startswith("| 2 | ours |") and ours.endswith(" x |")


def test_figures_are_medians_and_told_by_stage():
    took = {
        "before": [Took(0.02, 8.0, 9.0)],
        "ours": [Took(0.001, 3.0, 2.0), Took(0.002, 4.0, 2.5), Took(0.004, 9.0, 3.0)],
    }
    assert _rows(100, took) == [
        ["100", "before", "20.00", "200.0", "8.0", "80", "9.0", "–", "–"],
        ["100", "ours", "2.00", "20.0", "4.0", "40", "2.5", "0.10 x", "0.50 x"],  # 2 of 20 ms, 4 of 8 s
    ]


def test_a_wrong_number_is_refused(capsys):
    with pytest.raises(SystemExit) as e:
        main(["--stages", "0,5"])
    assert e.value.code == BAD_INPUT
    assert "--stages: 0,5: too few or too many stages; give numbers from 1 to 2000" in capsys.readouterr().err
