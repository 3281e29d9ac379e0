"""A run beside its baseline: worse by more than the tolerance, not worse, or not to be told; and what cannot be compared."""

import json
import shutil

import numpy as np
import pytest

from analysis.__main__ import main
from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, streamed, window

LEVELS = (2, 4)


def run_of(path, seed, times=1.0, levels=LEVELS, minutes=2, failed=0.0, ttft=True, **keys):
    """Closed loops of streamed answers of 1 s in the median, `times` as long; `failed`: a share of them."""
    draw, records, stages = np.random.default_rng(seed), [], []
    for stage, users in enumerate(levels, start=1):
        a = 10 + 1000 * stage
        stages.append(window(stage, a, a + 60 * minutes, users=users))
        for user in range(users):
            at = a - 3 + draw.random()
            while at < a + 60 * minutes:
                latency, broken = times * float(np.exp(0.1 * draw.standard_normal())), draw.random() < failed
                spot = {
                    "stage": stage,
                    "users": users,
                    "user": user,
                    "in_flight": users,
                    "prompt_id": str(len(records)),
                }
                spot |= {"phase": "settle" if at < a else "measure"} | ({"error": "server"} if broken else {})
                made = record if broken or not ttft else streamed
                more = {} if made is record else {"ttft": latency / 5, "tokens": 20}
                records.append(made(at, latency, **more, **spot))
                at += latency
    return made_run(path, records, stages, **keys)


def gate(folder, now, base, *options):
    """(exit code, cases by (level, name))."""
    code = main(["gate", str(now), "--baseline", str(base), "--json", str(folder / "gate.json"), *options])
    found = json.loads((folder / "gate.json").read_text())
    return code, {(c["level"], c["name"]): c for c in found["cases"]}, found


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("base") / "base", seed=1)


P95, P50 = "latency p95 not worse by more than 10 %", "latency p50 not worse by more than 10 %"
TEN = ("--tolerance", "10")


def test_a_run_like_its_baseline_is_met_and_one_that_takes_a_quarter_longer_is_missed(base, tmp_path):
    code, cases, _ = gate(tmp_path, run_of(tmp_path / "same", seed=2), base, *TEN)
    assert code == OK and {case["state"] for case in cases.values()} == {"met"}
    assert set(cases) == {("2 to 4 users", f"{what} not worse by more than 10 %{more}") for what, more in {
        "latency p50": "", "latency p95": "", "TTFT p50": "", "TTFT p95": "", "transactions/s": "", "error rate": ", or 1 point",
    }.items()}  # fmt: skip
    code, cases, found = gate(tmp_path, run_of(tmp_path / "slow", seed=3, times=1.25), base, *TEN)
    assert code == GATE_MISSED and (found["run"], found["baseline"]) == ("slow", str(base))
    assert cases["2 to 4 users", P50]["state"] == cases["2 to 4 users", P95]["state"] == "missed"
    assert cases["2 to 4 users", P50]["told"].startswith("+2")  # of 25 %
    assert cases["2 to 4 users", "error rate not worse by more than 10 %, or 1 point"]["state"] == "met"


def test_where_the_samples_are_too_few_it_is_undecided_and_says_what_they_would_show(base, tmp_path):
    short = run_of(tmp_path / "short", seed=4, minutes=0.5)
    code, cases, _ = gate(tmp_path, short, base, "--tolerance", "1", "--figure", "latency_p50_s")
    assert code == NOT_TRUSTED
    [case] = cases.values()
    assert case["state"] == "undecided" and "too few samples to tell: these would show +" in case["told"]


def test_a_level_without_an_interval_is_not_counted_among_those_that_tell(tmp_path):
    # 3 s of 1 s a request: of one user 3 requests, where a median's interval needs 6; of 8 and of 16 users enough
    runs = [run_of(tmp_path / str(seed), seed=seed, levels=(1, 8, 16), minutes=0.05) for seed in (1, 2)]
    _, cases, _ = gate(tmp_path, *runs, *TEN, "--figure", "latency_p50_s")
    told = cases["1 to 16 users", P50]["told"]
    assert " over 2 of 3 levels; at 1 user " in told and told.count("too few samples for an interval") == 1


def test_what_is_worse_for_itself_alone_is_not_called_a_lack_of_samples(base, tmp_path):
    # the p95's interval begins at +10.3 %, which is sure for one question, and not among all that are asked
    _, cases, _ = gate(tmp_path, run_of(tmp_path / "now", seed=8, times=1.15), base, *TEN)
    case = cases["2 to 4 users", P95]
    assert case["state"] == "undecided" and "worse for itself, but not surely among all that is asked" in case["told"]
    assert "too few samples to tell" not in case["told"]


def test_failures_are_compared_by_points(base, tmp_path):
    code, cases, _ = gate(tmp_path, run_of(tmp_path / "failing", seed=5, failed=0.05), base, "--figure", "error_rate")
    assert code == GATE_MISSED
    [case] = cases.values()
    assert case["told"].startswith("0 % → ") and case["told"].count("points") == 3  # over both levels, and at each


def test_what_the_baseline_has_and_the_run_lacks_is_undecided(base, tmp_path):
    now = run_of(tmp_path / "now", seed=6, levels=(2, 8))
    code, cases, found = gate(tmp_path, now, base, *TEN, "--figure", "latency_p50_s")
    assert code == NOT_TRUSTED and cases["2 users", P50]["state"] == "met"
    assert cases["", "measured as the baseline was"]["told"] == "not in this run: p4d on en at 4 users"
    assert "Not in the baseline: p4d on en at 8 users." in found["notes"]
    code, cases, _ = gate(tmp_path, run_of(tmp_path / "other", seed=7, levels=(16,)), base)
    assert code == NOT_TRUSTED and cases["", "has stages in common"]["state"] == "undecided"


