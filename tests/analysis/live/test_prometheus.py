"""What a scrape is answered with, read by Prometheus' own promtool and by hand."""

import re
import shutil
import subprocess

import numpy as np

from analysis.live.figures import NO_RECORDS, NOTHING, Watched
from analysis.live.prometheus import exposition
from analysis.live.round import Round
from analysis.live.tally import MOST_STAGES, WAITS, Entry, Key, Tally, Times
from tests.helpers.live_document import figures, load
from tests.helpers.made_run import made_run, record, streamed, window
from tests.helpers.watching import settled

IDLE = {"at": 1.0, "state": "idle", "run": None}
UGLY = 'a"b\\c\nd\r{e="f"} <é>'


def told(now: Round) -> dict[str, str]:
    """Line without its value -> value."""
    lines = [line for line in exposition(now).splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def of_run(path, records) -> dict[str, str]:
    watched = Watched(str(made_run(path, records, [window(1, 10, 20)])))
    try:
        settled(watched)
        return told(Round(IDLE, NOTHING, NO_RECORDS, True, watched.tally, watched.scenario))
    finally:
        watched.close()


def test_every_record_is_counted_once_by_what_came_of_it(tmp_path):
    found = of_run(
        tmp_path,
        [
            record(8, 1, phase="settle", prompt_tokens=400, completion_tokens=40),
            record(11, 0.3, prompt_tokens=100, completion_tokens=20, cache_read_tokens=300),
            record(12, 0.4, prompt_tokens=100),
            record(13, 1, error="throttled", http_status=429),
            record(14, 1, error="throttled", http_status=429),
        ],
    )
    of = 'run="",stage="1",target="p4d",payload="en",phase='
    assert found[f'swarmledger_requests_total{{{of}"measure",outcome="success"}}'] == "2"
    assert found[f'swarmledger_requests_total{{{of}"measure",outcome="throttled"}}'] == "2"
    assert found[f'swarmledger_requests_total{{{of}"settle",outcome="success"}}'] == "1"
    assert found[f'swarmledger_prompt_tokens_total{{{of}"measure"}}'] == "500"  # 100 + 300 of the cache, and 100
    assert found[f'swarmledger_completion_tokens_total{{{of}"measure"}}'] == "20"
    assert found[f'swarmledger_cache_read_tokens_total{{{of}"measure"}}'] == "300"
    stage = 'run="",stage="1",target="p4d",payload="en"'
    bucket = "swarmledger_request_duration_seconds_bucket"
    ends = {end: found[f'{bucket}{{{stage},le="{end}"}}'] for end in ("0.2", "0.3", "0.5", "+Inf")}
    assert ends == {"0.2": "0", "0.3": "1", "0.5": "2", "+Inf": "2"}  # 0.3 s is at most 0.3 s
    assert float(found[f"swarmledger_request_duration_seconds_sum{{{stage}}}"]) == 0.3 + 0.4
    assert not any("time_to_first_token" in line for line in found)  # nothing streamed


def test_streams_have_the_reports_times(tmp_path):
    # 21 tokens from 0.5 s to 2.5 s: 2 / 20 = 0.1 s each
    found = of_run(tmp_path, [streamed(11, 2.5, ttft=0.5, tokens=21)])
    stage = 'run="",stage="1",target="p4d",payload="en"'
    assert found[f"swarmledger_time_to_first_token_seconds_sum{{{stage}}}"] == "0.5"
    assert abs(float(found[f"swarmledger_time_per_output_token_seconds_sum{{{stage}}}"]) - 0.1) < 1e-9


def test_strings_of_others_stay_in_their_labels():
    tally = Tally()
    tally.entries[Key(1, UGLY, UGLY, "measure")] = Entry()
    tally.entries[Key(1, UGLY, UGLY, "measure")].latency["success"].add(np.array([0.1, 0.2]))
    text = exposition(Round(load(UGLY, "/runs/x"), figures(UGLY), NO_RECORDS, True, tally))
    label = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
    for line in text.splitlines():
        assert re.fullmatch(rf"# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{{{label}(,{label})*\}})? [-0-9.e+]+", line), (
            line
        )
    if shutil.which("promtool"):
        checked = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
        assert checked.returncode == 0 and not checked.stderr and not checked.stdout, checked


def test_what_is_not_known_is_no_nought():
    document = load("n", "/runs/n") | {"users": {"planned": None, "running": 8, "in_flight": None}}
    found = told(Round(document, NOTHING, NO_RECORDS, True))
    assert found["swarmledger_users_running"] == "8"
    assert "swarmledger_users_planned" not in found and "swarmledger_requests_in_flight" not in found
    assert not any("accrued" in line or "None" in line for line in found)
    assert told(Round(IDLE, NOTHING, NO_RECORDS, True)) == {'swarmledger_state{state="idle"}': "1"}


def test_a_search_of_very_many_stages_tells_of_the_latest():
    tally = Tally()
    for stage in range(1, MOST_STAGES + 51):
        tally.entries[Key(stage, "t", "p", "measure")] = Entry()
    assert [key.stage for key, _ in tally.sorted()] == list(range(51, MOST_STAGES + 51))


def test_buckets_hold_what_is_at_most_their_bound():
    times = Times()
    times.add(np.array([0.01, 0.010001, np.nan, 300.0, 300.1]))
    counts = times.up_to(WAITS)
    assert (counts[0], counts[1], counts[-1], times.n) == (1, 2, 3, 4)
