"""A run folder whose every free text is hostile: in the page, the Markdown, the tables and the terminal it stays text."""

import contextlib
import html.parser
import io
import json
import re

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.report.markdown import table
from analysis.words.safe_text import markdown_text, shown
from locustfiles.contract.manifest import LeftOut, WorkerEntry
from locustfiles.contract.visible import hides, visible
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, steady, window

#: what a terminal or a browser obeys and nobody sees: all controls but tab and newline, and what turns text around
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
MARKS = "<script>alert(1)</script> </title></style><b onclick=x> ![i](http://h.example/p.png) [l](https://h.example) a|b\\|c"
CODE = "{{ 7*7 }} {% raw %} [bold red]m[/] $\\frac{ $x$ `tick =1+1 me@h.example www.h.example"
CONTROLS = "x\r\n\r\n# head \u202egnp.exe\u202c \x1b[31mred \u2066a\u2069 \x00 \x85 \u2028 \ud800"
HOSTILE = f"{MARKS} {CODE} {CONTROLS} {'Y' * 10_000} the end"
ONE_LINE = f"{MARKS} {CODE} {'Y' * 10_000}"  # what a scenario may hold


def hostile_run(path):
    """Two targets, one of them left out; every text that others may have written is the hostile one."""
    bad = [
        record(
            20 + n / 2, 0.1, error="client", error_code=MARKS[:64], error_message=HOSTILE[:200], stop_reason=CODE[:64]
        )
        for n in range(3)
    ]
    records = steady(1, 10, 70, users=1, latency=1.0, completion_tokens=5, prompt_tokens=5) + bad
    return made_run(
        path, records, [window(1, 10, 70)],
        [P4D | {"model": ONE_LINE, "labels": {f"k {MARKS}": ONE_LINE}}, BEDROCK | {"model": CODE, "labels": {f"k {MARKS}": CODE}}],
        left_out=[LeftOut("bedrock", None, "client", HOSTILE, HOSTILE)],
        problems=[HOSTILE], workers=[WorkerEntry("local", HOSTILE, 0.0, len(records), len(records), 0)],
        price_book=dict.fromkeys(("file", "region", "as_of", "source"), HOSTILE),
        scenario_file=HOSTILE, host=HOSTILE, git_revision=HOSTILE, name=HOSTILE, versions={HOSTILE: HOSTILE},
    )  # fmt: skip


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.addresses, self.title = set(), set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.addresses |= {value for name, value in attributes if name in ("src", "href")}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = hostile_run(tmp_path_factory.mktemp("hostile") / "r")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(["report", str(folder)]) == 2  # the manifest's problem makes its stage INVALID
    (folder / "report" / "terminal.txt").write_text(said.getvalue())
    return folder / "report"


def test_the_page_has_no_tag_attribute_or_address_but_its_own(run):
    text = (run / "report.html").read_bytes().decode()
    page = Page(text)
    assert not page.tags & {"iframe", "object", "form", "input", "link", "base"}
    assert text.count("<script") == text.count("</script") == 2 and text.count("<svg") == 1  # the chart's own
    assert not {name for name in page.attributes if name.startswith("on")}
    assert all(a.startswith(("#", "data:image/png;base64,")) for a in page.addresses)
    assert text.count("</title>") == text.count("</style>") == text.count("<html") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text and "{{ 7*7 }}" in text
    assert not HIDDEN.search(text) and "\\x1b[31mred" in text


def test_the_markdown_has_no_image_link_or_tag_but_its_own(run):
    text = (run / "report.md").read_bytes().decode()
    assert set(re.findall(r"!?\[[^]]*\]\(([^)]*)\)", text)) <= {p.name for p in run.glob("*.png")}
    assert not any(live in text for live in ("<script", "</", "://", "www.", "me@h", "\n# head"))
    assert not HIDDEN.search(text) and "\\u202egnp.exe" in text
    assert not re.search(r"\S{201}", text) and "could not be compared" in text and "the end" in text


def test_the_tables_have_no_formula_and_nothing_hidden(run):
    for file in run.rglob("*.csv"):
        assert not HIDDEN.search(file.read_bytes().decode()), file
    assert json.loads((run / "summary.json").read_bytes())["not_compared"][0].startswith("`bedrock` could not")


def test_the_terminal_is_given_no_command(run):
    said = (run / "terminal.txt").read_bytes().decode()
    assert not HIDDEN.search(said) and "\\x1b[31mred" in said
    assert "[bold red]m[/]" in " ".join(said.split())


def test_a_pipe_in_a_cell_never_makes_another_cell():
    for text in ("a|b", "a\\|b", "a\\\\|b", "`a|b`", "|", "\\"):
        line = table(pd.DataFrame({"x": [text], "y": ["z"]})).splitlines()[-1]
        # a pipe that a backslash stands before, or that is an entity, begins no cell; and no backslash stands before that one
        assert len(re.findall(r"(?<!\\)\|", line)) == 3 and "\\\\|" not in line, line


def test_what_is_harmless_stays_as_it_is():
    for text in ("é 中文 😀 👩\u200d💻 tab\there", "Ab" * 100, "line\nline"):
        assert visible(text) == text and not hides(text.encode())
    assert markdown_text("p4d en @1, 2") == "p4d en @1, 2"
    assert shown("Y" * 201) == f"{'Y' * 180}…{'Y' * 19}"  # 200 characters
