"""A run as a person at a terminal sees it: the live view, a question, a resized window, Ctrl-C; and all of it is gone at the end."""

import json
import re

import pytest

from tests.helpers import folders
from tests.helpers.locust_process import LOCUST, PATIENT
from tests.helpers.patience import LONGEST_S
from tests.helpers.terminal import terminal

pytestmark = pytest.mark.alone  # people wait for what it looks at: it is timed by the program's own rhythm

OF_FRAME = re.compile(
    r"━|─|\[[#-]{30}\]|^(load|TTFT|TPOT|latency|errors|tokens|cost|verdict|workers?)  |\d+ ?% +stage "
)
SLOW_OBSERVER = {"TEST_END_S": str(LONGEST_S)}  # it has the last turn on a busy machine
LOG = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] \S+/[A-Z]+/\S+: ")


def command(scenario, run, *more) -> list[str]:
    files = f"{PATIENT},locustfiles/sweep.py"
    return list(map(str, [LOCUST, "-f", files, "--scenario", scenario, "--run-dir", run, "--headless", *more]))


def on_a_terminal(*of, columns=80, rows=24):
    return terminal(command(*of), columns, rows, **SLOW_OBSERVER)


def in_a_shell(of: list[str], more: str):
    return terminal(["sh", "-c", f"{' '.join(of)} {more}"], 400, 24, **SLOW_OBSERVER)


def frame_of(lines: list[str]) -> list[str]:
    """The frame, from its head on, where it is there once, stands below everything else, and all its lines are in their order."""
    heads = [i for i, line in enumerate(lines) if re.match(r"stage \d+ of \d+  ", line)]
    if len(heads) != 1 or lines[heads[0] - 1] or any(OF_FRAME.search(line) for line in lines[: heads[0]]):
        return []
    frame = "\n".join(lines[heads[0] :]).rstrip("\n").split("\n")
    names = [line.split()[0] for line in frame if re.match(r"[a-zA-Z]+  ", line)]
    return frame if names[:8] == "load TTFT TPOT latency errors tokens cost verdict".split() else []


def whole_frame(t, holds) -> list[str]:
    """That it will be whole, and what is asked of it will hold; what is torn stays torn."""
    t.until_so(lambda lines: (frame := frame_of(lines)) and holds(frame), "a whole frame")
    return frame_of(t.seen)


def nothing_is_left_of_it(lines: list[str]) -> None:
    assert [line for line in lines if OF_FRAME.search(line)] == []
    assert LOG.match(lines[0]) and sum(bool(LOG.match(line)) for line in lines) > 10


