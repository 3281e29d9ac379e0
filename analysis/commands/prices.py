"""`python -m analysis prices`: what a transaction costs and why; a second table beside ours; the book of a region kept up to date."""

import argparse
import datetime

from analysis.prices.regions import REGION
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import NOT_TRUSTED, OK

EXAMPLE = """examples:
  python -m analysis prices --region eu-west-1
  python -m analysis prices us.anthropic.claude-haiku-5-5 --prompt-tokens 150000 --completion-tokens 500
  python -m analysis prices meta.llama3-70b-instruct-v1:0 --region us-west-2 --on 2026-06-01
  python -m analysis prices ml.g5.12xlarge
  python -m analysis prices configs/bedrock-claude.yaml
  python -m analysis prices compare --with configs/pricing/us-west-2.yaml
  python -m analysis prices update --region us-west-2 --write

`update` needs AWS credentials and the action pricing:GetProducts; without --write it only shows what it would change.

exit code: 0 fine, 1 bad input, 2 `compare` found prices that differ."""
WORK = ("compare", "update")
TIERS = ("default", "flex", "priority", "batch", "reserved", "latency_optimized")
#: option -> what it belongs to, where it is not of all
_BELONGS = {
    "with_file": ("compare",),
    "book": ("update",),
    "only": ("update",),
    "write": ("update",),
    "pricing": ("explain", "list", "compare"),
    "tier": ("explain",),
    "on": ("explain", "list", "compare"),
    "json": ("explain", "list", "compare"),
} | dict.fromkeys(
    (
        "prompt_tokens",
        "completion_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "units",
        "guardrail",
    ),
    ("explain",),
)
_SPELLED = {"with_file": "--with"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `prices`."""
    parser.add_argument(
        "what",
        nargs="?",
        metavar="MODEL|INSTANCE|SCENARIO|compare|update",
        help="a model id or ARN, an instance type, a scenario file, or the work to do; without it all known prices of a region",
    )
    parser.add_argument(
        "--region", type=_region, metavar="REGION", help="default: the scenario's or the book's, else us-east-1"
    )
    parser.add_argument("--pricing", metavar="FILE", help="a price book that goes before those that came with this")
    parser.add_argument("--on", type=_day, metavar="DATE", help="prices of this day, YYYY-MM-DD; default: today")
    parser.add_argument("--json", action="store_true", help="print JSON")
    call = parser.add_argument_group("one transaction: the tokens of a call, named as in requests.csv")
    call.add_argument("--tier", choices=TIERS, metavar="TIER", help=f"one of {', '.join(TIERS)}")
    call.add_argument("--prompt-tokens", type=_count, metavar="N", help="without cached ones; default: 1000")
    call.add_argument("--completion-tokens", type=_count, metavar="N", help="default: 100")
    call.add_argument("--cache-read-tokens", type=_count, metavar="N")
    call.add_argument("--cache-write-tokens", type=_count, metavar="N", help="all that were written to the cache")
    call.add_argument("--cache-write-1h-tokens", type=_count, metavar="N", help="of which for an hour")
    call.add_argument(
        "--units", type=_count, metavar="N", help="images, seconds, pages or queries, where they are billed"
    )
    call.add_argument("--guardrail", metavar="UNITS", help='as "contentPolicyUnits=2 topicPolicyUnits=2"')
    other = parser.add_argument_group("compare")
    other.add_argument(
        "--with", dest="with_file", metavar="FILE", help="litellm's JSON of model prices, or a price book"
    )
    update = parser.add_argument_group("update")
    update.add_argument("--book", metavar="FILE", help="default: configs/pricing/REGION.yaml")
    update.add_argument(
        "--only", action="append", metavar="PATTERN", help="names to take, as 'ml.g6*' or '*.claude-*'; repeatable"
    )
    update.add_argument("--write", action="store_true", help="write the book; entries that are not this command's stay")


def run(args: argparse.Namespace) -> int:
    """Print it. Raises BadInput."""
    work = args.what if args.what in WORK else "explain" if args.what else "list"
    for option, belongs in _BELONGS.items():
        if getattr(args, option) not in (None, False) and work not in belongs:
            spelled = _SPELLED.get(option, f"--{option.replace('_', '-')}")
            raise BadInput(f"{spelled}: belongs to {_words(belongs)}; leave it out")
    args.on = args.on or datetime.datetime.now(datetime.UTC).date()
    if work == "compare":
        from analysis.commands.prices_compare import differs

        return NOT_TRUSTED if differs(args) else OK
    if work == "update":
        from analysis.commands.prices_update import update

        update(args)
    else:
        from analysis.commands.prices_explain import explain, list_all

        explain(args) if work == "explain" else list_all(args)
    return OK


def _words(works: tuple[str, ...]) -> str:
    named = {"explain": "a MODEL, INSTANCE or SCENARIO", "list": "the list of a region"}
    return " and ".join(named.get(work, f"`prices {work}`") for work in works)


def _region(text: str) -> str:
    if text != "local" and not REGION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"`{text}` is no region; write it as us-east-1")
    return text


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is no day; write it as 2026-11-28") from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of tokens or units; give a whole number of 0 or more")
    return int(text)
