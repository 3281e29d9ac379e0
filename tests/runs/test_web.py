"""The web UI in a real browser: start, stop in mid-run, start again; Ctrl-C with the page open."""

import pathlib
import re
import signal
import time

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.helpers import folders
from tests.helpers.browser import browser
from tests.helpers.locust_page import await_page, await_state, post, press, press_new, refused, text
from tests.helpers.locust_process import cluster, free_port, one_locust
from tests.helpers.patience import LONGEST_S, until

TARGETS = [folders.sagemaker("often-throttled"), folders.sagemaker("quick")]
LOAD = {"users": [2, 4], "settle_s": 0.3, "measure_s": 30}


def await_closed(run: pathlib.Path) -> None:
    file = run / "manifest.json"
    until(lambda: file.exists() and folders.manifest(run)["ended_at"] is not None, f"{run} is closed")


def assert_apart(first: pathlib.Path, second: pathlib.Path, sent: int) -> None:
    """Two whole runs: no request is in both, none is in neither."""
    runs = [(folders.rows(f), folders.manifest(f)) for f in (first, second)]
    assert sum(len(found) for found, _ in runs) == sent
    ids = [{r.request_id for r in found} for found, _ in runs]
    assert not ids[0] & ids[1]
    assert runs[0][1]["run_id"] != runs[1][1]["run_id"]
    for folder, (found, manifest) in zip((first, second), runs, strict=True):
        assert found and (manifest["status"], manifest["problems"]) == ("stopped", [])
        assert all(manifest["started_at"] - 0.1 <= r.started_at <= manifest["ended_at"] for r in found)
        assert int(folders.total(folder)["Request Count"]) == len(found)
        assert (
            sum(w["received"] for w in manifest["workers"])
            == sum(w["produced"] for w in manifest["workers"])
            == len(found)
        )
        assert not any(r.error == "cancelled" for r in found)


def test_start_stop_and_start_again_in_a_browser_make_two_runs_that_are_never_mixed(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process, browser() as chrome:
        await_page(url)
        chrome.get(url)
        press(chrome, "start")
        folders.await_requests(endpoint, before + 40)
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "on-often-throttled prompts @2" in text(c))
        chrome.save_screenshot(str(tmp_path / "statistics.png"))
        chrome.find_element(
            By.XPATH, "//*[@role='tab'][contains(translate(., 'FAILURES', 'failures'), 'failures')]"
        ).click()
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "throttled: ThrottlingException" in text(c))
        chrome.save_screenshot(str(tmp_path / "failures.png"))
        press(chrome, "stop")
        await_closed(tmp_path / "run")
        first = endpoint.stats()["requests"] - before
        assert len(folders.rows(tmp_path / "run")) == first
        await_state(url, "stopped")
        press_new(chrome)
        press(chrome, "start")
        folders.await_requests(endpoint, before + first + 30)
        process.send(signal.SIGINT)  # Ctrl-C with the page open
        assert process.wait() == 4, process.text
    assert_apart(tmp_path / "run", tmp_path / "run-2", endpoint.stats()["requests"] - before)
    assert "Traceback" not in process.text


def test_start_stop_and_start_again_with_workers_make_two_runs_that_are_never_mixed(endpoint, tmp_path):
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(tmp_path, endpoint.url, TARGETS, LOAD)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with cluster(scenario, tmp_path / "run", "--web-host", "127.0.0.1", "--web-port", port, headless=False) as crew:
        crew.master.until("2 workers connected")
        assert post(url, "/swarm", user_count=1, spawn_rate=1)["success"]
        folders.await_requests(endpoint, before + 40)
        assert post(url, "/stop")["success"]
        await_closed(tmp_path / "run")
        first = endpoint.stats()["requests"] - before
        assert len(folders.rows(tmp_path / "run")) == first
        time.sleep(0.3)  # a person's second click; the workers are not ready for another run yet
        again = lambda: post(url, "/swarm", user_count=1, spawn_rate=1) and (tmp_path / "run-2").exists()  # noqa: E731
        until(again, lambda: crew.text()[-3000:], every_s=0.5)
        folders.await_requests(endpoint, before + first + 60)
        crew.interrupt()
        assert crew.wait() == (4, [0, 0]), crew.text()
    assert_apart(tmp_path / "run", tmp_path / "run-2", endpoint.stats()["requests"] - before)
    for name in ("run", "run-2"):
        measured = [r for r in folders.rows(tmp_path / name) if r.phase == "measure" and r.users == 2]
        assert len({r.worker for r in measured}) == 2  # both workers took part in both runs
    assert "Traceback" not in crew.text()


