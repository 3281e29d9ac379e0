"""The bench of watching: what it tells of stages with the page open and closed."""

import numpy as np
import pytest

from locustfiles.contract.exit_codes import BAD_INPUT
from scripts.bench.watched import main
from scripts.bench.watched_stage import Stage, core_more, error_more, table, told


def stage(is_open: bool, core: float, errors_ms: list[float]) -> Stage:
    errors, answers = np.asarray(errors_ms), 24 if is_open else 0
    kb, oldest_s = (21.0, 1.4) if is_open else (None, None)
    return Stage(is_open, 338.0, core, 0.02, errors, 3.0, answers, kb, oldest_s)


def test_the_core_of_an_open_stage_is_compared_with_that_of_the_closed_one_before_it():
    # 0.402 - 0.400, 0.409 - 0.400, 0.405 - 0.401 = 0.002, 0.009, 0.004
    found = [stage(place % 2 == 1, core, []) for place, core in enumerate((0.400, 0.402, 0.400, 0.409, 0.401, 0.405))]
    assert core_more(found) == pytest.approx(0.004)
    assert error_more(found) is None


def test_the_error_is_compared_over_all_requests_of_both_sides():
    # p99 of 0, 1, ..., 200 is 198; of the same and 2 is 200, and so of whatever pairs are drawn
    found = [stage(place % 2 == 1, 0.4, [n + 2.0 * (place % 2) for n in range(201)]) for place in range(6)]
    assert error_more(found) == pytest.approx((2.0, 2.0, 2.0))


def test_the_interval_is_wide_where_pairs_differ():
    # differences of 0 and of 4 in turn: a draw of pairs may have either alone
    found = [stage(place % 2 == 1, 0.4, [4.0 * (place % 4 == 3)] * 201) for place in range(8)]
    more, low, high = error_more(found) or (0.0, 0.0, 0.0)
    assert more == pytest.approx(4.0) and low == pytest.approx(0.0) and high == pytest.approx(4.0)
    assert told(0.001, (more, low, high)).endswith(
        "+4.00 ms p99 of the TTFT error of all requests (95 % interval +0.00 to +4.00)."
    )


def test_what_is_not_known_is_a_dash_in_the_table():
    closed, opened = table([stage(False, 0.4, []), stage(True, 0.4, [1.25])]).splitlines()[2:]
    assert closed == "| closed | 338 | 40.0 % | 2.0 % | – | 3.00 | 0 | – | – |"
    assert opened == "| open | 338 | 40.0 % | 2.0 % | 1.25 | 3.00 | 24 | 21 | 1.4 |"


def test_a_wrong_number_of_pairs_is_refused(capsys):
    assert main(["--pairs", "0"]) == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
