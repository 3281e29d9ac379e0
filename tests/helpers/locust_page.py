"""Locust's page as a person uses it in a browser, and its answers as the page gets them."""

import contextlib
import json
import urllib.error
import urllib.parse
import urllib.request

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.helpers.patience import LONGEST_S, until


def buttons(chrome, name: str) -> list:
    """The visible ones of that name."""
    xpath = f"//button[translate(normalize-space(.), 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')='{name.upper()}']"
    return [b for b in chrome.find_elements(By.XPATH, xpath) if b.is_displayed()]


def press(chrome, name: str) -> None:
    """Press the visible button of that name."""
    button, *_ = WebDriverWait(chrome, LONGEST_S).until(lambda c: buttons(c, name))
    chrome.execute_script("arguments[0].click()", button)


def press_new(chrome) -> None:
    """Press New until its form is there: the page redraws itself as a state comes in, and a click may meet the old one."""
    for _ in range(5):
        press(chrome, "new")
        with contextlib.suppress(TimeoutException, StaleElementReferenceException):
            WebDriverWait(chrome, LONGEST_S / 10).until(lambda c: buttons(c, "start"))
            return


def text(chrome) -> str:
    return chrome.find_element(By.TAG_NAME, "body").text


def stats(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/stats/requests", timeout=60) as answer:
        return json.load(answer)


def refused(url: str) -> str | None:
    """What the page is told."""
    with urllib.request.urlopen(f"{url}/swarmledger-notice", timeout=60) as answer:
        return json.load(answer)["refused"]


def await_page(url: str) -> None:
    def answers() -> bool:
        with contextlib.suppress(OSError):
            return bool(stats(url))
        return False

    until(answers, f"{url} answers")


def await_state(url: str, state: str) -> None:
    until(lambda: stats(url)["state"] == state, lambda: f"{stats(url)['state']} instead of {state}")


def post(url: str, path: str, **form: object) -> dict:
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{url}{path}", data=data, timeout=60) as answer:
        return json.load(answer)


def sent(url: str, path: str, **form: object) -> tuple[int, dict]:
    """Status and answer of what a page's form sends."""
    try:
        return 200, post(url, path, **form)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


def asked(url: str) -> dict | None:
    """The question that a run waits for, as the page is told."""
    with urllib.request.urlopen(f"{url}/swarmledger-notice", timeout=60) as answer:
        return json.load(answer)["asks"]


def scenario(url: str, file: str) -> dict:
    """What the start form shows of a file."""
    with urllib.request.urlopen(f"{url}/swarmledger/scenario?file={urllib.parse.quote(file)}", timeout=60) as answer:
        return json.load(answer)


def answered(url: str, **form: object) -> tuple[int, str]:
    """What an answer to the question is answered."""
    data = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(f"{url}/swarmledger/answer", data=data, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def await_idle(url: str) -> None:
    """Until another run can be started. `stats` is up to 2 s old."""

    def busy() -> str | None:
        with urllib.request.urlopen(f"{url}/swarmledger/scenarios", timeout=60) as answer:
            return json.load(answer)["busy"]

    until(lambda: busy() is None, "no run is under way")
