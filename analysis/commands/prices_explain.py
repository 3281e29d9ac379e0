"""`python -m analysis prices MODEL|INSTANCE|SCENARIO`, and without: how prices come about, and which are known."""

import argparse
import json
import pathlib
import re

from analysis.prices.explain import Explained, as_json, as_text, shown
from analysis.prices.offered import known_ids
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import Book, books_of
from locustfiles.contract.prices.charge import Usage, guardrail_units
from locustfiles.contract.prices.find_price import Asked, NoPrice, instance_price, model_price
from locustfiles.contract.prices.guarded import guarded
from locustfiles.contract.prices.model_ids import parse
from locustfiles.contract.prices.price import HourlyPrice, TokenPrice
from locustfiles.contract.prices.price_book import PriceBook, load_price_book
from locustfiles.contract.prices.sourced import Sourced
from locustfiles.contract.prices.units import WrongUnit
from locustfiles.contract.prices.whole_book import odd_entries

HOME = "us-east-1"
_UNITS = re.compile(r"[A-Za-z]+=\d+( [A-Za-z]+=\d+)*")
_SCENARIO = (".yaml", ".yml")
# EC2's, too
_INSTANCE = re.compile(r"(ml\..*|[a-z][a-z0-9-]*\.(\d*x?large|small|medium|metal[a-z0-9-]*))", re.IGNORECASE)


def books(args: argparse.Namespace, region: str) -> list[Book]:
    """--pricing first, then the shipped one. Raises BadInput."""
    return books_of(args.pricing, region)


def region_of(args: argparse.Namespace, arn: str | None = None) -> str:
    """As given, else of the ARN, else of the book."""
    own: PriceBook | None = load_price_book(args.pricing) if args.pricing and not args.region else None
    return args.region or arn or (own.region if own else HOME)


