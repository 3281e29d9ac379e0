"""Text of others, from a scenario or an endpoint, in files that wikis and spreadsheets open: it stays text there."""

import re

import pandas as pd
from markupsafe import Markup

from locustfiles.contract.cells import neutral
from locustfiles.contract.visible import visible

_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n]*?[^`\n])\1(?!`)")
#: what an image, a link, a tag or an address that links itself begins with -> the same as text. Entities, for no backslash
#: before them makes them Markdown again
_LIVE = (
    (re.compile(r"!\["), "!&#91;"),
    (re.compile(r"\](?=[(\[:])"), "&#93;"),
    (re.compile(r"<(?=[A-Za-z/!?])"), "&lt;"),
    (re.compile(r":(?=\\?/\\?/)"), "&#58;"),
    (re.compile(r"\bwww\.", re.IGNORECASE), "www&#46;"),
    (re.compile(r"(?<=[\w.+-])@(?=[\w-]+\.\w)"), "&#64;"),
    (re.compile(r"\b(mailto|xmpp|javascript|data|vbscript):", re.IGNORECASE), r"\1&#58;"),
)


def _live(text: str) -> bool:
    return any(form.search(text) for form, _ in _LIVE)


def _plain(text: str) -> str:
    for form, entity in _LIVE:
        text = form.sub(entity, text)
    return text.replace("`", "&#96;")


#: characters that a report shows of one word, and of one text, of others; its own are far shorter
_LONGEST_WORD, _LONGEST_TEXT = 200, 8000


def shown(text: str) -> str:
    """A text of others as a report shows it: nothing hidden in it, and of one without end the beginning."""
    text = re.sub(
        rf"\S{{{_LONGEST_WORD + 1},}}",
        lambda word: f"{word[0][: _LONGEST_WORD - 20]}…{word[0][-19:]}",
        visible(text),
    )
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text):,} characters)"


def markdown_text(text: str) -> str:
    """One line of Markdown in which no image, link or tag is left. Code spans stay where nothing in them could be one;
    single backticks do not, or they would end in other texts."""
    text, parts, at = shown(text), [], 0
    for span in _SPAN.finditer(text):
        parts += [_plain(text[at : span.start()]), _plain(span[0]) if _live(span[2]) else span[0]]
        at = span.end()
    return " ".join("".join([*parts, _plain(text[at:])]).splitlines())


def finalized(value: object) -> object:
    """What a Markdown template puts out: whatever is not Markup of ours is somebody's text."""
    if isinstance(value, Markup):
        return str(value)
    return markdown_text(value) if isinstance(value, str) else value


def cell(value: object) -> object:
    """A value as a cell of a CSV file that no spreadsheet takes for a formula; a number as it is."""
    return neutral(visible(value)) if isinstance(value, str) else value


def for_spreadsheets(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts as cells that no spreadsheet takes for a formula; numbers as they are."""
    columns = [c for c in frame.columns if frame[c].dtype == object or pd.api.types.is_string_dtype(frame[c])]
    return frame.assign(**{str(c): frame[c].map(cell) for c in columns})
