"""The Markdown files of the repository, and what stands in them: commands, code blocks, tables, headings, links."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: top-level folders whose documents are the project's; not those that a run, an installation or a user makes
FOLDERS = ("analysis", "configs", "deploy", "findings", "locustfiles", "payloads", "scripts", "tests")
#: the manual, in the order in which a newcomer meets it: what comes later may use what earlier commands have made
MANUAL = tuple(
    ROOT / folder / "README.md"
    for folder in (".", "locustfiles", "analysis", "configs", "payloads", "scripts/emulator", "scripts/bench")
)

_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def documents() -> list[pathlib.Path]:
    """Every Markdown file of the project."""
    return sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])


def text_of(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(path: pathlib.Path) -> str:
    """A document without its code blocks."""
    return _FENCED.sub("", text_of(path))


def blocks(path: pathlib.Path, language: str) -> list[str]:
    """The code blocks that are marked with a language."""
    return [text for marked, text in _FENCED.findall(text_of(path)) if marked == language]


def commands(path: pathlib.Path) -> list[str]:
    """Every line of the sh blocks, without its comment."""
    lines = (line.split("  #")[0].strip() for block in blocks(path, "sh") for line in block.splitlines())
    return [line for line in lines if line]


def inline_codes(path: pathlib.Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose_of(path))


def sections(path: pathlib.Path) -> dict[str, str]:
    """Heading -> the prose below it, up to the next heading of any level."""
    parts = re.split(r"^#+ (.*)$", prose_of(path), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(path: pathlib.Path, heading: str, first: str) -> list[list[str]]:
    """The rows of the table below a heading whose first column is called `first`; cells as they are written."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in sections(path)[heading].splitlines()
        if line.startswith("|")
    ]
    begin = next(number for number, row in enumerate(rows) if row[0] == first)
    end = next((n for n in range(begin + 2, len(rows)) if set(rows[n][0]) == {"-"}), len(rows) + 1) - 1
    return rows[begin + 2 : end]


def code(cell: str) -> str | None:
    """What a cell holds, where it is code; `--run-dir DIR` is `--run-dir`."""
    found = re.fullmatch(r"`([^`]+)`", cell)
    return found and found.group(1)


def anchors(path: pathlib.Path) -> set[str]:
    """What GitHub makes of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in sections(path)}


def links(path: pathlib.Path) -> list[str]:
    """Where the document's links and pictures lead, without those to the web."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose_of(path))
    return [link for link in found if not re.match(r"[a-z]+:", link)]