def explain(args: argparse.Namespace) -> None:
    """Raises BadInput."""
    usage = _usage(args)
    if args.what.endswith(_SCENARIO) or pathlib.Path(args.what).is_file():
        looked_into, found = _of_scenario(args, usage)
    else:
        region = region_of(args, parse(args.what).region)
        name = f"{args.what} in {region} on {args.on}" + (
            f", {args.tier}" if args.tier not in (None, "default") else ""
        )
        looked_into = books(args, region)
        found = [Explained(name, _of_name(args, region, looked_into), usage)]
    if args.json:
        print(json.dumps([as_json(each) for each in found], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join("\n".join(as_text(each)) for each in found))
        _tell_odd(looked_into, args)


def _tell_odd(looked_into: list[Book], args: argparse.Namespace) -> None:
    """What is odd about entries of the books that were named."""
    for number, line in enumerate(odd_entries(looked_into, args.on)):
        print(f"mind: {line}" if number else f"\nmind: {line}")


def _of_name(args: argparse.Namespace, region: str, looked_into: list[Book]) -> Sourced:
    """Of a model or an instance type. Raises BadInput."""
    try:
        if _INSTANCE.fullmatch(args.what):
            if args.tier not in (None, "default"):
                raise BadInput(f"--tier {args.tier}: an instance has none; leave it out")
            found = instance_price(args.what, args.on, looked_into, region)
            return guarded(found, None, Asked(region, args.on), looked_into)
        asked = Asked(region, args.on, None if args.tier == "default" else args.tier)
        return guarded(model_price(args.what, asked, looked_into), args.what, asked, looked_into)
    except NoPrice as e:
        raise BadInput(f"prices {args.what} in {region}: {e}") from None


def _of_scenario(args: argparse.Namespace, usage: Usage) -> tuple[list[Book], list[Explained]]:
    """The books that were looked into, and the price of every target. Raises BadInput."""
    from locustfiles.contract.scenario.scenario import load_scenario
    from locustfiles.contract.scenario.target_prices import prices_of

    if args.tier is not None:
        raise BadInput("--tier: a scenario's targets name their own (`service_tier:`); leave it out")
    scenario = load_scenario(args.what)
    given = {"region": args.region, "pricing": args.pricing and str(pathlib.Path(args.pricing).resolve())}
    scenario = scenario.model_copy(update={key: value for key, value in given.items() if value})
    looked_into, prices = prices_of(scenario, args.what, args.on)
    where = f" in {scenario.region}" if scenario.region else ""
    named = {f"target {name}{where} on {args.on}": found for name, found in prices.items()}
    return looked_into, [Explained(name, found, usage) for name, found in named.items()]


def _usage(args: argparse.Namespace) -> Usage:
    """Raises BadInput for more one-hour tokens than were written."""
    written, hour = args.cache_write_tokens, args.cache_write_1h_tokens
    if written is not None and hour is not None and hour > written:
        raise BadInput(
            f"--cache-write-1h-tokens {hour}: more than all that were written, --cache-write-tokens {written}; they are counted there, too"
        )
    if args.guardrail is not None and not _UNITS.fullmatch(args.guardrail):
        raise BadInput(
            f"--guardrail `{args.guardrail}`: not units of policies; write contentPolicyUnits=2 topicPolicyUnits=1"
        )
    return Usage(
        1000 if args.prompt_tokens is None else args.prompt_tokens,
        100 if args.completion_tokens is None else args.completion_tokens,
        args.cache_read_tokens,
        hour if written is None else written,
        hour,
        args.units,
        guardrail_units(args.guardrail),
    )


def list_all(args: argparse.Namespace) -> None:
    """Every price that is known of a region. Raises BadInput."""
    region = region_of(args)
    looked_into = books(args, region)
    instances = sorted({name for book in looked_into for name in book.content.instances})
    ids = known_ids(name for book in looked_into for name in book.content.models)
    own = {name for book in looked_into for name in book.content.models}
    hours, models = {}, {}
    asked = Asked(region, args.on)
    for name in instances:
        if not any(book.content.instance(name, args.on) for book in looked_into):
            continue  # of later days alone
        hours[name] = _looked_at(instance_price(name, args.on, looked_into), None, asked, looked_into)
    for name in sorted(ids | own):
        try:
            models[name] = _looked_at(model_price(name, asked, looked_into), name, asked, looked_into)
        except NoPrice:
            continue
    if args.json:
        known = {name: as_json(Explained(name, found, None)) for name, found in (hours | models).items()}
        told = {"region": region, "on": args.on.isoformat(), "prices": known, "mind": odd_entries(looked_into, args.on)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    print("\n".join(_listed(region, args, hours, models)))
    _tell_odd(looked_into, args)


def _looked_at(found: Sourced, model_id: str | None, asked: Asked, looked_into: list[Book]) -> Sourced:
    """With what speaks against it. What is in another unit stands as it is: a line below the list says so."""
    try:
        return guarded(found, model_id, asked, looked_into)
    except WrongUnit:
        return found


def _listed(region: str, args: argparse.Namespace, hours: dict[str, Sourced], models: dict[str, Sourced]) -> list[str]:
    """Grouped by maker, with the source where it changes."""
    minds: dict[str, int] = {}  # what speaks against a price -> its number
    lines = [f"prices in {region} on {args.on}", "", "instances, USD an hour"]
    lines += [_row(name, found, minds) for name, found in hours.items()] or [
        f"  none known; `prices update --region {region}` asks AWS"
    ]
    lines += ["", "models, USD per 1,000 tokens: input, output"]
    maker = None
    for name, found in models.items():
        if (group := name.partition(".")[0]) != maker:
            maker = group
            lines.append(f" {maker}")
        lines.append(_row(name, found, minds))
    told = [f"[{number}] {mind}" for mind, number in minds.items()]
    return [*lines, *([""] if told else []), *told, "", "a line's price, part by part: python -m analysis prices NAME"]


def _row(name: str, found: Sourced, minds: dict[str, int]) -> str:
    """With the numbers of what speaks against it, of which many rows have the same."""
    cautions = [caution.replace(f"`{name}`", "it") for caution in found.source.cautions]
    numbers = "".join(f" [{minds.setdefault(each, len(minds) + 1)}]" for each in cautions)
    price = found.price
    if isinstance(price, HourlyPrice):
        figures = shown(price.usd_per_hour)
    else:
        assert isinstance(price, TokenPrice)
        figures = f"{shown(price.input)}, {shown(price.output)}"
        figures += "".join(f"; above {s.above:,}: {shown(s.input)}, {shown(s.output)}" for s in price.steps)
    return f"  {name:<48} {figures}  ({found.source.text}){numbers}"
