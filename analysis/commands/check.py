"""`python -m analysis check`: a scenario before its run: its files, credentials and endpoints, one call of each target,
and the time and cost ahead.

What sends is the load side's; it is imported when the command runs, not with the analysis.
"""

import argparse
import contextlib
import datetime
import pathlib
import signal
import typing

from rich.console import Console
from rich.markup import escape

from analysis.commands.check_counts import Counts, counted
from analysis.commands.check_view import print_ahead, target_table
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.exit_codes import BAD_INPUT, OK, complain
from locustfiles.contract.record import FIELDS, RequestRecord
from locustfiles.contract.requests_file import RequestsFile
from locustfiles.contract.scenario.targets import Target

EXAMPLE = """examples:
  python -m analysis check configs/demo.yaml
  python -m analysis check configs/demo.yaml --no-call
  python -m analysis check configs/demo.yaml --record check.csv

exit code: 0 fine, 1 bad input, refused credentials, an endpoint that does not answer or a call that fails."""
SERVICES = ("bedrock", "sagemaker", "openai")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("scenario", metavar="SCENARIO", help="the scenario file (YAML)")
    parser.add_argument("--no-call", action="store_true", help="send nothing: files, credentials and connections only")
    parser.add_argument(
        "--record", metavar="FILE.csv", help="append the calls' records, in the columns of requests.csv"
    )


def run(args: argparse.Namespace) -> int:
    """Check, and print what was found. Raises BadInput for what stops it before the first call."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        return _check(args)
    except KeyboardInterrupt:
        complain(f"{args.scenario}: interrupted; nothing more was sent, check again")
        return BAD_INPUT


def _interrupt(signal_number: int, frame: object) -> None:
    """Ctrl-C belongs to the main greenlet, whichever is running."""
    import gevent

    hub = gevent.get_hub()
    if gevent.getcurrent() is hub:
        hub.handle_system_error(KeyboardInterrupt, KeyboardInterrupt())
    else:
        raise KeyboardInterrupt


def _check(args: argparse.Namespace) -> int:
    from locustfiles.common.calls.clock import Clock
    from locustfiles.common.calls.sender import Sender
    from locustfiles.common.planning.inputs import load_inputs

    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    inputs = load_inputs(args.scenario, SERVICES)
    file = record_file(args.record) if args.record and not args.no_call else contextlib.nullcontext()
    with file as kept:
        records: list[RequestRecord] = []
        once = inputs.scenario.model_copy(update={"retry": None})
        sender = Sender(once, Clock(), records.append)
        sender.sent, sender.by_the_image = inputs.sent, inputs.by_the_image
        with _waiting(console, "connecting"):
            problems = [one.text for one in sender.unreachable()]
        counts, lines = Counts(), list[str]()
        if not args.no_call:
            with _waiting(console, "counting prompts"):
                counts, lines = counted(sender, inputs, problems)
            for target in inputs.scenario.targets:
                for payload in inputs.stems_of(target.name):
                    with _waiting(console, f"first calls of {target.name} with {payload}"):
                        made = first_calls(sender, inputs, target, payload, records)
                    _keep(kept, made)
                    problems += problem_of(target, made[-1], problems)
                    uncounted(inputs, target, made, problems, lines)
                    if made[0].error:
                        break
        calls = {r.target: r for r in reversed(records)}
        for target in inputs.scenario.targets:
            price, source = inputs.prices[target.name], inputs.sources[target.name]
            console.print(target_table(sender, target, price, source, calls.get(target.name)))
    for line in [*lines, *_too_short(inputs), *_of_the_book(inputs)]:
        console.print(escape(line), highlight=False)
    print_ahead(console, inputs, records, counts)
    for problem in problems:
        complain(problem)
    return BAD_INPUT if problems else OK


def _too_short(inputs) -> list[str]:
    from locustfiles.contract.scenario.time_limits import too_short

    return too_short(inputs.scenario)


def _of_the_book(inputs) -> list[str]:
    """What is odd about the price book's entries, those too that no target uses."""
    from locustfiles.contract.scenario.target_prices import odd_entries_of

    today = datetime.datetime.now(datetime.UTC).date()
    return [f"price book: {line}" for line in odd_entries_of(inputs.scenario, inputs.scenario_file, today)]


def first_calls(sender, inputs, target: Target, payload: str, records: list[RequestRecord]) -> list[RequestRecord]:
    """The calls that a run makes of a payload before its load. records: of all calls so far, where the sender puts its own."""
    from locustfiles.common.calls.stage_spec import StageSpec
    from locustfiles.common.planning.first_call import Call, call_of, next_line

    prompts, spec = inputs.payloads[payload], StageSpec(stage=0, target=target.name, payload=payload, users=None)
    before, made = len(records), list[Call]()
    spent_usd = sum(call_of(r, inputs.prices[r.target]).usd or 0.0 for r in records if not r.error)
    while prompt := next_line(target, prompts, made, spent_usd, inputs.scenario.budget_usd):
        sender.call(0, target, prompt, spec, "warmup")
        if records[-1].error:
            break
        made.append(call_of(records[-1], inputs.prices[target.name]))
    return records[before:]


def problem_of(target: Target, record: RequestRecord, known: list[str]) -> list[str]:
    """One sentence for a call that failed; none if its endpoint is known to be away."""
    from locustfiles.common.planning.first_failure import sentence

    if record.error is None:
        return []
    if record.error == ErrorClass.CONNECT and any(record.target in problem for problem in known):
        return []
    return [sentence(target, record)]


def uncounted(inputs, target: Target, made: list[RequestRecord], problems: list[str], lines: list[str]) -> None:
    """Adds a sentence where first calls that worked have not counted the units that they are billed by: with a budget it is
    a problem."""
    from locustfiles.contract.scenario.billed_units import not_counted, unguarded

    worked = [record for record in made if record.error is None]
    counts = [record.billed_units for record in worked if record.billed_units is not None]
    why = not_counted(target, inputs.prices[target.name], max(counts, default=None)) if worked else None
    if why is None:
        return
    kept = inputs.scenario.budget_usd is not None
    sentence = unguarded(target, why) if kept else f"target `{target.name}`: {why}"
    told = problems if kept else lines
    told += [] if sentence in told else [sentence]


@contextlib.contextmanager
def record_file(path: str) -> typing.Iterator[RequestsFile]:
    """Made with its header, or appended to. Raises BadInput."""
    there = pathlib.Path(path)
    try:
        begun = there.exists() and there.stat().st_size > 0
        if begun and there.read_bytes().split(b"\n", 1)[0].decode(errors="replace").strip() != ",".join(FIELDS):
            raise BadInput(f"{path}: its header is not that of requests.csv; choose another --record file")
        file = RequestsFile(there, append=begun)
    except OSError as e:
        raise BadInput(f"{path}: cannot be written ({e.strerror}); choose another --record file") from None
    try:
        yield file
    finally:
        file.close()


def _keep(file: RequestsFile | None, made: list[RequestRecord]) -> None:
    if file:
        for record in made:
            file.add(record)


def _waiting(console: Console, what: str) -> contextlib.AbstractContextManager:
    return console.status(what) if console.is_terminal else contextlib.nullcontext()
