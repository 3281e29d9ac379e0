"""The plots: files, lines, marks and legends."""

import dataclasses

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from analysis.report.plots import break_even as plot_break_even
from analysis.report.plots import catalogue as plots
from analysis.report.plots import latency as plot_latency
from analysis.report.plots import price as plot_price
from analysis.report.plots import style as plot_style
from analysis.report.plots.view import View
from tests.helpers import samples

INTEREST = "payload_en_3000-3840"


@pytest.fixture(scope="module")
def tables():
    return samples.made_up(2)


def view(steps, records, **other):
    return View.of(samples.report(steps, records, **other))


def drawn(ax):
    """label -> (x, y) of the lines with a name."""
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
        for line in ax.lines
        if not line.get_label().startswith("_")
    }


def by_gid(ax, gid):
    return [a for a in (*ax.lines, *ax.collections, *ax.patches) if a.get_gid() == gid]


def texts(fig):
    """All words of the legends of a figure."""
    return [t.get_text() for legend in fig.legends for t in (legend.get_title(), *legend.get_texts())]


def test_every_plot_of_a_full_run_is_written_as_a_png_of_1440_pixels(tmp_path, tables):
    steps, records = tables
    written = plots.draw_all(samples.report(steps, records, break_even=[samples.pair()]), tmp_path)
    assert [p.name for p in written] == [
        p.file for p in plots.PLOTS if p.file != "turns.png"
    ]  # there are no conversations
    for path in written:
        with Image.open(path) as image:
            assert image.format == "PNG" and image.width == 1440 and image.height > 600


def test_a_plot_without_data_is_left_out_and_an_old_one_of_that_name_is_removed(tmp_path):
    steps, records = samples.made_up(1, users=(4,), stream=False, n=8)
    (tmp_path / "concurrency_vs_ttft.png").write_bytes(b"of an older report")
    names = [p.name for p in plots.draw_all(samples.report(steps, records), tmp_path)]
    assert "concurrency_vs_ttft.png" not in names and not (tmp_path / "concurrency_vs_ttft.png").exists()
    assert "break_even.png" not in names and "concurrency_vs_latency.png" in names


def test_error_rates_are_drawn_in_percent_a_line_a_target_and_a_facet_a_payload(tables):
    steps, records = tables
    fig = plots.error_rates(view(steps, records))
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["payload_en_1-500", INTEREST]
    for ax, payload in zip(fig.axes, ("payload_en_1-500", INTEREST), strict=True):
        for target, (x, y) in drawn(ax).items():
            mine = steps[(steps["target"] == target) & (steps["payload"] == payload)]
            assert x == [1, 2, 4, 6, 8, 10]
            assert y == pytest.approx(list(mine["error_rate"] * 100))
    assert len(drawn(fig.axes[0])) == 2


def test_suspect_and_invalid_stages_are_hollow_and_the_legend_says_so(tables):
    steps, records = tables
    doubted = steps.copy()
    doubted.loc[doubted["stage"] == 3, "verdict"] = "SUSPECT"  # target 0, payload 1-500, 4 users
    doubted.loc[doubted["stage"] == 4, "verdict"] = "INVALID"  # the same at 6 users
    fig = plots.error_rates(view(doubted, records))
    hollow = [m for m in fig.axes[0].lines if m.get_label() == "_markers" and m.get_markerfacecolor() == "white"]
    assert [list(m.get_xdata()) for m in hollow] == [[4, 6]]
    assert plot_style.SUSPECT in texts(fig)
    assert plot_style.SUSPECT not in texts(plots.error_rates(view(steps, records)))


def test_price_performance_traces_each_target_and_marks_the_chosen_stage(tables):
    steps, records = tables
    chosen = steps[(steps["payload"] == INTEREST) & (steps["users"] == 4)].iloc[1]
    fig = plot_price.price_performance(view(steps, records, pick=int(chosen["stage"])))
    (ax,) = fig.axes
    for target, (x, y) in drawn(ax).items():
        mine = steps[(steps["target"] == target) & (steps["payload"] == INTEREST)]
        assert x == pytest.approx(list(mine["latency_p95_s"]))
        assert y == pytest.approx(list(mine["usd_per_10k_transactions"]))
    (star,) = by_gid(ax, "chosen")
    assert star.get_xydata().tolist() == [[chosen["latency_p95_s"], chosen["usd_per_10k_transactions"]]]
    assert "chosen" in texts(fig)
    users = sorted(t.get_text() for t in ax.texts if not t.get_text().startswith("SLO"))
    assert users == sorted(["1", "2", "4", "6", "8", "10"] * 2)


def test_bubbles_grow_with_transactions_per_minute(tables):
    steps, records = tables
    (ax,) = plot_price.price_performance(view(steps, records)).axes
    sizes = np.concatenate([c.get_sizes() for c in ax.collections if c.get_gid() is None and len(c.get_sizes())])
    rates = steps.loc[steps["payload"] == INTEREST, "transactions_per_minute"].to_numpy()
    # area = 40 + 860 x rate / highest rate
    assert sorted(sizes) == pytest.approx(sorted(40 + 860 * rates / rates.max()))


