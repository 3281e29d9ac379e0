"""Text of others stays text: no image or link in Markdown, no formula in a spreadsheet; cells come back as they were."""

import csv
import io

import pandas as pd
import pytest

from analysis.report.markdown import table
from analysis.words.safe_text import for_spreadsheets, markdown_text
from locustfiles.contract.cells import neutral, original

HOSTILE = [
    "![x](http://evil.example/p.png)", "[x](https://evil.example)", "<img src=//evil.example/p.png>", "![x][y]",
    "[y]: http://evil.example", "`![x](http://evil.example/p.png)`", "a ` b ![x](http://evil.example)`",
    "\\![x\\](http://evil.example)", "https:\\//evil.example", "www.evil.example", "a | ![x](http://evil.example)",
    "`` ` ![](http://evil.example) ``", "a\n\n![x](http://evil.example)", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_image_link_or_tag_is_left(text):
    for shown in (markdown_text(text), markdown_text(f"`{text}` failed"), table(pd.DataFrame({"a": [text]}))):
        assert not any(live in shown for live in ("![", "](", "][", "]:", "<img", "://", "www.", "javascript:"))


@pytest.mark.parametrize("text", ["`p4d` at 3 users", "[1, 2] of **3**", "p95 < 2 s, `a` or `b`", "TTFT: 20 ms"])
def test_what_is_harmless_stays_as_it_is(text):
    assert markdown_text(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+a", "-a", "@a", "\ta", "'=1", "''@", "'", "a", "", "-1.5", "+3", "\uff1dx", "'-1"]
)
def test_a_cell_is_no_formula_and_comes_back_as_it_was(text):
    cell = neutral(text)
    assert original(cell) == text
    assert cell[:1] not in tuple("=@\t\uff1d") and (cell[:1] not in ("+", "-") or float(cell))


def test_numbers_of_a_table_stay_numbers():
    frame = pd.DataFrame({"n": [-1.5, 2.0], "t": ["=cmd|x", "-1.5"], "mixed": [-1, "@x"]})
    rows = list(csv.reader(io.StringIO(for_spreadsheets(frame).to_csv(index=False))))
    assert rows[1:] == [["-1.5", "'=cmd|x", "-1"], ["2.0", "-1.5", "'@x"]]
