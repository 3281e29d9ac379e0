"""`python -m analysis cost`: cost per transaction of any Locust run, from nothing but its CSV files."""

import argparse
import difflib
import math
from pathlib import Path

import pandas as pd

from analysis.locust_csv.cost_table import Limits, cost_table, recommend
from analysis.locust_csv.markdown import markdown_table, remarks
from analysis.locust_csv.reader import LocustRun, names_in_stats, read_run
from analysis.locust_csv.steps import SETTLE_S, SHORTEST_STEP_S, TOTAL, dropped_text
from analysis.locust_csv.target import check_target, of_target
from analysis.locust_csv.token_means import attach_token_means
from analysis.words.format import price
from analysis.words.safe_text import for_spreadsheets, markdown_text
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.scenario.price_book import MAX_PER_1K, BadPriceBook, PriceBook, load_price_book

EXAMPLE = """examples:
  python -m analysis cost --locust-csv results/chat --instance ml.p4d.24xlarge
  python -m analysis cost --locust-csv a b --usd-per-hour 7.09 --completion-tokens 50 --latency-mean-s 2
  python -m analysis cost --locust-csv results/chat --model meta.llama2-13b-chat-v1 --tokens tokens.csv --out cost/
  python -m analysis cost --locust-csv runs/study/locust --target p4d --instance ml.p4d.24xlarge

tokens.csv has the columns prompt_tokens_mean, completion_tokens_mean and users, name or both.

exit code: 0 fine, 1 bad input."""
PRICE_BOOK = "configs/pricing/us-east-1.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `cost`."""
    parser.add_argument("--locust-csv", nargs="+", required=True, metavar="PREFIX", help="as given to `locust --csv`")
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
    prices, basis = _prices(args)
    runs = [read_run(prefix, args.settle_s) for prefix in dict.fromkeys(args.locust_csv)]
    for run in runs:
        check_target(run.prefix, args.target, args.name)
    steps = _with_tokens(pd.concat([run.steps for run in runs], ignore_index=True), args)
    chosen = _chosen(steps, args, runs)
    table = cost_table(chosen, **prices)
    limits = Limits(args.latency_mean_s, args.error_rate, args.cost_per_10k)
    found = recommend(table, limits, sum(len(run.dropped) for run in runs))
    notes = [basis, *remarks(table, chosen[:0] if args.target else steps, args.name, args.settle_s)]
    notes += [f"{run.prefix}: {note}." for run in runs for note in run.notes]
    lines = ["# Cost of a Locust run", "", *markdown_table(table), "", f"**{found}**", ""]
    report = "\n".join(lines + [f"- {markdown_text(note)}" for note in notes]) + "\n"
    print(report, end="")
    if args.out:
        _write(table, report, Path(args.out))
    return OK


def _write(table: pd.DataFrame, report: str, folder: Path) -> None:
    """Raises BadInput."""
    whole = dict.fromkeys(("step", "users"), "Int64")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for_spreadsheets(table.astype(whole)).to_csv(folder / "cost.csv", index=False)
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
    for option in ("input_usd_per_1k", "output_usd_per_1k"):
        if (getattr(args, option) or 0) > MAX_PER_1K:
            raise BadInput(
                f"--{option.replace('_', '-')} {getattr(args, option):g}: above ${MAX_PER_1K:g} per 1,000 tokens "
                "looks like a price per million; divide it by 1,000"
            )
    if (args.error_rate or 0) > 1:
        raise BadInput(
            f"--error-rate {args.error_rate:g}: above 1, all requests; for {args.error_rate:g} % give {args.error_rate / 100:g}"
        )


