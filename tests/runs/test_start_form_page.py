"""The start form in a real browser: choose, see, be refused, start; whatever a file is called or says is shown as text."""

import pathlib
import signal

import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.helpers import folders
from tests.helpers.browser import browser
from tests.helpers.locust_page import await_page, press_new
from tests.helpers.locust_process import free_port, one_locust
from tests.helpers.patience import LONGEST_S, until

pytestmark = pytest.mark.alone  # people wait for what it looks at: it is timed by the program's own rhythm

MARKUP = "<img src=x onerror=alert(1)>"


def make_configs(folder: pathlib.Path, url: str) -> pathlib.Path:
    """A scenario, another one with a hostile name, model and payload, and one whose mistake is markup."""
    load = {"users": [1], "settle_s": 0, "measure_s": 0.5}
    good = folders.make_scenario(folder, url, [folders.sagemaker("quick")], load)
    hostile = f"{MARKUP}.yaml"
    (folder / f"{MARKUP}.jsonl").write_text((folder / "prompts.jsonl").read_text())
    changed = yaml.safe_load(good.read_text()) | {"payloads": [f"{MARKUP}.jsonl"]}
    changed["targets"][0]["model"] = MARKUP
    (folder / hostile).write_text(yaml.safe_dump(changed))
    (folder / "broken.yaml").write_text(good.read_text() + f"'{MARKUP}': 1\n")
    return good


def shown(chrome, part: str) -> str:
    return chrome.find_element(By.ID, part).text


def choose(chrome, name: str, says: str) -> None:
    """Until what is shown of the chosen file says so."""
    Select(chrome.find_element(By.ID, "start-file")).select_by_visible_text(name)
    WebDriverWait(chrome, LONGEST_S).until(lambda c: says in shown(c, "start-scenario"))


def test_a_person_chooses_is_refused_and_starts_and_no_name_is_more_than_text(endpoint, tmp_path):
    good, port = make_configs(tmp_path / "configs", endpoint.url), free_port()
    url, before = f"http://127.0.0.1:{port}", endpoint.stats()["requests"]
    with one_locust(good, tmp_path / "runs/first", "--web-port", port, headless=False) as process, browser() as chrome:
        await_page(url)
        chrome.get(f"{url}/swarmledger")
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "at least 0.5 s" in shown(c, "start-scenario"))
        choose(chrome, str(good.with_name("broken.yaml")), f"error: {good.with_name('broken.yaml')}:")
        assert MARKUP in shown(chrome, "start-scenario") and not chrome.find_element(By.ID, "start-go").is_enabled()
        choose(chrome, str(good.with_name(f"{MARKUP}.yaml")), "prompts")
        assert shown(chrome, "start-scenario").count(MARKUP) >= 2  # model and payload
        WebDriverWait(chrome, LONGEST_S).until(lambda c: c.find_element(By.ID, "start-go").is_enabled())
        chrome.find_element(By.ID, "start-name").send_keys("../out")
        chrome.find_element(By.ID, "start-go").click()
        WebDriverWait(chrome, LONGEST_S).until(lambda c: shown(c, "start-answer").startswith("error: run name: "))
        assert endpoint.stats()["requests"] == before
        chrome.find_element(By.ID, "start-name").clear()
        chrome.find_element(By.ID, "start-name").send_keys("by hand")
        chrome.find_element(By.ID, "start-go").click()
        folder = tmp_path / "runs/by hand"
        until((folder / "manifest.json").exists, lambda: process.text[-3000:])
        until(lambda: folders.manifest(folder)["status"] == "complete", lambda: process.text[-3000:])
        WebDriverWait(chrome, LONGEST_S).until(lambda c: c.find_element(By.ID, "start").is_displayed())
        assert not chrome.find_element(By.ID, "start-file").is_displayed()  # folded: the run's figures come first
        chrome.save_screenshot(str(tmp_path / "ended.png"))
        assert not chrome.find_elements(By.TAG_NAME, "img")
        chrome.get(url)
        press_new(chrome)
        begins = f"Start begins {good.with_name(f'{MARKUP}.yaml')}, "
        WebDriverWait(chrome, LONGEST_S).until(lambda c: begins in shown(c, "swarmledger-notice-scenario"))
        assert not chrome.find_elements(By.CSS_SELECTOR, "img[src=x]")
        assert [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"] == []
        process.send(signal.SIGTERM)
        assert process.wait() == 0, process.text
    assert len(folders.rows(folder)) == endpoint.stats()["requests"] - before
