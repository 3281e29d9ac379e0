"""report.xlsx: formulas that follow from the prices' cells, their values beside them, and texts of others that stay texts."""

import dataclasses
import json
import xml.etree.ElementTree as ET
import zipfile

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.planning.option import Terms
from analysis.report.workbook import HEADROOM, SPARE, write_workbook
from tests.helpers.conversations import chatting
from tests.helpers.first_study import run_of, stage_of
from tests.helpers.made_run import BEDROCK, P4D, made_run, steady, window

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


def test_a_month_takes_whole_instances_with_headroom_and_one_to_spare_and_every_token(report, tmp_path):
    write_workbook(report, tmp_path / "r.xlsx")
    stages = cells_of(tmp_path / "r.xlsx", 2)
    assert [stages[f"{c}1"][1] for c in "ABCDEF"] == [
        "Transactions a month", 1_000_000, "Headroom", 0.2, "Spare instances", 1,
    ]  # fmt: skip
    assert "headroom" in stages["A2"][1] and "python -m analysis plan" in stages["A2"][1]
    # 374 x 0.8 x 60 x 730 = 13,104,960 a month are more than a million: one instance and one to spare, 2 x 37.688 x 730
    needed = "MAX(1,ROUNDUP($B$1/(43800*I4/Prices!$H$2*(1-$D$1)),0))+$F$1"
    assert stages["P4"] == (f"({needed})*Prices!$D$2/Prices!$H$2*730", pytest.approx(55_024.48))
    assert stages["P5"] == ("N5*$B$1", pytest.approx(2216.25))


def test_a_month_is_what_plan_says_of_the_same_load(tmp_path, monkeypatch, capsys):
    # three instances carry 374 a minute: one 124.67, of which 99.73 are planned; 26,280,000 a month are 600 a minute: 7 and 1
    monkeypatch.setattr("analysis.report.workbook.A_MONTH", 26_280_000)
    prices = {"p4d": {"usd_per_hour": 37.688, "instance_count": 3}}
    target = P4D | {"instance_count": 3}
    report = run_of(tmp_path, [stage_of(1, 100, 5, 374, 0, 0.802)], targets=[target], prices=prices)
    write_workbook(report, tmp_path / "r.xlsx")
    month = cells_of(tmp_path / "r.xlsx", 2)["P4"][1]
    assert month == pytest.approx(8 * 37.688 * 730)
    assert (HEADROOM, SPARE) == Terms()[:2]
    asked = ["--transactions-per-minute", "600", "--json", str(tmp_path / "plan.json")]
    assert main(["plan", str(tmp_path / "r"), *asked]) == 0
    planned = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert planned["options"][0]["usd_a_month"] == pytest.approx(month)


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


def test_conversations_and_mixes_have_sheets_with_the_reports_own_figures(tmp_path):
    records = chatting(4, 30, 150, target="bedrock", service="bedrock")
    talks = made_run(
        tmp_path / "talks",
        records,
        [window(1, 30, 150, users=4, target="bedrock")],
        targets=[BEDROCK | {"stream": False}],
    )
    sent = steady(1, 10, 70, 3, 0.5, lead=5) + steady(2, 10, 70, 1, 0.5, lead=5, payload="de")
    parts = [
        window(n, 10, 70, payload=p, users=4, mix=[1, 2], mix_share=s) for n, p, s in ((1, "en", 0.75), (2, "de", 0.25))
    ]
    mix = {"mix": [{"target": "p4d", "payload": "en", "weight": 3}, {"target": "p4d", "payload": "de"}]}
    mixed = analyse([talks, made_run(tmp_path / "mixed", sent, parts, scenario_keys=mix)])
    write_workbook(mixed, tmp_path / "r.xlsx")
    talk, whole = cells_of(tmp_path / "r.xlsx", 4), cells_of(tmp_path / "r.xlsx", 5)
    found = mixed.conversed[0].figures.sessions
    assert (talk["B2"][1], talk["F2"][1], talk["M2"][1]) == ("bedrock", found.sessions, found.session_time.p50)
    # all conversations are alike: their cost is known exactly
    assert [talk[f"{column}2"][1] for column in "QRS"] == pytest.approx([found.usd_per_session] * 3)
    assert [whole[f"C{row}"][1] for row in (2, 3, 4)] == ["all parts together", "p4d on en", "p4d on de"]
    assert whole["B2"][1] == "4 users" and whole["E3"][1] == 0.75
    assert [whole[f"{column}2"][1] for column in "LMN"] == pytest.approx([37.688 / 3600 / 8] * 3, rel=0.01)
