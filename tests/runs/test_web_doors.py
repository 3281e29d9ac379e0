"""Who may use the web UI, and what its buttons and links do under a scenario."""

import csv
import io
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from werkzeug.security import generate_password_hash

from locustfiles.contract.record import FIELDS
from tests.helpers import folders
from tests.helpers.browser import browser
from tests.helpers.locust_page import await_page, await_state, post, press, stats, text
from tests.helpers.locust_process import environment, free_port, locust, one_locust
from tests.helpers.patience import LONGEST_S, until

LOAD = {"users": [2], "settle_s": 0.3, "measure_s": 60}
HASHED = generate_password_hash("another one", "pbkdf2:sha256:1000")


def status(url: str, method: str = "GET", **headers: str) -> tuple[int, dict]:
    """(status, headers) of an answer."""
    asked = urllib.request.Request(url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as e:
        return e.code, dict(e.headers)


@pytest.fixture(scope="module")
def page(endpoint, tmp_path_factory):
    """(its address, the process, the run's folder): bound as it is by default, nothing started."""
    folder, port = tmp_path_factory.mktemp("doors"), free_port()
    scenario = folders.make_scenario(folder, endpoint.url, [folders.sagemaker("quick")], LOAD)
    more = ("--web-port", port, "--web-origin", "https://load.example.com")
    arguments = ("-f", "locustfiles/sweep.py", "--scenario", scenario, "--run-dir", folder / "run", *more)
    with locust(*arguments, output=folder / "locust.log") as process:
        await_page(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", process, folder / "run"
        process.send(signal.SIGTERM)
        process.wait()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/stats/requests"), ("POST", "/swarm"), ("POST", "/stop"), ("GET", "/logs")]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another program's page on this machine
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},  # a picture in a foreign page
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
        {"Host": "elsewhere.example"},  # a foreign name that leads to this machine
    ],
)
def test_a_foreign_page_gets_nothing_and_starts_nothing(page, method, path, headers):
    url, _, run = page
    answer, told = status(url + path, method, **headers)
    assert answer == 403 and not any(name.lower().startswith("access-control") for name in told)
    assert stats(url)["state"] == "ready" and not run.exists()


def test_its_own_page_a_proxy_that_was_named_a_link_and_a_script_are_answered(page):
    url, process, _ = page
    host = urllib.parse.urlsplit(url).netloc
    for headers in (
        {"Origin": url},
        {"Origin": "https://load.example.com"},
        {"Host": "load.example.com", "Origin": "https://load.example.com"},
        {"Host": host.replace("127.0.0.1", "localhost")},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},  # a link in a mail
        {},
    ):
        answer, told = status(url + "/stats/requests", **headers)
        assert answer == 200 and not any(name.lower().startswith("access-control") for name in told)
    assert "Starting web interface at http://127.0.0.1:" in process.text  # not 0.0.0.0


def test_files_are_there_once_a_run_has_begun_and_reset_empties_none(page, endpoint):
    url, _, run = page
    assert status(url + "/swarmledger-requests.csv")[0] == 404
    before = endpoint.stats()["requests"]
    post(url, "/swarm", user_count=1, spawn_rate=1)
    folders.await_requests(endpoint, before + 30)
    assert status(url + "/stats/reset", "POST")[0] == 200
    folders.await_requests(endpoint, before + 60)
    with urllib.request.urlopen(url + "/swarmledger-requests.csv", timeout=60) as answer:
        header, *rows = csv.reader(io.StringIO(answer.read().decode(), newline=""))
    assert tuple(header) == FIELDS and rows and all(len(row) == len(FIELDS) for row in rows)
    with urllib.request.urlopen(url + "/stats/requests_full_history/csv", timeout=60) as answer:
        assert answer.read().startswith(b"Timestamp,User Count,")
    with urllib.request.urlopen(url + "/swarmledger-notice", timeout=60) as answer:
        assert b"Nothing is reset" in answer.read()
    post(url, "/stop")
    await_state(url, "stopped")
    sent = endpoint.stats()["requests"] - before
    assert int(folders.total(run)["Request Count"]) == sent == len(folders.rows(run))  # those before the reset, too


