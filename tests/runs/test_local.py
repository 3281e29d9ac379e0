"""One process, no web UI: what is in the run folder is what happened."""

import collections
import re

import pytest

from locustfiles.contract import version
from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import environment, one_locust

TARGETS = [folders.sagemaker("throttled"), folders.bedrock("quick-model")]
LOAD = {"users": [1, 3], "settle_s": 0.5, "measure_s": 2.5}


@pytest.fixture(scope="module")
def run(endpoint, tmp_path_factory):
    """One sweep over a target that throttles 30 % and breaks 10 %, and over one that answers well."""
    folder = tmp_path_factory.mktemp("local")
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD)
    with one_locust(scenario, folder / "run") as process:
        code = process.wait()
    return folder / "run", code, endpoint.stats()["requests"] - before, process.text


def test_every_request_of_the_endpoint_is_one_row_and_one_of_locusts_requests(run, endpoint):
    folder, code, sent, text = run
    found = folders.rows(folder)
    assert code == 0, text
    assert len(found) == sent > 50  # none retried: a retry would be a request without a row
    assert folders.each_once(found)
    assert int(folders.total(folder)["Request Count"]) == sent
    assert int(folders.total(folder)["Failure Count"]) == sum(r.error is not None for r in found)
    ids = [r.request_id for r in found]
    assert len(set(ids)) == len(ids)
    assert len(folders.truth_of(endpoint, set(ids))) == sent
    assert {r.worker for r in found} == {"local"}
    assert "Traceback" not in text


def test_thirty_percent_throttles_are_seen_as_throttled(run, endpoint):
    found = [r for r in folders.rows(run[0]) if r.target == "on-throttled"]
    truth = folders.truth_of(endpoint, {r.request_id for r in found})
    for row in found:
        fault = truth[row.request_id]["fault"]
        assert row.error == {"throttle": "throttled", "drop_mid_stream": "stream_broken", None: None}[fault]
        assert row.http_status == {"throttle": 429, "drop_mid_stream": 200, None: 200}[fault]
    throttled = sum(r.error == "throttled" for r in found)
    # binomial: a share of 0.3 over n requests is off by more than 4 standard deviations less than once in 10,000
    assert abs(throttled - 0.3 * len(found)) < 4 * (0.3 * 0.7 * len(found)) ** 0.5
    assert all(r.completion_tokens is None and r.ttft_ms is None for r in found if r.error == "throttled")


def test_the_windows_of_the_manifest_hold_what_was_measured(run):
    folder = run[0]
    found, manifest = folders.rows(folder), folders.manifest(folder)
    assert manifest["status"] == "complete" and manifest["problems"] == []
    assert manifest["versions"] == version.versions()
    assert (manifest["git_revision"] or "")[:40] == (version.git_revision() or "")[:40]
    assert [(s["target"], s["users"]) for s in manifest["stages"]] == [
        ("on-throttled", 1), ("on-throttled", 3), ("by-quick-model", 1), ("by-quick-model", 3)
    ]  # fmt: skip
    slack = 0.05 + folders.lag_s(found)
    for stage in manifest["stages"]:
        a, b = stage["measure_from"], stage["measure_until"]
        assert stage["ended_by"] == "time"
        assert 2.5 <= b - a < 3 + slack
        assert stage["started_at"] <= stage["settle_from"] <= a - 0.5 < b <= stage["hold_until"]
        mine = [r for r in found if r.stage == stage["stage"]]
        measured = [r for r in mine if r.phase == "measure"]
        assert all(a - slack <= r.started_at < b + slack for r in measured)
        assert all(r.started_at < a + slack for r in mine if r.phase == "settle")
        assert all(r.started_at >= b - slack for r in mine if r.phase == "hold")
        # awaited: every measured request ended before the hold did
        assert max(r.started_at + r.latency_ms / 1000 for r in measured) <= stage["hold_until"] + slack
        assert {r.users for r in mine} == {stage["users"]}
        assert {r.user for r in measured} == set(range(1, stage["users"] + 1))
        assert max(r.in_flight for r in mine) == stage["users"]
        assert not any(r.error == "cancelled" for r in mine)


