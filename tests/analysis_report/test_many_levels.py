"""Pictures of a sweep of very many levels: bands in place of boxes, and labels of the axis that do not touch."""

import itertools

import numpy as np
import pytest

from analysis.report.plots import catalogue
from analysis.report.plots import latency as plot_latency
from analysis.report.plots.view import View
from tests.helpers import samples

INTEREST = "payload_en_3000-3840"
LEVELS = 90


@pytest.fixture(scope="module")
def tables():
    return samples.made_up(1, users=tuple(range(101, 101 + LEVELS)), payloads=(INTEREST,), n=12)


def bands(ax):
    return [c for c in ax.collections if c.get_gid() == "band"]


def test_above_60_levels_quartiles_and_p5_to_p95_are_bands(tables):
    steps, records = tables
    fig = plot_latency.concurrency_vs_latency(View.of(samples.report(steps, records)))
    ax = fig.axes[0]
    assert not ax.patches and len(bands(ax)) == 2
    good = records[(records["phase"] == "measure") & records["error"].isna()]
    for band, q in zip(bands(ax), ((5, 95), (25, 75)), strict=True):
        corners = band.get_paths()[0].vertices
        for place in (0, 40, LEVELS - 1):
            times = good.loc[good["users"] == 101 + place, "latency_ms"] / 1000
            found = corners[corners[:, 0] == place][:, 1]
            assert (found.min(), found.max()) == pytest.approx(tuple(np.percentile(times, q)))
    words = [t.get_text() for t in fig.legends[0].get_texts()]
    assert "middle half; whiskers, or a lighter band, p5 to p95" in words
    few = samples.made_up(1, users=(1, 2), payloads=(INTEREST,), n=12)
    ax = plot_latency.concurrency_vs_latency(View.of(samples.report(*few))).axes[0]
    assert len(ax.patches) == 2 and not bands(ax)  # a box each


def test_a_band_has_a_gap_where_all_failed_and_a_doubtful_stage_is_hollow(tables):
    steps, records = tables
    steps, records = steps.copy(), records.copy()
    lost = records["users"].isin([130, 131])
    records.loc[lost, ["error", "latency_ms"]] = ["server", 1.0]
    steps.loc[steps["users"] == 150, "verdict"] = "SUSPECT"
    ax = plot_latency.concurrency_vs_latency(View.of(samples.report(steps, records))).axes[0]
    assert len(bands(ax)[0].get_paths()) == 2
    assert [t.get_text() for t in ax.texts if t.get_rotation()] in (["all failed"], ["none known"])  # of two one word
    (hollow,) = [line for line in ax.lines if line.get_gid() == "hollow"]
    assert hollow.get_xdata().tolist() == [49] and hollow.get_markerfacecolor() == "white"


def test_labels_of_a_log_axis_of_many_levels_do_not_touch(tmp_path):
    steps, records = samples.made_up(1, users=tuple(range(1, 201)), payloads=(INTEREST,), n=2)
    fig = catalogue.throughput(View.of(samples.report(steps, records)))
    catalogue.style.save(fig, tmp_path / "t.png")
    for ax in fig.axes:
        boxes = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
        assert len(boxes) > 4 and ax.get_xscale() == "log"
        assert all(left.x1 + 4 < right.x0 for left, right in itertools.pairwise(boxes))
