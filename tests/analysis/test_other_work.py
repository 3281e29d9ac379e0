"""What does other work than writing is no rival of what writes: guarding, counting, embedding and ranking the same prompts is cheaper."""

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.made_run import P4D, made_run, steady, window

GUARD = {"name": "guard", "service": "bedrock", "api": "apply-guardrail", "guardrail": {"id": "gr", "version": "1"}}
EMBEDS = {"name": "embeds", "service": "bedrock", "api": "invoke", "model_id": "amazon.titan-embed-text-v2:0"}
CHEAP = {"input": 0.00001, "output": 0.0}


def report(path, *others, texts=True):
    """A minute each of 4 users: `p4d` answers 100 tokens in 1 s at 37.688 $/h; the others take 0.1 s, at a hundredth of a cent
    for 1,000 tokens."""
    records, windows, prices = [], [], {}
    if texts:
        records += steady(1, 100, 160, 4, 1.0, prompt_tokens=100, completion_tokens=24)
        windows.append(window(1, 100, 160, users=4))
        prices["p4d"] = {"usd_per_hour": 37.688, "instance_count": 1}
    for number, other in enumerate(others, 2):
        a = 100.0 * number
        more = {"target": other["name"], "service": "bedrock", "prompt_tokens": 100, "completion_tokens": None}
        records += steady(number, a, a + 60, 4, 0.1, token_source="none", **more)
        windows.append(window(number, a, a + 60, users=4, target=other["name"]))
        prices[other["name"]] = CHEAP
    targets = [*([P4D] if texts else []), *others]
    return analyse([made_run(path, records, windows, targets=targets, prices=prices)])


@pytest.mark.parametrize("other", [GUARD, EMBEDS], ids=lambda t: t["name"])
def test_what_writes_is_recommended_however_cheap_other_work_is(tmp_path, other):
    found = report(tmp_path / "r", other)
    assert found.recommendation.pick.stage == 1
    work = {"guard": "apply-guardrail", "embeds": "embeddings"}[other["name"]]
    said = f"Not all ask a model for an answer (`{other['name']}` {work}): what does other work is no rival of one that writes"
    assert any(w.startswith(said) for w in found.recommendation.warnings)
    assert {r.figures.identity.target for r in found.candidates} == {"p4d", other["name"]}  # measured all the same


def test_where_nothing_writes_the_others_are_compared(tmp_path):
    assert report(tmp_path / "r", EMBEDS, texts=False).recommendation.pick.stage == 2
