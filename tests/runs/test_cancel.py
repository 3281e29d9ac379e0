"""A share of the clients leaves in mid-answer: neither success nor failure, and the cost has both ends."""

import collections

import pytest

from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.locust_process import cluster, one_locust

#: 10 tokens in 65 ms, and in 2 s
TARGETS = [folders.bedrock("quick-model"), folders.sagemaker("quick", stream=False)]
LOAD = {"users": [4], "settle_s": 0.5, "settle_at_most_s": 2, "measure_s": 4}


@pytest.fixture(scope="module", params=[0, 2], ids=["one process", "two workers"])
def run(request, endpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cancel")
    cancel = {"share": 0.2, "after": "first_token"}
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD, cancel=cancel)
    if request.param:
        with cluster(scenario, folder / "run", workers=request.param) as crew:
            assert crew.wait() == (0, [0] * request.param), crew.text()
    else:
        with one_locust(scenario, folder / "run") as process:
            assert process.wait() == 0, process.text
    return folder / "run"


def test_of_every_block_of_streamed_requests_exactly_the_share_is_left(run):
    found = [r for r in folders.rows(run) if r.stage]
    assert {r.error for r in found if r.target == "on-quick"} == {None}  # it does not stream
    drawn = collections.defaultdict(list)
    for row in sorted(found, key=lambda r: r.call):
        if row.target == "by-quick-model":
            drawn[row.worker].append(row)
    for rows in drawn.values():
        for at in range(0, len(rows) - 4, 5):
            left = [r for r in rows[at : at + 5] if r.error_code == "ClientCancelled"]
            assert len(left) == 1 and left[0].error == "cancelled" and left[0].ttft_ms is not None
            assert left[0].ttft_ms <= left[0].latency_ms


def test_they_are_no_failures_and_no_successes(run):
    report = analyse([run])
    streamed, whole = [r.figures for r in report.results]
    outcome = streamed.outcome
    assert outcome.left_by_client == outcome.cancelled == outcome.requests - outcome.successes
    assert outcome.left_by_client == pytest.approx(outcome.requests / 5, abs=3)
    assert (outcome.failures, outcome.error_rate, streamed.ttft.n) == (0, 0.0, outcome.successes)
    assert whole.outcome.left_by_client == 0 and whole.outcome.cancelled == 0
    kinds = {c.kind for r in report.results for c in r.cautions}
    assert not kinds & {"users_missing", "restart", "no_success"}, kinds
    stats = folders.total(run)
    told = sum(r.error is None for r in folders.rows(run))
    assert (int(stats["Request Count"]), int(stats["Failure Count"])) == (told, 0)


def test_their_cost_is_an_interval_whose_assumption_is_told(run):
    """Each success is billed its prompt and 10 tokens; of one that was left from nothing to the same."""
    report = analyse([run])
    figures = report.results[0].figures
    cost, tokens, outcome = figures.cost, figures.tokens, figures.outcome
    call = (0.001 * tokens.prompt_tokens_mean + 0.002 * 10) / 1000
    assert cost.usd_per_transaction_low == pytest.approx(call, rel=1e-6)
    most = call * (1 + outcome.left_by_client / outcome.successes)
    assert cost.usd_per_transaction_high == pytest.approx(most, rel=0.02)
    assert any("left on purpose" in note and "34147" in note for note in report.notes)
    assert any("its clients left 20 % of the streamed requests, at their first token" in note for note in report.notes)


def test_the_endpoint_saw_them_go(run, endpoint):
    left = [r for r in folders.rows(run) if r.error_code == "ClientCancelled" and r.request_id]
    truth = folders.truth_of(endpoint, {r.request_id for r in left})
    assert len(truth) == len(left) > 5
    assert {row["error"] for row in truth.values()} == {"client disconnected"}
    assert all(row["deltas"] < 10 for row in truth.values())
