"""The LLM page on Locust's own port: /swarmledger, its files, its runs and their reports."""

import datetime
import functools
import pathlib
import typing

import gevent
from flask import Response, jsonify, make_response, redirect, send_from_directory

from locustfiles.common.web import past_runs
from locustfiles.common.web.files import DOWNLOADS, NO_REPORT, OF_REPORT, Files, Maker, missing
from locustfiles.common.web.locust_ui import add_view, templates
from locustfiles.common.web.past_runs import PastRun

HERE = pathlib.Path(__file__).parent
PATH = "/swarmledger"
#: nothing of others, no script but the files beside this one, in no frame
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CARDS = (
    ("ttft", "Time to first token"),
    ("tpot", "Time per output token"),
    ("latency", "Latency"),
    ("rates", "Throughput"),
    ("errors", "Errors"),
    ("cost", "Cost"),
    ("users", "Load"),
    ("tokens", "Tokens"),
    ("sessions", "Conversations"),  # shown where there are some
)
Answer = Response | str


class Page:
    """Its routes. current() -> the folder of the run under way, else of the last one; home() -> the folder of run folders."""

    def __init__(
        self,
        web_ui: typing.Any,
        current: typing.Callable[[], pathlib.Path | None],
        home: typing.Callable[[], pathlib.Path],
        maker: Maker,
    ) -> None:
        self._current, self._home, self._files = current, home, Files(maker)
        self._logout = bool(web_ui.web_login)
        self._templates = templates()
        for path, view, method in (
            ("", self.live, "GET"),
            ("/", lambda: redirect("../swarmledger"), "GET"),
            ("/static/<name>", lambda name: send_from_directory(HERE / "static", name), "GET"),
            ("/files/<name>", self.file, "GET"),
            ("/runs.json", self.listed, "GET"),
            ("/runs", self.runs, "GET"),
            ("/runs/<run>", self.run, "GET"),
            ("/runs/<run>/report.json", self.report_state, "GET"),
            ("/runs/<run>/report", self.make_report, "POST"),
            ("/runs/<run>/report.html", self.report, "GET"),
            ("/runs/<run>/<name>", self.file_of, "GET"),
        ):
            add_view(web_ui, PATH + path, f"swarmledger-page {path}", view, method, strict_slashes=True)

    # pages
    def live(self) -> Response:
        return self._page(
            "page.html.j2", ".", cards=CARDS, downloads=DOWNLOADS.items(), made=OF_REPORT, folder=self._home()
        )

    def runs(self) -> Response:
        runs = self._listed()
        shown = [run.shown | {"begun": utc(run.started_at)} for run in runs[: past_runs.MOST]]
        return self._page("runs.html.j2", "..", runs=shown, more=len(runs) - len(shown), folder=self._home())

    def run(self, run: str) -> Response:
        def page(found: PastRun) -> Response:
            shown = found.shown | {"begun": utc(found.started_at), "folder": found.path.name}
            return self._page("run.html.j2", "../..", run=shown, files=DOWNLOADS)

        return self._with(run, page)

    # what they ask for
    def listed(self) -> Response:
        return jsonify({"runs": [run.shown for run in self._listed()[: past_runs.MOST]]})

    def file(self, name: str) -> Response:
        path = self._current()
        run = past_runs.past_run(path, path) if path else None
        if run is None:
            return missing("No run has begun yet: start one, then ask again.")
        return self._files.sent(run, name)

    def file_of(self, run: str, name: str) -> Response:
        return self._with(run, lambda found: self._files.sent(found, name))

    def report(self, run: str) -> Response:
        return self._with(run, self._files.report)

    def report_state(self, run: str) -> Response:
        """Of a folder in which no run is yet, none: a page asks as soon as a run begins."""
        found = past_runs.run_named(self._home(), run, self._current())
        return jsonify(self._files.state(found) if found else NO_REPORT)

    def make_report(self, run: str) -> Response:
        def make(found: PastRun) -> Response:
            self._files.make(found)
            return jsonify(self._files.state(found))

        return self._with(run, make)

    def _with(self, name: str, view: typing.Callable[[PastRun], Response]) -> Response:
        current = self._current()
        found = past_runs.run_named(self._home(), name, current)
        return missing(f"{name}: no run of that name in {self._home()}") if found is None else view(found)

    def _listed(self) -> list[PastRun]:
        read = functools.partial(past_runs.past_runs, self._home(), self._current())
        return gevent.get_hub().threadpool.apply(read)  # a thousand folders may take a while

    def _page(self, name: str, up: str, **content: typing.Any) -> Response:
        text = self._templates.get_template(name).render(up=f"{up}/swarmledger", logout=self._logout, **content)
        answer = make_response(text)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cache-Control"] = "no-store"  # a page that was logged out of stays out
        return answer


def utc(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M UTC}"
