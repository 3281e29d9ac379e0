"""Swarmledger inside Locust: its options, and who does what in this process. A locustfile calls `register`."""

import argparse
import functools
import itertools
import logging
import pathlib
import signal
import typing

import gevent
from locust import events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs, load_inputs
from locustfiles.common.recording.joining import Hello
from locustfiles.common.swarm import deployment, guarded_port, log_levels, patient_master, run_token
from locustfiles.common.swarm.gate import Gate
from locustfiles.common.swarm.given_options import remember
from locustfiles.common.swarm.interrupt import interrupt
from locustfiles.common.swarm.introduction import Introduction
from locustfiles.common.swarm.master import Master
from locustfiles.common.swarm.next_run import OURS
from locustfiles.common.swarm.run_uploads import RunUploads
from locustfiles.common.swarm.scenario_follower import keep_time
from locustfiles.common.swarm.scenario_starter import ScenarioStarter
from locustfiles.common.swarm.sending_side import join, own_side
from locustfiles.common.swarm.shape import StageShape
from locustfiles.common.swarm.web_side import begin_web_ui
from locustfiles.common.watching import options as watching_options
from locustfiles.common.web import metrics, start_form
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import usage_error
from locustfiles.contract.exit_codes import BAD_INPUT, STOPPED, complain

COMMAND = "locust -f locustfiles/sweep.py --scenario configs/demo.yaml --run-dir runs/demo --headless"
CALLS_A_PART = 10**9  # more than any process makes: call numbers of a run's parts do not meet
log = logging.getLogger("swarmledger")


def register(services: tuple[str, ...]) -> None:
    """Add Swarmledger's options and listeners to Locust; `services` are those that the locustfile's user sends to."""
    given: dict[str, str] = {}
    events.init_command_line_parser.add_listener(guarded_port.guard)
    events.init_command_line_parser.add_listener(patient_master.use)
    events.init_command_line_parser.add_listener(functools.partial(_add_options, given=given))
    events.init.add_listener(functools.partial(_on_init, services=services, given=given))


def _add_options(parser, given: dict[str, str], **_) -> None:
    add, before = functools.partial(parser.add_argument, include_in_web_ui=False), len(parser._actions)
    add(
        "--scenario",
        default="",
        action=remember(given),
        env_var="SWARMLEDGER_SCENARIO",
        help="The scenario file: targets, payloads, load, prices (YAML)",
    )
    _add_folder_options(add)
    add(
        "--yes",
        action="store_true",
        default=False,
        help="Send even if the run may cost more than the scenario's confirm_above_usd",
    )
    watching_options.add(add)
    _add_web_options(add)

    ours = ", ".join(action.option_strings[0] for action in parser._actions[before:])
    # Locust prints its help before it loads a locustfile: the options that are added here never stand in it
    help_is = f"see locust --help; Swarmledger adds {ours}"

    def error(message: str) -> None:  # Locust's own prints the usage and exits with 2, which means something else here
        known = [option for action in parser._actions for option in action.option_strings]
        _die(usage_error(message, "locust", known, help_is))

    parser.error = error


def _add_folder_options(add: typing.Callable) -> None:
    add(
        "--run-dir",
        default="",
        env_var="SWARMLEDGER_RUN_DIR",
        help="The run folder to make, or s3://BUCKET/PREFIX; default runs/<UTC time>-<scenario>",
    )
    add(
        "--run-encryption",
        default="",
        env_var="SWARMLEDGER_RUN_ENCRYPTION",
        help="Of a run in S3: AES256, aws:kms, or the id or ARN of a KMS key; default: as the bucket encrypts by itself",
    )
    add(
        "--resume",
        action="store_true",
        default=False,
        help="Go on with the run that --run-dir holds: measure the stages that are missing",
    )
    add(
        "--begin-or-resume",
        action="store_true",
        default=False,
        env_var="SWARMLEDGER_BEGIN_OR_RESUME",
        help="Begin the run, or go on with what --run-dir holds of it; fine where it is complete: for what starts again by itself",
    )
    add("--overwrite", action="store_true", default=False, help="Replace a run that --run-dir already holds")


