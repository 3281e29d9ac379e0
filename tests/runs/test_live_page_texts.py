"""The live page in a browser, fed by hand: names of anybody's are texts, what is not known is a dash, and all of it fits."""

import random

import pytest
from selenium.webdriver.common.by import By

from analysis.words import format as show
from tests.helpers.browser import browser
from tests.helpers.live_document import AT, figures, load, served
from tests.helpers.live_page import await_, await_stage, severe, text, texts

HOSTILE = "<b>x</b>&\"'"
LONG = "a-name-without-an-end-" * 12


@pytest.fixture(scope="module")
def chrome():
    with browser() as chrome:
        yield chrome


def opened(chrome, url: str, width: int = 1400) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chrome.get(url)
    await_stage(chrome, 2, 2)


def test_names_of_anybodys_are_texts_wherever_they_stand(chrome, tmp_path):
    document = {"load": load(HOSTILE, f"runs/{HOSTILE}"), "figures": figures(HOSTILE)}
    with served(document, tmp_path) as url:
        opened(chrome, url)
        assert text(chrome, "#name") == HOSTILE and HOSTILE in chrome.title
        assert text(chrome, "#stage-what") == f"{HOSTILE} · 2.5 requests/s · {HOSTILE} · measuring"
        for place in ("#kicker", "#notices", "#asks-text", "#verdict-reasons", "#card-errors", "#card-cost", "#stages-table tbody",
                      "#workers-table tbody"):  # fmt: skip
            assert HOSTILE in text(chrome, place), place
        made = "return [...document.querySelectorAll('b')].filter(b => b.textContent === 'x').length"
        assert chrome.execute_script(made) == 0
        assert severe(chrome) == []


def test_figures_are_written_as_the_report_writes_them_and_the_unknown_is_a_dash(chrome, tmp_path):
    with served({"load": load("run", "runs/run"), "figures": figures("name")}, tmp_path) as url:
        opened(chrome, url)
        # seconds below 0.1 in ms; 3 digits; an interval without its upper end is wide; a share that is not 0 never reads 0 %
        assert texts(chrome, "#card-ttft dd") == ["83.1 ms", "–"]
        assert texts(chrome, "#card-tpot dd") == ["–", "–"] and text(chrome, "#card-tpot p") == ""
        assert texts(chrome, "#card-latency dd") == ["1.23 s\n1.20 s – 1.30 s", "2.00 s\n1.90 s – wide"]
        assert texts(chrome, "#card-errors dd") == ["0 %", "< 0.01 %"]
        assert texts(chrome, "#card-rates dd") == ["100", "–"]
        assert text(chrome, "#card-rates p") == "1,234 requests in 12.3 s measured"
        assert texts(chrome, "#card-cost dd") == ["–", "$0.0123"]
        assert texts(chrome, "#card-users dd") == ["8", "–"]
        assert texts(chrome, "#workers-table tbody td") == ["4", "–", "91 %", "1.24 ms", "–"]
        heads = texts(chrome, "#stages-table thead th")
        row = dict(zip(heads, texts(chrome, "#stages-table tbody tr > *"), strict=True))
        assert (
            row["Latency p50"] == "0.500 s\n0.400 s – 0.600 s"
            and row["$ per 10k"] == "$4.22"
            and row["Errors"] == "5 %\nname"
        )
        assert "TTFT p50" not in heads  # known of no stage


def test_a_rate_of_conversations_is_named_so_before_there_are_figures(chrome, tmp_path):
    document = load("run", "runs/run")
    document["stage"]["due"] = "conversations"
    with served({"load": document, "figures": None}, tmp_path) as url:
        opened(chrome, url)
        assert text(chrome, "#stage-what") == "run · 2.5 conversations/s · run · measuring"


def test_it_fits_a_phone_and_a_desk_however_long_names_are(chrome, tmp_path):
    with served({"load": load(LONG, f"runs/{LONG}"), "figures": figures(LONG)}, tmp_path) as url:
        for width in (400, 1400):
            opened(chrome, url, width)
            assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
            held = (
                "const t = document.querySelector('#stages-table'); return [t.scrollWidth, t.parentElement.clientWidth]"
            )
            table, scrolled = chrome.execute_script(held)
            assert scrolled <= width and (width > 400 or table > scrolled)