def test_the_feasible_region_ends_at_the_limits_and_is_absent_without_limits(tables):
    steps, records = tables
    (ax,) = plot_price.price_performance(view(steps, records)).axes
    (region,) = by_gid(ax, "feasible")
    # SLO: p95 latency 2 s, $50 per 10,000; both axes begin at 0
    assert (region.get_x(), region.get_y(), region.get_width(), region.get_height()) == (0, 0, 2.0, 50.0)
    assert len(by_gid(ax, "limit")) == 2
    (ax,) = plot_price.price_performance(view(steps, records, slo={})).axes
    assert not by_gid(ax, "feasible") and not by_gid(ax, "limit")


def test_price_performance_uses_the_latency_statistic_that_the_slo_limits(tables):
    steps, records = tables
    (ax,) = plot_price.price_performance(view(steps, records, slo={"latency_s": {"mean": 1.0}})).axes
    assert ax.get_xlabel() == "mean latency (s)"
    mine = steps[(steps["target"] == "llama2-13b-p4d-0") & (steps["payload"] == INTEREST)]
    assert drawn(ax)["llama2-13b-p4d-0"][0] == pytest.approx(list(mine["latency_mean_s"]))


def test_latency_boxes_are_quartiles_and_the_lines_are_the_stages_p50_and_p95(tables):
    steps, records = tables
    fig = plot_latency.concurrency_vs_latency(view(steps, records))
    ax = fig.axes[1]
    mine = steps[(steps["target"] == "bedrock-llama2-13b-1") & (steps["payload"] == INTEREST)]
    assert drawn(ax)["p50"] == (list(range(6)), pytest.approx(list(mine["latency_p50_s"])))
    assert drawn(ax)["p95"][1] == pytest.approx(list(mine["latency_p95_s"]))
    same = (records["target"] == "bedrock-llama2-13b-1") & (records["payload"] == INTEREST) & (records["users"] == 1)
    quartiles = np.percentile(records.loc[same, "latency_ms"] / 1000, [25, 75])
    box = ax.patches[0].get_path().vertices[:, 1]
    assert (box.min(), box.max()) == pytest.approx(tuple(quartiles))


def test_a_stage_in_which_all_failed_has_no_box_and_is_named_so(tables):
    steps, records = tables
    records = records.copy()
    stage = int(steps[(steps["payload"] == INTEREST) & (steps["users"] == 10)].iloc[0]["stage"])
    records.loc[records["stage"] == stage, "error"] = "server"
    rows = [
        samples.step_of(mine, mine["target"].iloc[0], "sagemaker", "ml.p4d.24xlarge", 37.688, True)
        for _, mine in records.groupby("stage")
    ]
    found = view(samples.frame(rows), records)
    ax = plot_latency.concurrency_vs_latency(found).axes[0]
    assert len(ax.patches) == 5  # of six levels
    assert "all failed" in [t.get_text() for t in ax.texts]
    assert np.isnan(drawn(ax)["p95"][1][-1])
    (price,) = plot_price.price_performance(found).axes
    assert len(drawn(price)["llama2-13b-p4d-0"][0]) == 5


def test_tokens_against_latency_draws_each_measured_success_once(tables):
    steps, records = tables
    records = records.copy()
    records.loc[:9, "phase"] = "settle"
    records.loc[10:19, "prompt_tokens"] = np.nan
    fig = plot_latency.tokens_vs_latency(view(steps, records))
    expected = records[(records["phase"] == "measure") & records["error"].isna()].dropna(subset=["prompt_tokens"])
    for ax, target in zip(
        fig.axes, ("llama2-13b-p4d-0", "bedrock-llama2-13b-1"), strict=False
    ):  # the last is the colour bar
        points = np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections])
        mine = expected[expected["target"] == target]
        assert np.sort(points[:, 0]).tolist() == sorted(mine["prompt_tokens"])
        assert np.sort(points[:, 1]) == pytest.approx(np.sort(mine["latency_ms"] / 1000))


def test_above_20000_requests_a_sample_is_drawn_and_the_plot_says_so():
    steps, records = samples.made_up(1, users=(1, 2), payloads=(INTEREST,), n=10_500)
    fig = plot_latency.tokens_vs_latency(view(steps, records))
    # and of each of the two stages its fastest and slowest, where chance has left them out
    assert 20_000 <= sum(len(c.get_offsets()) for c in fig.axes[0].collections) <= 20_004
    assert any(t.startswith("20,000 of 21,000 requests, drawn at random, and the fastest") for t in texts(fig))


