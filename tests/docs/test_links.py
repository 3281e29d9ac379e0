"""Links, paths and sizes of the documents: what a reader follows is there."""

import re

import pytest

from tests.helpers.documents import (
    FOLDERS,
    MANUAL,
    ROOT,
    anchors,
    documents,
    inline_codes,
    links,
    prose_of,
    sections,
)

RELATIVE = [path.relative_to(ROOT).as_posix() for path in documents()]


@pytest.mark.parametrize("document", RELATIVE)
def test_every_relative_link_and_anchor_leads_somewhere(document):
    path = ROOT / document
    for link in links(path):
        file, _, anchor = link.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), f"{document}: {link}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{document}: {link}"


@pytest.mark.parametrize("document", [name for name in RELATIVE if name != "CHANGELOG.md"])  # it names the past
def test_every_path_that_is_named_is_there(document):
    """`configs/demo.yaml`, but not a pattern, a module, or a file that a recipe makes (new)."""
    prose = prose_of(ROOT / document)
    for named in inline_codes(ROOT / document):
        if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./-]*", named) and f"`{named}` (new)" not in prose:
            assert (ROOT / named).exists(), f"{document}: {named}"


@pytest.mark.parametrize("path", MANUAL, ids=lambda path: path.parent.name)
def test_a_readme_says_what_it_is_about_before_anything_else(path):
    first, second, third = prose_of(path).split("\n")[:3]
    assert first.startswith("# ") and not second and re.match(r"[A-Z0-9`]", third)


def test_the_readme_has_at_most_8_kilobytes():
    assert (ROOT / "README.md").stat().st_size <= 8192


def test_the_readme_leads_to_every_other_one():
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert [p for p in MANUAL[1:] if p.resolve() not in linked] == []


def test_the_readme_has_a_line_for_every_folder():
    there = {f"{path.name}/" for path in ROOT.iterdir() if path.name in FOLDERS}
    assert there <= set(re.findall(r"^\| `([^`]+)` \|", sections(ROOT / "README.md")["Layout"], re.MULTILINE))