def _add_web_options(add: typing.Callable) -> None:
    add(
        "--web-users",
        default="",
        env_var="SWARMLEDGER_WEB_USERS_FILE",
        help="Who may log in with --web-login: a file of name:password lines; default: the variable SWARMLEDGER_WEB_USERS",
    )
    add(
        "--web-origin",
        action="append",
        default=[],
        env_var="SWARMLEDGER_WEB_ORIGIN",
        help="Where a proxy serves the web UI, as https://load.example.com: else only its own pages may use it",
    )


def _die(message: str) -> None:
    complain(message)
    raise SystemExit(BAD_INPUT)


def _on_init(environment, runner, services: tuple[str, ...], given: dict[str, str], **_) -> None:
    options, path = environment.parsed_options, given.get("scenario", "")
    log_levels.set_levels()
    try:
        run_token.given()
    except BadInput as e:
        _die(str(e))
    gate = Gate(runner) if isinstance(runner, MasterRunner) else None
    introduction, begun = Introduction(environment, runner) if isinstance(runner, WorkerRunner) else None, False
    try:
        watching_options.prepare(options)
        deployment.begin(runner)
        _begin(environment, runner, services, path, gate, introduction)
        deployment.tell(environment)
        if gate:
            gate.open()
            run_token.show(gate.token, options)
        begun = True
    except BadInput as e:
        if introduction:
            introduction.say(Hello("", "", f"worker {runner.client_id}: {e}", again=False), wait_s=2)
            gevent.sleep(0.2)
        _die(str(e))
    except KeyboardInterrupt:  # while the scenario was read: our own handler was not there yet
        complain(f"{path}: stopped before anything was sent; start again")
        raise SystemExit(STOPPED) from None
    finally:
        if not begun:
            if gate:
                patient_master.end_children()
            if uploads := getattr(environment, "uploads", None):
                uploads.close()


def _begin(
    environment, runner, services: tuple[str, ...], path: str, gate: Gate | None, introduction: Introduction | None
) -> None:
    """This process's part: a worker's, or a master's. Raises BadInput."""
    options = environment.parsed_options
    scenario = "" if not options.headless and pathlib.Path(path).is_dir() else path
    if not scenario and (options.headless or options.autostart):  # else one is chosen in the web UI
        raise BadInput(f"--scenario: missing; give the scenario file, as in: {COMMAND}")
    inputs = load_inputs(scenario, services, priced=introduction is None) if scenario else None
    if inputs:
        keep_time(environment, inputs)
    clock, times = Clock(), itertools.count(1)
    gevent.signal_handler(signal.SIGINT, interrupt, environment, times)
    if options.headless and not options.worker:  # Locust's own handler comes after the shape has ended
        gevent.signal_handler(signal.SIGTERM, interrupt, environment, times)
    if introduction:
        join(environment, introduction, services, inputs, clock)
        return
    master = _begin_master(environment, runner, options, inputs, clock, gate)
    if environment.web_ui:
        own = functools.partial(own_side, environment, runner, clock)
        start_form.show(environment.web_ui, ScenarioStarter(master, services, path, own))


def _begin_master(
    environment,
    runner: LocalRunner | MasterRunner,
    options: argparse.Namespace,
    inputs: Inputs | None,
    clock: Clock,
    gate: Gate | None,
) -> Master:
    shape = environment.shape_class
    if not isinstance(shape, StageShape):
        raise BadInput("locustfile: no load shape; import StageShape into it")
    environment.uploads = uploads = RunUploads(options)
    parts = uploads.place(inputs)
    with uploads.attached(environment):
        master = Master(environment, runner, options, shape, inputs, clock, gate)
    master.next_run.uploads = uploads
    if options.metrics_port:
        metrics.listen(options.metrics_host, options.metrics_port, master.metrics_out.scrape)
    if environment.web_ui:
        # Locust's page asks for one otherwise
        environment.host = environment.host or f"{OURS}{inputs.scenario.name if inputs else ''}"
        begin_web_ui(environment.web_ui, master, options)
    if inputs and (worker_side := own_side(environment, runner, clock, inputs)):
        master.worker_side = worker_side
        problems = worker_side.sender.unreachable()
        if sum(len(one.targets) for one in problems) == len(inputs.scenario.targets):  # all; one alone is left out
            raise BadInput(problems[0].text)
        worker_side.sender.count_from(parts * CALLS_A_PART)
        worker_side.join("local")
    return master
