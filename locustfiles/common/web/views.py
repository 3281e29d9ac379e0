"""Locust's own views where its page, under a scenario, would hang, mislead or find nothing."""

import os
import pathlib
import time
import typing

import gevent
from flask import Response, make_response
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_STOPPING

from locustfiles.common.web.locust_ui import add_view

STOPPING = (STATE_CLEANUP, STATE_STOPPING)
REQUESTS = "/swarmledger-requests.csv"
KEPT = "Nothing is reset under a scenario: the run's files are written from these statistics."
SAID_S = 8.0  # for how long the page shows an answer to a button
CHUNK = 2**18


class WebViews:
    """Replaces them. files() -> name -> path of the files of the run under way, else of the last one."""

    def __init__(self, web_ui: typing.Any, files: typing.Callable[[], dict[str, pathlib.Path]]) -> None:
        self._app, self._files = web_ui.app, files
        self._said: list[tuple[float, str]] = []
        views, own = self._app.view_functions, web_ui.auth_required_if_enabled
        self._statistics = views["locust.request_stats"]
        views["locust.request_stats"] = own(self.request_stats)
        views["locust.reset_stats"] = own(self.reset_stats)
        views["locust.request_stats_full_history_csv"] = own(lambda: self.sent("locust_stats_history.csv"))
        add_view(web_ui, REQUESTS, "swarmledger-requests", lambda: self.sent("requests.csv"))
        web_ui.template_args["extended_csv_files"] = [
            {"href": f".{REQUESTS}", "title": "Download requests.csv, as far as it is written"}
        ]

    def said(self) -> list[str]:
        """What was answered to a button a moment ago."""
        return [words for at, words in self._said if time.monotonic() - at < SAID_S]

    def request_stats(self) -> typing.Any:
        """Locust's page asks again only while it reads `running`: in any other state it would show that until it is reloaded."""
        found = self._statistics()
        if not isinstance(found, Response) or not any(f'"{state}"'.encode() in found.data for state in STOPPING):
            return found
        told = found.get_json()
        if told.get("state") in STOPPING:
            told["state"] = STATE_RUNNING
        return self._app.json.response(told)

    def reset_stats(self) -> str:
        self._said = [(time.monotonic(), KEPT)]
        return "ok"

    def sent(self, name: str) -> Response:
        """The whole lines that a file of the run has by now."""
        path = self._files().get(name)
        if path is None or not path.is_file():
            return make_response("No run has begun yet: start one, then ask again.\n", 404)
        return lines_so_far(path, name)


def lines_so_far(path: pathlib.Path, name: str) -> Response:
    """Of a file that grows those with an end, to be kept under a name."""
    size = gevent.get_hub().threadpool.apply(_whole_lines, (path,))
    answer = Response(_some_of(path, size), mimetype="text/csv")
    answer.headers["Content-Length"] = str(size)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _whole_lines(path: pathlib.Path) -> int:
    """How many bytes of a file that grows are lines with an end."""
    with open(path, "rb") as file:
        left = file.seek(0, os.SEEK_END)
        while left > 0:
            begin = max(0, left - CHUNK)
            file.seek(begin)
            if (found := file.read(left - begin).rfind(b"\n")) >= 0:
                return begin + found + 1
            left = begin
    return 0


def _some_of(path: pathlib.Path, size: int) -> typing.Iterator[bytes]:
    with open(path, "rb") as file:
        while size > 0 and (some := file.read(min(CHUNK, size))):
            size -= len(some)
            yield some
