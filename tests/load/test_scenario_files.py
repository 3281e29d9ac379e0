"""Which files the start form offers, and what it shows of a scenario before anything is sent."""

import json

import pytest

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.web.scenario_view import described, span
from locustfiles.common.web.scenarios import SHIPPED, Listing, looks_like_one
from tests.helpers import folders

SERVICES = ("bedrock", "sagemaker", "openai")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("name: x\ntargets:\n  - {name: a}\n", True),
        ("# a comment\n---\n  'targets' : []\n  load: {}\n", True),  # indented, quoted
        ('{"name": "x", "targets": []}', True),
        ("payloads: [p.jsonl]\nload: {users: [1]}\ntagrets: []\n", True),  # misspelt: offered, with its error
        ("targets: [a\nload: {\n", True),  # no valid YAML, but meant as one
        ("slo:\n  targets: 1\nload: 2\n", False),
        ("engines: {}\nendpoints: {}\n", False),
        ("", False),
        ("just a text\n", False),
        ("- targets: 1\n", False),
        ("{[", False),
    ],
)
def test_a_scenario_is_known_by_its_outermost_keys(text, is_one):
    assert looks_like_one(text) is is_one


def test_of_the_shipped_files_the_scenarios_are_offered_and_each_can_be_shown():
    names = [
        "bedrock-claude",
        "bedrock-embeddings",
        "bedrock-guardrails",
        "bedrock-nova",
        "calibrate",
        "content-and-ranking",
        "conversations",
        "demo-simulated",
        "demo",
        "llama2-13b-study",
        "llama3-8b",
        "mix-chat-and-batch",
        "prompt-cache",
        "sagemaker-async",
        "sagemaker-llama2",
        "sagemaker-router",
        "vllm-on-ec2",
    ]
    files = Listing(str(SHIPPED / "demo.yaml")).files()
    assert files == [str(SHIPPED / f"{name}.yaml") for name in names] == Listing(str(SHIPPED)).files()
    for file in files:
        json.dumps(described(load_inputs(file, SERVICES)), allow_nan=False)


def test_what_was_given_is_offered_whatever_it_is_and_what_is_deep_hidden_or_elsewhere_is_not(tmp_path):
    text = "targets: []\n"
    for name in ("a.txt", "b.yml", "one/two/c.yaml", "one/two/three/d.yaml", ".git/e.yaml", "f\n.yaml", "bytes.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "bytes.yaml").write_bytes(b"targets: \xff\n")
    (tmp_path / "loop").symlink_to(tmp_path)
    listing = Listing(str(tmp_path / "a.txt"))
    assert listing.files() == [str(tmp_path / name) for name in ("a.txt", "b.yml", "one/two/c.yaml")]
    (tmp_path / "b.yml").write_text("models: {}  # no scenario any more\n")
    assert listing.files() == [str(tmp_path / name) for name in ("a.txt", "one/two/c.yaml")]


def test_stages_time_and_hours_are_those_that_are_planned(tmp_path):
    """Two repetitions of two levels of 5 + 30 s: 4 stages, 140 s, at $3.60 an hour $0.14. The trace: 0 to 12 s, once."""
    (tmp_path / "trace.csv").write_text("timestamp\n100\n104\n112\n")
    targets = [
        folders.sagemaker("quick", load={"users": [1, 4], "measure_s": 30, "repeat": 2}),
        folders.bedrock("quick-model", load={"replay": str(tmp_path / "trace.csv")}),
    ]
    shown = described(
        load_inputs(str(folders.make_scenario(tmp_path, "http://x", targets, {"users": [1], "measure_s": 1})), SERVICES)
    )
    assert (shown["stages_planned"], shown["planned_s"], shown["planned"]) == (5, 152, "at least 2 min 32 s")
    assert shown["hourly_usd"] == pytest.approx(0.14) and shown["hourly"] == "at least $0.14"
    assert [(s["levels"], s["window"], s["repeat"]) for s in shown["stages"]] == [
        ("1, 4 users", "30 s, after 5 s of settling", 2),
        (f"0.166667 requests/s, from {tmp_path / 'trace.csv'}", "12 s, the trace's", 1),  # 2 gaps in 12 s
    ]
    assert (shown["budget_usd"], shown["limits"]) == (None, {"budget": "none", "confirm_above": "$10.00"})


def test_what_ends_early_is_about_and_a_search_has_no_number_of_stages(tmp_path):
    until = {"users": [1], "settle_s": 0, "until": {"requests": 50, "at_most_s": 90}}
    find = {"find": {"up_to": 8, "at_most_s": 600}, "measure_s": 5}
    for load, planned, stages in (
        (until, "about 1 min 30 s", 1),
        (find, "as its search decides, about 10 min at most", None),
    ):
        file = folders.make_scenario(tmp_path, "http://x", [folders.sagemaker("quick")], load, slo={"error_rate": 0.1})
        shown = described(load_inputs(str(file), SERVICES))
        assert (shown["planned"], shown["stages_planned"]) == (planned, stages)
        assert (shown["planned_s"] is None) == (shown["hourly_usd"] is None) == (stages is None)  # not known, and not 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.8, "0.8 s"), (45, "45 s"), (59.96, "60.0 s"), (60, "1 min"), (750, "12 min 30 s"), (7500, "2 h 5 min")],
)
def test_a_span_is_in_units_that_one_reads(seconds, text):
    assert span(seconds) == text
