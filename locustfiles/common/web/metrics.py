"""/metrics: what Prometheus asks for, answered with what the observer works out for it. Nothing is worked out between two scrapes."""

import json
import math
import typing

from flask import Flask, Response, request
from flask_login import current_user  # type: ignore[import-untyped]
from gevent.pywsgi import WSGIServer

from locustfiles.common.web.guard import WebGuard
from locustfiles.common.web.locust_ui import address
from locustfiles.contract.bad_input import BadInput

PATH = "/metrics"
KIND = "text/plain; version=0.0.4; charset=utf-8"
HERE = "127.0.0.1"
TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"  # how long it will wait
WAIT_S, MOST_S = 5.0, 30.0  # the first scrape begins the observer, which takes a second or two
SPARE_S = 0.5  # an answer before it gives up
Scrape = typing.Callable[
    [float], bytes | None
]  # (for how long it may take) -> JSON of the text, None: not there by then
Check = typing.Callable[[str, str], bool]


def serve(web_ui: typing.Any, scrape: Scrape, check: Check | None) -> None:
    """On Locust's own port. check(name, password): whether somebody may log in; None: all may read it."""

    def view() -> Response:
        given = request.authorization
        known = check is None or current_user.is_authenticated
        if check and not known and given and given.type == "basic":
            known = check(given.username or "", given.password or "")
        if not known:
            answer = _said("log in, or give the name and password of --web-login as HTTP basic authentication", 401)
            answer.headers["WWW-Authenticate"] = 'Basic realm="swarmledger", charset="UTF-8"'
            return answer
        return _metrics(scrape)

    web_ui.app.add_url_rule(address(web_ui, PATH), "swarmledger-metrics", view, methods=["GET"])


def listen(host: str, port: int, scrape: Scrape) -> WSGIServer:
    """On a port of its own; of this machine alone where no host is named. Raises BadInput."""
    host = host or HERE
    app = Flask(__name__, static_folder=None)
    app.add_url_rule(PATH, "metrics", lambda: _metrics(scrape), methods=["GET"])
    server = WSGIServer((host, port), WebGuard(app, host, ()), log=None)
    try:
        server.start()
    except OSError as e:
        raise BadInput(
            f"--metrics-port {port}: cannot be listened on at {host} ({e.strerror}); give a free port, and a --metrics-host of this machine"
        ) from None
    return server


def _metrics(scrape: Scrape) -> Response:
    text = scrape(_wait_s(request.headers.get(TIMEOUT, "")))
    if text is None:
        answer = _said("not worked out yet: the first answer takes a few seconds; ask again", 503)
        answer.headers["Retry-After"] = "2"
        return answer
    answer = Response(json.loads(text).encode("utf-8", "replace"), content_type=KIND)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wait_s(told: str) -> float:
    try:
        seconds = float(told)
    except ValueError:
        return WAIT_S
    return max(SPARE_S, min(MOST_S, seconds) - SPARE_S) if math.isfinite(seconds) else WAIT_S


def _said(line: str, status: int) -> Response:
    return Response(f"{line}\n", status, mimetype="text/plain")