def test_charts_move_by_the_keyboard_and_a_button_asks_before_it_acts(chrome, tmp_path):
    with served({"load": load("run", "runs/run"), "figures": figures("name")}, tmp_path) as url:
        opened(chrome, url)
        charts = chrome.find_elements(By.CSS_SELECTOR, "#charts svg")
        assert "p50 last 0.200 s, between 0.100 s and 0.200 s; p95 not known yet" in charts[0].get_attribute(
            "aria-label"
        )
        charts[0].send_keys("\ue014")  # right: the first point, 10 s after the start, 5 s into the first stage
        assert texts(chrome, "#charts .when")[0] == "at 0:10, stage 1"
        assert texts(chrome, "#charts .key b")[:2] == ["0.100 s", "–"]
        chrome.find_element(By.ID, "do-stop").click()
        assert text(chrome, "#ask-title") == "Stop the run now?" and "--resume measures it again" in text(
            chrome, "#ask-text"
        )
        assert chrome.switch_to.active_element.get_attribute("id") == "ask-no"  # Enter alone stops nothing
        chrome.switch_to.active_element.send_keys("\ue00c")  # Escape
        assert not chrome.find_element(By.ID, "ask").is_displayed()


def test_old_figures_and_a_lost_connection_are_said_and_what_was_shown_stays(chrome, tmp_path):
    behind = figures("name") | {"at": AT - 9.0}  # 9 s before the time that the load tells
    with served({"load": load("run", "runs/run"), "figures": behind}, tmp_path) as url:
        opened(chrome, url)
        await_(chrome, lambda c: text(c, "#connection").startswith("No figures for 9 s: "))
    await_(chrome, lambda c: text(c, "#connection").startswith("Connection lost "))
    assert texts(chrome, "#card-ttft dd") == ["83.1 ms", "–"]
    with served({"load": load("run", "runs/run"), "figures": None}, tmp_path) as url:
        opened(chrome, url)
        await_(chrome, lambda c: text(c, "#connection").startswith("No figures yet"))
        assert set(texts(chrome, "#card-ttft dd") + texts(chrome, "#card-errors dd")) == {"–"}
    trouble = "figures are not shown: there is no package pandas"
    with served({"load": load("run", "runs/run"), "figures": None, "trouble": trouble}, tmp_path) as url:
        opened(chrome, url)
        says = "Figures are not shown: there is no package pandas. The run itself goes on."
        await_(chrome, lambda c: text(c, "#connection") == says)


def test_numbers_are_written_digit_by_digit_as_the_report_writes_them(chrome, tmp_path):
    """Of 3,000, among them many that lie just between two roundings, and some that binary fractions put on one side of it."""
    rng, words = random.Random(11), ("number", "count", "seconds", "milliseconds", "percent", "money")
    values = [0, 0.125, 2.125, 1.005, 5.005, 8.345, 999.5, 0.09995, 12_346.5]
    for _ in range(3000):
        value = 10 ** rng.uniform(-7, 6)
        values.append(rng.choice([value, round(value, 3), round(value, 6), round(value * 8) / 8]))
    with served({"load": load("run", "runs/run"), "figures": figures("name")}, tmp_path) as url:
        opened(chrome, url)
        script = (
            "const [values, words, done] = arguments; import('./swarmledger/static/words.js')"
            ".then(module => done(values.map(v => words.map(name => module[name](v)))))"
        )
        found = chrome.execute_async_script(script, values, words)
    assert found == [[getattr(show, name)(value) for name in words] for value in values]


def test_an_answer_that_came_too_late_is_said_and_may_be_given_again(chrome, tmp_path):
    """That document's server knows of no question: 409, as where another tab has answered."""
    with served({"load": load("run", "runs/run"), "figures": None}, tmp_path) as url:
        opened(chrome, url)
        chrome.find_element(By.ID, "asks-yes").click()
        await_(chrome, lambda c: "Your answer did not count: no such question" in text(c, "#notices"))
        assert chrome.find_element(By.ID, "asks-yes").is_enabled()
