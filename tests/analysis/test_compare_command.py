"""`python -m analysis compare`: its files, its terminal, its exit codes."""

import json
import re

import pytest

from analysis.__main__ import main
from locustfiles.contract.exit_codes import BAD_INPUT, NOT_TRUSTED, OK
from tests.helpers.two_runs import drawn_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return folder, [str(drawn_run(folder / name, by, seed=n)) for n, (name, by) in enumerate([("a", 1.0), ("b", 1.2)])]


def test_the_command_prints_a_table_of_100_columns_and_writes_three_files(runs, capsys):
    folder, paths = runs
    assert main(["compare", *paths]) == OK
    out = capsys.readouterr().out
    made = folder / "compare-a-b"
    assert sorted(p.name for p in made.iterdir()) == ["compare.html", "compare.json", "compare.md"]
    assert max(len(line) for line in out.splitlines() if not line.startswith("Comparison: ")) <= 100
    assert re.search(r"^ 2 users .*\+\d+\.\d !", out, re.MULTILINE) and " over levels " in out and " seen from " in out
    assert "worse: latency p50 +" in out and f"Comparison: {made / 'compare.html'}" in out


def test_the_json_says_what_the_documentation_says(runs, capsys):
    _, paths = runs
    assert main(["compare", *paths, "--json"]) == OK
    data = json.loads(capsys.readouterr().out)
    assert (data["reference"], [r["run"] for r in data["runs"]]) == ("a", ["a", "b"])
    (group,) = data["groups"]
    assert [level["users"] for level in group["levels"]] == [2, 5] and group["levels"][0]["rate"] is None
    assert group["levels"][0]["stages"]["b"]["verdict"] in ("VALID", "SUSPECT")
    p50 = next(c for c in group["levels"][0]["compared"]["b"] if c["figure"] == "latency_p50_s")
    assert p50["ratio"] == pytest.approx(p50["other"] / p50["one"]) and p50["low"] < p50["ratio"] < p50["high"]
    assert (p50["of"], p50["said"], p50["levels"], p50["unit"]) == ("ratio", "worse", 1, "s")
    errors = next(c for c in group["over_levels"]["b"] if c["figure"] == "error_rate")
    assert (errors["of"], errors["ratio"], errors["difference"], errors["said"]) == (
        "difference",
        None,
        0.0,
        "no difference seen",
    )
    known = {
        "figure",
        "name",
        "unit",
        "better",
        "one",
        "other",
        "levels",
        "of",
        "ratio",
        "difference",
        "low",
        "high",
        "smallest",
    }
    assert set(p50) == known | {"said", "p", "p_adjusted", "sure", "method"}


def test_json_writes_files_only_where_it_is_told_to(runs, capsys, tmp_path):
    _, paths = runs
    assert main(["compare", *paths, "--json", "--out", str(tmp_path / "x")]) == OK
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "x/compare.json").read_text())
    assert printed | {"made_at": ""} == written | {"made_at": ""}


def test_a_stage_that_cannot_be_trusted_is_compared_marked_and_told_by_the_exit_code(tmp_path, capsys):
    paths = [str(drawn_run(tmp_path / "a")), str(drawn_run(tmp_path / "b", problems=["records of a worker are lost"]))]
    assert main(["compare", *paths]) == NOT_TRUSTED
    out = capsys.readouterr().out
    assert "INVALID, 2 stages: records of a worker are lost" in out and "2 users INVALID" in out
    assert "Of 4 stages compared 2 are INVALID" in " ".join(out.split())
    page = (tmp_path / "compare-a-b/compare.html").read_text()
    assert 'class="missed n"' in page and "INVALID" in page


def test_mistakes_are_one_line(runs, capsys, tmp_path):
    _, paths = runs
    for arguments, words in (
        ([paths[0]], "one run has nothing beside it; name two runs or more"),
        ([paths[0], str(tmp_path / "none")], "none"),
        ([*paths, "--baseline", "x"], "choose one of a, b"),
        ([*paths, "--out", "/proc/x"], "choose another place with --out"),
    ):
        assert main(["compare", *arguments]) == BAD_INPUT
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and words in error


def test_markdown_and_page_hold_every_figure(runs, capsys, tmp_path):
    _, paths = runs
    main(["compare", *paths, "--out", str(tmp_path)])
    capsys.readouterr()
    text, page = (tmp_path / "compare.md").read_text(), (tmp_path / "compare.html").read_text()
    for name in (
        "latency mean",
        "TTFT p99",
        "TPOT p95",
        "transactions/s",
        "output tokens/s",
        "error rate",
        "$ per 1M output tokens",
    ):
        assert f"| {name} |" in text and f'<th scope="row" role="rowheader">{name}<' in page, name
    assert "# b beside a" in text and "<h1>b beside a</h1>" in page
    assert "<script" not in page and "http://" not in page and "src=" not in page


def test_of_figures_without_an_interval_it_says_that_nothing_is_told(tmp_path, capsys):
    runs = []
    for name, p50 in (("a", 0.3), ("b", 0.6)):
        (tmp_path / f"{name}.csv").write_text(f"target,users,latency_p50_s,transactions_per_minute\nbox,2,{p50},60\n")
        runs.append(str(tmp_path / name))
        assert main(["import", "table", str(tmp_path / f"{name}.csv"), "--run-dir", runs[-1], "--payload", "en"]) == OK
    capsys.readouterr()
    assert main(["compare", *runs]) == OK
    out = " ".join(capsys.readouterr().out.split())
    assert "at 2 users: whether anything differs is not told: no figure has an interval." in out


def test_what_nobody_set_or_said_of_an_imported_run_is_no_difference(tmp_path, capsys):
    paths = []
    for tool in ("vllm-bench", "guidellm"):
        paths.append(str(tmp_path / tool))
        assert main(["import", tool, f"tests/data/peers/{tool}", "--run-dir", paths[-1], "--payload", "en"]) == OK
    capsys.readouterr()
    assert main(["compare", *paths, "--json"]) == OK
    differ = {c["what"]: c["values"] for c in json.loads(capsys.readouterr().out)["conditions"]}
    assert not {"git revision", "load.measure_s of mixed"} & set(differ)
    assert differ["base_url of mixed"]["vllm-bench"] == "not known"
