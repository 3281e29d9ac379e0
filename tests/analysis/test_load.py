"""Reading a run folder: missing values, old runs, clocks, torn lines."""

import json
import re
import shutil

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.runs.records_file import read_records
from analysis.runs.run_reader import load_run, load_runs
from locustfiles.contract.manifest import WorkerEntry
from locustfiles.contract.record import FIELDS
from locustfiles.contract.run_folder import NotARun
from tests.helpers.flat import steps
from tests.helpers.made_run import START, made_run, record, steady, window


def test_a_missing_value_stays_missing_and_text_that_looks_missing_stays_text(tmp_path):
    path = made_run(
        tmp_path / "r",
        [record(10, 1, prompt_id="NA", error_message=None), record(12, 1, prompt_tokens=7)],
        [window(1, 10, 20)],
    )
    records = load_run(path).records
    assert records["prompt_id"].tolist() == ["NA", "1"]
    assert records["prompt_tokens"].isna().tolist() == [True, False]
    assert records["ttft_ms"].isna().all()
    assert records["error"].isna().all()
    assert records["stage"].dtype == "int64"


def test_a_run_of_before_the_served_fields_is_read_as_one_that_does_not_know_them(tmp_path):
    path = made_run(tmp_path / "r", steady(1, 10, 40, 2, 0.5, lead=2), [window(1, 10, 40, users=2)])
    new = steps(analyse([path]))
    lines = (path / "requests.csv").read_text().splitlines()
    added = FIELDS[FIELDS.index("served_latency") :]
    assert all(line.endswith("," * len(added)) for line in lines[1:])  # none of them is known
    lines = [lines[0].removesuffix("," + ",".join(added)), *(line[: -len(added)] for line in lines[1:])]
    (path / "requests.csv").write_text("\n".join(lines) + "\n")
    run = load_run(path)
    assert run.lost == run.notes == [] and run.records["served_tier"].isna().all()
    assert steps(analyse([path])).equals(new)
    assert new["verdict"].tolist() == ["VALID"]
    damaged = [*lines[:5], "torn,in,the,middle", *lines[5:]]
    (path / "requests.csv").write_text("\n".join(damaged) + "\n")
    assert load_run(path).lost == [
        f"1 damaged line in requests.csv was skipped (line 6: {4 + len(added)} cells instead of {len(FIELDS)})."
    ]


def test_a_workers_clock_offset_is_subtracted_once(tmp_path):
    workers = [WorkerEntry("w1", "a", 1500.0, 1, 1, 0), WorkerEntry("w2", "b", -250.0, 1, 1, 0)]
    records = [record(11.5, 1, worker="w1"), record(9.75, 1, worker="w2")]
    run = load_run(made_run(tmp_path / "r", records, [window(1, 10, 20)], workers=workers))
    # 11.5 - 1.5 = 10.0; 9.75 + 0.25 = 10.0
    assert run.records["sent"].tolist() == pytest.approx([10.0, 10.0], abs=1e-6)
    assert run.records["started_at"].tolist() == pytest.approx([START + 10] * 2, abs=1e-6)


def test_an_unknown_clock_offset_is_said(tmp_path):
    workers = [WorkerEntry("w1", "a", None, 1, 1, 0)]
    run = load_run(made_run(tmp_path / "r", [record(11, 1, worker="w1")], [window(1, 10, 20)], workers=workers))
    assert run.notes == ["The clock offset of worker w1 is not known; its times are used as they are."]


def test_a_torn_last_line_is_skipped_counted_and_reported(tmp_path):
    path = made_run(tmp_path / "r", steady(1, 10, 40, 1, 0.5), [window(1, 10, 40)], workers=[])
    text = (path / "requests.csv").read_bytes()
    (path / "requests.csv").write_bytes(text[:-20])
    run = load_run(path)
    assert len(run.records) == text.count(b"\n") - 2  # without the header and the torn line
    assert "the last line was torn" in run.notes[0]
    report = analyse([path])
    assert any("torn" in note for note in report.notes)
    assert steps(report)["verdict"].tolist() == ["VALID"]


