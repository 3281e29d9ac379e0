"""What /swarmledger/live.json answers, made by hand: with names of anybody's in every place, or with nothing known."""

import contextlib
import functools
import pathlib
import threading
import types

import flask
from werkzeug.serving import make_server

from locustfiles.common.watching.report_maker import ReportMaker
from locustfiles.common.web.page import Page

AT = 1_764_367_200.0


def load(name: str, folder: str) -> dict:
    """A stage under way, with `name` wherever a text of others stands."""
    return {
        "at": AT, "state": "running", "scenario": {"file": name, "name": name},
        "run": {"name": name, "folder": folder, "id": "r1", "status": "running", "started_at": AT - 60, "ended_at": None,
                "elapsed_s": 60.0, "left_s": 60.0, "planned_s": 120.0, "stages_planned": 2, "stages_done": 1, "requests": 1234,
                "failed": 0, "exit_code": None, "ahead": name},
        "stage": {"stage": 2, "place": 2, "target": name, "payload": name, "users": None, "rate": 2.5, "due": "requests", "repeat": 1,
                  "phase": "measure", "phase_began_at": AT - 10, "progress": 0.25, "left_s": 30.0, "at_most_s": 90.0},
        "users": {"planned": 8, "running": 8, "in_flight": None},
        "spend": {"usd": 0.0123, "budget_usd": 1.0, "left_usd": 0.9877},
        "workers": [{"worker": name, "host": name + name, "users": 4, "in_flight": None, "cpu": 0.91, "lag_ms": 1.24, "heard_s_ago": None}],
        "asks": {"text": name, "id": 7}, "told": {"refused": name, "mind": [name]}, "ending": None,
    }  # fmt: skip


def figures(name: str) -> dict:
    """Of that stage: percentiles of TTFT are known, none of the time per output token."""
    unknown = dict.fromkeys(("tpot_p50_ms", "tpot_p95_ms", "cache_read_share", "usd_per_10k", "output_tokens_per_s"))
    stage = unknown | {
        "stage": 2, "measured_s": 12.34, "requests": 1234, "successes": 1234, "failures": 0, "errors": [[name, 3]],
        "error_rate": 0.0, "throttle_share": 0.00001, "requests_per_s": 100.0, "prompt_tokens_mean": 212.4,
        "completion_tokens_mean": 23.96, "latency_p50_s": 1.2345, "latency_p50_s_low": 1.2, "latency_p50_s_high": 1.3,
        "latency_p95_s": 2.0, "latency_p95_s_low": 1.9, "latency_p95_s_high": None, "ttft_p50_s": 0.08314,
        "n": {"latency": 1234, "ttft": 1234, "tpot": None}, "cost_reason": name, "verdict": "SUSPECT", "reasons": [name],
        "slo": "undecided", "judged": "its 1,234 requests",
    }  # fmt: skip
    row = {"stage": 1, "target": name, "model": name, "payload": name, "users": 1, "rate": None, "repeat": 1, "requests": 60,
           "errors": name, "error_rate": 0.05, "verdict": "INVALID", "reasons": name, "slo": "missed", "slo_failed": name,
           "ended_by": name, "window_s": 30.0, "ttft_p50_s": None, "latency_p50_s": 0.5, "latency_p50_low_s": 0.4,
           "latency_p50_high_s": 0.6, "usd_per_10k_transactions": 4.217}  # fmt: skip
    series = {"every_s": 2.0, "from": AT - 60, "t": [AT - 50, AT - 48, AT - 46], "ttft_p50_s": [0.1, None, 0.2],
              "usd": [0.0, 0.001, 0.002], "failures_per_s": [0, 0, 0], "stages": [[1, AT - 55, AT - 25], [2, AT - 15, None]]}  # fmt: skip
    return {"at": AT - 0.5, "run": "r1", "stage": stage, "stages": [row], "series": series, "ended": None}


@contextlib.contextmanager
def served(document: dict, home: pathlib.Path):
    """The page's address, fed with that document."""
    app, options = flask.Flask("page"), types.SimpleNamespace(web_base_path="")
    web_ui = types.SimpleNamespace(
        app=app,
        environment=types.SimpleNamespace(parsed_options=options),
        web_login=False,
        auth_required_if_enabled=own,
    )
    Page(web_ui, lambda: None, lambda: home, ReportMaker())
    app.add_url_rule("/swarmledger/live.json", "live", lambda: {"version": 1, "seq": 1, **document})
    app.add_url_rule("/swarmledger/answer", "answer", lambda: ("no such question\n", 409), methods=["POST"])
    app.add_url_rule("/swarmledger/<path:rest>", "rest", lambda rest: {}, methods=["GET", "POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/swarmledger"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def own(view):
    """As Locust's own `auth_required_if_enabled` is without --web-login: each view a function of its own."""

    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        return view(*args, **kwargs)

    return wrapper
