"""The bench of reports: a run made longer is one that its report believes, and a table tells both builds."""

import numpy as np
import pytest

from analysis.advice.analyse import analyse
from analysis.report.plots.points import Points, thinned
from analysis.runs.run_reader import load_run
from locustfiles.contract.exit_codes import BAD_INPUT
from locustfiles.contract.manifest import Part
from scripts.bench.analysis import ROOT, Row, Took, main, report, table
from scripts.bench.multiplied import multiply
from tests.helpers.flat import steps
from tests.helpers.made_run import START, made_run, streamed, window


def made(path):
    """Two stages of 10 s, each of 20 measured streams that follow each other, the second with one that settled before it."""
    each = [
        streamed(at, 0.5, 0.1, 9, call=n, stage=stage, request_id=f"{n:032x}", gaps="150*5 160*3", completion_tokens=9)
        for stage, begin in ((1, 10), (2, 30))
        for n, at in enumerate((begin + k / 2 for k in range(20)), start=20 * stage)
    ]
    settled = streamed(29, 0.5, 0.1, 9, call=99, stage=2, phase="settle", request_id="", gaps=None)
    part = Part("r", START, START + 50, "complete", 41, 41, 41)
    windows = [window(1, 10, 20, records=20), window(2, 30, 40, records=21)]
    return made_run(path, [*each, settled], windows, parts=[part])


def test_a_longer_run_keeps_its_figures_and_no_record_is_doubled_or_gone(tmp_path):
    path = made(tmp_path / "real")
    # 41 records, 40 of them measured: 5 times over 1 + 5 x 40
    assert multiply(path, 200, tmp_path / "long") == 201
    run = load_run(tmp_path / "long")
    assert len(run.records) == 201 and not run.lost and not run.manifest.problems
    assert run.records["request_id"].dropna().is_unique
    # 8 gaps, 5 of them in bin 150, of which none to four move a bin up
    assert set(run.records["gaps"].dropna()) == {
        "150*5 160*3",
        "150*4 151 160*3",
        "150*3 151*2 160*3",
        "150*2 151*3 160*3",
        "150 151*4 160*3",
    }
    one, long = steps(analyse([path])), steps(analyse([tmp_path / "long"]))
    assert long["requests"].tolist() == [100, 100] and long["window_s"].tolist() == [50, 50]
    same = ("throughput_per_s", "latency_p50_s", "ttft_p50_s", "in_flight_mean", "error_rate")
    for name in same:
        assert long[name].tolist() == pytest.approx(
            one[name].tolist(), rel=0.02
        )  # at the window's ends alone it is not the same
    # the second stage began at 30 s, 4 x 10 s later now
    assert [v.measure_from - START for v in run.manifest.stages] == [10, 70]


def test_a_report_is_told_by_phase(tmp_path):
    took = report(ROOT, made(tmp_path / "real"), tmp_path)
    assert {"start", "read", "figures", "intervals", "advice", "plots", "html", "tables", "other"} == set(took.phases)
    assert 0 < sum(took.phases.values()) <= took.cpu_s and took.peak_mb > 50


def test_builds_are_set_side_by_side():
    def of(cpu_s, peak_mb):
        return Took(10.0, cpu_s, peak_mb, {"read": 1.0})

    rows = [Row("before", 1000, [of(8.0, 1000)]), Row("ours", 1000, [of(1.0, 300), of(3.0, 400), of(2.0, 250)])]
    before, ours = table(rows).splitlines()[2:]
    # medians 2 s of 8 s, the highest 400 MB of 1000 MB
    assert before.endswith("| – | – |") and ours.endswith("| 400 | 0.25 x | 0.40 x |")


def test_a_thinned_picture_keeps_what_is_fastest_and_slowest():
    latency = np.arange(1000.0)
    points = Points(np.repeat([0, 1], 500), {"prompt_tokens": latency, "latency_ms": latency, "ttft_ms": latency})
    few = thinned(points, 20, "latency_ms")
    assert 20 < len(few) <= 24 and {0.0, 499.0, 500.0, 999.0} <= set(few.numbers["latency_ms"])
    assert len(thinned(points, 1000, "latency_ms")) == 1000


@pytest.mark.parametrize("wrong", [["--records", "7"], ["--rounds", "0"], ["--before", "/nowhere"]])
def test_a_wrong_number_or_checkout_is_refused(wrong, capsys):
    assert main(wrong) == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
