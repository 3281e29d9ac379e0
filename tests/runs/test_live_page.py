"""The live page of a run, in a browser: watched from its start to its report, in two tabs, its buttons pressed."""

import csv
import pathlib
import signal

import pytest
from selenium.webdriver.common.by import By

from analysis.words import format as show
from tests.helpers import folders
from tests.helpers.browser import browser
from tests.helpers.live_page import await_, await_figures, await_stage, finished, severe, text
from tests.helpers.locust_page import await_page, post
from tests.helpers.locust_process import free_port, one_locust

pytestmark = pytest.mark.alone  # people wait for what it looks at: it is timed by the program's own rhythm

HOSTILE = "<b>x&\"'"  # a folder's name has no slash
SHORT, LONG = {"users": [2], "settle_s": 0.3, "measure_s": 4}, {"users": [3], "settle_s": 0.3, "measure_s": 600}
#: the second and third of four stages go on until they are skipped, whatever the machine is doing
TARGETS = [
    folders.sagemaker("quick", name=name, model="<b>x</b>", load=load)
    for name, load in (("first", SHORT), ("second", LONG), ("third", LONG), ("fourth", SHORT))
]


@pytest.fixture(scope="module")
def chrome():
    with browser() as chrome:
        yield chrome


@pytest.fixture(scope="module")
def page(chrome, endpoint, tmp_path_factory):
    """(the UI's address, the folder of its runs)"""
    folder = tmp_path_factory.mktemp("live")
    scenario = folders.make_scenario(folder, endpoint.url, TARGETS, LONG, slo={"latency_s": {"p95": 2.0}})
    port = free_port()
    with one_locust(scenario, folder / "runs" / HOSTILE, "--web-port", port, headless=False) as process:
        await_page(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", folder / "runs"
        chrome.get("about:blank")  # it would complain that its page has gone
        process.send(signal.SIGTERM)
        process.wait()
    assert "Traceback" not in process.text


def shown(row: dict[str, str]) -> dict[str, str]:
    """A row of steps.csv as the page writes it."""

    def value(name: str) -> float | None:
        return float(row[name]) if row[name] else None

    def percentile(name: str, unit: str, words) -> str:
        ends = show.ends(words, value(f"{name}_low_{unit}"), value(f"{name}_high_{unit}"))
        return f"{words(value(f'{name}_{unit}'))}\n{ends}".strip()

    return {
        "Verdict": row["verdict"],
        "Requests": show.count(value("requests")),
        "Errors": show.percent(value("error_rate")),
        "TTFT p50": percentile("ttft_p50", "s", show.seconds),
        "TTFT p95": percentile("ttft_p95", "s", show.seconds),
        "TPOT p50": percentile("tpot_p50", "ms", show.milliseconds),
        "Latency p95": percentile("latency_p95", "s", show.seconds),
        "$ per 10k": show.money(value("usd_per_10k_transactions")),
    }


def assert_as_reported(chrome, run: pathlib.Path) -> None:
    found = finished(chrome)
    with open(run / "report" / "steps.csv", newline="", encoding="utf-8") as file:
        for reported in csv.DictReader(file):
            row = found.pop(f"stage {reported['stage']}")
            row["$ per 10k"] = row["$ per 10k"].split("\n")[0]  # its interval is the transaction's, times 10,000
            expected = shown(reported)
            assert {name: row[name] for name in expected} == expected
    assert found == {}


def press(chrome, button: str, yes: bool = True) -> str:
    """One of the page's buttons, and the answer to what it asks; what it said it would do."""
    await_(chrome, lambda c: c.find_element(By.ID, button).is_enabled())
    chrome.find_element(By.ID, button).click()
    said = text(chrome, "#ask-text")
    chrome.find_element(By.ID, "ask-yes" if yes else "ask-no").click()
    return said


def start(chrome, url: str) -> str:
    """A run, until its second stage is under way and its first one's figures are there; its folder's name."""
    await_(chrome, lambda c: text(c, "#state") == "no run" or text(c, "#state").startswith("ended: "))
    await_(chrome, lambda c: post(url, "/swarm", user_count=1, spawn_rate=1)["success"])
    await_stage(chrome, 2, 4)
    await_figures(chrome)
    await_(chrome, lambda c: finished(c).get("stage 1"))
    return text(chrome, "#name")


def test_a_run_is_watched_from_its_start_to_its_report_in_two_tabs_and_after_a_reload(chrome, page):
    url, runs = page
    chrome.get(url)
    await_(chrome, lambda c: c.find_elements(By.LINK_TEXT, "LLM figures, live"))[0].click()
    name = start(chrome, url)
    assert name.startswith(HOSTILE) and "scenario tried" in text(chrome, "#kicker")
    assert text(chrome, "#ahead").startswith("By the first calls it takes about ")
    begun = finished(chrome)["stage 1"]
    chrome.refresh()
    await_figures(chrome)
    assert finished(chrome)["stage 1"] == begun
    first = chrome.current_window_handle
    chrome.switch_to.new_window("tab")
    chrome.get(f"{url}/swarmledger")
    await_figures(chrome)
    assert finished(chrome)["stage 1"] == begun
    assert "the next stage begins" in press(chrome, "do-skip")
    await_stage(chrome, 3, 4)
    assert "Then nothing more is sent" in press(chrome, "do-end-after")
    await_(chrome, lambda c: "The run ends after this stage." in text(c, "#notices"))
    assert not chrome.find_element(By.ID, "do-end-after").is_enabled()
    press(chrome, "do-skip")
    assert severe(chrome) == []
    chrome.close()
    chrome.switch_to.window(first)
    await_(chrome, lambda c: text(c, "#state") == "ended: stopped")
    await_(chrome, lambda c: text(c, "#answer"))
    frame = await_(chrome, lambda c: c.find_elements(By.CSS_SELECTOR, "#report iframe[src]"))[0]
    assert finished(chrome)["stage 1"] == begun  # its figures in mid-run are the report's
    assert_as_reported(chrome, runs / name)
    assert [s["stage"] for s in folders.manifest(runs / name)["stages"]] == [1, 2, 3]
    assert severe(chrome) == []
    chrome.switch_to.frame(frame)
    await_(chrome, lambda c: text(c, "h1") == "tried")
    chrome.switch_to.default_content()


def test_stop_asks_first_and_the_run_that_it_ended_is_among_the_runs(chrome, page):
    url, runs = page
    chrome.get(f"{url}/swarmledger")
    name = start(chrome, url)
    press(chrome, "do-stop", yes=False)
    assert text(chrome, "#state") == "running"
    assert "--resume measures it again" in press(chrome, "do-stop")
    await_(chrome, lambda c: text(c, "#state") == "ended: stopped")
    assert folders.manifest(runs / name)["status"] == "stopped"
    chrome.find_element(By.LINK_TEXT, "Runs").click()
    await_(chrome, lambda c: c.find_elements(By.LINK_TEXT, name))[0].click()
    await_(chrome, lambda c: text(c, "h1") == name and text(c, ".pill") == "stopped")
    assert severe(chrome) == []
