"""Whose requests the web UI answers: those of its own pages.

Any web page can make a browser send requests to this machine, so that a foreign one could start a run that is paid for, or read
its statistics: Locust allows that to all. What is no browser sends no Origin, and is answered.
"""

import typing
import urllib.parse

HERE = ("localhost", "127.0.0.1", "::1")
OF_OTHERS = ("cross-site", "same-site")  # same-site: another port of this machine
Headers = list[tuple[str, str]]


def open_to_all(bound_to: str, login: bool) -> str | None:
    """A line where others than this machine reach a web UI without logging in; None where they do not."""
    if login or bound_to in HERE:
        return None
    return (
        f"Web UI: whoever reaches {bound_to or 'this machine'} on its port can start and stop runs that are paid for, and read their "
        "figures; add --web-login, or leave --web-host out"
    )


class WebGuard:
    """WSGI in front of Locust's: 403 for what is not its own. origins: those of a proxy, `https://load.example.com`."""

    def __init__(self, app: typing.Callable, bound_to: str, origins: typing.Collection[str]) -> None:
        self._app, self._here, self._origins = app, bound_to in HERE, origins

    def __call__(self, environ: dict[str, typing.Any], start_response: typing.Callable) -> typing.Iterable[bytes]:
        if why := self._refusal(environ):
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{why}\n".encode()]

        def start(status: str, headers: Headers, exc_info: typing.Any = None) -> typing.Any:
            own = [h for h in headers if not h[0].lower().startswith("access-control-")]
            return start_response(status, own, exc_info) if exc_info else start_response(status, own)

        return self._app(environ, start)

    def _refusal(self, environ: typing.Mapping[str, typing.Any]) -> str | None:
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        named = urllib.parse.urlsplit(f"//{host}").hostname
        known = {urllib.parse.urlsplit(one).netloc for one in self._origins}
        if self._here and named and named not in HERE and host not in known:
            return (  # a foreign name that was made to lead here
                "the web UI is for this machine alone and is asked for by another name; open it as http://127.0.0.1, or give "
                "--web-host and, behind a proxy, --web-origin"
            )
        if origin is not None:
            same = urllib.parse.urlsplit(origin).netloc == host and origin != "null"
            foreign = not same and origin not in self._origins
        else:
            reads = environ.get("REQUEST_METHOD") in ("GET", "HEAD")
            opened = reads and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"  # a link to the UI's own page
            foreign = environ.get("HTTP_SEC_FETCH_SITE") in OF_OTHERS and not opened
        if foreign:
            return (
                "a page of another origin may not use this web UI; open the UI itself, behind a proxy with --web-origin"
            )
        return None