DAMAGE = {
    "cut": lambda line: line[:40],
    "a word where a number is": lambda line: line.replace(b"500.000", b"fast", 1),
    "a cell too many": lambda line: line + b",7",
    "an open quote": lambda line: line.replace(b"InvokeEndpoint", b'"InvokeEndpoint', 1),
    "no UTF-8": lambda line: line.replace(b"InvokeEndpoint", b"\xff\xfe", 1),
    "a phase nobody knows": lambda line: line.replace(b"measure", b"pause", 1),
    "an error class nobody knows": lambda line: line.replace(b",,,,1,0.100", b",slow,,,1,0.100", 1),
    "a latency that is not a number": lambda line: line.replace(b"500.000", b"nan", 1),
    "empty": lambda line: b"",
}


WHY = {
    "cut": f"cells instead of {len(FIELDS)}",
    "a word where a number is": "latency_ms is `fast`, which is no number",
    "a cell too many": f"{len(FIELDS) + 1} cells instead of {len(FIELDS)}",
    "an open quote": "not CSV",
    "no UTF-8": "not UTF-8 text",
    "a phase nobody knows": "phase is `pause`, which is none of warmup, settle, measure, hold",
    "an error class nobody knows": "error is `slow`, which is no class",
    "a latency that is not a number": "latency_ms is `nan`, which is no number",
    "empty": f"cells instead of {len(FIELDS)}",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_line_is_skipped_named_and_makes_the_run_invalid(tmp_path, damage):
    path = made_run(tmp_path / "r", steady(1, 10, 20, 1, 0.5), [window(1, 10, 20)], workers=[])
    lines = (path / "requests.csv").read_bytes().split(b"\n")
    broken = DAMAGE[damage](lines[4])
    assert broken != lines[4]
    lines[4] = broken  # line 5 of the file
    (path / "requests.csv").write_bytes(b"\n".join(lines))
    run = load_run(path)
    assert len(run.records) == len(lines) - 3  # without the header, the damaged line and what follows the last newline
    assert len(run.lost) == 1
    assert run.lost[0].startswith("1 damaged line in requests.csv was skipped (line 5: ")
    assert WHY[damage] in run.lost[0]
    report = analyse([path])
    assert steps(report)["verdict"].tolist() == ["INVALID"]
    assert report.invalid


def test_times_out_of_order_are_damage(tmp_path):
    path = made_run(tmp_path / "r", [record(11, 1, ttft_ms=100.0)], [window(1, 10, 20)])
    text = (path / "requests.csv").read_bytes().replace(b",100.000,", b",2000.000,")  # first token after the end
    [(line, why)] = read_records(text)[1]
    assert line == 2 and "times out of order" in why


def test_a_record_that_stands_twice_is_reported(tmp_path):
    path = made_run(
        tmp_path / "r",
        [record(11, 1, call=5), record(11, 1, call=5), record(12, 1, call=5, attempt=2)],
        [window(1, 10, 20)],
    )
    assert load_run(path).lost == ["1 records stand more than once in requests.csv (same worker, call and attempt)."]


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        (WorkerEntry("local", "h", 0.0, 5, 3, 2), "2 records of worker local on h were lost"),
        (WorkerEntry("local", "h", 0.0, None, 1, None), "worker local on h never handed in its last count"),
        (WorkerEntry("local", "h", 0.0, 3, 2, None), "1 records of worker local on h never arrived"),
        (
            WorkerEntry("local", "h", 0.0, 9, 9, 0),
            "8 records of worker local were received but are not in requests.csv",
        ),
    ],
)
def test_lost_records_and_killed_workers_make_every_stage_invalid(tmp_path, worker, reason):
    report = analyse([made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20, whole=False)], workers=[worker])])
    assert steps(report)["verdict"].tolist() == ["INVALID"]
    assert reason in steps(report)["reasons"][0]


def test_a_run_without_a_single_request_has_an_invalid_stage(tmp_path):
    report = analyse([made_run(tmp_path / "r", [], [window(1, 10, 20)])])
    assert steps(report)["reasons"].tolist() == ["no request began in its window: raise `measure_s`, and run it again"]
    assert steps(report)["error_rate"].isna().all()


def test_two_runs_of_one_name_are_told_apart(tmp_path):
    for at, parent in enumerate(("a", "b"), start=11):
        (tmp_path / parent).mkdir()
        made_run(tmp_path / parent / "r", [record(at, 1)], [window(1, 10, 20)])
    report = analyse([tmp_path / "a" / "r", tmp_path / "b" / "r"])
    assert steps(report)["run"].tolist() == ["a/r", "b/r"]
    assert list(report.records) == ["a/r", "b/r"]


