"""What a process that sends has loaded: no library that it does not need, and none while it measures."""

import json

from tests.helpers import folders
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import one_locust

NOTES = """
import json, sys
from locust import events

SEEN = []


@events.request.add_listener
def note(context, **_):
    SEEN.append([context["record"].phase, sorted(sys.modules)])


@events.quitting.add_listener
def tell(**_):
    with open({path!r}, "w") as file:
        json.dump([SEEN[0], SEEN[-1]], file)
"""
LOAD = {"users": [1], "settle_s": 0, "settle_at_most_s": 0.2}
LARGE = {"numpy", "pandas", "tokenizers", "boto3", "matplotlib"}


def loaded(endpoint, tmp_path, load: dict) -> tuple[set[str], set[str]]:
    """Modules at the first call, and those that came by the last request."""
    (tmp_path / "plugin.py").write_text(NOTES.format(path=str(tmp_path / "seen.json")))
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], LOAD | load)
    files = f"{ROOT / 'locustfiles/sweep.py'},{tmp_path / 'plugin.py'}"
    with one_locust(scenario, tmp_path / "run", locustfile=files) as process:
        assert process.wait() == 0, process.text
    (first, before), (last, after) = json.loads((tmp_path / "seen.json").read_text())
    assert first == "warmup" and last != "warmup"
    return set(before), set(after) - set(before)


def test_a_process_that_only_sends_has_no_large_library(endpoint, tmp_path):
    before, more = loaded(endpoint, tmp_path, {"measure_s": 1})
    assert not LARGE & before
    assert more == set()  # nothing is loaded once calls are made


def test_a_rule_that_works_out_intervals_has_its_library_before_the_first_call(endpoint, tmp_path):
    before, more = loaded(endpoint, tmp_path, {"until": {"relative_ci": 0.5, "at_most_s": 3}})
    assert LARGE & before == {"numpy"}
    assert not {name.partition(".")[0] for name in more} & LARGE