def test_a_figure_that_one_of_the_two_lacks_is_undecided(base, tmp_path):
    code, cases, _ = gate(tmp_path, run_of(tmp_path / "whole", seed=8, ttft=False), base, *TEN)
    case = cases["2 to 4 users", "TTFT p95 not worse by more than 10 %"]
    assert code == NOT_TRUSTED and case["state"] == "undecided" and "not known in one of the runs" in case["told"]
    assert cases["2 to 4 users", P95]["state"] == "met"


def test_other_prompts_and_an_invalid_baseline_are_no_baseline(tmp_path):
    keys = [{"payloads": {"en": {"sha256": digest * 64}}} for digest in "ab"]
    base = run_of(tmp_path / "base", seed=1, levels=(2,), minutes=1, problems=["a worker was lost"], **keys[0])
    now = run_of(tmp_path / "now", seed=2, levels=(2,), minutes=1, **keys[1])
    code, cases, _ = gate(tmp_path, now, base)
    assert code == NOT_TRUSTED and {name for _, name in cases} == {
        "asked the same prompts",
        "the baseline can be trusted",
    }
    assert (
        cases["2 users", "the baseline can be trusted"]["told"]
        == "INVALID: a worker was lost: run the stage again (`--resume`)"
    )


def test_a_target_of_another_name_is_compared_by_its_model(base, tmp_path):
    renamed = run_of(tmp_path / "a", seed=9)
    text = renamed.joinpath("manifest.json").read_text().replace('"p4d"', '"p4d-new"')
    renamed.joinpath("manifest.json").write_text(text)
    rows = renamed.joinpath("requests.csv").read_text().replace(",p4d,", ",p4d-new,")
    renamed.joinpath("requests.csv").write_text(rows)
    code, cases, found = gate(tmp_path, renamed, base, *TEN, "--figure", "latency_p50_s")
    assert code == OK and {case["target"] for case in cases.values()} == {"p4d-new"}
    assert "Not as in the baseline: name of p4d: p4d → p4d-new." in found["notes"]


def test_limits_are_judged_beside_the_baseline(base, tmp_path):
    now = run_of(tmp_path / "now", seed=2, slo={"latency_s": {"mean": 0.5}})
    code, cases, _ = gate(tmp_path, now, base, *TEN, "--figure", "latency_p50_s")
    assert code == GATE_MISSED and cases["2 users", "latency mean ≤ 0.5 s"]["state"] == "missed"
    assert cases["2 to 4 users", P50]["state"] == "met"


def test_costs_by_the_token_are_compared_and_those_by_the_hour_follow_from_the_throughput(tmp_path):
    calls = [
        record(10 + i, 1.0, target="bedrock", prompt_tokens=100 + i % 7, completion_tokens=10, prompt_id=str(i))
        for i in range(99)
    ]
    more = [
        record(10 + i, 1.0, target="bedrock", prompt_tokens=150 + i % 7, completion_tokens=10, prompt_id=str(i))
        for i in range(99)
    ]
    stages, targets = [window(1, 10, 109, target="bedrock")], [BEDROCK | {"stream": False}, P4D]
    paths = [
        made_run(tmp_path / name, some, stages, targets=targets) for name, some in (("base", calls), ("now", more))
    ]
    code, cases, _ = gate(tmp_path, paths[1], paths[0])
    # tokens: 103 x 0.75 + 10 = 87.2 against 153 x 0.75 + 10 = 124.7 millionths: +43 %
    case = cases["1 user", "USD per transaction not worse by more than 5 %"]
    assert case["state"] == "missed" and case["told"].startswith("+43")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--baseline", "/no/run"], "/no/run: "),
        (["--tolerance", "-1"], "--tolerance -1: no share in percent"),
        (["--tolerance", "nan"], "--tolerance nan: no share in percent"),
        (["--figure", "latency_p95_s"], "--figure: compares with a baseline, and there is none"),
        (["--baseline", "BASE", "--figure", "latency_p95"], "did you mean latency_p95_s?"),
        (["--baseline", "BASE", "--figure", "stage"], "no column of steps.csv that is better or worse"),
    ],
)
def test_mistakes_are_told_in_a_line(base, tmp_path, capsys, options, words):
    now = made_run(tmp_path / "now", [record(10, 1)], [window(1, 10, 20)], slo={"error_rate": 0})
    assert main(["gate", str(now), *[o.replace("BASE", str(base)) for o in options]]) == BAD_INPUT
    assert words in capsys.readouterr().err


def test_a_run_is_no_baseline_of_itself_nor_is_a_copy_of_it(base, tmp_path, capsys):
    assert main(["gate", str(base), "--baseline", str(base)]) == BAD_INPUT
    assert "named twice" in capsys.readouterr().err
    shutil.copytree(base, tmp_path / "copy")
    assert main(["gate", str(base), "--baseline", str(tmp_path / "copy")]) == BAD_INPUT
    assert "holds the same run as" in capsys.readouterr().err


def test_what_differs_from_the_baseline_is_told(base, tmp_path):
    target = P4D | {"parameters": {"max_tokens": 50}}
    prices = {"p4d": {"usd_per_hour": 30.0, "instance_count": 1}}
    now = run_of(tmp_path / "now", seed=2, targets=[target], prices=prices)
    _, _, found = gate(tmp_path, now, base, *TEN, "--figure", "latency_p50_s")
    notes = "\n".join(found["notes"])
    assert "Not as in the baseline: parameters.max_tokens of p4d: 100 → 50." in notes
    assert "Not as in the baseline: price of p4d: $37.688 per hour → $30 per hour." in notes
