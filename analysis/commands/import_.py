"""`python -m analysis import`: the result files of another load tester become a run folder."""

import argparse
import dataclasses
import datetime
import pathlib
import re
import typing
import uuid

from analysis.peers.imported import Imported, route
from analysis.peers.scenarios import scenario_of, target_names
from analysis.peers.tools import TOOLS, read
from analysis.peers.written import began, write
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.manifest import ImportedFrom, Manifest
from locustfiles.contract.prices.sourced import Sourced
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.target_prices import prices_of

MODULE = "python -m analysis"
SERVICES = ("openai", "sagemaker", "bedrock")
BEDROCK_ID = re.compile(r"arn:aws[a-z-]*:bedrock:.+|(?:[a-z-]+\.)?[a-z0-9]+\.[a-z][a-z0-9.-]*(?::[0-9a-z]+)*")
EXAMPLE = """examples:
  python -m analysis import guidellm benchmarks.json --run-dir runs/guidellm --instance ml.g5.xlarge
  python -m analysis import aiperf artifacts --run-dir runs/aiperf --payload chat
  python -m analysis import vllm-bench results --run-dir runs/vllm --service sagemaker --model llama-3-8b --instance ml.g5.xlarge
  python -m analysis import llmeter out --run-dir runs/llmeter --model us.amazon.nova-lite-v1:0 --region us-east-1

What a tool's files do not hold is left empty, what its numbers are not is said; the run folder is then read by `report` and
the other commands like any other. analysis/README.md has a table of the tools, their versions, and what is taken.

exit code: 0 fine, 1 bad input."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `import`."""
    parser.add_argument("tool", metavar="TOOL", choices=sorted(TOOLS), help=f"one of {', '.join(sorted(TOOLS))}")
    parser.add_argument("path", metavar="PATH", help="what the tool wrote: its folder, or one of its files")
    parser.add_argument("--run-dir", required=True, metavar="DIR", help="the run folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the run that is in it")
    known = parser.add_argument_group("what the files do not hold")
    known.add_argument("--payload", metavar="NAME", help="what the prompts are called; runs are compared by it")
    known.add_argument("--users", type=_users, metavar="N,N", help="users of the levels, where the files do not say")
    known.add_argument("--url", metavar="URL", help="the server's address, where the files do not say")
    place = parser.add_argument_group(
        "what was measured, as your own runs call it: `report`, `compare` and `plan` set them side by side by it"
    )
    place.add_argument(
        "--model", metavar="ID", help="the model; an id of Bedrock's: it answered, for its price by the token"
    )
    place.add_argument("--target", metavar="NAME", help="the target's name; default: the endpoint's or the model's")
    place.add_argument(
        "--service", choices=SERVICES, metavar="NAME", help=f"{', '.join(SERVICES)}; default: what the files say"
    )
    place.add_argument(
        "--endpoint", metavar="NAME", help="SageMaker's endpoint; of Bedrock the model id, where --model is another"
    )
    place.add_argument("--region", metavar="REGION", help="of AWS, for its prices")
    price = parser.add_argument_group("price: by the hour or by the token, from the books or given")
    price.add_argument("--instance", metavar="TYPE", help="instance type that served")
    price.add_argument("--instance-count", type=int, metavar="N", help="how many; default: 1")
    price.add_argument("--usd-per-hour", type=float, metavar="USD", help="of one instance")
    price.add_argument("--input-usd-per-1k", type=float, metavar="USD", help="per 1,000 prompt tokens")
    price.add_argument("--output-usd-per-1k", type=float, metavar="USD", help="per 1,000 output tokens")
    price.add_argument("--pricing", metavar="FILE", help="a price book that goes before the shipped one")


def _users(text: str) -> list[int]:
    users = [int(part) for part in text.split(",")]  # argparse tells of a ValueError
    if min(users) < 1:
        raise argparse.ArgumentTypeError(f"{text} has a number below 1; give users as 1,2,4")
    return users


def run(args: argparse.Namespace) -> int:
    """Write the run folder and say what is in it. Raises BadInput."""
    folder, path = RunFolder(args.run_dir), pathlib.Path(args.path)
    if not args.overwrite:
        folder.check_free()
    found = completed(read(args.tool, path), args)
    names = target_names(found)
    scenario = scenario_of(found, names, _price(args), args.pricing)
    prices = _prices(scenario, found, args)
    folder.create(args.overwrite)
    manifest = write(folder, found, scenario, names, prices, str(path))
    _tell(manifest, folder)
    return OK


