"""The verdicts' bench: two real stages, and its arithmetic."""

import time

import pandas as pd
import pytest

from analysis.calibration.truth_log import read_truth
from locustfiles.contract.exit_codes import BAD_INPUT, OK
from scripts.bench import verdicts
from scripts.bench.endpoint import running_endpoint
from scripts.bench.measure import cores
from scripts.bench.starve import Row, Sitting, rows_of, sit
from scripts.bench.verdicts import STARVED, TRUTH_S, confusion, main, missed, report, summary
from scripts.bench.watch import Pause
from tests.helpers.made_run import BEDROCK, made_run, streamed, window

pytestmark = pytest.mark.timed


def row(starved, error, verdict):
    """A stage whose true p99 is 100 ms, and the published one so far off."""
    return Row("made", starved, 20, 200, 100 * (1 + error), 100.0, 5.0, 0.2, (0.0, 0.5), verdict, "")


def stage_by_stage(sitting, folder, seconds):
    with running_endpoint(folder, cores()[0], tls=False) as endpoint:
        watch = sit(sitting, endpoint, folder / "0", seconds)
        time.sleep(TRUTH_S)
        return rows_of(sitting, folder / "0/run", read_truth(endpoint.truth)[0], watch)


def test_a_paused_stage_is_wrong_and_caught_and_one_left_alone_is_measured_beside_the_truth(tmp_path):
    class Second(Sitting):
        """The first stage is left alone."""

        def words(self, stage):
            return "left alone" if stage == 1 else super().words(stage)

    sitting = Second((5, 16), pauses=(Pause(0.0, times=0), Pause(0.8)))
    alone, paused = stage_by_stage(sitting, tmp_path, 2.0)
    assert (alone.done, paused.done) == ("left alone", "paused 0.8 s")
    # 5 users, 10 tokens: first after 100 ms, the last 90 ms later: 5 / 0.19 = 26 requests/s at the most, 52 in 2 s and 5
    assert 20 <= alone.requests <= 58
    assert 100 <= alone.true_ms and alone.error < 3
    assert alone.verdict != "INVALID"
    assert all(0 <= share < 1.05 for share in alone.others) and 0 < alone.cpu < 1
    # streams of 0.19 s, 0.1 s of it before the first token, each open for the pause: whoever waited for its first token got it
    # up to 0.8 s late. Of 16 users fewer than 3 wait with a probability of some 0.47^14 x 16 x 15 / 2 x 0.53^2 = 0.0009
    assert paused.error > 1.0
    assert paused.published_ms - paused.true_ms < 1000
    assert paused.lag_p99_ms > 700
    assert paused.verdict == "SUSPECT"
    assert "the load generator itself was late" in paused.reasons


def test_the_truth_is_the_p99_of_the_same_requests(tmp_path):
    # published 100, 101, … 119 ms: p99 118.81; the endpoint says 10 ms less of each, and knows of a request that was not measured
    records = [
        streamed(10 + i, 0.5, 0.1 + i / 1000, 5, target="bedrock", request_id=f"r{i}", prompt_id=str(i))
        for i in range(20)
    ]
    made_run(tmp_path / "run", records, [window(1, 10, 40, target="bedrock")], targets=[BEDROCK])
    truth = pd.DataFrame(
        {
            "request_id": [*(f"r{i}" for i in range(20)), "other"],
            "arrival": [*(1000.0 + i for i in range(20)), 2000.0],
            "first_token": [*(1000.09 + i + i / 1000 for i in range(20)), 2009.0],
        }
    )

    class Nobody:
        def others(self, a, b):
            return (0.25, 0.5) if b - a == 30 else None

    (found,) = rows_of(Sitting((1,)), tmp_path / "run", truth, Nobody())
    assert (found.published_ms, found.true_ms) == (pytest.approx(118.81), pytest.approx(108.81))
    assert found.error == pytest.approx(10 / 108.81)
    assert (found.done, found.starved, found.requests, found.others, found.cpu) == (
        "left alone",
        False,
        20,
        (0.25, 0.5),
        None,
    )


