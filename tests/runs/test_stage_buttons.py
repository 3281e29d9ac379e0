"""The page's buttons in a run without workers: skip a stage, end after a stage, go on with --resume."""

import shutil
import signal

import psutil
import pytest

from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.documents import code, table
from tests.helpers.emulator_process import ROOT
from tests.helpers.patience import until
from tests.helpers.stage_buttons import asked, await_phase, document, load, press, started

SETTLES_S = 12  # long enough for a button to be pressed meanwhile
LOAD = {"users": [2], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 600}
TARGETS = [
    folders.sagemaker("quick", name="first"),
    folders.sagemaker(
        "quick", name="second", load=LOAD | {"users": [3], "settle_s": SETTLES_S, "settle_at_most_s": SETTLES_S}
    ),
    folders.sagemaker("quick", name="third", load=LOAD | {"users": [4, 5]}),
]


@pytest.fixture(scope="module")
def pressed(endpoint, tmp_path_factory):
    """(scenario, its run folder, what was shown in each phase, exit code, text): stage 1 is skipped in its window, stage 2 while
    it settles, stage 3 in its window, after which the run is to end."""
    folder, shown = tmp_path_factory.mktemp("pressed"), {}
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LOAD)
    with started(scenario, folder / "run") as (process, url):
        shown["measure"] = await_phase(url, 1, "measure")
        assert press(url, "skip") == press(url, "skip") == (200, "done\n")  # pressed twice
        shown["settle"] = await_phase(url, 2, "settle")
        assert press(url, "skip") == (200, "done\n")
        shown["after"] = await_phase(url, 3, "measure")
        assert press(url, "end-after") == press(url, "end-after") == (200, "done\n")
        shown["ending"] = load(url)
        assert press(url, "skip")[0] == 200
        code = process.wait()
    return scenario, folder / "run", shown, code, process.text


def test_the_run_ends_after_the_stage_as_stopped(pressed):
    _, run, _, code, text = pressed
    manifest = folders.manifest(run)
    assert code == 4, text
    assert (manifest["status"], manifest["problems"]) == ("stopped", [])
    assert [s["users"] for s in manifest["stages"]] == [2, 3, 4]  # 5 users are left
    assert text.count("The run ends after this stage") == 1 and text.count("Stage 1 is skipped") == 1
    assert "Traceback" not in text


def test_a_skipped_window_is_held_and_exact(pressed):
    _, run, _, _, text = pressed
    found, (first, _, third) = folders.rows(run), folders.manifest(run)["stages"]
    for stage in (first, third):
        assert (stage["ended_by"], stage["whole"]) == ("skip", True), text
        assert stage["measure_from"] < stage["measure_until"] <= stage["hold_until"]
        measured = [r for r in found if (r.stage, r.phase) == (stage["stage"], "measure")]
        assert measured and all(r.error is None for r in measured)
        slack = 0.05 + folders.lag_s(found)
        assert all(r.started_at < stage["measure_until"] + slack for r in measured)
        assert all(r.started_at + r.latency_ms / 1000 < stage["hold_until"] + slack for r in measured)
        assert stage["workers"][0]["worker"] == "local"


def test_a_stage_skipped_while_it_settles_has_no_window_and_no_request_in_one(pressed):
    _, run, _, _, _ = pressed
    second = folders.manifest(run)["stages"][1]
    assert (second["ended_by"], second["whole"], second["measure_from"], second["hold_until"]) == (
        "skip",
        False,
        None,
        None,
    )
    assert not [r for r in folders.rows(run) if r.stage == 2 and r.phase == "measure"]


def test_the_report_tells_what_was_skipped_and_trusts_what_was_measured(pressed):
    _, run, _, _, _ = pressed
    found = analyse([run])
    verdicts = {r.figures.identity.stage: r.figures.trust for r in found.results}
    assert verdicts[2].verdict == "INVALID" and "it was skipped while it settled" in verdicts[2].reasons
    assert "not whole" not in verdicts[2].reasons and "cut short" not in verdicts[2].reasons
    assert all(verdicts[n].verdict != "INVALID" and "skip" not in verdicts[n].reasons for n in (1, 3))
    notes = [note for note in found.notes if "was skipped by a person" in note]
    assert len(notes) == 3 and "while it settled: it has no figures" in notes[1] and "shorter window" in notes[2]


