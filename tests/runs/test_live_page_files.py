"""The web UI's runs: listed, opened, reported on and downloaded, by those who may, and no file of anybody else's."""

import csv
import http.cookiejar
import io
import json
import signal
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.helpers import folders
from tests.helpers.locust_process import environment, free_port, locust
from tests.helpers.made_run import P4D, START, made_run, streamed, window
from tests.helpers.patience import LONGEST_S, until

HOSTILE = "<b>x&\"'"  # a folder's name has no slash
MODEL = "<b>x</b>&\"'"
LOAD = {"users": [2], "settle_s": 0.3, "measure_s": 60}


def runs_in(home) -> None:
    """Two that ended, one that was killed, one without requests, and folders that are no runs."""
    records = [streamed(i / 2, 0.4, 0.1, 10, prompt_tokens=20, prompt_id=str(i)) for i in range(40)]
    for name in (HOSTILE, "killed", "empty"):
        made_run(home / name, records, [window(1, 0, 20)], targets=[P4D | {"model": MODEL}])
    for name, fields in (
        ("killed", {"status": "running", "ended_at": None, "started_at": START + 60}),
        ("empty", {"status": "failed", "started_at": START + 30}),
    ):
        told = json.loads((home / name / "manifest.json").read_text())
        (home / name / "manifest.json").write_text(json.dumps(told | fields, indent=1))
    (home / "empty" / "requests.csv").unlink()
    (home / "notes").mkdir()
    (home / "an-app").mkdir()
    (home / "an-app" / "manifest.json").write_text('{"name": "an app", "start_url": "/"}')
    (home / "a-file").write_text("")


