"""`report --dataset` and `--slo`: other data sets and limits without a change to a manifest."""

import json
import pathlib

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from tests.helpers.made_run import made_run, steady, window

PEERS = pathlib.Path(__file__).parents[1] / "data" / "peers"


def run(path, slo=None):
    """1 s at 1 user on `short` (37.688 / 3600 = $0.01047), 2 s on `long` ($0.0209)."""
    records = steady(1, 100, 160, 1, 1.0, lead=2, payload="short") + steady(2, 200, 260, 1, 2.0, lead=4, payload="long")
    stages = [window(1, 100, 160, payload="short"), window(2, 200, 260, payload="long")]
    return made_run(path, records, stages, slo=slo)


def summary(path, *options):
    assert main(["report", str(path), *options]) == 0
    return json.loads((path / "report" / "summary.json").read_text())


def test_another_data_set_is_recommended_for(tmp_path, capsys):
    path = run(tmp_path / "r", slo={"dataset": "long"})
    assert summary(path)["recommendation"]["dataset"] == "long"
    for named in ("short", "short.jsonl", "payloads/short.jsonl"):
        found = summary(path, "--dataset", named)
        assert (found["dataset"], found["recommendation"]["pick"]) == ("short", {"run": "r", "stage": 1})
    capsys.readouterr()
    assert main(["report", str(path), "--dataset", "middle"]) == 1
    assert capsys.readouterr().err == "error: --dataset middle: no stage measured it; choose one of short, long\n"


def test_a_file_of_limits_takes_the_place_of_the_runs_own(tmp_path, capsys):
    path = run(tmp_path / "r", slo={"latency_s": {"mean": 0.5}, "dataset": "long"})
    assert summary(path)["recommendation"]["pick"] is None
    limits = tmp_path / "slo.yaml"
    limits.write_text(
        "slo: {latency_s: {mean: 3.0}, dataset: short}\nclasses: {long: {where: {payload: long}, latency_s: {mean: 1.0}}}\n"
    )
    found = summary(path, "--slo", str(limits))
    assert (found["dataset"], found["recommendation"]["criteria"]) == ("short", ["latency mean ≤ 3 s"])
    assert found["recommendation"]["pick"] == {"run": "r", "stage": 1}
    long = summary(path, "--slo", str(limits), "--dataset", "long")
    assert long["recommendation"]["worst_criterion"] == "latency mean ≤ 1 s (long)"
    capsys.readouterr()
    assert main(["report", str(path), "--slo", str(tmp_path / "none.yaml")]) == 1
    assert "none.yaml" in capsys.readouterr().err


def test_runs_that_disagree_on_limits_are_said_unless_a_file_sets_them(tmp_path, capsys):
    one, other = run(tmp_path / "a", slo={"error_rate": 0.01}), run(tmp_path / "b")
    limits = tmp_path / "slo.yaml"
    limits.write_text("slo: {error_rate: 0.02}\n")
    for options, said in (((), True), (("--slo", str(limits)), False)):
        assert main(["report", str(one), str(other), "--out", str(tmp_path / "out"), *options]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert ("The runs do not have the same limits (a error_rate 0.01; b none)" in shown) is said


def test_a_report_of_several_data_sets_says_for_which_it_is_and_how_to_get_the_others(tmp_path, capsys):
    path = run(tmp_path / "r", slo={"dataset": "long"})
    summary(path)
    said = (
        "This is for the dataset `long` alone. Measured too: `short`; for it run `report` again with `--dataset short`."
    )
    assert said in " ".join(capsys.readouterr().out.split())
    assert said in (path / "report" / "report.md").read_text()
    page = (path / "report" / "report.html").read_text()
    assert "for it run <code>report</code> again with <code>--dataset short</code>" in page[: page.index("<nav")]
    other = made_run(
        tmp_path / "b", steady(1, 100, 160, 1, 1.0, lead=2, payload="mid"), [window(1, 100, 160, payload="mid")]
    )
    main(["report", str(path), str(other), "--out", str(tmp_path / "both")])
    assert "Measured too: `short`, `mid` (by b, not in this comparison); for one of them run" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_report_of_one_data_set_says_nothing_of_others(tmp_path, capsys):
    one = made_run(tmp_path / "r", steady(1, 100, 160, 1, 1.0, lead=2), [window(1, 100, 160)])
    summary(one)
    assert "Measured too" not in capsys.readouterr().out


def test_imports_that_share_no_dataset_are_told_how_to_share_one(tmp_path):
    for tool in ("guidellm", "aiperf"):
        options = ["--run-dir", str(tmp_path / tool), "--instance", "box", "--usd-per-hour", "3", "--payload", tool]
        assert main(["import", tool, str(PEERS / tool), *options]) == 0
    said = analyse([tmp_path / "guidellm", tmp_path / "aiperf"]).other_datasets
    assert "(by guidellm, not in this comparison)" in said
    assert said.endswith(" Imports of the same prompts are compared when `import --payload` gives them one name.")
