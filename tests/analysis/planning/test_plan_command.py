"""`plan` on run folders: the options of a study, months, files, and what is refused."""

import dataclasses
import json

import pytest

from analysis.__main__ import main
from tests.helpers.first_study import PAYLOAD, run_of, stage_of
from tests.helpers.made_run import P4D, made_run

TOKENS = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}


@pytest.fixture
def run(tmp_path):
    """p4d carries 374 transactions a minute at five users, Bedrock's cost $0.00221625 each."""
    run_of(tmp_path, [stage_of(1, 100, 5, 374, 0, 0.802), stage_of(2, 200, 5, 190, 0, 1.56, **TOKENS)])
    return str(tmp_path / "r")


def planned(run, tmp_path, *options):
    path = tmp_path / "plan.json"
    assert main(["plan", run, *options, "--json", str(path)]) == 0
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_study_is_planned_by_every_option_cheapest_first(run, tmp_path, capsys):
    plan = planned(run, tmp_path, "--transactions-per-minute", "600", "--savings-plan", "27")
    months = {o["name"].split(":", 1)[1].strip(): (o["usd_a_month"], o["instances"]) for o in plan["options"]}
    # 26,280,000 x $0.00221625; 600 / (374 x 0.8) = 2.01, so 3 and one to spare: 4 x 37.688 x 730, 27 % less
    assert months == {
        "meta.llama2-13b-chat-v1, as billed": (pytest.approx(58_243.05), None),
        "ml.p4d.24xlarge, savings plan, 27 % off, at the peak all month": (pytest.approx(80_335.74, abs=0.01), [4, 4]),
        "ml.p4d.24xlarge, on demand, at the peak all month": (pytest.approx(110_048.96, abs=0.01), [4, 4]),
    }
    assert next(iter(months)).startswith("meta.llama2")
    out = capsys.readouterr().out
    assert "The cheapest for 600 transactions a minute" in out and "N+1" in out and "Not in it: tax" in out


def test_above_the_crossing_another_option_is_the_cheapest(run, tmp_path):
    plan = planned(run, tmp_path, "--transactions-per-minute", "600", "--headroom", "0", "--spare", "0")
    # one carries 374 a minute at $37.688, even at 37.688 / 0.00221625 / 60 = 283.42 a minute
    first = plan["crossings"][0]
    assert first["peak_per_minute"] == pytest.approx(283.42, abs=0.01)
    assert "p4d" in first["cheapest"] and "bedrock" in first["before"]


def test_growth_is_planned_month_by_month(run, tmp_path, capsys):
    plan = planned(run, tmp_path, "--transactions-per-minute", "600", "--growth", "10")
    assert len(plan["months"]) == 12
    # 1.1 ^ 11 = 2.853
    assert plan["months"][11][0]["usd"] == pytest.approx(58_243.05 * 1.1**11)
    assert "Growth: 10 % a month, for 12 months." in capsys.readouterr().out


def test_the_workers_that_such_a_load_takes_are_planned_when_asked_for(run, tmp_path, capsys):
    plan = planned(run, tmp_path, "--transactions-per-minute", "600000", "--generator")
    hourly, bedrock = plan["generators"]
    # 10,000/s, each 0.15 ms and 24 tokens of 0.012 ms: 4.38 cores; 1.56 s each are 15,600 streams at once, 400 a worker; 30 us a record
    assert (bedrock["call_ms"], bedrock["cores"]) == (pytest.approx(0.438), pytest.approx(4.38))
    assert (bedrock["at_once"], bedrock["workers"]) == (pytest.approx(15_600), 39)
    assert bedrock["master_cores"] == pytest.approx(0.3)
    # it streams, and its tokens were not counted
    assert hourly == {"target": "`p4d`", "output_tokens": None}
    assert "Generator" in capsys.readouterr().out
    assert "generators" not in planned(run, tmp_path, "--transactions-per-minute", "600")


