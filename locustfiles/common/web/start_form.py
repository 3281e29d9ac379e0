"""The start form: which scenario, seen before it starts, and which run name."""

import pathlib
import typing

import gevent
import gevent.lock
from flask import Response, jsonify, make_response, redirect, request

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.web.locust_ui import add_to_page, add_view, templates
from locustfiles.common.web.scenario_view import described
from locustfiles.common.web.scenarios import Listing
from locustfiles.contract.bad_input import BadInput

PATH = "/swarmledger"
SCRIPT = f'<script type="module" src=".{PATH}/static/locust_form.js"></script>'
LATER = "a run is under way: what this scenario asks for is shown when that has ended"


class Starter(typing.Protocol):
    """What the form does, in the process that runs."""

    given: str

    @property
    def chosen(self) -> Inputs | None: ...
    @property
    def busy(self) -> str | None: ...
    def load(self, file: str) -> Inputs: ...
    def folder(self, inputs: Inputs) -> pathlib.Path: ...
    def choose(self, file: str) -> None: ...
    def start(self, file: str, name: str) -> pathlib.Path: ...


class StartForm:
    """Its routes."""

    def __init__(self, web_ui: typing.Any, starter: Starter) -> None:
        self._starter, self._listing = starter, Listing(starter.given)
        self._one_at_a_time = gevent.lock.BoundedSemaphore()
        self._templates = templates()
        for path, view, method in (
            ("/scenarios", self.scenarios, "GET"),
            ("/scenario", self.scenario, "GET"),
            ("/start", self.start, "POST"),
        ):
            add_view(web_ui, PATH + path, f"swarmledger{path}", view, method)

    def scenarios(self) -> Response:
        """What can be chosen, and what is."""
        chosen = self._starter.chosen
        return jsonify(
            {
                "scenarios": self._files(),
                "folder": str(self._listing.folder),
                "chosen": str(chosen.scenario_file) if chosen else None,
                "busy": self._starter.busy,
            }
        )

    def scenario(self) -> Response:
        """Of one file: what it asks for, else the line that the command line would end with. `html=1`: and as the form shows it."""
        file, found = request.args.get("file", ""), dict[str, typing.Any]()
        try:
            inputs = self._inputs(file)
            found = {"error": None, "folder": str(self._starter.folder(inputs))} | described(inputs)
        except BadInput as e:
            found = {"error": str(e), "file": file}
        if request.args.get("html"):
            found["html"] = self._templates.get_template("scenario.html.j2").render(found=found)
        return jsonify(found)

    def start(self) -> Response:
        """Choose, and start; `begin=0`: choose alone, for Locust's own Start."""
        file, name = request.form.get("file", ""), request.form.get("name", "").strip()
        folder = None
        try:
            self._offered(file)
            if request.form.get("begin") == "0":
                self._starter.choose(file)
            else:
                folder = str(self._starter.start(file, name))
        except BadInput as e:
            status = 200 if request.form.get("page") else 409  # a browser would report a failure of its own
            return make_response(jsonify({"error": str(e)}), status)
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            return typing.cast(Response, redirect("../swarmledger"))
        return jsonify({"error": None, "folder": folder, "scenario": file})

    def _files(self) -> list[str]:
        return gevent.get_hub().threadpool.apply(self._listing.files)  # a slow disk stops nothing else

    def _offered(self, file: str) -> None:
        """Raises BadInput for a file that is not: who may start runs may not read everything that this process may."""
        if file not in self._files():
            raise BadInput(
                f"{file or 'scenario'}: is not among those offered; choose one of them, or give it as --scenario"
            )

    def _inputs(self, file: str) -> Inputs:
        """Raises BadInput."""
        self._offered(file)
        chosen = self._starter.chosen
        with self._one_at_a_time:
            if not self._starter.busy:  # reading and tokenising takes the processor from what is measured
                return self._starter.load(file)
        if chosen is None or str(chosen.scenario_file) != str(pathlib.Path(file)):
            raise BadInput(LATER)
        return chosen


def show(web_ui: typing.Any, starter: Starter) -> None:
    """Add it to the web UI."""
    StartForm(web_ui, starter)
    add_to_page(web_ui, SCRIPT)
