"""Swarmledger inside Locust: its options, and who does what in this process. A locustfile calls `register`."""

import argparse
import functools
import itertools
import logging
import signal
import typing

import gevent
import locust.runners
from locust import events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs, load_inputs
from locustfiles.common.planning.plan import STOP_S
from locustfiles.common.recording.begun_manifest import default_path
from locustfiles.common.recording.joining import Hello
from locustfiles.common.recording.resume import parts_so_far
from locustfiles.common.swarm import guarded_port, patient_master, run_token
from locustfiles.common.swarm.gate import Gate
from locustfiles.common.swarm.interrupt import interrupt
from locustfiles.common.swarm.introduction import Introduction
from locustfiles.common.swarm.link_to_master import MasterLink
from locustfiles.common.swarm.master import Master
from locustfiles.common.swarm.shape import StageShape
from locustfiles.common.swarm.worker import Worker
from locustfiles.common.watching import options as watching_options
from locustfiles.common.watching.report_maker import ReportMaker
from locustfiles.common.web import live_json, login, notice
from locustfiles.common.web.guard import WebGuard
from locustfiles.common.web.page import Page
from locustfiles.common.web.views import WebViews
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import usage_error
from locustfiles.contract.exit_codes import BAD_INPUT, OK, STOPPED, complain
from locustfiles.contract.run_folder import RunFolder

COMMAND = "locust -f locustfiles/sweep.py --scenario configs/demo.yaml --run-dir runs/demo --headless"
REPORT_INTERVAL_S = 1.0
CALLS_A_PART = 10**9  # more than any process makes: call numbers of a run's parts do not meet
log = logging.getLogger("swarmledger")


def register(services: tuple[str, ...]) -> None:
    """Add Swarmledger's options and listeners to Locust; `services` are those that the locustfile's user sends to."""
    given: dict[str, str] = {}
    events.init_command_line_parser.add_listener(guarded_port.guard)
    events.init_command_line_parser.add_listener(patient_master.use)
    events.init_command_line_parser.add_listener(functools.partial(_add_options, given=given))
    events.init.add_listener(functools.partial(_on_init, services=services, given=given))


def _remember(given: dict[str, str]) -> type[argparse.Action]:
    """Stores an option and notes it in `given`: the users that a master asks for may reach a worker before its `init`, and
    bring the master's options with them."""

    class Remember(argparse.Action):
        def __call__(self, parser, namespace, values, option_string=None) -> None:
            setattr(namespace, self.dest, values)
            given[self.dest] = values

    return Remember


def _add_options(parser, given: dict[str, str], **_) -> None:
    add, before = functools.partial(parser.add_argument, include_in_web_ui=False), len(parser._actions)
    add(
        "--scenario",
        default="",
        action=_remember(given),
        env_var="SWARMLEDGER_SCENARIO",
        help="The scenario file: targets, payloads, load, prices (YAML)",
    )
    add(
        "--run-dir",
        default="",
        env_var="SWARMLEDGER_RUN_DIR",
        help="The run folder to make; default runs/<UTC time>-<scenario>",
    )
    add(
        "--resume",
        action="store_true",
        default=False,
        help="Go on with the run that --run-dir holds: measure the stages that are missing",
    )
    add(
        "--yes",
        action="store_true",
        default=False,
        help="Send even if the run may cost more than the scenario's confirm_above_usd",
    )
    add("--overwrite", action="store_true", default=False, help="Replace a run that --run-dir already holds")
    _add_web_options(add)
    watching_options.add(add)

    ours = ", ".join(action.option_strings[0] for action in parser._actions[before:])
    # Locust prints its help before it loads a locustfile: the options that are added here never stand in it
    help_is = f"see locust --help; Swarmledger adds {ours}"

    def error(message: str) -> None:  # Locust's own prints the usage and exits with 2, which means something else here
        known = [option for action in parser._actions for option in action.option_strings]
        _die(usage_error(message, "locust", known, help_is))

    parser.error = error


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
    options, scenario = environment.parsed_options, given.get("scenario", "")
    logging.getLogger("botocore").setLevel(logging.INFO)  # below, it prints session tokens
    # what it warns of, with a traceback, it raises as well
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    logging.getLogger("urllib3").setLevel(logging.INFO)
    logging.getLogger("swarmledger").setLevel(logging.INFO)  # its few lines are the progress in CI
    gate = Gate(runner) if isinstance(runner, MasterRunner) else None
    introduction, begun = Introduction(environment, runner) if isinstance(runner, WorkerRunner) else None, False
    try:
        watching_options.prepare(options)
        if not scenario:
            raise BadInput(f"--scenario: missing; give the scenario file, as in: {COMMAND}")
        inputs = load_inputs(scenario, services)
        environment.stop_timeout = inputs.scenario.request_timeout_s + STOP_S
        clock = Clock()
        times = itertools.count(1)
        gevent.signal_handler(signal.SIGINT, interrupt, environment, times)
        if options.headless and not options.worker:  # Locust's own handler comes after the shape has ended
            gevent.signal_handler(signal.SIGTERM, interrupt, environment, times)
        if introduction:
            _begin_worker(environment, introduction, inputs, clock)
        else:
            _begin_master(environment, runner, options, inputs, clock, gate)
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
        complain(f"{scenario}: stopped before anything was sent; start again")
        raise SystemExit(STOPPED) from None
    finally:
        if gate and not begun:
            patient_master.end_children()


