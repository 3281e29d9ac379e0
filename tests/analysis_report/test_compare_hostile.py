"""Two run folders whose free texts are hostile, compared: in the page, the Markdown and the terminal they stay text."""

import contextlib
import io
import json

from analysis.__main__ import main
from locustfiles.contract.visible import hides
from tests.analysis_report.test_hostile import HIDDEN, Page, hostile_run


def test_hostile_texts_stay_text_in_every_output(tmp_path):
    paths = [str(hostile_run(tmp_path / name)) for name in ("a", "b")]
    manifest = tmp_path / "b/manifest.json"
    data = json.loads(manifest.read_text())
    data["host"] = "other " + data["host"]
    data["versions"] = {key + " more": value for key, value in data["versions"].items()}
    manifest.write_text(json.dumps(data))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["compare", *paths, "--out", str(tmp_path / "out")])
    page_text = (tmp_path / "out/compare.html").read_text(encoding="utf-8")
    page = Page(page_text)
    assert page.tags.isdisjoint({"script", "b onclick", "img", "iframe"}) and not {
        a for a in page.attributes if a.startswith("on")
    }
    assert all(address.startswith("#") for address in page.addresses)
    assert "other " in page_text and "49" not in page_text.split("<title>")[1].split("</title>")[0]
    markdown = (tmp_path / "out/compare.md").read_text(encoding="utf-8")
    for live in ("<script", "![i](", "](https://h.example)"):
        assert live not in markdown
    for text in (page_text, markdown, printed.getvalue()):
        assert not HIDDEN.search(text) and not hides(text.encode())
        assert "Y" * 1000 not in text
