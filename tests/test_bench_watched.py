"""The bench of watching: what it tells of stages with the page open and closed."""

import pytest

from locustfiles.contract.exit_codes import BAD_INPUT
from scripts.bench.watched import Stage, differences, main, table


def stage(is_open: bool, core: float, error_ms: float | None) -> Stage:
    return Stage(
        is_open,
        338.0,
        core,
        0.02,
        error_ms,
        3.0,
        24 if is_open else 0,
        21.0 if is_open else None,
        1.4 if is_open else None,
    )


def test_an_open_stage_is_compared_with_the_closed_one_before_it():
    # cores: 0.402 - 0.400, 0.409 - 0.400, 0.405 - 0.401 = 0.002, 0.009, 0.004; errors: 0.1, 0.3, -0.2 ms
    found = [
        *(stage(False, 0.400, 1.7), stage(True, 0.402, 1.8)),
        *(stage(False, 0.400, 1.5), stage(True, 0.409, 1.8)),
        *(stage(False, 0.401, 2.0), stage(True, 0.405, 1.8)),
    ]
    core, error_ms = differences(found)
    assert core == pytest.approx(0.004) and error_ms == pytest.approx(0.1)
    assert differences([s._replace(ttft_p99_ms=None) for s in found])[1] is None


def test_what_is_not_known_is_a_dash_in_the_table():
    closed, opened = table([stage(False, 0.4, None), stage(True, 0.4, 1.25)]).splitlines()[2:]
    assert closed == "| closed | 338 | 40.0 % | 2.0 % | – | 3.00 | 0 | – | – |"
    assert opened == "| open | 338 | 40.0 % | 2.0 % | 1.25 | 3.00 | 24 | 21 | 1.4 |"


def test_a_wrong_number_of_pairs_is_refused(capsys):
    assert main(["--pairs", "0"]) == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
