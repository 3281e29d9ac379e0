"""How busy the workers were, stage by stage."""

import pytest

from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.verdicts.caution import sentence
from analysis.verdicts.generator_cautions import cpu_cautions
from locustfiles.contract.manifest import WorkerEntry, WorkerLoad
from tests.helpers.flat import steps, table
from tests.helpers.made_run import made_run, record, steady, window


def analysed(path, loads, **keys):
    stage = window(1, 10, 40, users=2, workers=loads)
    return analyse([made_run(path, steady(1, 10, 40, 2, 0.5, lead=2), [stage], **keys)])


def test_the_worst_worker_of_a_window_is_its_figure(tmp_path):
    report = analysed(tmp_path / "r", [WorkerLoad("w1", 0.42, 3.5), WorkerLoad("w2", 0.30, 18.0)])
    step = steps(report).iloc[0]
    assert (step["worker_cpu_max"], step["worker_lag_ms_max"], step["verdict"]) == (0.42, 18.0, "VALID")


def test_a_load_that_nobody_handed_in_is_not_known(tmp_path):
    report = analysed(tmp_path / "r", [])
    assert steps(report)[["worker_cpu_max", "worker_lag_ms_max"]].isna().all(axis=None)
    assert table(report, "workers").empty and "Load of the workers" not in markdown(report, [])


def test_a_worker_above_nine_tenths_of_a_core_makes_the_stage_suspect_and_names_the_remedy(tmp_path):
    at_the_limit = analysed(tmp_path / "a", [WorkerLoad("w1", 0.90, 1.0)])
    assert steps(at_the_limit)["verdict"].tolist() == ["VALID"]
    report = analysed(tmp_path / "b", [WorkerLoad("w1", 0.50, 1.0), WorkerLoad("w2", 0.9312, 1.0)])
    assert steps(report)["verdict"].tolist() == ["SUSPECT"]
    assert steps(report)["reasons"].tolist() == [
        "worker w2 used 93.12 % of a core in the window, so requests were sent and stamped late and its price is too high: add a worker"
    ]


def test_of_many_full_workers_the_three_worst_are_named():
    visit = window(1, 10, 40, workers=[WorkerLoad(f"w{i}", 0.91 + i / 100, 1.0) for i in range(7)])
    # w0 is at 91 %
    assert sentence(list(cpu_cautions(visit))) == (
        "workers w6, w5, w4 and 4 more used 91 % to 97 % of a core in the window, so requests were sent and stamped late: add a worker"
    )


def test_every_worker_of_every_stage_is_in_the_reports_table(tmp_path):
    records = [record(11, 1, worker=w) for w in ("w1", "w2")]
    workers = [WorkerEntry("w1", "alpha", 0.0, 1, 1, 0), WorkerEntry("w2", "beta", 0.0, 1, 1, 0)]
    stages = [
        window(1, 10, 20, workers=[WorkerLoad("w1", 0.42, 3.5), WorkerLoad("w2", 0.5, 2.0)]),
        window(2, 30, 40, users=2, workers=[WorkerLoad("w1", 1.08, 30.0)]),
    ]
    report = analyse([made_run(tmp_path / "r", records, stages, workers=workers)])
    assert table(report, "workers")["cpu"].tolist() == [0.42, 0.5, 1.08]
    text = markdown(report, [])
    end = text[text.index("## Load of the workers") :]
    assert "| 1 | p4d | en | 1 user | w2 | beta | 50 % | 2.00 ms |" in end
    assert "| 2 | p4d | en | 2 users | w1 | alpha | 108 % | 30.0 ms |" in end
    write_html(report, [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    details = page[page.rindex("<details>") : page.rindex("</details>")]
    assert details.count("<tr>") == 4 and "alpha" in details  # a heading and three rows


@pytest.mark.parametrize(
    ("delays", "asked", "words"),
    [
        # of 101 requests: 0, 0.1 … 10 ms: the median is 5, p99 is 9.9
        ([i / 10 for i in range(101)], "kernel",
         "The kernel's receive stamps were used; the event loop's own would have been late by 5.00 ms / 9.90 ms / 10.0 ms (p50 / p99 / max"),
        ([2.0, None, 4.0], "kernel", "The kernel's receive stamps were used in 2 of 3 requests; the event loop's own would have been late by 3.00 ms"),
        ([None, None], "kernel", "The kernel's receive stamps were asked for, but no record has one: the event loop's own were used."),
        ([None, None], "loop", None),
    ],
)  # fmt: skip
def test_the_instrument_note_says_what_the_kernels_stamps_were_worth(tmp_path, delays, asked, words):
    records = [record(11 + i / 20, 1, stamp_delay_ms=delay) for i, delay in enumerate(delays)]
    report = analyse([made_run(tmp_path / "r", records, [window(1, 10, 20)], scenario_keys={"stamps": asked})])
    (note,) = [n for n in report.notes if n.startswith("Instrument error")]
    assert note == report.instrument["r"]
    assert words in note if words else "kernel" not in note
