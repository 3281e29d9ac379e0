"""report.xlsx: formulas that follow from the prices' cells, their values beside them, and texts of others that stay texts."""

import dataclasses
import xml.etree.ElementTree as ET
import zipfile

import pytest

from analysis.report.workbook import write_workbook
from tests.helpers.first_study import run_of, stage_of

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
TOKENS = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}


@pytest.fixture
def report(tmp_path):
    """p4d carries 374 a minute at $37.688 an hour; Bedrock's take 2,923 + 24 tokens."""
    return run_of(tmp_path, [stage_of(1, 100, 5, 374, 0, 0.802), stage_of(2, 200, 5, 190, 0, 1.56, **TOKENS)])


def cells_of(path, sheet):
    """Cell -> (formula or None, value), texts as they are."""
    with zipfile.ZipFile(path) as book:
        texts = [
            "".join(t.text or "" for t in item.iter(f"{{{NS['m']}}}t"))
            for item in ET.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    found = {}
    for cell in tree.iterfind(".//m:c", NS):
        formula, value = cell.find("m:f", NS), cell.find("m:v", NS)
        if value is not None:
            shown = texts[int(value.text)] if cell.get("t") == "s" else float(value.text)
            found[cell.get("r")] = (None if formula is None else formula.text, shown)
    return found


def test_a_stages_cost_follows_from_the_cells_of_its_price(report, tmp_path):
    write_workbook(report, tmp_path / "r.xlsx")
    prices, stages = cells_of(tmp_path / "r.xlsx", 1), cells_of(tmp_path / "r.xlsx", 2)
    assert (prices["B2"][1], prices["D2"][1]) == ("p4d", 37.688)
    assert (prices["B3"][1], prices["E3"][1], prices["F3"][1]) == ("bedrock", 0.00075, 0.001)
    # 37.688 / 60 / 374
    assert stages["N4"] == ("Prices!$D$2/60/I4", pytest.approx(37.688 / 60 / 374))
    # (2,923 x 0.00075 + 24 x 0.001) / 1,000 = $0.00221625
    assert stages["N5"] == ("(J5*Prices!$E$3+L5*Prices!$F$3)/1000", pytest.approx(0.00221625))
    assert stages["M5"][1] == pytest.approx(0.00221625)  # as measured


def test_a_month_takes_whole_instances_and_every_token(report, tmp_path):
    write_workbook(report, tmp_path / "r.xlsx")
    stages = cells_of(tmp_path / "r.xlsx", 2)
    assert stages["B1"][1] == 1_000_000
    # 374 x 60 x 730 = 16,381,200 a month are more than a million: one instance, 37.688 x 730
    assert stages["P4"] == ("ROUNDUP($B$1/(730*60*I4),0)*Prices!$D$2*730", pytest.approx(27_512.24))
    assert stages["P5"] == ("N5*$B$1", pytest.approx(2216.25))


def test_the_runs_cost_is_the_sum_of_its_lines(report, tmp_path):
    write_workbook(report, tmp_path / "r.xlsx")
    cost = cells_of(tmp_path / "r.xlsx", 3)
    formula, total = cost["H5"]
    assert (formula, total) == ("SUM(H2:H4)", pytest.approx(report.total_cost))
    # 190 calls: 555,370 tokens in, 4,560 out
    assert [cost[f"E{row}"][1] for row in (3, 4)] == [555_370, 4560]
    assert cost["H4"] == ("E4/F4*G4", pytest.approx(4.56 * 0.001))


def test_what_is_not_known_stays_empty_and_a_name_is_no_formula(report, tmp_path):
    first, second = report.results
    named = dataclasses.replace(first.figures.identity, target="=1+1", payload="http://a.b")
    unpriced = dataclasses.replace(
        first.figures, identity=named, cost=dataclasses.replace(first.figures.cost, usd_per_transaction=None)
    )
    changed = dataclasses.replace(report, results=[dataclasses.replace(first, figures=unpriced), second])
    write_workbook(changed, tmp_path / "r.xlsx")
    stages = cells_of(tmp_path / "r.xlsx", 2)
    assert (stages["B4"], stages["C4"]) == ((None, "=1+1"), (None, "http://a.b"))
    assert not {"M4", "N4", "O4", "P4"} & stages.keys()
    with zipfile.ZipFile(tmp_path / "r.xlsx") as book:
        assert not [name for name in book.namelist() if "_rels/sheet" in name]  # no link


def test_a_place_that_cannot_be_written_is_an_oserror(report, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        write_workbook(report, tmp_path / "nowhere" / "r.xlsx")
