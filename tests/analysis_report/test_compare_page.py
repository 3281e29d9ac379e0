"""compare.html in a browser: nothing is beyond the edge of a phone, a laptop or a wide screen, and its colour says what is known."""

import re

import pytest

from analysis.__main__ import main
from tests.helpers.browser import browser
from tests.helpers.two_runs import drawn_run

CUT = """return [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => e.getAttribute('aria-label'))"""
EDGE = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def page_of(folder, *runs):
    paths = [str(drawn_run(folder / name, users=(2, 5, 8), **keys)) for name, keys in runs]
    main(["compare", *paths, "--out", str(folder / "out")])
    return folder / "out/compare.html"


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    long = "2026-11-28T18-00-00-nightly-of-the-other-endpoint"
    return page_of(tmp_path_factory.mktemp("p"), ("a", {}), ("b", {"slower": 1.2, "seed": 2}), (long, {"seed": 3}))


def test_nothing_is_cut_off_at_any_width_however_many_levels_are_open(three):
    with browser() as chrome:
        for width in (360, 400, 800, 1000, 1600):
            metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            chrome.get(three.as_uri())
            chrome.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
            whole, seen = chrome.execute_script(EDGE)
            assert (chrome.execute_script(CUT), whole) == ([], seen), width
        labels = chrome.execute_script("return [...document.querySelectorAll('td')].map(d => d.dataset.label)")
        assert "b: change" in labels and "b: is" in labels


def test_what_decides_stands_before_the_figures_and_levels_are_folded(three):
    text = three.read_text(encoding="utf-8")
    level = text[text.index('<details class="level">') :]
    heads = re.findall(r'<th scope="col"[^>]*>(?:<span class="paper">([^<]*): </span>)?([^<]+)</th>', level)[:8]
    assert [f"{group} {words}".strip() for group, words in heads][:6] == [
        "2 users",
        "b change",
        "b is",
        "2026-11-28T18-00-00-nightly-of-the-other-endpoint change",
        "2026-11-28T18-00-00-nightly-of-the-other-endpoint is",
        "a",
    ]
    assert re.search(r"<summary>2 users: b: \d+ worse of \d+ figures; ", level)


def test_one_level_is_open_for_there_is_nothing_above_it(tmp_path):
    paths = [str(drawn_run(tmp_path / name, users=(2,), seed=n)) for n, name in enumerate("ab")]
    main(["compare", *paths, "--out", str(tmp_path / "out")])
    assert '<details class="level" open>' in (tmp_path / "out/compare.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("other", "tone"),
    [
        ({"seed": 2}, "answer "),
        ({"seed": 2, "slower": 1.3}, "answer open"),
        ({"seed": 2, "tokens": 30}, "answer open"),
        ({"seed": 2, "problems": ["records of a worker are lost"]}, "answer none"),
    ],
)
def test_only_what_is_valid_and_not_worse_is_green(tmp_path, other, tone):
    whole = {"window_s": 60.0, "tokens": 20}
    paths = [str(drawn_run(tmp_path / name, users=(8,), **(whole | keys))) for name, keys in (("a", {}), ("b", other))]
    main(["compare", *paths, "--out", str(tmp_path / "out")])
    text = (tmp_path / "out/compare.html").read_text(encoding="utf-8")
    assert re.search(r'<div class="(answer[^"]*)">', text)[1] == tone


def test_how_many_stages_are_not_valid_is_said_first_and_not_in_green(tmp_path, capsys):
    # 12 requests or so at 1 user: too few; 60 s of 8 users are enough
    few = [str(drawn_run(tmp_path / name, users=(1, 8), window_s=5.0, seed=n)) for n, name in enumerate("ab")]
    main(["compare", *few, "--out", str(tmp_path / "out")])
    text = (tmp_path / "out/compare.html").read_text(encoding="utf-8")
    (answer,) = re.findall(r'<div class="(answer[^"]*)">\n<p>([^<]*)</p>', text)
    assert answer[0] == "answer open" and re.match(r"Of 4 stages compared \d (is|are) SUSPECT: ", answer[1])
    assert answer[1] in " ".join(capsys.readouterr().out.split())
