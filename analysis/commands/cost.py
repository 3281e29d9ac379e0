"""`python -m analysis cost`: cost per transaction of any Locust run, from nothing but its CSV files."""

import argparse
import csv
import math
from pathlib import Path

from analysis.locust_csv.cost_table import COST_COLUMNS, STEP_COLUMNS, CostRow
from analysis.locust_csv.kinds import Wanted
from analysis.locust_csv.markdown import markdown_table, notes_of, remarks
from analysis.locust_csv.prices import Price, Pricer
from analysis.locust_csv.recommendation import Limits, recommend
from analysis.locust_csv.run import LocustRun, read_run
from analysis.locust_csv.token_means import Tokens, read_token_means
from analysis.locust_csv.windows import SETTLE_S
from analysis.words.safe_text import cell, markdown_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK

EXAMPLE = """examples:
  python -m analysis cost --locust-csv results/chat --instance ml.p4d.24xlarge
  python -m analysis cost --locust-csv g5:1.515 p4d:ml.p4d.24xlarge --completion-tokens 50 --latency-mean-s 2
  python -m analysis cost --locust-csv results/chat --model meta.llama2-13b-chat-v1 --tokens tokens.csv --out cost/
  python -m analysis cost --locust-csv runs/study/locust --target p4d --instance ml.p4d.24xlarge

PREFIX is what `locust --csv` was given; a file itself does, too. PREFIX:PRICE gives one its own price: USD an hour for all
its instances, an instance type or a model id of the price book.
tokens.csv has the columns prompt_tokens_mean, completion_tokens_mean and users, name or both.

exit code: 0 fine, 1 bad input."""
PRICE_BOOK = "configs/pricing/us-east-1.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `cost`."""
    parser.add_argument(
        "--locust-csv",
        nargs="+",
        required=True,
        metavar="PREFIX[:PRICE]",
        help="as given to `locust --csv`; one or several, each with its own price if need be",
    )
    price = parser.add_argument_group("price: by the hour or by the token, from the book or given")
    price.add_argument("--instance", metavar="TYPE", help="instance type in the price book")
    price.add_argument("--usd-per-hour", type=float, metavar="USD")
    price.add_argument("--instance-count", type=int, default=1, metavar="N", help="default: %(default)s")
    price.add_argument("--model", metavar="ID", help="model id in the price book")
    price.add_argument("--input-usd-per-1k", type=float, metavar="USD", help="per 1,000 prompt tokens")
    price.add_argument("--output-usd-per-1k", type=float, metavar="USD", help="per 1,000 output tokens")
    price.add_argument("--pricing", default=_price_book(), metavar="FILE", help=f"default: {PRICE_BOOK}")
    tokens = parser.add_argument_group("tokens of a mean call: Locust does not count them")
    tokens.add_argument("--tokens", metavar="FILE", help="CSV with means by users or name")
    tokens.add_argument("--prompt-tokens", type=float, metavar="MEAN")
    tokens.add_argument("--completion-tokens", type=float, metavar="MEAN")
    steps = parser.add_argument_group("steps")
    steps.add_argument("--target", metavar="NAME", help="cost this target of a Swarmledger run, stage by stage")
    steps.add_argument("--name", help="cost the requests of this name instead of all together")
    steps.add_argument("--type", help="cost the requests of this type, such as POST")
    steps.add_argument(
        "--settle-s", type=float, default=SETTLE_S, metavar="S", help="left out of a step; default: %(default)g"
    )
    limits = parser.add_argument_group("limits for the recommendation, inclusive")
    limits.add_argument("--latency-mean-s", type=float, metavar="S")
    limits.add_argument("--error-rate", type=float, metavar="SHARE", help="of 1: 0.01 is one in a hundred")
    limits.add_argument("--cost-per-10k", type=float, metavar="USD")
    parser.add_argument("--out", metavar="FOLDER", help="also write cost.csv and cost.md there")


def _price_book() -> str:
    """Of the working folder; from another folder, the one that the code came with."""
    own = Path(__file__).parents[2] / PRICE_BOOK
    return str(own) if own.is_file() and not Path(PRICE_BOOK).is_file() else PRICE_BOOK


def run(args: argparse.Namespace) -> int:
    """Print the cost table and the recommendation as Markdown. Raises BadInput."""
    _check_numbers(args)
    priced = _priced(args)
    wanted = Wanted(args.type, args.name)
    runs = [read_run(prefix, args.settle_s, wanted, args.target) for prefix, _ in priced]
    prices = [price for _, price in priced]
    for found, price in zip(runs, prices, strict=True):
        if args.target is not None:
            _check_stages(found, price)
    table = _table(runs, prices, args)
    limits = Limits(args.latency_mean_s, args.error_rate, args.cost_per_10k)
    best = recommend(table, limits, sum(len(run.dropped) for run in runs))
    notes = [f"{words}." for words in dict.fromkeys(words for price in prices for words in (price.words, *price.notes))]
    notes += remarks(table, runs, args.settle_s) + notes_of(runs)
    lines = ["# Cost of a Locust run", "", *markdown_table(table), "", f"**{best}**", ""]
    report = "\n".join(lines + [f"- {markdown_text(note)}" for note in notes]) + "\n"
    print(report, end="")
    if args.out:
        _write(table, report, Path(args.out))
    return OK