def test_names_get_as_many_folders_as_tell_them_apart(tmp_path):
    paths = [tmp_path / f"build-{n}" / "runs" / "demo" for n in (1, 2)] + [tmp_path / "other"]
    for path, latency in zip(paths, (1.0, 2.0, 3.0), strict=True):
        made_run(path, [record(11, latency)], [window(1, 10, 20)])
    report = analyse(paths)
    assert steps(report)["run"].tolist() == ["build-1/runs/demo", "build-2/runs/demo", "other"]
    assert steps(report)["latency_mean_s"].tolist() == [1.0, 2.0, 3.0]
    # 37.688 $/h over 1, 2 and 3 s
    assert report.total_cost == pytest.approx(37.688 * 6 / 3600)


#: how a manifest is broken, and what is said of it
ILL_TYPED = {
    "a time that is not known": (
        lambda d: d.update(started_at=None),
        r"\(started_at: input should be a valid number\)",
    ),
    "a time in words": (
        lambda d: d["stages"][0].update(measure_from="noon"),
        r"\(stages.0.measure_from: input should be a valid number",
    ),
    "a time without an end": (
        lambda d: d["stages"][0].update(measure_from=float("inf")),
        r"\(stages.0.measure_from: input should be a finite",
    ),
    "a count that is not known": (
        lambda d: d["workers"][0].update(received=None),
        r"\(workers.0.received: input should be a valid integer\)",
    ),
    "a price that is a number": (
        lambda d: d["prices"].update(p4d=5),
        r"\(prices.p4d: input should be a valid dictionary\)",
    ),
    "a payload of nothing": (
        lambda d: d.update(payloads={"en": None}),
        r"\(payloads.en: input should be a valid dictionary\)",
    ),
    "a key nobody knows": (
        lambda d: d["stages"][0].update(colour="red"),
        r"\(stages.0.colour: unexpected keyword argument\)",
    ),
    "a price book of nothing": (lambda d: d["price_book"].clear(), r": `price_book.file` is missing"),
    "a stage of no target": (
        lambda d: d["stages"][0].update(target="other"),
        "stage 1 is of target `other`, which its scenario does not name",
    ),
    "a stage without a level": (lambda d: d["stages"][0].update(users=None), "stage 1 has neither `users` nor `rate`"),
    "a stage listed twice": (lambda d: d["stages"].append(d["stages"][0]), "stage 1 stands twice"),
}


@pytest.mark.parametrize("how", ILL_TYPED)
def test_an_ill_typed_manifest_gets_one_line_with_file_place_and_remedy(tmp_path, capsys, how):
    path = made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])
    spoil, said = ILL_TYPED[how]
    data = json.loads((path / "manifest.json").read_text())
    spoil(data)
    (path / "manifest.json").write_text(json.dumps(data))
    assert main(["report", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "r/manifest.json: cannot be read" in error
    assert re.search(said, error) and error.endswith("; put back the file that the run wrote\n")


def test_a_run_named_twice_is_refused(tmp_path):
    path = made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])
    with pytest.raises(NotARun, match=": named twice; name each run once"):
        load_runs([path, path])


def test_a_folder_that_is_no_run_gets_one_line_with_the_remedy(tmp_path):
    with pytest.raises(NotARun, match=r"no manifest.json; give the folder named by --run-dir"):
        load_run(tmp_path)


def test_a_folder_of_two_runs_files_is_refused(tmp_path):
    path = made_run(tmp_path / "r", [record(11, 1, target="elsewhere")], [window(1, 10, 20)])
    with pytest.raises(NotARun, match="names target `elsewhere`, which its manifest does not"):
        load_run(path)


def test_a_scenario_that_cannot_be_read_names_the_manifest(tmp_path):
    path = made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])
    manifest = path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"measure_s": 60.0', '"measure_s": "long"'))
    with pytest.raises(NotARun, match=r"manifest.json: its scenario cannot be read \(load.measure_s"):
        load_run(path)


def test_requests_csv_of_another_version_is_refused(tmp_path):
    path = made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])
    text = (path / "requests.csv").read_text().replace(FIELDS[5], "colour", 1)
    (path / "requests.csv").write_text(text)
    with pytest.raises(NotARun, match="its header is not that of this version"):
        load_run(path)
    shutil.rmtree(path)
