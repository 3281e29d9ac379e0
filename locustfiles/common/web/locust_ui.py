"""Locust's web UI as we add to it: views behind its login, something at the end of its page, and pages of our own templates."""

import pathlib
import typing

import jinja2

TEMPLATES = pathlib.Path(__file__).parent / "templates"


def address(web_ui: typing.Any, path: str) -> str:
    """Of a path, below where the UI is served."""
    return f"{web_ui.environment.parsed_options.web_base_path or ''}{path}"


def add_view(
    web_ui: typing.Any, path: str, name: str, view: typing.Callable, *methods: str, **rule: typing.Any
) -> None:
    """For those who are logged in, where that is asked for. methods: GET alone, if none is named; rule: of werkzeug's Rule."""
    own = web_ui.auth_required_if_enabled(view)
    web_ui.app.add_url_rule(address(web_ui, path), name, own, methods=methods or ("GET",), **rule)


def add_to_page(web_ui: typing.Any, html: str) -> None:
    """At the end of Locust's own page."""
    views = web_ui.app.view_functions
    page = views["locust.index"]

    def page_with_it() -> typing.Any:
        answer = page()
        return answer.replace("</body>", f"{html}</body>") if isinstance(answer, str) else answer  # else to the login

    views["locust.index"] = page_with_it


def templates() -> jinja2.Environment:
    """What is put into them is escaped; a name that is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
