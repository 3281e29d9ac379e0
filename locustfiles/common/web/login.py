"""--web-login: who may log in to the web UI, from an environment variable or a file; Locust brings the page and leaves the rest open."""

import argparse
import hmac
import os
import pathlib
import secrets
import typing

import flask_login  # type: ignore[import-untyped]
import gevent
import gevent.lock
from flask import redirect, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from locustfiles.common.web.locust_ui import address
from locustfiles.contract.bad_input import BadInput

VARIABLE = "SWARMLEDGER_WEB_USERS"
LOGIN, LOGOUT = "/swarmledger-login", "/swarmledger-logout"
WRONG_S = 1.0  # an answer to a wrong password takes that long
Check = typing.Callable[[str, str], bool]
HASHED = ("scrypt:", "pbkdf2:")  # as werkzeug.security.generate_password_hash writes them
WHAT = "a line each, `name:password`, the password plain or as werkzeug's generate_password_hash writes it"


class User(flask_login.UserMixin):
    """Who is logged in; `id` is the name."""

    def __init__(self, name: str) -> None:
        self.id = name


def users_of(options: argparse.Namespace) -> dict[str, str]:
    """name -> password. Raises BadInput where there is none."""
    if options.web_users:
        place = f"--web-users {options.web_users}"
        try:
            text = pathlib.Path(options.web_users).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as e:
            reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
            raise BadInput(f"{place}: cannot be read ({reason}); give a file with {WHAT}") from None
    else:
        place, text = VARIABLE, os.environ.get(VARIABLE, "")
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, password = line.strip().partition(":")
        if line.strip() and not (name and colon and password):
            raise BadInput(f"{place}, line {number}: no `name:password`; write {WHAT}")
        if name:
            found[name] = password
    if not found:
        raise BadInput(f"--web-login: nobody could log in; set {VARIABLE}, or give --web-users FILE, to {WHAT}")
    return found


def use(web_ui: typing.Any, users: dict[str, str]) -> Check:
    """Let these log in, and out. Returns (name, password) -> whether it is one of theirs."""
    app = web_ui.app
    app.secret_key = secrets.token_hex(32)  # who was logged in before a restart logs in again
    app.config.update(SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_SECURE=bool(web_ui.tls_cert))
    web_ui.auth_args = {"username_password_callback": address(web_ui, LOGIN)}
    web_ui.login_manager.user_loader(lambda name: User(name) if name in users else None)
    check = _checker(users)

    def login() -> typing.Any:
        name, password = request.form.get("username", ""), request.form.get("password", "")
        if check(name, password):
            flask_login.login_user(User(name))
            return redirect(url_for("locust.index"))
        session["auth_error"] = "No user has that name and password."
        return redirect(url_for("locust.login"))

    def logout() -> typing.Any:
        flask_login.logout_user()
        return redirect(url_for("locust.login"))

    app.add_url_rule(address(web_ui, LOGIN), "swarmledger-login", login, methods=["POST"])
    app.add_url_rule(address(web_ui, LOGOUT), "swarmledger-logout", logout)
    return check


def _right(known: str, given: str) -> bool:
    if known.startswith(HASHED):
        return check_password_hash(known, given)
    return hmac.compare_digest(known.encode(), given.encode())


def _checker(users: dict[str, str]) -> Check:
    """(name, password) -> whether it is one of theirs."""
    # a name that nobody has takes as long as one that somebody has
    unknown = generate_password_hash(secrets.token_hex(16))
    one_at_a_time = gevent.lock.BoundedSemaphore()  # who guesses takes no more than a core's part from the load

    key, known = (
        secrets.token_bytes(32),
        set[bytes](),
    )  # of what was right: a scrape that comes every few seconds is hashed once

    def check(name: str, password: str) -> bool:
        mark = hmac.digest(key, f"{len(name)} {name} {password}".encode(errors="replace"), "sha256")
        if mark in known:
            return True
        with one_at_a_time:  # in a thread: a hash takes a tenth of a second, in which no answer would be stamped
            right = gevent.get_hub().threadpool.apply(_right, (users.get(name, unknown), password))
        if right:
            known.add(mark)
        else:
            gevent.sleep(WRONG_S)
        return right

    return check
