"""A disk that takes no more, a run folder that somebody removes, moves or cuts in mid-run: no record is lost without a word."""

import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import signal

import pytest

from analysis.__main__ import main as analysis
from analysis.advice.analyse import analyse
from tests.helpers import folders
from tests.helpers.flat import steps
from tests.helpers.locust_process import cluster, environment, one_locust
from tests.helpers.patience import until

LOAD = {"users": [2, 4], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 2}
LONG = {"users": [4], "settle_s": 0.3, "settle_at_most_s": 1, "measure_s": 60}


def await_rows(run: pathlib.Path, at_least: int) -> None:
    until(lambda: len(folders.rows_so_far(run)) >= at_least, lambda: f"never {at_least} rows in {run}")


def no_more_room(process, run: pathlib.Path) -> None:
    """From now on a write beyond the file's present end, and some bytes more, is refused; other files are short."""
    resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, ((run / "requests.csv").stat().st_size + 500,) * 2)


def kept_in(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("swarmledger-spool-*-kept.csv"))


def in_temporary(folder: pathlib.Path) -> dict[str, str]:
    (folder / "temporary").mkdir()
    return environment(TMPDIR=str(folder / "temporary"))


def test_what_a_full_disk_did_not_take_is_in_the_run_after_the_resume_although_the_process_was_killed(
    endpoint, tmp_path
):
    before, env, run = endpoint.stats()["requests"], in_temporary(tmp_path), tmp_path / "run"
    slow = folders.sagemaker(
        "slow", load={"users": [6], "settle_s": 0, "measure_s": 1.5}
    )  # 2 s a call: the drain lasts
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick"), slow], LOAD | {"users": [2]})
    with one_locust(scenario, run, env=env) as process:
        process.until("Stage 2 of 2")
        await_rows(run, 60)
        no_more_room(process, run)
        process.until("records are not in")
        process.send(signal.SIGKILL)
        process.wait()
        assert "cannot be written: File too large; the run stops, what it holds is kept" in process.text
    (spool,) = kept_in(tmp_path / "temporary")
    had = len(folders.rows_so_far(run)) + len(spool.read_text().splitlines()) - 5
    assert str(spool) in process.text
    assert had <= endpoint.stats()["requests"] - before  # some were in flight when it was killed
    with one_locust(scenario, run, "--resume", env=env, output=tmp_path / "resumed.log") as process:
        assert process.wait() == 0, process.text
    manifest, found = folders.manifest(run), folders.rows(run)
    first, second = manifest["parts"]
    assert first["status"] in ("broken off", "stopped")  # on a busy machine it may have ended before it was killed
    assert (first["rows"], len(found)) == (had, had + second["rows"])
    assert len({r.request_id for r in found}) == len(found)
    assert kept_in(tmp_path / "temporary") == [] and f"{spool}: " in process.text
    assert (manifest["status"], manifest["problems"]) == ("complete", [])
    assert [s["records"] for s in manifest["stages"]] == [
        sum(r.stage == s["stage"] for r in found) for s in manifest["stages"]
    ]


def test_a_master_whose_disk_is_full_acknowledges_nothing_and_says_how_the_records_are_added(
    endpoint, tmp_path, capsys
):
    before, env, run = endpoint.stats()["requests"], in_temporary(tmp_path), tmp_path / "run"
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD | {"users": [2, 3, 4]})
    with cluster(scenario, run, env=env) as crew:
        crew.master.until("Stage 2 of 3")
        await_rows(run, 150)  # more than any other file of the master's has
        no_more_room(crew.master, run)
        assert crew.wait() == (2, [2, 2]), crew.text()
    sent, written, manifest = (
        endpoint.stats()["requests"] - before,
        len(folders.rows_so_far(run)),
        folders.manifest(run),
    )
    spools = kept_in(tmp_path / "temporary")
    said = r"once it can be written again: python -m analysis merge (\S+) (\S+), or --resume"
    path, names = re.findall(said, crew.master.text)[-1]
    assert path == str(run) and sorted((tmp_path / "temporary").glob(pathlib.Path(names).name)) == spools
    assert written < sent == sum(w["received"] + w["lost"] for w in manifest["workers"])
    first = steps(analyse([str(run)]))
    assert first["verdict"][0] != "INVALID" and "python -m analysis merge" in first["reasons"].iloc[-1]
    theirs = sorted(
        pathlib.Path(line.split()[-1]) for line in crew.text().splitlines() if "has not acknowledged" in line
    )
    assert len(spools) == len(theirs) == 2
    assert analysis(["merge", str(run), *map(str, spools)]) == 0
    assert len(folders.rows(run)) == sent and folders.each_once(folders.rows(run))
    after = folders.manifest(run)
    assert [p["text"] for p in after["problems"]] == [p["text"] for p in manifest["problems"] if not p["kept_of"]]
    assert any("cannot be written" in p["text"] for p in after["problems"])
    assert sum(w["received"] for w in after["workers"]) == after["parts"][0]["rows"] == sent
    capsys.readouterr()
    assert analysis(["merge", str(run), *map(str, theirs)]) == 0  # what the workers kept themselves is there already
    assert capsys.readouterr().out.count("nothing to add") == 2
    for file in theirs:
        file.unlink()


