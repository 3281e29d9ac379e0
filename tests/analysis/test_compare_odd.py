"""Runs that hardly compare: copies, one request, none that succeeded, other prompts, other tools, other goodput; and what is then said."""

import json
import re
import shutil

import pytest

from analysis.__main__ import main
from analysis.comparison.build import compare
from analysis.comparison.gist import gist_sentences
from analysis.runs.run_reader import load_runs
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED
from locustfiles.contract.run_folder import NotARun
from tests.helpers.made_run import made_run, record, streamed, window
from tests.helpers.two_runs import drawn_run

FAILED = {"error": "server", "token_source": "none", "prompt_token_source": "none"}


def single(path, made):
    return made_run(path, made, [window(1, 100, 110)])


@pytest.mark.parametrize("command", [["compare"], ["plan", "--transactions-per-minute", "60"], ["report"]])
def test_a_run_beside_its_copy_is_refused_for_it_would_agree_with_itself(tmp_path, capsys, command):
    run = drawn_run(tmp_path / "a")
    shutil.copytree(run, tmp_path / "copy")
    assert main([*command, str(run), str(tmp_path / "copy")]) == BAD_INPUT
    error = capsys.readouterr().err
    assert "copy: holds the same run as" in error and "name one of them" in error and error.count("\n") == 1


def test_two_runs_of_one_name_in_two_folders_are_two(tmp_path):
    one, other = drawn_run(tmp_path / "x/a", seed=1), drawn_run(tmp_path / "y/a", seed=2)
    assert [run.name for run in load_runs([one, other])] == ["x/a", "y/a"]
    with pytest.raises(NotARun, match="holds the same run"):
        load_runs([one, drawn_run(tmp_path / "z/a", seed=1)])


def test_one_request_tells_nothing_and_that_is_said(tmp_path):
    one = single(tmp_path / "a", [streamed(101, 1.0, 0.2, 10)])
    (_, text) = gist_sentences(compare([one, single(tmp_path / "b", [streamed(101, 3.0, 0.2, 10)])]))
    assert "not told by these samples: latency p50, latency p95, TTFT p50" in text and "worse" not in text


def test_what_no_longer_answers_is_said_though_it_has_no_time_that_could_be_worse(tmp_path):
    one = single(tmp_path / "a", [streamed(101, 1.0, 0.2, 10)])
    text = gist_sentences(compare([one, single(tmp_path / "b", [record(101, 0.1, **FAILED)])]))[-1]
    assert "no request of run b succeeded at 1 user" in text


def test_other_prompts_are_minded_and_never_green(tmp_path):
    long = {"users": (8,), "window_s": 60.0}
    runs = [drawn_run(tmp_path / "a", **long), drawn_run(tmp_path / "b", seed=2, **long)]
    assert not compare(runs).cautions
    other = drawn_run(tmp_path / "c", seed=3, payloads={"en": {"sha256": "cd" * 32}}, **long)
    comparison = compare([runs[0], other])
    assert comparison.cautions == [
        "The prompts are not of the same files in all runs: what differs may be the prompts."
    ]


def test_runs_of_two_tools_are_minded(tmp_path):
    paths = []
    for tool in ("vllm-bench", "guidellm"):
        paths.append(str(tmp_path / tool))
        assert main(["import", tool, f"tests/data/peers/{tool}", "--run-dir", paths[-1], "--payload", "en"]) == 0
    first, *_ = compare(paths).cautions
    assert first.startswith("Run vllm-bench is of vllm-bench, run guidellm is of guidellm: one's times may begin")


def test_users_beside_rates_are_refused_with_what_there_is_and_what_to_do(tmp_path):
    users = drawn_run(tmp_path / "a", users=(2,))
    rates = [streamed(101 + i, 1.0, 0.2, 10, users=None, rate=1.0, schedule_delay_ms=1.0) for i in range(9)]
    rates = made_run(tmp_path / "b", rates, [window(1, 100, 110, users=None, rate=1.0)])
    with pytest.raises(BadInput, match="give runs of the same levels") as refused:
        compare([users, rates])
    assert "Only run a has `p4d` on `en` at 2 users." in str(refused.value)
    assert "Only run b has `p4d` on `en` at 1 request/s." in str(refused.value)


@pytest.mark.parametrize(("revisions", "told"), [((None, None), None), ((None, "ab" * 20), "abababababab")])
def test_a_revision_that_nobody_knows_is_no_difference(tmp_path, revisions, told):
    runs = [drawn_run(tmp_path / n, git_revision=r) for n, r in zip("ab", revisions, strict=True)]
    values = {c.what: c.values["b"] for c in compare(runs).conditions}
    assert values.get("git revision") == told


@pytest.mark.parametrize(("limits", "code"), [((2.0, 2.0), GATE_MISSED), ((2.0, 9.0), NOT_TRUSTED)])
def test_a_gate_judges_goodput_by_one_set_of_limits_alone(tmp_path, capsys, limits, code):
    # of the baseline all of 0.5 s, now every second of 3 s: half the goodput where 2 s are the limit
    runs = []
    for name, limit, slow in zip(("base", "now"), limits, (1, 2), strict=True):
        lengths = [3.0 if i % slow else 0.5 for i in range(90)]
        made = [streamed(100 + i, s, 0.1, 5, prompt_id=str(i)) for i, s in enumerate(lengths)]
        runs.append(str(made_run(tmp_path / name, made, [window(1, 100, 190)], slo={"latency_s": {"p99.9": limit}})))
    asked = ["gate", runs[1], "--baseline", runs[0], "--figure", "good_share", "--json", str(tmp_path / "g.json")]
    main(asked)
    (case,) = [c for c in json.loads((tmp_path / "g.json").read_text())["cases"] if c["group"] == "baseline"]
    assert case["state"] == ("missed" if code == GATE_MISSED else "undecided")
    assert ("other limits make a request good" in case["told"]) == (code == NOT_TRUSTED)
    # a file of limits judges both
    (tmp_path / "limits.yaml").write_text("slo: {latency_s: {p95: 2.0}}\n")
    main([*asked, "--slo", str(tmp_path / "limits.yaml")])
    (case,) = [c for c in json.loads((tmp_path / "g.json").read_text())["cases"] if c["group"] == "baseline"]
    assert case["state"] == "missed" and case["told"].startswith("100 % → 50 %")
    capsys.readouterr()


def test_what_is_not_met_stands_last_with_the_counts_below_it(tmp_path, capsys):
    made = [streamed(100 + i, 1.0, 0.1, 5, prompt_id=str(i)) for i in range(90)]
    slo = {"latency_s": {"p50": 0.5, "p95": 2.0, "p99": 2.0}, "error_rate": 0.0}
    main(["gate", str(made_run(tmp_path / "r", made, [window(1, 100, 190)], slo=slo))])
    lines = capsys.readouterr().out.splitlines()
    # 90 values tell of p95, and not of p99
    assert [line.split()[0] for line in lines if re.match("MET |UNDECIDED |MISSED ", line)] == [
        "MET", "MET", "UNDECIDED", "MISSED",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[-3:]] == ["UNDECIDED", "MISSED", "UNDECIDED:"]
    assert lines[-1].endswith("1 missed, 1 undecided, 2 met.")