def test_each_target_gets_a_warm_up_call_before_its_stages(run):
    folder = run[0]
    found, stages = folders.rows(folder), folders.manifest(folder)["stages"]
    for target in ("on-throttled", "by-quick-model"):
        warm = [r for r in found if r.phase == "warmup" and r.target == target]
        assert [(r.stage, r.users, r.user) for r in warm] == [(0, None, 0)]
        assert warm[0].started_at < min(s["started_at"] for s in stages if s["target"] == target)


def test_between_targets_the_users_drain(run):
    folder = run[0]
    last = max(r.started_at + r.latency_ms / 1000 for r in folders.rows(folder) if r.target == "on-throttled")
    first = min(r.started_at for r in folders.rows(folder) if r.target == "by-quick-model" and r.phase != "warmup")
    assert last < first


def test_a_user_sends_the_same_prompts_to_both_targets_and_no_two_users_send_the_same(run):
    sent = collections.defaultdict(list)
    for row in sorted((r for r in folders.rows(run[0]) if r.stage), key=lambda r: r.started_at):
        sent[row.target, row.user].append(row.prompt_id)
    for user in (1, 2, 3):
        one, other = sent["on-throttled", user], sent["by-quick-model", user]
        n = min(len(one), len(other))
        assert n >= 10 and one[:n] == other[:n]
        assert len(set(one[:40])) == len(one[:40])  # 40 prompts: none comes twice before each has come once
    assert len({tuple(sent["on-throttled", user][:10]) for user in (1, 2, 3)}) == 3


def test_locusts_failures_have_stable_texts_and_the_counts_of_the_records(run):
    folder = run[0]
    mine = collections.Counter()
    for row in folders.rows(folder):
        if row.error:
            mine[row.operation, row.error] += 1
    theirs = collections.Counter()
    for failure in folders.table(folder, "failures"):
        theirs[failure["Method"], failure["Error"].split(":")[0]] += int(failure["Occurrences"])
        assert failure["Error"] in ("throttled: ThrottlingException", "stream_broken: HTTP 200")
    assert theirs == mine and mine


def test_locusts_history_has_rows_while_each_level_runs(run):
    names = collections.Counter(row["Name"] for row in folders.table(run[0], "stats_history"))
    for target in ("on-throttled", "by-quick-model"):
        for users in (1, 3):
            assert names[f"{target} prompts @{users}"] >= 2
    assert names["Aggregated"] >= 12  # once a second over four stages of 3 s
    last = [row for row in folders.table(run[0], "stats_history") if row["Name"] == "Aggregated"][-1]
    assert last["Total Request Count"] == folders.total(run[0])["Request Count"]


def test_the_tokens_are_the_services(run, endpoint):
    found = [r for r in folders.rows(run[0]) if not r.error]
    truth = folders.truth_of(endpoint, {r.request_id for r in found})
    for row in found:
        assert row.completion_tokens == truth[row.request_id]["completion_tokens"] == 10
        assert row.token_source == "service"
        if row.service == "bedrock":  # a TGI stream of this version does not name the prompt's tokens
            assert (row.prompt_tokens, row.prompt_token_source) == (truth[row.request_id]["prompt_tokens"], "service")


def test_without_run_dir_the_folder_is_named_by_time_and_scenario(endpoint, tmp_path):
    load = {"users": [1], "settle_s": 0, "measure_s": 0.3}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with one_locust(scenario, None, cwd=tmp_path, env=environment(PYTHONPATH=str(ROOT))) as process:
        assert process.wait() == 0, process.text
    (made,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}Z-tried", made.name)
    assert folders.rows(made) and folders.manifest(made)["status"] == "complete"