def test_a_window_is_resized_and_a_run_stopped_by_ctrl_c(endpoint, tmp_path):
    load = {"users": [2], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": LONGEST_S}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("slow")], load)
    with on_a_terminal(scenario, tmp_path / "run", "--processes", 2, "--yes") as t:
        frame = whole_frame(t, lambda frame: "p50 1.5" in frame[3])
        assert len(frame) <= 18 and frame[0] == "stage 1 of 1  run  on-slow, prompts, 2 users  measure"
        assert re.fullmatch(r"[━─]+ +\d+ %  stage .* left · run .* left", frame[1]) and len(frame[1]) == 80
        assert any(line.startswith("workers   2 workers") for line in frame)
        t.resize(160, 50)
        wide = whole_frame(t, lambda frame: sum("   worker    " in line for line in frame) == 2)
        assert max(map(len, wide)) > 100
        t.resize(70, 20)
        narrow = whole_frame(t, lambda frame: len(frame[1]) == 70)
        assert len(narrow) <= 14 and max(map(len, narrow)) == 70
        t.interrupt()
        stopping = "Stopping: 2 requests in flight may take up to 12 s"
        # a line of the log is cut at the window's end, and may have scrolled off its top by the time of a look
        t.until_so(lambda _: stopping in "".join(t.all()), stopping)
        assert t.end() == 4
        nothing_is_left_of_it(t.all())
    said = "".join(t.all())
    assert re.search(r"Stopping: 2 requests in flight may take up to 12 s; then records are collected\. A third", said)
    assert "/run: stopped, exit code 4; 0 stages, " in said
    assert folders.manifest(tmp_path / "run")["status"] == "stopped"


def test_a_question_is_asked_and_the_end_recommends(endpoint, tmp_path):
    load = {"users": [1, 2], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 2}
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("quick")], load, confirm_above_usd=0.0001
    )
    with on_a_terminal(scenario, tmp_path / "run", columns=160, rows=50) as t:
        t.until("Go on? [y/N]")
        asked = t.until("checking the endpoints", away=True)
        assert not any(OF_FRAME.search(line) for line in asked)
        t.type("nx\x7f\x7fy")
        t.until_so(lambda lines: "y" in lines, "echoed")
        t.type("\n")
        t.until_so(lambda lines: re.search(r"^stage [12] of 2", "\n".join(lines), re.MULTILINE), "a stage")
        assert "y" in t.all()
        assert t.end() == 0
        nothing_is_left_of_it(t.all())
    lines = [line for line in t.all() if line]
    ended = [line for line in lines if line.startswith("stage ")]
    assert [line.split(",")[0] for line in ended] == ["stage 1 ended: on-quick", "stage 2 ended: on-quick"]
    (at,) = [
        i
        for i, line in enumerate(lines)
        if line.startswith("Recommendation: The best price-performance for `prompts` is ")
    ]
    assert lines.index(ended[1]) < at
    last = "".join(lines[-2:])
    assert f"{tmp_path}/run: complete, exit code 0; 2 stages, " in last
    assert last.endswith(f"; next: python -m analysis report {tmp_path}/run")
    assert t.screen.cursor.x == 0 and not t.screen.cursor.hidden


def test_quiet_and_documents_for_machines(endpoint, tmp_path):
    load = {"users": [1], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 2}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with in_a_shell(command(scenario, tmp_path / "run", "--quiet", "--json-lines"), f"> {tmp_path}/out.jsonl") as t:
        assert t.end() == 0
        said = [line for line in t.all() if line]
    assert all("/WARNING/" in line for line in said[:-1])
    assert said[-1].startswith(f"{tmp_path}/run: complete, exit code 0; 1 stage, ")
    events = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    kinds = [(event["event"], event.get("what")) for event in events if event["event"] != "live"]
    assert kinds == [("stage", "begins"), ("stage", "ends"), ("end", None)]
    end, (row,) = events[-1], [event["row"] for event in events if event.get("what") == "ends"]
    assert (end["exit_code"], end["folder"]) == (0, str(tmp_path / "run"))
    assert end["load"]["run"]["requests"] == len(folders.rows(tmp_path / "run"))
    assert [one["latency_p95_s"] for one in end["figures"]["stages"]] == [row["latency_p95_s"]]
    assert end["figures"]["ended"]["headline"].startswith("The best price-performance")


def test_without_a_terminal_lines_are_said_at_their_rhythm(endpoint, tmp_path):
    load = {"users": [1], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 3}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], load)
    with in_a_shell(command(scenario, tmp_path / "run", "--live-every", 1), f"2> {tmp_path}/err") as t:
        assert t.end() == 0
    text = (tmp_path / "err").read_text()
    assert "/swarmledger: live: " in text  # of the observer, or while it is late of this process alone
    assert len(re.findall(r"stage: stage=1 target=on-quick .* verdict=\S+ slo=none ended_by=time", text)) == 1
    assert len(re.findall("headline: The best price-performance", text)) == 1
    assert text.splitlines()[-1].startswith(f"{tmp_path}/run: complete, exit code 0; 1 stage, ")
    assert text.count("\nType     Name") == 2  # Locust's at the end: counts and percentiles, none in between
