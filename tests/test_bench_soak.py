"""The soak: a short real one, and what it calls growth, drift and loss."""

import json

import pytest

from locustfiles.contract.exit_codes import BAD_INPUT
from scripts.bench import soak
from scripts.bench.client import Answer
from scripts.bench.endpoint import Endpoint
from scripts.bench.soak import Period, Sample, failings, periods_of


def periods(memory=lambda i: 80.0, error=lambda i: 2.0, late=lambda i: 1.0, lost=0) -> list[Period]:
    """Ten minutes of 40,000 requests each."""
    return [Period(i + 1.0, 40_000, lost, 0.3, error(i), late(i), 0.4, memory(i)) for i in range(10)]


def test_a_soak_that_stays_as_it_was_has_no_failing():
    assert failings(periods()) == []
    # the first minute may grow, the others by 3 MB and by 3 %; one bad minute is no drift
    assert failings(periods(memory=lambda i: 60.0 if i == 0 else 80.0 + 0.2 * i)) == []
    assert failings(periods(error=lambda i: 30.0 if i == 9 else 2.0)) == []


def test_memory_that_grows_is_told_by_the_minute_and_by_the_request():
    [words] = failings(periods(memory=lambda i: 80.0 + i))
    # 1 MB a minute; of 8 minutes, from the second to the tenth: 8 MB = 8,388,608 bytes by 8 x 40,000 requests = 26
    assert words == "Memory grows by 1.00 MB a minute, from 81 to 89 MB: 26 bytes of each request are kept."


def test_an_error_that_drifts_is_told_beside_the_endpoints_own_lateness():
    [words] = failings(periods(error=lambda i: 2.0 + i, late=lambda i: 1.0 + i / 2))
    # thirds of three minutes: errors 2, 3, 4 and 9, 10, 11; lateness 1, 1.5, 2 and 4.5, 5, 5.5
    assert words == (
        "The error drifts: p99 3.0 ms in the first third, 10.0 ms in the last; "
        "the endpoint's own lateness went from 1.5 to 5.0 ms."
    )


def test_lost_records_and_a_third_without_any_are_told():
    assert failings(periods(lost=2)) == ["20 of 400000 requests are in no record."]
    assert failings(periods(error=lambda i: None if i > 6 else 2.0)) == [
        "In a third of the soak no request was recorded: its error is not known."
    ]


def test_requests_belong_to_the_part_in_which_they_arrived(tmp_path):
    """Ten parts of a second; memory is the median of a part's samples, CPU what was used in it."""
    samples = [Sample(i / 2, i / 4, 80.0 + i) for i in range(21)]
    rows = [
        {"request_id": str(i), "arrival": at, "first_token": at + 0.1, "late_ms": late}
        for i, (at, late) in enumerate([(-0.1, 9.0), (0.0, 1.0), (0.5, 3.0), (9.9, 2.0), (10.1, 9.0)])
    ]
    truth = tmp_path / "truth.jsonl"
    truth.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = periods_of(samples, Endpoint(None, truth), {"1": Answer(102.0, 0.0), "2": Answer(104.0, 0.0)})
    assert [p.requests for p in found] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert [p.lost for p in found] == [0] * 9 + [1]
    assert found[0].error_p50_ms == pytest.approx(3.0)  # 2 and 4 ms
    assert found[0].late_p99_ms == pytest.approx(2.98)  # 1 and 3 ms: 1 + 0.99 x 2
    assert found[1].error_p99_ms is None and found[1].late_p99_ms is None
    assert found[0].memory_mb == 81.0  # of 80, 81, 82
    assert found[0].core == pytest.approx(0.5)  # a quarter of a second in half of one


@pytest.mark.timed
def test_a_short_soak_of_the_real_client_counts_all_of_its_requests(capsys):
    code = soak.main(["--users", "4", "--minutes", "0.1"])
    text = capsys.readouterr().out
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| 0.")
    ]
    assert len(rows) == 10 and code in (0, 2)  # a busy machine may drift
    # 4 users at 0.59 s an answer: 6.8 requests/s at the most, 41 in 6 s
    assert 15 <= sum(int(row[1]) for row in rows) <= 45
    assert all(float(row[7]) > 30 for row in rows)
    assert "in no record" not in text


@pytest.mark.parametrize("options", [["--users", "0"], ["--minutes", "0"], ["--minutes", "x"]])
def test_a_usage_error_is_exit_code_1(capsys, options):
    with pytest.raises(SystemExit) as end:
        soak.main(options)
    assert end.value.code == BAD_INPUT
    assert options[0] in capsys.readouterr().err
