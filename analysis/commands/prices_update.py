"""`python -m analysis prices update`: asks AWS's Price List API what a region costs, and keeps its price book."""

import argparse
import datetime
import fnmatch
import pathlib

from analysis.prices.ask_aws import reads_of
from analysis.prices.book_text import save, written
from analysis.prices.offered import Offered, known_ids, offered
from analysis.prices.regions import REGION
from analysis.prices.update_view import Changes, changes
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.prices.price_book import load_price_book

#: of the code, where the working folder has none
SHIPPED = pathlib.Path(__file__).parents[2] / "configs/pricing"


def update(args: argparse.Namespace) -> None:
    """Show what AWS lists otherwise than the book, and write it if asked to. Raises BadInput."""
    if args.region is None and args.book is None:
        raise BadInput("prices update: no region; give --region, as us-east-1")
    path = pathlib.Path(args.book) if args.book else _shipped(args.region)
    book = load_price_book(path) if path.is_file() else None
    region = args.region or (book.region if book else None)
    if region is None or not REGION.fullmatch(region):
        raise BadInput(f"--region {region or 'is missing'}: not the code of a region; give one, as us-east-1")
    if book and book.region != region:
        raise BadInput(
            f"{path}: the book of {book.region}, not of {region}; give that region's, or a new file, as --book"
        )
    if book and args.write and book.unit != "per_1k_tokens":
        raise BadInput(
            f"{path}: `unit: {book.unit}`, and what AWS lists is written in USD per 1,000 tokens; give a new file as --book"
        )
    today = datetime.datetime.now(datetime.UTC).date()
    offers = _only(offered(reads_of(region), known_ids(book.models if book else ()), today), args.only)
    found = changes(book, offers, today)
    found = found._replace(unlisted=0) if args.only else found  # the others were not looked at
    print("\n".join(_text(path, region, found, args.write)))
    if args.write and (found.wanted.instances or found.wanted.models):
        old = path.read_text(encoding="utf-8") if book else ""
        try:
            text = written(old, found.wanted, region, today)
        except BadInput as e:
            raise BadInput(f"{path}: {e}") from None
        save(path, text, book)
        print(f"written: {path}")


def _shipped(region: str) -> pathlib.Path:
    """Of the working folder, else the one that the code came with."""
    near = pathlib.Path("configs/pricing") / f"{region}.yaml"
    return near if near.parent.is_dir() else SHIPPED / near.name


def _only(offers: Offered, patterns: list[str] | None) -> Offered:
    """Raises BadInput where nothing has such a name."""
    if not patterns:
        return offers

    def fits(name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    kept = offers._replace(
        instances={name: entry for name, entry in offers.instances.items() if fits(name)},
        models={name: entry for name, entry in offers.models.items() if fits(name)},
        left_out=[line for line in offers.left_out if fits(line.split(": ")[0])],
        unmatched=[],
    )
    if not kept.instances and not kept.models:
        raise BadInput(f"--only {' '.join(patterns)}: AWS lists nothing of this name there; check the pattern")
    return kept


def _text(path: pathlib.Path, region: str, found: Changes, writes: bool) -> list[str]:
    lines = [f"{path}: {region}, USD an hour and per 1,000 tokens, as AWS lists them", *found.lines]
    lines += [f"? {line}" for line in found.wanted.left_out]
    if found.wanted.unmatched:
        names = found.wanted.unmatched
        lines.append(f"? model ids not known of {len(names)}: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}")
    counts = f"{found.new} new, {found.changed} changed, {found.same} the same, {found.kept} yours and otherwise"
    lines.append(counts + (f", {found.unlisted} of before not listed now and kept" if found.unlisted else ""))
    if not writes and (found.new or found.changed or found.same):
        lines.append("nothing was written; --write does")
    return lines
