"""The search for the most that keeps the limits, against an endpoint whose capacity follows from its own formula."""

import itertools

import pytest

from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import cluster, one_locust

#: one token a step; a step with n sequences takes 4 + 16 n ms (the prompt's some 9 tokens take no time at 10 million a second)
ENGINE = {
    "kind": "simulated",
    "prefill_tokens_per_second": 10_000_000,
    "decode_base_ms": 4,
    "decode_per_sequence_ms": 16,
    "batch_limit": 64,
}
CONFIG = {"engines": {"shared": ENGINE}, "endpoints": {"shared": {"engine": "shared", "dialect": "tgi"}}}
QUICK = {"settle_s": 0.2, "settle_at_most_s": 0.8, "measure_s": 1.8}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("server") / "truth.jsonl") as e:
        yield e


def searched(server, folder, find: dict, workers: int = 0, **load: object):
    """(finding, stages, rows, what was said); the run ended well."""
    scenario = folders.make_scenario(folder, server.url, [folders.sagemaker("shared")], {"find": find} | QUICK | load)
    if workers:
        with cluster(scenario, folder / "run", workers=workers) as crew:
            assert crew.wait() == (0, [0] * workers), crew.text()
            text = crew.text()
    else:
        with one_locust(scenario, folder / "run") as process:
            assert process.wait() == 0, process.text
            text = process.text
    manifest = folders.manifest(folder / "run")
    assert manifest["status"] == "complete" and manifest["problems"] == []
    (finding,) = manifest["findings"]
    return finding, manifest["stages"], folders.rows(folder / "run"), text


def assert_drained(stages: list[dict], rows: list) -> None:
    """No request of a stage is in flight when the next stage begins."""
    for before, after in itertools.pairwise(stages):
        ends = max(r.started_at + r.latency_ms / 1000 for r in rows if r.stage == before["stage"])
        begins = min(r.started_at for r in rows if r.stage == after["stage"])
        assert ends < begins


def test_the_search_finds_the_number_of_users_that_the_engines_formula_gives(server, tmp_path):
    """Ten tokens at n users take 10 (4 + 16 n) ms, and up to one step more for a request that comes in the middle of one: 1 user
    0.20 to 0.22 s, 2 users 0.36 to 0.40, 3 users 0.52 to 0.57, 4 users 0.68 to 0.75. A median of at most 0.48 s holds for 2
    and not for 3. It doubles (1, 2, 4), halves (3), and measures 2 and 3 again."""
    find = {"up_to": 16, "slo": {"latency_s": {"p50": 0.48}}, "at_most_s": 120}
    finding, stages, rows, text = searched(server, tmp_path, find)
    assert (finding["answer"], finding["fails_at"], finding["confirmed"]) == (2, 3, True)
    assert finding["outcomes"] == {"1": ["met"], "2": ["met", "met"], "3": ["missed", "missed"], "4": ["missed"]}
    assert [s["users"] for s in stages] == [1, 2, 4, 3, 2, 3]
    assert finding["stages"] == [s["stage"] for s in stages] == [1, 2, 3, 4, 5, 6]
    assert all(s["whole"] for s in stages)
    assert "2 users keep the limits, 3 do not: above it the limits are missed" in text
    assert_drained(stages, rows)


def test_limits_that_hold_everywhere_end_at_the_top_and_are_confirmed_there_with_workers_too(server, tmp_path):
    """One user is one worker's, the other idles; two are one of each."""
    find = {"up_to": 2, "slo": {"latency_s": {"p50": 5}}}
    finding, stages, rows, _ = searched(server, tmp_path, find, workers=2, measure_s=1)
    assert (finding["answer"], finding["fails_at"], finding["confirmed"]) == (2, None, True)
    assert finding["why"] == "the limits hold up to the highest level asked for (2)"
    assert [s["users"] for s in stages] == [1, 2, 2]
    assert [len({r.worker for r in rows if r.stage == s["stage"]}) for s in stages] == [1, 2, 2]
    assert_drained(stages, rows)


def test_a_budget_of_time_that_is_too_small_is_said_to_be_so(server, tmp_path):
    """Stages of 2 s and more in 4 s: two, of the six that are needed."""
    find = {"up_to": 16, "slo": {"latency_s": {"p50": 0.48}}, "at_most_s": 4}
    finding, stages, _, text = searched(server, tmp_path, find)
    assert finding["confirmed"] is False and finding["fails_at"] is None
    assert finding["why"] == "the search's 4 s were too few; raise `find.at_most_s`"
    assert 1 <= len(stages) <= 2 and finding["answer"] == stages[-1]["users"]
    assert "(not confirmed): the search's 4 s were too few" in text


@pytest.mark.timed
def test_the_highest_rate_is_found_as_well(server, tmp_path):
    """A request alone takes 10 (4 + 16) ms = 0.2 s. Evenly spaced at less than 5/s none meets another: the median is 0.2 s. At
    5.8/s one comes each 172 ms, the server is never empty, and latencies rise towards 0.04 / (1 - 0.16 x 5.8) = 0.56 s."""
    find = {"up_to": 5.8, "of": "rate", "slo": {"latency_s": {"p50": 0.26}}, "at_most_s": 200}
    finding, stages, rows, text = searched(server, tmp_path, find, arrivals="constant", max_users=6, measure_s=2.4)
    assert finding["of"] == "rate"
    assert 4 <= finding["answer"] < 5.8 and finding["fails_at"] <= 5.8
    assert finding["fails_at"] / finding["answer"] < 1.11
    assert [s["rate"] for s in stages][:4] == [1, 2, 4, 5.8]
    assert {r.users for r in rows if r.stage} == {None}
    assert f"{finding['answer']:g} requests/s keep the limits" in text
    assert_drained(stages, rows)