def completed(found: Imported, args: argparse.Namespace) -> Imported:
    """With what the options say. Raises BadInput for what nobody says, or for options that make one target of several."""
    service = _service(args)
    by_id = service == "bedrock" and not args.endpoint  # else the files' own name is what was called
    options = {
        "model" if by_id else "group": args.model,
        "name": args.target,
        "service": service,
        "region": args.region,
    }
    options |= {"instance_type": args.instance, "instance_count": args.instance_count, "url": route(args.url)}
    told: dict[str, typing.Any] = {key: value for key, value in options.items() if value is not None}
    told |= {"endpoint": args.endpoint} if args.endpoint else {}
    before = {level.subject for level in found.levels}
    unknown = f"http://{uuid.uuid4().hex[:8]}{ImportedFrom.UNKNOWN_HOST}/v1"  # another one with every import: no two are one place
    for level in found.levels:
        subject = dataclasses.replace(level.subject, **told)
        level.subject = subject if subject.url else dataclasses.replace(subject, url=unknown)
        level.payload = args.payload or level.payload
    alike = (
        len({s.model for s in before}) > 1
        if args.model
        else len({level.subject for level in found.levels}) < len(before)
    )
    if alike:
        names = ", ".join(dict.fromkeys(f"`{s.name or s.endpoint or s.model}`" for s in sorted(before, key=repr)))
        raise BadInput(f"{found.tool}: {names} would become one by the options; import the files of each by themselves")
    _level(found, args.users)
    return found


def _service(args: argparse.Namespace) -> str | None:
    """An id of Bedrock's says that Bedrock answered, unless something says that an instance did. Raises BadInput."""
    by_hour = (args.instance, args.endpoint, args.usd_per_hour)
    if args.service is None and args.model and BEDROCK_ID.fullmatch(args.model) and by_hour == (None, None, None):
        return "bedrock"
    if args.service == "bedrock" and args.instance:
        raise BadInput("--instance: Bedrock has none; leave it out, or give the service that it is of by --service")
    if args.endpoint and args.service is None:
        raise BadInput(
            "--endpoint: of SageMaker or of Bedrock is not said; add --service sagemaker, or --service bedrock"
        )
    return args.service


def _level(found: Imported, users: list[int] | None) -> None:
    lacking = [level for level in found.levels if level.users is None and level.rate is None]
    if users is not None and len(users) != len(lacking):
        raise BadInput(
            f"--users: {len(users)} given, {len(lacking)} of {len(found.levels)} levels need them; give one for each"
        )
    if lacking and users is None:
        raise BadInput(
            f"{found.tool}: its files do not say how many users {len(lacking)} of {len(found.levels)} levels had; add --users"
        )
    for level, number in zip(lacking, users or [], strict=True):
        level.users = number


def _price(args: argparse.Namespace) -> dict[str, typing.Any] | None:
    """The one that options give in figures. Raises BadInput."""
    pair = (args.input_usd_per_1k, args.output_usd_per_1k)
    if pair != (None, None) and (args.usd_per_hour is not None or args.instance):
        raise BadInput("import: more than one price; give --instance, --usd-per-hour, or the two per 1,000 tokens")
    if args.usd_per_hour is not None:
        return {"usd_per_hour": args.usd_per_hour}
    if None not in pair:
        return {"input": pair[0], "output": pair[1]}
    if pair != (None, None):
        raise BadInput("import: half a token price; give both --input-usd-per-1k and --output-usd-per-1k")
    return None


def _prices(scenario: Scenario, found: Imported, args: argparse.Namespace) -> dict[str, Sourced]:
    """Of the targets of which one is known; of all of them where one was asked for. Raises BadInput."""
    day = datetime.datetime.fromtimestamp(began(found), datetime.UTC).date()
    asked = [args.instance, args.usd_per_hour, _service(args) == "bedrock" or None, args.input_usd_per_1k, args.pricing]
    path, known = pathlib.Path(args.path), dict[str, Sourced]()
    where_from = path.parent if path.is_file() else path  # no scenario, whose lines could be looked up
    for target in scenario.targets:
        alone = scenario.model_copy(update={"targets": [target]})
        try:
            known |= prices_of(alone, where_from, day)[1]
        except BadInput as e:
            if any(each is not None for each in asked):
                where = "" if args.region else "; --region says whose prices"
                if args.service is None and _service(args):
                    where += f"; --service openai, if `{args.model}` is not Bedrock's"
                raise BadInput(f"{e}{where}") from None
    return known


def _tell(manifest: Manifest, folder: RunFolder) -> None:
    imported, levels = manifest.imported, len(manifest.stages)
    if imported is None:
        raise ValueError("not an imported run")
    requests = sum(stage.records or 0 for stage in manifest.stages)
    told = sum(stage.aggregates is not None for stage in manifest.stages)
    what = f"figures alone of {told} level{'s' * (told != 1)}" if told else ""
    if kept := levels - told:
        what = f"{requests} requests in {kept} level{'s' * (kept != 1)}" + (f", {what}" if what else "")
    version = imported.version or (
        "of levels" if imported.tool == "table" else "of a version that its files do not say"
    )
    print(f"{imported.tool} {version}: {what} -> {folder.path}")
    for note in [*imported.notes, *(problem.text for problem in manifest.problems)]:
        print(f"- {note}")
    print(f"Next: {MODULE} report {folder.path}")