def _prices(args: argparse.Namespace) -> tuple[dict, str]:
    """The arguments for cost_table, and one line that says where the price comes from."""
    by_token = args.input_usd_per_1k is not None or args.output_usd_per_1k is not None
    given = [args.instance is not None, args.usd_per_hour is not None, args.model is not None, by_token]
    if sum(given) != 1:
        several = "cost: more than one price" if any(given) else "cost: no price"
        raise BadInput(
            f"{several}; give one of --instance, --usd-per-hour, --model, "
            "or --input-usd-per-1k with --output-usd-per-1k"
        )
    source = "given on the command line"
    if args.instance is not None or args.model is not None:
        book = load_price_book(args.pricing)
        source = f"{args.pricing}, {book.region}, {book.as_of}"
    if args.instance is not None or args.usd_per_hour is not None:
        hourly = args.usd_per_hour or _instance_price(load_price_book(args.pricing), args)
        what = args.instance or "instance"
        full_use = "at full use: an endpoint is paid for when idle, too"
        basis = f"Price: {args.instance_count} × {what} at {price(hourly)} an hour ({source}), {full_use}."
        return {"usd_per_hour": hourly, "instance_count": args.instance_count}, basis
    if args.tokens is None and None in (args.prompt_tokens, args.completion_tokens):
        raise BadInput(
            "cost: a token price needs token means; give --prompt-tokens and --completion-tokens, or --tokens FILE"
        )
    if args.model is not None:
        found = _model_price(load_price_book(args.pricing), args)
        pair = (found.input, found.output)
    else:
        pair = (args.input_usd_per_1k, args.output_usd_per_1k)
        if None in pair:
            half = "--input-usd-per-1k" if pair[1] is None else "--output-usd-per-1k"
            raise BadInput(f"{half}: half a token price; give both --input-usd-per-1k and --output-usd-per-1k")
    each = f"{price(pair[0])} in, {price(pair[1])} out per 1,000"
    basis = f"Price: {args.model or 'tokens'} at {each} ({source}); failures are taken to bill nothing."
    return {"input_usd_per_1k": pair[0], "output_usd_per_1k": pair[1]}, basis


def _instance_price(book: PriceBook, args: argparse.Namespace) -> float:
    if args.instance in book.instances:
        return book.instances[args.instance]
    close = difflib.get_close_matches(args.instance, book.instances, n=1)
    hint = f"did you mean {close[0]}? Else " if close else ""
    raise BadInput(
        f"{args.pricing}: no price for instance type {args.instance}; {hint}add it there, or give --usd-per-hour"
    )


def _model_price(book: PriceBook, args: argparse.Namespace):
    try:
        return book.model(args.model)
    except BadPriceBook:
        close = difflib.get_close_matches(args.model, book.models, n=1)
        hint = f"did you mean {close[0]}? Else " if close else ""
        remedy = "add it there, or give --input-usd-per-1k and --output-usd-per-1k"
        raise BadInput(f"{args.pricing}: no price for model {args.model}; {hint}{remedy}") from None


def _with_tokens(steps: pd.DataFrame, args: argparse.Namespace) -> pd.DataFrame:
    if args.tokens is None:
        return steps.assign(prompt_tokens_mean=args.prompt_tokens, completion_tokens_mean=args.completion_tokens)
    if args.prompt_tokens is not None or args.completion_tokens is not None:
        raise BadInput(
            f"--tokens {args.tokens}: excludes --prompt-tokens and --completion-tokens; give one of the two ways"
        )
    return attach_token_means(steps, args.tokens)


def _chosen(steps: pd.DataFrame, args: argparse.Namespace, runs: list[LocustRun]) -> pd.DataFrame:
    """The rows to cost: those of --target, of --name, or the sums."""
    name, hourly = args.name, args.instance is not None or args.usd_per_hour is not None
    chosen = of_target(steps, args.target) if args.target else steps
    chosen = chosen[chosen["name"] == (name or TOTAL)] if name or not args.target else chosen
    if chosen.empty:
        raise BadInput(f"--target {args.target}: none of its stages is a step of its own; use `python -m analysis report`"
                         if args.target and not name else f"--name {name}: {_why_absent(name, runs)}")  # fmt: skip
    if args.target and hourly and chosen["step"].isna().any():
        raise BadInput(
            f"--target {args.target}: only sums over the whole run are known, and other stages' seconds are in them; use "
            "`python -m analysis report`, or hold each level longer"
        )
    return chosen.reset_index(drop=True)


def _why_absent(name: str | None, runs: list[LocustRun]) -> str:
    """Why no step has requests of this name, and what to do."""
    for run in runs:
        if name in run.by_name and run.dropped:
            held = f"held for less than {SHORTEST_STEP_S:g} s: {dropped_text(run.dropped)}"
            return (
                f"is in {run.prefix}_stats_history.csv, but only outside its steps (left out, {held}); hold each level "
                f"for {SHORTEST_STEP_S:g} s or longer"
            )
        if name in run.by_name:
            return (
                f"is in {run.prefix}_stats_history.csv, but all its requests fell into what is left out of a step; use "
                "a smaller --settle-s, or hold each level longer"
            )
        if name in names_in_stats(run.prefix):
            return f"is in {run.prefix}_stats.csv, but the history has sums only; run Locust with --csv-full-history"
    names = ", ".join(sorted(set().union(*(run.by_name | names_in_stats(run.prefix) for run in runs))))
    return f"no such request; give a name of these files: {names or 'there is none'}"