def test_who_has_no_password_sees_and_starts_nothing_and_who_has_one_comes_in_and_out(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    more = ("--web-port", port, "--web-login")
    env = environment(SWARMLEDGER_WEB_USERS=f"ada:a secret: with colons\nbob:{HASHED}\n")
    with one_locust(scenario, tmp_path / "run", *more, headless=False, env=env) as process, browser() as chrome:
        until(lambda: listens(port), f"{url} answers")
        chrome.get(url)
        WebDriverWait(chrome, LONGEST_S).until(lambda c: c.find_elements(By.NAME, "username"))
        for name, password in (("ada", "a secret"), ("bob", HASHED), ("eve", "")):
            log_in(chrome, name, password)
            WebDriverWait(chrome, LONGEST_S).until(lambda c: "No user has that name and password" in text(c))
        assert b"window.authArgs" in urllib.request.urlopen(url + "/stats/requests", timeout=60).read()
        with urllib.request.urlopen(url + "/swarm", data=b"user_count=1&spawn_rate=1", timeout=60) as answer:
            assert b"window.authArgs" in answer.read()
        log_in(chrome, "ada", "a secret: with colons")
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "Start new load test" in text(c))
        chrome.save_screenshot(str(tmp_path / "in.png"))
        chrome.find_element(By.LINK_TEXT, "Log out").click()
        WebDriverWait(chrome, LONGEST_S).until(lambda c: c.find_elements(By.NAME, "username"))
        chrome.get(url)
        assert "Start new load test" not in text(chrome)
        log_in(chrome, "bob", "another one")
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "Start new load test" in text(c))
        process.send(signal.SIGTERM)
        assert process.wait() == 0, process.text
    assert not (tmp_path / "run").exists() and "secret" not in process.text and "Traceback" not in process.text


def listens(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def log_in(chrome, name: str, password: str) -> None:
    chrome.find_element(By.NAME, "username").send_keys(name)
    chrome.find_element(By.NAME, "password").send_keys(password)
    press(chrome, "login")


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (
            None,
            "error: --web-login: nobody could log in; set SWARMLEDGER_WEB_USERS, or give --web-users FILE, to a line each, ",
        ),
        ("ada\n", "error: SWARMLEDGER_WEB_USERS, line 1: no `name:password`; write a line each, "),
    ],
)
def test_a_login_that_nobody_could_pass_is_refused(endpoint, tmp_path, users, said):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    more = ("--web-port", free_port(), "--web-login")
    env = environment(SWARMLEDGER_WEB_USERS=users)
    with one_locust(scenario, tmp_path / "run", *more, headless=False, env=env) as process:
        assert process.wait() == 1, process.text
    assert process.errors[0].startswith(said) and "Traceback" not in process.text


def test_after_stop_the_page_shows_by_itself_that_the_run_has_ended(endpoint, tmp_path):
    """Calls of 2 s: for so long Locust is in a state in which its page asks for nothing."""
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("slow")], LOAD)
    port, before = free_port(), endpoint.stats()["requests"]
    url = f"http://127.0.0.1:{port}"
    with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process, browser() as chrome:
        await_page(url)
        chrome.get(url)
        press(chrome, "start")
        folders.await_requests(endpoint, before + 3)
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "RUNNING" in text(c))
        press(chrome, "stop")
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "STOPPED" in text(c))
        process.send(signal.SIGINT)
        assert process.wait() == 4, process.text


def test_with_autostart_one_ctrl_c_ends_the_run_and_the_program(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    before = endpoint.stats()["requests"]
    more = ("--web-port", free_port(), "--autostart")
    with one_locust(scenario, tmp_path / "run", *more, headless=False) as process:
        folders.await_requests(endpoint, before + 20)
        process.send(signal.SIGINT)
        assert process.wait() == 4, process.text
    assert folders.manifest(tmp_path / "run")["status"] == "stopped" and "Traceback" not in process.text
    assert len(folders.rows(tmp_path / "run")) == endpoint.stats()["requests"] - before


def test_the_page_says_that_the_budget_has_ended_the_run(endpoint, tmp_path):
    """A tenth of a cent a second: $0.004 are spent within 4 s."""
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD, budget_usd=0.004)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        one_locust(scenario, tmp_path / "run", "--web-port", port, "--yes", headless=False) as process,
        browser() as chrome,
    ):
        await_page(url)
        chrome.get(url)
        press(chrome, "start")
        notice = lambda c: "The budget (budget_usd) is spent" in c.find_element(By.ID, "swarmledger-notice").text  # noqa: E731
        WebDriverWait(chrome, LONGEST_S).until(notice)
        chrome.save_screenshot(str(tmp_path / "budget.png"))
        process.send(signal.SIGTERM)
        assert process.wait() == 3, process.text
