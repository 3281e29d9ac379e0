"""What a stage's window holds: its own requests alone, although the latency jumps tenfold between stages."""

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import one_locust

#: one sequence alone takes 20 steps of 2 + 2 ms, ten at once 20 steps of 22 ms, 20 at once 42 ms: 0.08, 0.44 and 0.84 s
CROWDED = {
    "kind": "simulated", "seed": 3, "prefill_tokens_per_second": 1e6, "decode_base_ms": 2, "decode_per_sequence_ms": 2, "batch_limit": 64,
}  # fmt: skip
LEVELS = (1, 10, 20)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    config = {
        "engines": folders.EMULATOR["engines"] | {"crowded": CROWDED},
        "endpoints": folders.EMULATOR["endpoints"] | {"crowded": {"engine": "crowded", "dialect": "tgi"}},
    }
    with running_emulator(config) as endpoint:
        load = {"users": list(LEVELS), "settle_s": 0, "measure_s": 2}
        few = load | {"users": [1, 5]}  # 65 ms a call: more users would take the client's whole core
        targets = [folders.sagemaker("crowded", parameters={"max_tokens": 20}), folders.sagemaker("quick", load=few)]
        scenario = folders.make_scenario(folder, endpoint.url, targets, load)
        with one_locust(scenario, folder / "run") as process:
            assert process.wait() == 0, process.text
    return folders.rows(folder / "run"), folders.manifest(folder / "run")["stages"]


def end(row) -> float:
    return row.started_at + row.latency_ms / 1000


def test_latency_jumps_between_the_levels_as_the_endpoint_was_made_to(run):
    rows, stages = run
    means = []
    for stage in stages[:3]:
        own = [r.latency_ms for r in rows if r.stage == stage["stage"] and r.phase == "measure"]
        means.append(sum(own) / len(own))
    assert means[0] < 250 and 350 < means[1] < 750 and means[2] > 780


def test_no_request_of_another_stage_is_in_flight_in_a_window(run):
    rows, stages = run
    for stage in stages:
        a, b = stage["measure_from"], stage["measure_until"]
        there = [r for r in rows if r.started_at < b and end(r) > a]
        assert {r.stage for r in there} == {stage["stage"]}
        assert stage["whole"] and stage["steady"]


def test_measured_requests_start_in_the_window_and_all_users_go_on_until_the_last_of_them_has_ended(run):
    rows, stages = run
    slack = 0.05 + folders.lag_s(rows)
    for stage in stages:
        own = [r for r in rows if r.stage == stage["stage"]]
        measured = [r for r in own if r.phase == "measure"]
        a, b, held = stage["measure_from"], stage["measure_until"], stage["hold_until"]
        assert measured and all(a - slack <= r.started_at < b + slack for r in measured)
        last = max(end(r) for r in measured)
        assert last <= held + slack
        # 20 ms before the last of them ends, each user has a request in flight, or had one until it was held up: nobody has left
        there = {r.user for r in own if end(r) > last - 0.02 - slack}
        assert len(there) >= 0.8 * stage["users"]


def test_every_user_has_had_an_answer_before_the_window_begins(run):
    rows, stages = run
    for stage in stages:
        settled = [
            r for r in rows if r.stage == stage["stage"] and r.phase == "settle" and end(r) <= stage["measure_from"]
        ]
        assert len(settled) >= stage["users"]
