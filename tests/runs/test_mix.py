"""A mix: several targets and payloads at the same time, each request drawn by its part's weight."""

import collections
import json

import pytest

from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.locust_process import cluster, one_locust

TARGETS = [folders.sagemaker("quick"), folders.bedrock("quick-model"), folders.bedrock("slow-model")]
#: 5 of 8 requests, 2 of 8 and 1 of 8; the slow ones take 2 s, the others 65 ms
MIX = [
    {"target": "on-quick", "weight": 2.5},
    {"target": "by-quick-model", "weight": 1},
    {"target": "by-slow-model", "weight": 0.5},
]
LOAD = {"users": [4, 8], "settle_s": 0.5, "settle_at_most_s": 3, "measure_s": 6}


def run_of(endpoint, folder, load: dict, workers: int = 0, **more):
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, load, mix=MIX, **more)
    if workers:
        with cluster(scenario, folder / "run", workers=workers) as crew:
            assert crew.wait() == (0, [0] * workers), crew.text()
            return folder / "run", crew.text()
    with one_locust(scenario, folder / "run") as process:
        assert process.wait() == 0, process.text
        return folder / "run", process.text


@pytest.fixture(scope="module", params=[0, 2], ids=["one process", "two workers"])
def closed(request, endpoint, tmp_path_factory):
    folder, text = run_of(endpoint, tmp_path_factory.mktemp("mix"), LOAD, request.param)
    return folder, text, request.param


def test_every_part_is_a_stage_of_the_same_window(closed):
    folder, text, _ = closed
    manifest = folders.manifest(folder)
    assert (manifest["status"], manifest["problems"], manifest["left_out"]) == ("complete", [], [])
    told = [(s["stage"], s["target"], s["users"], s["mix"], s["mix_share"]) for s in manifest["stages"]]
    names = [t["name"] for t in TARGETS]
    shares = (0.625, 0.25, 0.125)
    assert told == [
        (first + n, names[n], users, [first, first + 1, first + 2], shares[n])
        for first, users in ((1, 4), (4, 8))
        for n in range(3)
    ]
    for first in (0, 3):
        parts = manifest["stages"][first : first + 3]
        windows = {(s["measure_from"], s["measure_until"], s["hold_until"], s["ended_by"]) for s in parts}
        assert len(windows) == 1 and all(s["whole"] and s["measure_until"] for s in parts)
    assert "a mix of on-quick on prompts 62.5 %" in text


def test_the_shares_are_met_exactly_over_every_block(closed):
    """Each worker's own draws: of any whole number of blocks of eight calls, in the order in which they were numbered."""
    folder, _, workers = closed
    found = [r for r in folders.rows(folder) if r.stage]
    drawn = collections.defaultdict(list)
    for row in sorted(found, key=lambda r: r.call):
        drawn[row.worker, (row.stage - 1) // 3].append(row.target)
    assert len(drawn) == 2 * max(1, workers)
    for names in drawn.values():
        blocks = [names[at : at + 8] for at in range(0, len(names) - 7, 8)]
        assert blocks and all(
            collections.Counter(b) == {"on-quick": 5, "by-quick-model": 2, "by-slow-model": 1} for b in blocks
        )


def test_the_users_are_those_of_the_mix_and_all_its_requests_ended_under_load(closed):
    folder, _, _ = closed
    found, manifest = folders.rows(folder), folders.manifest(folder)
    assert folders.each_once(found) and not any(r.error for r in found)
    for stages in (manifest["stages"][:3], manifest["stages"][3:]):
        numbers = {s["stage"] for s in stages}
        measured = [r for r in found if r.stage in numbers and r.phase == "measure"]
        assert len({(r.worker, r.user) for r in measured}) == stages[0]["users"]
        assert all(r.users == stages[0]["users"] for r in measured)
        slack = 0.25 + 2 * folders.lag_s(found)
        assert max(r.started_at + r.latency_ms / 1000 for r in measured) <= stages[0]["hold_until"] + slack
        assert sum(s["records"] for s in stages) == sum(r.stage in numbers for r in found)


def test_the_report_tells_each_part_and_the_whole(closed):
    """Cost of a transaction over all: what the tokens of both models were billed, and the instance's hours, by all."""
    folder, _, _ = closed
    report = analyse([folder])
    assert len(report.results) == 6 and len(report.mixes) == 2 and report.candidates == []
    assert {r.figures.trust.verdict for r in report.results} <= {"VALID", "SUSPECT"}
    kinds = {c.kind for r in report.results for c in r.cautions}
    assert not kinds & {"users_missing", "other_stages", "late_worker"}, kinds
    for mix in report.mixes:
        parts = [r.figures for r in mix.parts]
        assert mix.requests == sum(f.outcome.requests for f in parts)
        assert mix.in_flight_mean == pytest.approx(mix.first.users, rel=0.1)
        assert mix.throughput_per_s == pytest.approx(sum(f.throughput.throughput_per_s for f in parts))
        quick, slow = parts[1], parts[2]
        # 10 output tokens at $0.002 for a thousand, and the prompt's at $0.001
        tokens = [f.outcome.successes * (0.001 * f.tokens.prompt_tokens_mean + 0.02) / 1000 for f in (quick, slow)]
        successes = sum(f.outcome.successes for f in parts)
        hours = 3.6 / 3600 / mix.throughput_per_s
        assert mix.usd_per_transaction == pytest.approx(sum(tokens) / successes + hours, rel=1e-6)
        assert slow.latency.p50 > 10 * quick.latency.p50
    assert report.recommendation.pick is None
    assert report.recommendation.facts[0] == "Nothing is recommended for `prompts`: it was measured in mixes alone."


def test_the_hours_of_a_target_are_those_of_the_whole_mix(closed):
    """Its requests alternate with the others': its turn is the mix's."""
    folder, _, _ = closed
    report, manifest = analyse([folder]), folders.manifest(folder)
    cost = next(c for c in report.run_cost if c.target == "on-quick")
    first, last = manifest["stages"][0], manifest["stages"][-1]
    assert cost.duration_s > last["measure_until"] - first["measure_from"]


def test_arrivals_of_a_mix_are_drawn_by_weight_too(endpoint, tmp_path):
    """24 requests a second: fifteen, six and three of each part, and the planned rate is that of all together."""
    load = {"rate": [24], "arrivals": "constant", "settle_s": 2.5, "settle_at_most_s": 2.5, "measure_s": 4}
    folder, _ = run_of(endpoint, tmp_path, load, workers=2)
    report = analyse([folder])
    (mix,) = report.mixes
    assert mix.requests == pytest.approx(96, abs=6)
    sent = [r.figures.outcome.requests for r in mix.parts]
    assert sent == pytest.approx([60, 24, 12], abs=7)
    assert not {c.kind for r in report.results for c in r.cautions} & {"rate_missing", "max_users", "other_stages"}
    assert all(r.figures.rate == 24 for r in mix.parts)


def test_a_mix_whose_part_cannot_be_called_is_not_measured(endpoint, tmp_path):
    targets = [folders.sagemaker("quick"), folders.sagemaker("failing")]
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, targets, LOAD, mix=[{"target": t["name"]} for t in targets]
    )
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 1, process.text
        assert "a mix is measured with all its parts, or not at all" in process.text
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["stages"] == []