def counted(text: str) -> int:
    """Locust's own count of requests, in its last table."""
    return int(re.findall(r"Aggregated\s+(\d+)\s+\d+\(", text)[-1])


def removed(run: pathlib.Path) -> None:
    (run / "requests.csv").unlink()


def moved(run: pathlib.Path) -> None:
    run.rename(run.with_name("elsewhere"))


def cut(run: pathlib.Path) -> None:
    os.truncate(run / "requests.csv", 3000)


@pytest.fixture(scope="module")
def disturbed(endpoint, tmp_path_factory):
    """name -> (exit code, what was said, the folder that holds it, Locust's count of requests) of runs in one process whose
    folder is disturbed, all at once; `crew` has workers."""

    def alone(act) -> tuple:
        folder = tmp_path_factory.mktemp(act.__name__)
        scenario = folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], LONG)
        with one_locust(scenario, folder / "run") as process:
            await_rows(folder / "run", 60)
            act(folder / "run")
            code = process.wait()
        home = folder / ("elsewhere" if act is moved else "run")
        return code, process.text, home, counted(process.text)

    def crew() -> tuple:
        folder = tmp_path_factory.mktemp("crew")
        scenario = folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], LONG)
        with cluster(scenario, folder / "run") as found:
            await_rows(folder / "run", 60)
            shutil.rmtree(folder / "run", ignore_errors=True)  # a file that is written meanwhile may stay
            code = found.wait()
        return code, found.text(), folder / "run", counted(found.master.text)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = {act.__name__: pool.submit(alone, act) for act in (removed, moved, cut)} | {"crew": pool.submit(crew)}
        return {name: run.result() for name, run in runs.items()}


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("removed", 2, "{folder}/run/requests.csv was removed while the run wrote to it: the run stops, all that it had is there again"),
        ("moved", 2, "was moved to {folder}/elsewhere/requests.csv while the run wrote to it: the run stops, all that it had is in {folder}/elsewhere"),
        ("crew", (2, [0, 0]), "was removed while the run wrote to it: the run stops, all that it had is there again"),
    ],
)  # fmt: skip
def test_a_run_whose_file_or_folder_is_gone_stops_and_every_record_is_where_it_says(disturbed, name, code, said):
    ended, text, home, sent = disturbed[name]
    assert ended == code and said.format(folder=home.parent) in text and "Traceback" not in text, text
    found, manifest = folders.rows(home), folders.manifest(home)
    assert len(found) == sent and folders.each_once(found)
    assert manifest["status"] == "stopped"
    assert any(said.format(folder=home.parent) in p["text"] for p in manifest["problems"])
    assert manifest["parts"][0]["rows"] == sum(w["received"] for w in manifest["workers"]) == sent
    assert int(folders.total(home)["Request Count"]) == sent  # Locust's own files are there, too


def test_a_file_that_is_cut_keeps_what_had_not_reached_the_disk_and_the_run_stops(disturbed):
    """Before the first stage has ended the text of all its records is held: nothing is lost."""
    ended, text, home, sent = disturbed["cut"]
    assert ended == 2 and re.search(
        r"was cut from [\d,]+ to 3,000 bytes while the run wrote to it: the run stops", text
    )
    assert len(folders.rows(home)) == sent and folders.each_once(folders.rows(home))


def test_rows_that_are_removed_before_a_resume_or_after_it_are_noticed(endpoint, tmp_path):
    run = tmp_path / "run"
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD | {"measure_s": 1.5})
    with one_locust(scenario, run) as process:
        process.until("Stage 2 of 2")
        process.send(signal.SIGINT)
        process.wait()
    whole = (run / "requests.csv").read_bytes().splitlines(keepends=True)
    (run / "requests.csv").write_bytes(b"".join(whole[:10] + whole[22:]))  # 12 rows of the first stage
    report = analyse([str(run)])
    assert "12 of the stage's" in steps(report)["reasons"][0] and steps(report)["verdict"][0] == "INVALID"
    with one_locust(scenario, run, "--resume", output=tmp_path / "resumed.log") as process:
        assert process.wait() == 2, process.text
    assert "stage 1: 12 of the stage's" in process.text
    manifest = folders.manifest(run)
    assert [s["users"] for s in manifest["stages"]] == [2, 4] and 1 in [s["stage"] for s in manifest["abandoned"]]
    report = analyse([str(run)])
    assert not report.invalid and any(" 12 records that were written" in note for note in report.notes)
    lines = (run / "requests.csv").read_bytes().splitlines(keepends=True)
    (run / "requests.csv").write_bytes(b"".join(lines[:-5]))  # of the last stage
    last = steps(analyse([str(run)]))
    assert "5 of the stage's" in last["reasons"].iloc[-1] and last["verdict"].iloc[-1] == "INVALID"
    assert last["verdict"].iloc[0] != "INVALID"
