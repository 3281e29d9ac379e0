"""Conversations of a data set -> payload lines with `turns`: what the user said, turn by turn, with the answers that were recorded."""

import typing

from scripts.make_payloads.rows import Bad, Row


def conversation_of(form: str, row: Row, line: typing.Callable[[Row, bool], Row]) -> Row:
    """A payload line. form: its name; line: what makes a prompt of such a row. Raises Bad."""
    if form == "mt-bench":  # the user's turns alone: the answers are the model's that is tried
        said = row["turns"]
        if not isinstance(said, list) or not said or not all(isinstance(text, str) and text.strip() for text in said):
            raise Bad("no turns")
        return {"turns": [{"user": text} for text in said]}
    made = line(row, True)
    if "messages" not in made:
        raise Bad("no conversation: a prompt alone")
    messages: list[dict] = made.pop("messages")
    return made | _told(messages) | {"turns": _turns([m for m in messages if m["role"] != "system"])}


def _told(messages: list[dict]) -> Row:
    """The system prompt, which stands before all turns."""
    told = [n for n, message in enumerate(messages) if message["role"] == "system"]
    if told not in ([], [0]):
        raise Bad("a system message behind others")
    return {"system": messages[0]["content"]} if told else {}


def _turns(messages: list[dict]) -> list[Row]:
    turns: list[Row] = []
    for message in messages:
        if message["role"] == "user":
            turns.append({"user": message["content"]})
        elif not turns or "assistant" in turns[-1] or not isinstance(message["content"], str):
            raise Bad("an answer that follows no turn of the user")
        else:
            turns[-1]["assistant"] = message["content"]
    return turns
