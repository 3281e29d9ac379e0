"""The bench of collecting: a short real one, and what it says when records are missing."""

import pytest

from locustfiles.contract.exit_codes import BAD_INPUT, OK
from scripts.bench.collect import main
from scripts.bench.collected import Figures, table
from scripts.bench.endpoint import ROOT


@pytest.mark.parametrize("workers", [["--workers", "2"], ["--workers", "5", "--processes", "2"]])
def test_every_record_is_collected_and_counted(workers, capsys):
    assert main(["--rate", "600", "--seconds", "5", *workers]) == OK
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].strip("|").split("|")]
    made, received, rows = (int(cell.replace(",", "")) for cell in cells[1:4])
    # 600 a second in 5 s of window and 1 to 20 s of settling, which goes on until latencies have arrived
    assert made == received == rows and 3000 <= rows <= 15_000
    assert cells[0] == "ours" and 0 < float(cells[5].removesuffix(" %")) < 100 and cells[11] == "0"
    p99, worst = map(float, cells[10].split(" / "))
    assert 0 <= p99 <= worst < 10_000  # ms
    assert all(0 < float(cells[n]) < 100_000 for n in (6, 7))  # µs of CPU a record, idle seconds among them


@pytest.mark.parametrize(("made", "received", "rows", "code"), [(9, 8, 8, 0), (9, 9, 8, 0), (0, 0, 0, 0), (9, 9, 9, 2)])
def test_a_missing_record_or_a_bad_end_is_not_kept(made, received, rows, code):
    found = Figures(made, received, rows, 5.0, 0.1, 9.0, 30.0, 90.0, 91.0, 1.5, 4.0, code)
    assert not found.kept and f"| {rows} |" in table([("ours", found)])


@pytest.mark.parametrize(
    "wrong",
    [
        ["--rate", "0"],
        ["--workers", "129"],
        ["--seconds", "0"],
        ["--rate", "x"],
        ["--rounds", "0"],
        ["--before", "nowhere"],
        ["--processes", "5"],
        ["--processes", "1", "--before", str(ROOT)],
    ],
)
def test_a_wrong_number_is_refused(wrong, capsys):
    try:
        assert main(wrong) == BAD_INPUT
    except SystemExit as e:
        assert e.code == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