def test_stages_are_counted_by_their_true_error_not_by_what_was_done_to_them():
    rows = [row(True, 0.5, "SUSPECT"), row(True, 0.11, "INVALID"), row(True, 0.12, "VALID"), row(True, 0.09, "VALID")]
    rows += [
        row(False, 0.02, "VALID"),
        row(False, 0.08, "INVALID"),
        row(False, 0.01, "SUSPECT"),
        row(False, 0.3, "SUSPECT"),
    ]
    rows += [
        row(True, 0.2, "SUSPECT")._replace(published_ms=None)
    ]  # no success: nothing published, nothing to be wrong
    assert confusion(rows)[1:] == [
        ["starved", "above 10 %", "1", "1", "1"],
        ["starved", "up to 10 %", "1", "0", "0"],
        ["healthy", "above 10 %", "0", "1", "0"],
        ["healthy", "up to 10 %", "1", "1", "1"],
    ]
    assert summary(rows) == (
        "Of 3 starved stages that are wrong 2 were caught. Of 3 healthy stages that are right 1 were called INVALID, 1 SUSPECT "
        "without need. 1 healthy ones turned out wrong (others had the core, or the endpoint's); 1 of them were caught."
    )
    assert "| made | 20 | 200 | – | 100.0 | – | 5.0 | 20 % | 0 % / 50 % | SUSPECT |  |" in report(rows, 3, 6.0)


def test_the_goal_is_95_percent_caught_of_so_many_and_at_most_one_false_invalid():
    caught = [row(True, 0.5, "SUSPECT")] * 19
    healthy = [row(False, 0.02, "VALID")] * 18 + [row(False, 0.02, "SUSPECT")]
    enough = [*caught, row(True, 0.5, "VALID"), *healthy, row(False, 0.02, "INVALID")]
    assert missed(enough, 20) == []  # 19 of 20 are 95 %; one INVALID is allowed
    assert missed([*enough, row(True, 0.5, "VALID")], 20) == [
        "only 19 of 21 starved stages that are wrong were caught, below 95%"
    ]
    assert missed([*enough, row(False, 0.02, "INVALID")], 20) == [
        "2 healthy stages that are right were called INVALID, more than 1"
    ]
    assert missed(enough, 21) == ["only 20 starved stages turned out wrong, of 21 that were wanted"]


def test_stages_are_run_until_so_many_are_wrong_or_it_is_no_use(tmp_path, monkeypatch):
    done = []

    def rows(sitting, folder, truth, watch):
        done.append(sitting)
        return [row(sitting.starved, error, "SUSPECT") for _ in range(sitting.stages)]

    for name, value in (
        ("sit", lambda *_: None),
        ("read_truth", lambda _: (None, 0)),
        ("rows_of", rows),
        ("TRUTH_S", 0),
    ):
        monkeypatch.setattr(verdicts, name, value)
    endpoint = type("Endpoint", (), {"truth": None})
    error = 0.5
    found = verdicts.measured(7, 1.0, endpoint, tmp_path)
    assert [s.levels for s in done[:2]] == [(1, 5, 20, 50, 100), (1, 5)]  # 7 healthy ones
    assert tuple(done[2:]) == STARVED[:3]  # 4 + 2 + 2 are 8
    assert [r.starved for r in found] == [False] * 7 + [True] * 8
    error, _ = 0.01, done.clear()
    found = verdicts.measured(5, 1.0, endpoint, tmp_path)
    assert 15 <= sum(r.starved for r in found) < 15 + max(s.stages for s in STARVED)


@pytest.mark.parametrize("options", [["--stages", "0"], ["--stages", "x"], ["--seconds", "0"]])
def test_a_usage_error_is_exit_code_1(capsys, options):
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == BAD_INPUT
    assert options[0] in capsys.readouterr().err


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == OK
    assert "python -m scripts.bench.verdicts --stages 5 --seconds 4" in capsys.readouterr().out