def _begin_worker(environment, introduction: Introduction, inputs: Inputs, clock: Clock) -> None:
    runner = introduction.runner
    # while a worker stops its users it hears no heartbeat of the master's, for up to twice the timeout
    locust.runners.MASTER_HEARTBEAT_TIMEOUT = max(60, 2 * environment.stop_timeout + 60)
    locust.runners.WORKER_REPORT_INTERVAL = REPORT_INTERVAL_S
    worker_side = environment.swarmledger = Worker(environment, runner, inputs, clock)
    worker_side.introduce = introduction.say
    gevent.spawn(MasterLink(environment, runner, worker_side).watch)
    worker_side.join(runner.client_id)


def _begin_web_ui(web_ui, master: Master, options: argparse.Namespace) -> None:
    """Raises BadInput."""
    if options.web_login:
        login.use(web_ui, login.users_of(options))
    views = WebViews(web_ui, master.files)
    notice.show(web_ui, master.told, views.said)
    live_json.serve(web_ui, master.observer.document, master.stage_control, master.answer)
    Page(web_ui, master.folder, lambda: master.next_folder().parent, ReportMaker())
    guard = WebGuard(web_ui.app.wsgi_app, web_ui.host, options.web_origin)
    web_ui.app.wsgi_app = guard


def _begin_master(
    environment,
    runner: LocalRunner | MasterRunner,
    options: argparse.Namespace,
    inputs: Inputs,
    clock: Clock,
    gate: Gate | None,
) -> None:
    shape = environment.shape_class
    if not isinstance(shape, StageShape):
        raise BadInput("locustfile: no load shape; import StageShape into it")
    if options.resume and (options.overwrite or not options.run_dir):
        raise BadInput("--resume: needs the run to go on with; give its --run-dir, and no --overwrite")
    parts = 0
    if options.resume:
        so_far = parts_so_far(RunFolder(options.run_dir), inputs)
        if so_far is None:
            raise SystemExit(OK)
        parts = so_far
    elif options.overwrite or not options.run_dir:
        RunFolder(options.run_dir or default_path(inputs)).check_name()
    else:
        RunFolder(options.run_dir).check_free()
    master = Master(environment, runner, options, shape, inputs, clock, gate)
    if environment.web_ui:
        # Locust's page asks for one otherwise
        environment.host = environment.host or f"scenario://{inputs.scenario.name}"
        _begin_web_ui(environment.web_ui, master, options)
    if isinstance(runner, LocalRunner):
        worker_side = environment.swarmledger = master.worker_side = Worker(environment, runner, inputs, clock)
        problems = worker_side.sender.unreachable()
        if sum(len(one.targets) for one in problems) == len(inputs.scenario.targets):  # all; one alone is left out
            raise BadInput(problems[0].text)
        worker_side.sender.count_from(parts * CALLS_A_PART)
        worker_side.join("local")
