"""The live document, and the buttons that act on the stage under way: what the page's script asks for."""

import typing

from flask import Response, request

from locustfiles.common.web.locust_ui import add_view

LIVE, STAGE, ANSWER = "/swarmledger/live.json", "/swarmledger/stage", "/swarmledger/answer"
ACTIONS = ("end-after", "skip", "stop")
POST = "it changes the run: send a POST, as the page's buttons do"


def serve(
    web_ui: typing.Any,
    document: typing.Callable[[int], bytes],
    stage_control: typing.Callable[[str], str | None],
    answer: typing.Callable[[int, bool], str | None],
) -> None:
    """document(after) -> JSON, once there is a newer one or a while is over; stage_control(do) and answer(id, yes) -> why it
    cannot be, or None."""

    def live() -> Response:
        after = request.args.get("after", "")
        seq = _number(after)
        if after and seq is None:
            return _said(f"after: `{after[:40]}` is no number; give the `seq` of the last document", 400)
        found = Response(document(-1 if seq is None else seq), mimetype="application/json")
        found.headers["Cache-Control"] = "no-store"
        return found

    def stage() -> Response:
        do = request.form.get("do", "")
        if request.method != "POST":
            return _said(POST, 405)
        if do not in ACTIONS:
            return _said(f"do: `{do[:40]}` is none of {', '.join(ACTIONS)}; use the page's buttons", 400)
        return _told(stage_control(do))

    def answered() -> Response:
        question, yes = _number(request.form.get("id", "")), request.form.get("yes", "")
        if request.method != "POST":
            return _said(POST, 405)
        if question is None or yes not in ("0", "1"):
            return _said("id, yes: a number and 0 or 1; use the page's buttons", 400)
        return _told(answer(question, yes == "1"))

    add_view(web_ui, LIVE, "swarmledger-live", live)
    add_view(web_ui, STAGE, "swarmledger-stage", stage, "GET", "POST")
    add_view(web_ui, ANSWER, "swarmledger-answer", answered, "GET", "POST")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _told(problem: str | None) -> Response:
    return _said("done", 200) if problem is None else _said(problem, 409)


def _said(line: str, status: int) -> Response:
    answer = Response(f"{line}\n", status, mimetype="text/plain")
    if status == 405:
        answer.headers["Allow"] = "POST"
    return answer