def _check_stages(run: LocustRun, price: Price) -> None:
    """Raises BadInput where stages' seconds are not known, by which an hour is shared."""
    if price.hourly and run.stages > 1 and any(step.step is None for step in run.steps):
        raise BadInput(
            f"{run.prefix}: only sums over the whole run are known, and other stages' seconds are in them; use "
            f"`python -m analysis report {Path(run.prefix).parent}`, or hold each level longer"
        )


def _table(runs: list[LocustRun], prices: list[Price], args: argparse.Namespace) -> list[CostRow]:
    given = Tokens(args.prompt_tokens, args.completion_tokens)
    means = None
    if args.tokens is not None:
        if given != Tokens():
            raise BadInput(
                f"--tokens {args.tokens}: excludes --prompt-tokens and --completion-tokens; give one of the two ways"
            )
        means = read_token_means(args.tokens)
        means.check([step for run in runs for step in run.steps])
    return [
        CostRow(step, price, means.of(step) if means else given)
        for run, price in zip(runs, prices, strict=True)
        for step in run.steps
    ]


def _write(table: list[CostRow], report: str, folder: Path) -> None:
    """Raises BadInput."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "cost.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(STEP_COLUMNS + COST_COLUMNS)
            writer.writerows([cell(row.value(column)) for column in STEP_COLUMNS + COST_COLUMNS] for row in table)
        (folder / "cost.md").write_text(report, encoding="utf-8")
    except OSError as e:
        raise BadInput(f"--out {folder}: cannot be written ({e.strerror}); choose another folder") from None


def _check_numbers(args: argparse.Namespace) -> None:
    for option in ("usd_per_hour", "instance_count", "completion_tokens", "cost_per_10k", "latency_mean_s"):
        value = getattr(args, option)
        if value is not None and not (0 < value < math.inf):
            raise BadInput(f"--{option.replace('_', '-')} {value:g}: not above 0; give a number above 0")
    for option in ("input_usd_per_1k", "output_usd_per_1k", "prompt_tokens", "error_rate", "settle_s"):
        value = getattr(args, option)
        if value is not None and not (0 <= value < math.inf):
            raise BadInput(f"--{option.replace('_', '-')} {value:g}: below 0; give a number of 0 or more")
    if (args.error_rate or 0) > 1:
        raise BadInput(
            f"--error-rate {args.error_rate:g}: above 1, all requests; for {args.error_rate:g} % give {args.error_rate / 100:g}"
        )


def _priced(args: argparse.Namespace) -> list[tuple[str, Price]]:
    """Each prefix with its price: its own, or the one for all. Raises BadInput."""
    pricer = Pricer(args.pricing, args.instance_count)
    split = [pricer.split(given) for given in dict.fromkeys(args.locust_csv)]
    common = _price(args, pricer)
    lacking = [prefix for prefix, price in split if price is None]
    if lacking and common is None:
        many = f"{lacking[0]}: " if len(lacking) < len(split) else ""
        raise BadInput(
            f"cost: {many}no price; give one of --instance, --usd-per-hour, --model, or --input-usd-per-1k with "
            "--output-usd-per-1k, or PREFIX:PRICE"
        )
    if common is not None and not lacking:
        raise BadInput("cost: more than one price; give PREFIX:PRICE, or one price for all")
    found = [(prefix, price or common) for prefix, price in split]
    by_token = any(price is not None and not price.hourly for _, price in found)
    if by_token and args.tokens is None and None in (args.prompt_tokens, args.completion_tokens):
        raise BadInput(
            "cost: a token price needs token means; give --prompt-tokens and --completion-tokens, or --tokens FILE"
        )
    return [(prefix, price) for prefix, price in found if price is not None]


def _price(args: argparse.Namespace, pricer: Pricer) -> Price | None:
    """The one that options give; None where they give none. Raises BadInput."""
    pair = (args.input_usd_per_1k, args.output_usd_per_1k)
    by_token = pair != (None, None)
    if sum([args.instance is not None, args.usd_per_hour is not None, args.model is not None, by_token]) > 1:
        raise BadInput(
            "cost: more than one price; give one of --instance, --usd-per-hour, --model, "
            "or --input-usd-per-1k with --output-usd-per-1k"
        )
    if args.instance is not None:
        return pricer.instance(args.instance)
    if args.usd_per_hour is not None:
        return pricer.per_hour(args.usd_per_hour)
    if args.model is not None:
        return pricer.model(args.model)
    if by_token and None in pair:
        half = "--input-usd-per-1k" if pair[1] is None else "--output-usd-per-1k"
        raise BadInput(f"{half}: half a token price; give both --input-usd-per-1k and --output-usd-per-1k")
    return pricer.given((pair[0], pair[1])) if pair[0] is not None and pair[1] is not None else None