def test_the_load_is_shown_as_it_stands(pressed):
    scenario, run, shown, _, _ = pressed
    settle, measure, ending = shown["settle"], shown["measure"], shown["ending"]
    assert settle["state"] == "running" and settle["scenario"] == {"file": str(scenario), "name": "tried"}
    assert (settle["stage"]["users"], settle["stage"]["rate"]) == (3, None)
    assert 0 <= settle["stage"]["progress"] < SETTLES_S / (SETTLES_S + 600)
    assert 0.3 / 600.3 <= measure["stage"]["progress"] < 1
    assert 0 < measure["stage"]["left_s"] <= measure["stage"]["at_most_s"] == 600
    told = measure["run"]
    assert (told["folder"], told["id"]) == (str(run), folders.manifest(run)["run_id"])
    assert (told["status"], told["stages_planned"], told["stages_done"], told["exit_code"]) == ("running", 4, 0, None)
    assert 0 < told["left_s"] < told["planned_s"] and told["requests"] > 0 and told["ahead"].startswith("about ")
    assert measure["users"] == {"planned": 2, "running": 2, "in_flight": measure["workers"][0]["in_flight"]}
    (worker,) = measure["workers"]
    assert (worker["worker"], worker["users"], worker["heard_s_ago"]) == ("local", 2, 0)
    assert 0 <= worker["cpu"] and 0 <= worker["lag_ms"] and 0 <= worker["in_flight"] <= 2
    assert measure["spend"]["budget_usd"] is None and measure["spend"]["left_usd"] is None
    assert (measure["ending"], ending["ending"]) == (None, {"after_stage": True})
    assert shown["after"]["run"]["stages_done"] == 2  # the one without a window, too


def test_every_key_of_the_load_is_documented_and_no_other(pressed):
    shown = pressed[2]["measure"]
    rows = {code(name): text for name, text in table(ROOT / "locustfiles/README.md", "live.json", "of `load`")}
    assert list(rows) == list(shown)
    for key in ("run", "stage", "users", "spend", "told"):
        assert all(f"`{name}`" in rows[key] for name in shown[key]), key
    assert all(f"`{name}`" in rows["workers"] for name in shown["workers"][0])


def test_resume_measures_what_was_skipped_without_a_window_and_what_is_left(pressed, tmp_path):
    scenario, done, _, _, _ = pressed
    run = tmp_path / "run"
    shutil.copytree(done, run)
    with started(scenario, run, "--resume") as (process, url):
        for place in (3, 4):
            await_phase(url, place, "measure")
            press(url, "skip")
        assert process.wait() == 0, process.text
    manifest = folders.manifest(run)
    assert manifest["status"] == "complete"
    assert sorted((s["users"], s["ended_by"], s["whole"]) for s in manifest["stages"]) == [
        (n, "skip", True) for n in (2, 3, 4, 5)
    ]
    assert [s["stage"] for s in manifest["abandoned"]] == [2]


def test_what_cannot_be_done_is_answered_in_a_line(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS[:1], LOAD)
    with started(scenario, tmp_path / "run") as (process, url):
        await_phase(url, 1, "measure")
        for path, form, status in (
            ("/swarmledger/stage", {"do": "faster"}, 400),
            ("/swarmledger/stage", {}, 405),
            ("/swarmledger/answer", {"id": "x", "yes": "1"}, 400),
            ("/swarmledger/answer", {"id": "7", "yes": "1"}, 409),
            ("/swarmledger/live.json?after=now", {}, 400),
            ("/swarmledger/live.json?after=" + "9" * 5000, {}, 400),
        ):
            found, text = asked(url, path, **form)
            assert found == status and text.count("\n") == 1 and "<" not in text, (path, found, text)
        assert press(url, "stop") == (200, "done\n")
        assert press(url, "stop")[0] in (200, 409)
        assert process.wait() == 4, process.text
    manifest = folders.manifest(tmp_path / "run")
    assert (manifest["status"], manifest["stages"][0]["ended_by"]) == ("stopped", "stop")


def test_before_its_first_stage_a_run_may_be_ended_but_has_nothing_to_skip(endpoint, tmp_path):
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("slow")], LOAD
    )  # its first call takes 2 s
    with started(scenario, tmp_path / "run") as (process, url):
        until(lambda: load(url).get("state") == "checking", "the endpoints are checked")
        assert press(url, "skip")[0] == 409
        assert press(url, "end-after") == (200, "done\n")
        assert process.wait() == 4, process.text
    manifest = folders.manifest(tmp_path / "run")
    assert (manifest["status"], manifest["stages"], manifest["problems"]) == ("stopped", [], [])


def test_a_killed_load_test_leaves_no_observer(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS[:1], LOAD)
    with started(scenario, tmp_path / "run") as (process, url):
        until(lambda: document(url).get("figures"), "figures are worked out")
        found = psutil.Process(process.popen.pid).children(recursive=True)
        assert found
        process.send(signal.SIGKILL)
        process.popen.wait()
    until(
        lambda: not [p for p in found if p.is_running() and p.status() != psutil.STATUS_ZOMBIE],
        lambda: f"{found} have ended",
    )