def test_hourly_rates_come_from_a_file_and_markdown_goes_to_one(run, tmp_path):
    rates, markdown = tmp_path / "day.csv", tmp_path / "plan.md"
    rates.write_text("hour,requests_per_second\n" + "".join(f"{h},{10 if h > 7 else 0}\n" for h in range(24)))
    plan = planned(run, tmp_path, "--rates", str(rates), "--markdown", str(markdown))
    assert plan["demand"]["peak_per_minute"] == 600
    assert {o["scaled"] for o in plan["options"]} == {"peak", "hourly", "to zero"}
    text = markdown.read_text(encoding="utf-8")
    assert text.startswith("# Plan") and "## Assumptions" in text and "scaled to zero" in text


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("", "needs a header"),
        ("rate\n1\n", "needs a header"),
        ("transactions_per_minute\n1\n2\n", "has 2 hours; give 24"),
        ("transactions_per_minute\n" + "0\n" * 24, "every rate is 0"),
        ("transactions_per_minute\n" + "1\n" * 23 + "1,5\n", "hour 24: has 2 cells where the header has 1"),
        ('transactions_per_minute\n"' + '1"\n"' * 23 + '1,5"\n', "hour 24: `1,5` is no rate"),
        ("transactions_per_minute\n" + "1\n" * 23 + "-1\n", "hour 24: `-1` is no rate"),
        ("transactions_per_minute\n" + "1\n" * 23 + "many\n", "hour 24: `many` is no rate"),
    ],
)
def test_a_file_of_rates_that_is_none_is_refused(run, tmp_path, capsys, lines, why):
    path = tmp_path / "rates.csv"
    path.write_text(lines)
    assert main(["plan", run, "--rates", str(path)]) == 1
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--transactions-per-minute", "5", "--dataset", "other"], f"was not measured; give one of {PAYLOAD}"),
        (["--transactions-per-minute", "5", "--markdown", "/nowhere/plan.md"], "cannot be written"),
    ],
)
def test_what_cannot_be_planned_says_why(run, capsys, options, why):
    assert main(["plan", run, *options]) == 1
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--transactions-per-minute", "0"], "no number above 0"),
        ([], "is required"),
        (["--transactions-per-minute", "5", "--headroom", "100"], "no percentage"),
        (["--transactions-per-minute", "5", "--months", "0"], "no whole number from 1 to 120"),
        (["--transactions-per-minute", "5", "--start-up-minutes", "-1"], "no number of 0 or more"),
    ],
)
def test_options_out_of_their_range_are_usage_errors(run, capsys, options, why):
    with pytest.raises(SystemExit, match="1"):
        main(["plan", run, *options])
    assert why in capsys.readouterr().err


def test_a_target_without_a_stage_that_keeps_its_limits_is_named(tmp_path, capsys):
    stages = [stage_of(1, 100, 5, 374, 0, 0.802), stage_of(2, 200, 5, 190, 0, 1.56, **TOKENS)]
    run_of(tmp_path, stages, slo={"latency_s": {"mean": 1.0}})
    assert main(["plan", str(tmp_path / "r"), "--transactions-per-minute", "5"]) == 0
    out = capsys.readouterr().out
    assert "Not planned" in out and "`bedrock`: 1 of 1 stages missed a limit" in out


def test_tokens_that_missed_a_limit_nearer_to_the_load_say_so_first(tmp_path, capsys):
    # at 60 a minute 0.5 s, at 240 a minute 2 s, above the limit of 1 s; 600 are planned, then 50
    stages = [stage_of(1, 100, 1, 60, 0, 0.5, **TOKENS), stage_of(2, 200, 8, 240, 0, 2.0, **TOKENS)]
    run_of(tmp_path, stages, slo={"latency_s": {"mean": 1.0}})
    said = planned(str(tmp_path / "r"), tmp_path, "--transactions-per-minute", "600")["headline"]
    assert "above 60.0 a minute it missed a limit" in said
    out = " ".join(capsys.readouterr().out.split())
    assert "with more (240 at 8 users) it missed latency mean ≤ 1 s: whether it keeps its limits at 600 was not" in out
    few = planned(str(tmp_path / "r"), tmp_path, "--transactions-per-minute", "50")["headline"]
    assert "missed a limit" not in few