class Visitor:
    """A browser's part of it: cookies, and no page drawn."""

    def __init__(self, url: str) -> None:
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def ask(self, path: str, data: dict | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        body = None if data is None else urllib.parse.urlencode(data).encode()
        asked = urllib.request.Request(self.url + path, body, headers)
        try:
            with self._opener.open(asked, timeout=LONGEST_S) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, dict(e.headers), e.read().decode()

    def json(self, path: str) -> dict:
        return json.loads(self.ask(path)[2])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("page") / "runs"
    home.mkdir()
    runs_in(home)
    return home


@pytest.fixture(scope="module")
def visitor(endpoint, home):
    """Logged in, at a UI below a path; its own run would be made in the folder of those runs."""
    port = free_port()
    scenario = folders.make_scenario(home.parent, endpoint.url, [folders.sagemaker("quick")], LOAD)
    more = ("--web-port", port, "--web-login", "--web-base-path", "/load")
    arguments = ("-f", "locustfiles/sweep.py", "--scenario", scenario, "--run-dir", home / "now", *more)
    env = environment(SWARMLEDGER_WEB_USERS="ada:a secret")
    with locust(*arguments, output=home.parent / "locust.log", env=env) as process:
        until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the UI answers")
        visitor = Visitor(f"http://127.0.0.1:{port}/load")
        for path in ("/swarmledger", "/swarmledger/runs", "/swarmledger/runs.json", "/swarmledger/files/requests.csv", "/swarmledger/live.json",
                     "/swarmledger/static/live.js", "/swarmledger/runs/killed/requests.csv"):  # fmt: skip
            assert "window.authArgs" in visitor.ask(path)[2]  # Locust's page to log in
        for path in ("/swarmledger/runs/killed/report", "/swarmledger/stage"):
            assert "window.authArgs" in visitor.ask(path, {"do": "stop"})[2]
        visitor.ask("/swarmledger-login", {"username": "ada", "password": "a secret"})
        yield visitor
        process.send(signal.SIGTERM)
        process.wait()
    assert "Traceback" not in process.text


def state(visitor: Visitor, run: str) -> dict:
    return visitor.json(f"/swarmledger/runs/{urllib.parse.quote(run, safe='')}/report.json")


def made(visitor: Visitor, run: str) -> dict:
    until(lambda: state(visitor, run)["state"] in ("made", "failed"), "the report is made")
    return state(visitor, run)


def test_the_pages_allow_no_script_and_no_source_but_their_own_and_offer_the_way_out(visitor):
    for path in ("/swarmledger", "/swarmledger/runs", "/swarmledger/runs/killed"):
        status, told, text = visitor.ask(path)
        assert status == 200 and "swarmledger-logout" in text
        policy = dict(rule.split(" ", 1) for rule in told["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "<script>" not in text and "style=" not in text
    assert visitor.ask("/swarmledger/")[2].count('id="charts"') == 1  # leads to the page without its slash
    assert "javascript" in visitor.ask("/swarmledger/static/live.js")[1]["Content-Type"]


def test_runs_are_listed_newest_first_with_what_they_were_and_their_names_are_texts(visitor):
    runs = visitor.json("/swarmledger/runs.json")["runs"]
    # begun 60 s, 30 s and 0 s after START, 2023-11-14 22:13:20 UTC
    assert [(r["name"], r["status"], r["report"]) for r in runs] == [
        ("killed", "broken off", False), ("empty", "failed", False), (HOSTILE, "complete", False),
    ]  # fmt: skip
    page = visitor.ask("/swarmledger/runs")[2]
    assert "2023-11-14 22:14 UTC" in page
    assert "<b>x" not in page and "&lt;b&gt;x&amp;&#34;&#39;</a>" in page
    opened = visitor.ask(f"/swarmledger/runs/{runs[2]['quoted']}")[2]
    assert "<b>x" not in opened and "<h1>&lt;b&gt;x&amp;&#34;&#39;</h1>" in opened


@pytest.mark.parametrize(
    "path",
    ["runs/..", "runs/%2e%2e", "runs/%2E/manifest.json", "runs/../scenario.yaml", "runs/..%2Fscenario.yaml/manifest.json",
     "runs/notes",
        "runs/an-app/manifest.json", "runs/a-file", "runs/%00", "runs/killed/..%2F..%2Fscenario.yaml", "runs/killed/%2e%2e", "runs/gone/report.html",
     "static/..%2Fpage.py", "static/%2e%2e/page.py", "files/..%2Fscenario.yaml", "files/page.py", "files/requests.csv"],
)  # fmt: skip
def test_what_is_no_run_or_no_file_of_one_is_not_found(visitor, path):
    assert visitor.ask(f"/swarmledger/{path}")[0] == 404


def test_a_report_is_made_once_for_all_who_ask_and_gets_nothing_of_the_page_around_it(visitor, home):
    quoted = urllib.parse.quote(HOSTILE, safe="")
    assert state(visitor, HOSTILE) | {"for_s": None} == {
        "state": "none", "for_s": None, "error": None, "made_at": None, "fresh": False
    }  # fmt: skip
    assert visitor.ask(f"/swarmledger/runs/{quoted}/report.html")[0] == 404
    assert visitor.ask(f"/swarmledger/runs/{quoted}/report", {}, Origin="https://elsewhere.example")[0] == 403
    assert state(visitor, HOSTILE)["state"] == "none"
    for _ in range(2):
        assert json.loads(visitor.ask(f"/swarmledger/runs/{quoted}/report", {})[2])["state"] in ("waiting", "making")
    assert made(visitor, HOSTILE) | {"for_s": None, "made_at": 0} == {
        "state": "made", "for_s": None, "error": None, "made_at": 0, "fresh": True
    }  # fmt: skip
    made_at = (home / HOSTILE / "report" / "report.html").stat().st_mtime
    status, told, text = visitor.ask(f"/swarmledger/runs/{quoted}/report.html")
    assert status == 200 and "sandbox allow-scripts;" in told["Content-Security-Policy"]
    assert "default-src 'none'" in told["Content-Security-Policy"]
    assert "&lt;b&gt;x&lt;/b&gt;" in text and "<b>x</b>" not in text
    status, told, text = visitor.ask(f"/swarmledger/runs/{quoted}/steps.csv")
    assert told["Content-Disposition"].startswith("attachment") and "steps.csv" in told["Content-Disposition"]
    # 40 requests begun in [0, 20) s, 0.5 s apart
    assert [(r["target"], r["requests"]) for r in csv.DictReader(io.StringIO(text))] == [("p4d", "40")]
    assert (home / HOSTILE / "report" / "report.html").stat().st_mtime == made_at  # nothing new came: not made again


def test_of_a_run_that_goes_on_or_was_killed_the_report_lies_aside_and_is_there_to_be_seen(visitor, home):
    before = time.time()
    status, told, text = visitor.ask("/swarmledger/runs/killed/steps.csv")  # waits until it is made
    assert status == 200 and len(list(csv.DictReader(io.StringIO(text)))) == 1
    assert not (home / "killed" / "report").exists()
    assert state(visitor, "killed")["made_at"] > before - 1
    assert "&lt;b&gt;x&lt;/b&gt;" in visitor.ask("/swarmledger/runs/killed/report.html")[2]
    records = visitor.ask("/swarmledger/runs/killed/requests.csv")
    assert records[1]["Content-Disposition"] == "attachment; filename=killed-requests.csv"
    assert records[2] == (home / "killed" / "requests.csv").read_text()


def test_where_no_report_can_be_made_the_page_is_told_why(visitor):
    visitor.ask("/swarmledger/runs/empty/report", {})
    told = made(visitor, "empty")
    assert told["state"] == "failed" and "no requests.csv in it, nothing was sent" in told["error"]
    status, _, text = visitor.ask("/swarmledger/runs/empty/report.html")
    assert status == 404 and "there is no report of it yet" in text
