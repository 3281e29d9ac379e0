"""`python -m analysis prices compare`: our prices beside a second table's."""

import argparse
import json

from analysis.prices.comparing import Comparison, compare
from analysis.prices.second_table import Table, read_table
from analysis.words.format import percent
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.books import books_of


def differs(args: argparse.Namespace) -> bool:
    """Print what does, if anything. Raises BadInput."""
    if not args.with_file:
        raise BadInput("prices compare: nothing to compare with; give --with FILE, litellm's JSON or a price book")
    table = read_table(args.with_file, args.region, args.on)
    found = compare(table, books_of(args.pricing, table.region), args.on)
    if not found.compared:
        raise BadInput(
            f"{args.with_file}: none of its {len(table.entries)} entries of {table.region} is priced here; check --region"
        )
    if args.json:
        print(json.dumps(_json(table, found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_text(table, found)))
    return bool(found.differences)


def _json(table: Table, found: Comparison) -> dict:
    differences = [
        each._asdict()
        | {
            "ours": f"{each.ours:f}",
            "theirs": f"{each.theirs:f}",
            "share": None if each.share is None else float(each.share),
        }
        for each in found.differences
    ]
    return {"with": table.name, "region": table.region, **found._asdict(), "differences": differences}


def _text(table: Table, found: Comparison) -> list[str]:
    lines = [f"prices in {table.region}: ours, and those of {table.name}"]
    key = None
    for each in found.differences:
        if each.key != key:
            key = each.key
            lines.append(f"{key} (ours: {each.source})")
        share = "" if each.share is None else f" ({'+' if each.share > 0 else ''}{percent(float(each.share))})"
        lines.append(f"  {each.what}: ours ${each.ours.normalize():f}, theirs ${each.theirs.normalize():f}{share}")
    entries = len({each.key for each in found.differences})
    lines.append(
        f"{found.compared} entries compared: {found.same} figures are the same, {len(found.differences)} in {entries} entries differ"
    )
    if found.only_theirs:
        lines.append(f"not priced here: {len(found.only_theirs)} entries ({_some(found.only_theirs)})")
    if found.tiers_only_theirs:
        lines.append(f"tiers not priced here: {len(found.tiers_only_theirs)} ({_some(found.tiers_only_theirs)})")
    if table.elsewhere or table.other:
        lines.append(
            f"not looked at: {table.elsewhere} entries of other regions, {table.other} not of Bedrock's tokens"
        )
    return lines


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