def test_more_levels_than_a_usual_colour_map_has_shades_are_drawn():
    steps, records = samples.made_up(1, users=tuple(range(1, 301)), payloads=(INTEREST,), n=2)  # 256 are usual
    fig = plot_latency.tokens_vs_latency(view(steps, records))
    shades = {tuple(shade) for ax in fig.axes[:-1] for c in ax.collections for shade in c.get_facecolors()}
    assert len(shades) > 256


def test_throughput_rings_the_knee(tables):
    steps, records = tables
    fig = plots.throughput(view(steps, records, knees=[("llama2-13b-p4d-0", 6)]))
    rings = [ring for ring in by_gid(fig.axes[0], "knee") if len(ring.get_xdata())]
    at = steps[(steps["target"] == "llama2-13b-p4d-0") & (steps["payload"] == INTEREST) & (steps["users"] == 6)].iloc[0]
    assert [(r.get_xdata()[0], r.get_ydata()[0]) for r in rings] == [(6, at["transactions_per_minute"])]
    assert [ax.get_ylabel() for ax in fig.axes] == ["Transactions per minute", "Output tokens per second"]


def test_break_even_draws_the_staircase_the_token_line_and_the_shaded_volumes(tables):
    steps, records = tables
    (ax,) = plot_break_even.break_even(view(steps, records, break_even=[samples.pair()])).axes
    # 37.688 $/h an instance of 20,760/h: one to 20,760, two to 41,520, three from there to 60,000
    assert drawn(ax)["hourly"][0] == [0, 20_760, 20_760, 41_520, 41_520, 60_000]
    assert drawn(ax)["hourly"][1] == pytest.approx([37.688, 37.688, 75.376, 75.376, 113.064, 113.064])
    # 60,000/h x $0.002216 = $132.96/h
    assert drawn(ax)["tokens"][1] == pytest.approx([0, 132.96])
    # 37.688 / 0.002216 = 17,007.2/h; the third interval has no end and is cut at the axis
    spans = [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches]
    assert spans == [pytest.approx(s, abs=0.1) for s in ((17_007.2, 20_760), (34_014.4, 41_520), (51_021.7, 60_000))]


def test_pairs_of_one_name_in_two_runs_get_a_facet_each(tables):
    steps, records = tables
    later = dataclasses.replace(samples.pair(), hourly_run="later", token_run="later")
    found = View.of(samples.second_run(samples.report(steps, records, break_even=[samples.pair(), later])))
    titles = [ax.get_title(loc="left") for ax in plot_break_even.break_even(found).axes]
    assert [("(study)" in t, "(later)" in t) for t in titles] == [(True, False), (False, True)]


def test_a_pair_without_capacity_is_not_drawn(tables):
    steps, records = tables
    pair = dataclasses.replace(samples.pair(), capacity_per_hour=None)
    assert plot_break_even.break_even(view(steps, records, break_even=[pair])) is None


def test_two_runs_with_a_target_of_one_name_get_a_line_each(tables):
    steps, records = tables
    found = View.of(samples.second_run(samples.report(steps, records)))
    ax = plots.error_rates(found).axes[0]
    assert sorted(drawn(ax)) == sorted(f"{t} ({run})" for t in steps["target"].unique() for run in ("study", "later"))


@pytest.mark.parametrize("n", [10, 24, 100])
def test_so_many_targets_have_as_many_looks_and_long_names_stay_apart(n):
    names = [f"llama2-13b-chat-hf-text-generation-inference-{i}-on-ml-p4d-24xlarge-in-us-east-1" for i in range(n)]
    found = plot_style.looks(names)
    assert len({(k.colour, k.marker) for k in found.values()}) == n
    assert len({k.name for k in found.values()}) == n
    assert all(len(k.name) <= 34 for k in found.values())
    assert plot_style.CHOSEN not in {k.marker for k in found.values()}


def test_ten_targets_are_all_in_the_legend_of_the_price_plot():
    steps, records = samples.made_up(10, users=(1, 8), payloads=(INTEREST,), n=30)
    fig = plot_price.price_performance(view(steps, records))
    assert set(steps["target"]) <= set(texts(fig))


def test_a_dollar_sign_in_a_name_is_text_and_not_a_formula(tmp_path):
    steps, records = samples.made_up(1, users=(2,), names=["a$\\frac{$b"], payloads=(INTEREST,), n=20)
    written = plots.draw_all(samples.report(steps, records, pick=1), tmp_path)  # a formula cut short would raise
    assert len(written) == 5  # no request failed


def test_colours_keep_three_to_one_against_white():
    def light(colour):
        channels = [int(to_hex(colour)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # WCAG 2.1
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert all(1.05 / (light(c) + 0.05) >= 3 for c in plot_style.COLOURS)


def test_drawing_leaves_no_figure_in_pyplot(tmp_path, tables):
    from matplotlib import _pylab_helpers

    plots.draw_all(samples.report(*tables), tmp_path)
    assert _pylab_helpers.Gcf.get_num_fig_managers() == 0