def test_the_page_says_why_a_start_was_refused_and_asks_for_no_host(endpoint, tmp_path):
    """$0.001 a second for at least half a minute, above a thousandth of a dollar: the page asks, and is told not to send."""
    before = endpoint.stats()["requests"]
    scenario = folders.make_scenario(
        tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD, confirm_above_usd=0.001
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process, browser() as chrome:
        await_page(url)
        chrome.get(url)
        WebDriverWait(chrome, LONGEST_S).until(lambda c: "Start new load test" in text(c))
        assert "host attribute" not in text(chrome)
        fields = chrome.find_elements(By.CSS_SELECTOR, "input[name=userCount], input[name=host], input[name=runTime]")
        assert len(fields) == 3 and not any(field.is_displayed() for field in fields)
        WebDriverWait(chrome, LONGEST_S).until(lambda c: f"Start begins {scenario}" in text(c))
        assert not chrome.find_element(By.ID, "swarmledger-notice").is_displayed()
        press(chrome, "start")
        question = r"The run may cost \$0\.\d\d+, above \$0\.001\. This run takes about 2 min, .+ Go on\?"
        WebDriverWait(chrome, LONGEST_S).until(lambda c: re.search(question, text(c)))
        chrome.save_screenshot(str(tmp_path / "asks.png"))
        press(chrome, "do not send")
        notice = "Refused: confirm_above_usd: not confirmed, nothing but first calls was sent; answer yes, or add --yes"
        WebDriverWait(chrome, LONGEST_S).until(
            lambda c: re.fullmatch(notice, c.find_element(By.ID, "swarmledger-notice").text)
        )
        await_state(url, "stopped")
        chrome.get(url)  # and still says so when it is opened anew
        WebDriverWait(chrome, LONGEST_S).until(lambda c: c.find_element(By.ID, "swarmledger-notice").is_displayed())
        chrome.save_screenshot(str(tmp_path / "refused.png"))
        process.send(signal.SIGTERM)
        assert process.wait() == 1, process.text
    assert process.text.rstrip().splitlines()[-1] == process.errors[0] and len(process.errors) == 1
    assert endpoint.stats()["requests"] - before == 1  # the first call


def test_a_folder_used_meanwhile_refuses_the_run_and_the_next_start_says_so_again(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], LOAD)
    port, before = free_port(), endpoint.stats()["requests"]
    url = f"http://127.0.0.1:{port}"
    with one_locust(scenario, tmp_path / "run", "--web-port", port, headless=False) as process:
        await_page(url)
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "manifest.json").write_text("{}")
        post(url, "/swarm", user_count=1, spawn_rate=1)
        process.until(": already holds a run; choose another --run-dir, or add --resume or --overwrite")
        await_state(url, "stopped")
        assert ": already holds a run" in refused(url)
        (tmp_path / "run" / "manifest.json").unlink()
        post(url, "/swarm", user_count=1, spawn_rate=1)
        folders.await_requests(endpoint, before + 20)
        assert refused(url) is None
        process.send(signal.SIGTERM)
        assert process.wait() == 1, process.text  # one start was refused
    assert folders.manifest(tmp_path / "run")["status"] == "stopped"
    assert len(folders.rows(tmp_path / "run")) == endpoint.stats()["requests"] - before
