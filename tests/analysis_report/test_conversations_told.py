"""How conversations are told: section, tables, picture and data of the report, and nothing of it where there are none."""

import json

import pytest
from PIL import Image

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.plots import turns as plot_turns
from analysis.report.plots.catalogue import draw_all
from analysis.report.plots.view import View
from analysis.report.session_tables import shown_turns
from analysis.words.columns import TURN_METRICS
from tests.helpers.conversations import chatting, talk
from tests.helpers.made_run import BEDROCK, made_run, steady, window

PRICES = {"bedrock": {"input": 0.00075, "output": 0.001}}


def two_levels(path):
    """Four users, then eight, conversations of three turns."""
    spot = {"target": "bedrock", "service": "bedrock"}
    first, second = chatting(4, 30, 150, **spot), chatting(8, 330, 450, stage=2, **spot)
    renamed = [type(r)(**{f: getattr(r, f) for f in r.__slots__} | {"session": f"later-{r.session}"}) for r in second]
    stages = [window(1, 30, 150, users=4, target="bedrock"), window(2, 330, 450, users=8, target="bedrock")]
    return made_run(path, first + renamed, stages, targets=[BEDROCK], prices=PRICES)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return analyse([two_levels(tmp_path_factory.mktemp("talk") / "r")])


def test_the_page_has_a_section_with_both_tables_the_picture_and_the_definitions(report, tmp_path):
    write_html(report, draw_all(report, tmp_path), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    section = text[text.index('<section id="conversations">') : text.index('<section id="tokens">')]
    assert '<figure id="turns.png">' in section and "<h3>By turn</h3>" in section
    # four users x 120 s / 11 s, each conversation 2 x 4 s of thinking and 3 x 1 s of waiting
    assert ">44<" in section and ">11<" in section and ">3<" in section
    assert 'href="#def-usd_per_session"' in section and "<code>usd_per_request_low</code>" in text
    assert "Turns of conversations is not drawn" not in text
    with Image.open(tmp_path / "turns.png") as image:
        assert image.width == 1440


def test_the_tables_say_the_same_in_markdown(report):
    text = markdown(report, [])
    assert "## Conversations" in text and "tables/turns.csv" in text
    # prompts of 100 tokens more each turn, answers of 10: (100 x 0.00075 + 10 x 0.001) / 1000 = 0.000085, 0.00016 and 0.000235: 0.00048
    assert "| bedrock | en | 4 users | 44 |" in text and "$0.00048" in text
    rows = shown_turns(report.conversed, False)
    assert rows["Price per request"].tolist()[:3] == ["$0.000085", "$0.00016", "$0.000235"]
    assert (rows["Turn"].tolist(), rows["Prompt tokens"].tolist()) == (["1", "2", "3"] * 2, ["100", "200", "300"] * 2)


def test_the_picture_shows_the_highest_level_of_each_target(report):
    figure = plot_turns.by_turn(View.of(report))
    lines = [{line.get_label(): line for line in ax.lines} for ax in figure.axes]
    assert [list(line["bedrock"].get_xdata()) for line in lines] == [[1, 2, 3]] * 3
    assert list(lines[2]["bedrock"].get_ydata()) == [100, 200, 300]
    assert "bedrock, 8 users" in [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def test_summary_and_csv_hold_every_turn_with_its_definition(tmp_path):
    folder = two_levels(tmp_path / "r")
    assert main(["report", str(folder)]) == 0
    summary = json.loads((folder / "report/summary.json").read_text(encoding="utf-8"))
    assert [(row["stage"], row["turn"]) for row in summary["turns"]] == [(s, t) for s in (1, 2) for t in (1, 2, 3)]
    assert [m["name"] for m in summary["turn_metrics"]] == list(summary["turns"][0]) == [m.name for m in TURN_METRICS]
    header = (folder / "report/tables/turns.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.split(",") == [m.name for m in TURN_METRICS]
    assert main(["compare", str(folder), str(two_levels(tmp_path / "s"))]) == 0


def test_of_long_conversations_the_first_turns_are_shown(tmp_path):
    records = [r for n in range(3) for r in talk(f"{n}", 10, [0.1] * 15, think=0.1, user=n, target="p4d")]
    report = analyse([made_run(tmp_path / "r", records, [window(1, 10, 20, users=3)])])
    assert len(report.results[0].turns) == 15 and len(shown_turns(report.conversed, False)) == 12
    assert "The first 12 turns of each stage" in markdown(report, [])


def test_without_conversations_no_word_of_them_is_lost(tmp_path):
    folder = made_run(tmp_path / "r", steady(1, 10, 40, 2, 0.5, lead=2), [window(1, 10, 40, users=2)])
    assert main(["report", str(folder)]) == 0
    for name in ("report.html", "report.md"):
        text = (folder / "report" / name).read_text(encoding="utf-8")
        assert "By turn" not in text and "## Conversations" not in text and 'id="conversations"' not in text
        assert "Turns of conversations" not in text
    assert not (folder / "report/tables/turns.csv").exists()
    assert json.loads((folder / "report/summary.json").read_text(encoding="utf-8"))["turns"] == []