def test_a_winner_beyond_the_accounts_quota_says_so_in_the_first_sentence(run, tmp_path):
    # 600 requests a minute; 600 x (2923 + 100 asked for) = 1.81 million tokens a minute while calls run
    plan = planned(run, tmp_path, "--transactions-per-minute", "600", "--quota", "rpm=599", "--quota", "tpm=1800000")
    assert plan["headline"].endswith(
        "It is beyond the quota of requests a minute and of tokens a minute: ask for more first."
    )
    enough = planned(run, tmp_path, "--transactions-per-minute", "600", "--quota", "rpm=600", "--quota", "tpm=2000000")
    assert "quota" not in enough["headline"]


def test_the_first_sentence_tells_failures_other_models_and_whoever_never_answered(tmp_path):
    answered, window_of = stage_of(3, 300, 1, 60, 0, 0.5, target="quiet")
    # 60 of 145 requests fail; a second model; and a third target of which all requests do
    stages = [
        stage_of(1, 100, 4, 85, 60, 0.5),
        stage_of(2, 200, 1, 60, 0, 0.99, target="large"),
        ([dataclasses.replace(r, error="server") for r in answered], window_of),
    ]
    targets = (
        P4D,
        P4D | {"name": "large", "model": "Llama 2 70B", "endpoint": "l"},
        P4D | {"name": "quiet", "endpoint": "q"},
    )
    prices = {"p4d": {"usd_per_hour": 1.0}, "large": {"usd_per_hour": 12.0}, "quiet": {"usd_per_hour": 1.0}}
    run_of(tmp_path, stages, targets=targets, prices=prices)
    said = planned(str(tmp_path / "r"), tmp_path, "--transactions-per-minute", "60")["headline"]
    assert said.startswith("The cheapest for 60.0 transactions a minute at the peak") and "is `p4d`: " in said
    assert "41.38 % of its calls failed." in said
    assert "These are 2 models, which do not answer alike: Llama 2 13B; Llama 2 70B." in said
    assert said.endswith("Not planned, for the reasons below: `quiet`.")


def test_a_failed_attempt_of_a_call_that_was_answered_is_no_failure(tmp_path):
    answered, window_of = stage_of(1, 100, 5, 100, 0, 0.5)
    records = []
    for number, r in enumerate(answered, 1):
        if number % 4 == 0:  # of each four calls one is throttled, and answered at once when tried again
            records.append(dataclasses.replace(r, call=number, latency_ms=10.0, error="throttled"))
        records.append(dataclasses.replace(r, call=number, attempt=2 if number % 4 == 0 else 1))
        if number % 4 == 0:
            records[-1] = dataclasses.replace(records[-1], started_at=r.started_at + 0.02, latency_ms=400.0)
    made_run(tmp_path / "r", records, [window_of], scenario_keys={"retry": {"attempts": 3}})
    plan = planned(str(tmp_path / "r"), tmp_path, "--transactions-per-minute", "600")
    assert not [d for option in plan["options"] for d in option["doubts"] if "calls failed" in d]
    assert "calls failed" not in plan["headline"]


def test_what_was_not_measured_of_a_variant_is_said_of_it_and_not_of_its_target(tmp_path, capsys):
    (tmp_path / "b.yaml").write_text(
        "region: us-east-1\ncurrency: USD\nas_of: 2026-11-01\nsource: made\nmodels:\n"
        "  meta.llama2-13b-chat-v1: {input: 0.00075, output: 0.001, variants: {batch: 0.5, priority: 1.75}}\n"
    )
    book = {"file": str(tmp_path / "b.yaml"), "region": "nowhere-1", "as_of": "2024-04-15", "source": "made"}
    run_of(tmp_path, [stage_of(1, 100, 5, 190, 0, 1.56, **TOKENS)], price_book=book)
    assert main(["plan", str(tmp_path / "r"), "--transactions-per-minute", "600"]) == 0
    mind = capsys.readouterr().out.partition("\nMind\n")[2].partition("\n\n")[0]
    assert "`bedrock`: meta.llama2-13b-chat-v1, batch: answers within hours" in mind
    assert "`bedrock`: meta.llama2-13b-chat-v1, priority: its latency was not measured." in mind
    assert mind.count("was not measured") + mind.count("nothing of its latency") == 2
