"""Writes English passages of ten kinds, each with questions that the passage answers, from passages.yaml.

Everything is drawn from the `random.Random` that the caller hands in: the same generator state gives the same text.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml

SOURCE = Path(__file__).with_name("passages.yaml")
SLOT = re.compile(r"\{(a )?([a-z]+|\d+-\d+)\}")
NUMBER_RANGE = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True)
class Passage:
    """A title, points (sentences that state facts), a question that each of them answers, and filler sentences."""

    title: str
    points: list[str]
    questions: list[str]
    body: list[str]


@functools.cache
def grammar() -> dict:
    """The YAML file as it is: `words`, `kinds`, `instructions`."""
    return yaml.safe_load(SOURCE.read_text(encoding="utf-8"))


def write_passage(random: Random, kind: str) -> Passage:
    """One passage; its filler sentences are in random order, each template at most once."""
    rules = grammar()["kinds"][kind]
    facts = _draw_facts(random, rules["facts"])
    points, questions = [], []
    for point in rules["points"]:
        points.append(_fill(random, random.choice(point["say"]), facts))
        questions.append(_fill(random, random.choice(point["ask"]), facts))
    templates = list(rules["body"])
    random.shuffle(templates)
    body = [_fill(random, template, facts) for template in templates]
    return Passage(_fill(random, rules["title"], facts), points, questions, body)


def _draw_facts(random: Random, wanted: dict[str, str]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for name, source in wanted.items():
        value = _draw(random, source)
        while value in facts.values():  # two people, or two towns, of one passage must not be the same
            value = _draw(random, source)
        facts[name] = value
    return facts


def _draw(random: Random, source: str) -> str:
    number_range = NUMBER_RANGE.fullmatch(source)
    if number_range:
        return str(random.randint(int(number_range[1]), int(number_range[2])))
    return random.choice(grammar()["words"][source])


def _fill(random: Random, template: str, facts: dict[str, str]) -> str:
    taken = set(facts.values())

    def replace(match: re.Match) -> str:
        article, name = match.groups()
        word = facts[name] if name in facts else _draw(random, name)
        if name not in facts and not NUMBER_RANGE.fullmatch(name):
            while word in taken:  # a filler sentence must not contradict a fact or repeat a word of its own
                word = _draw(random, name)
            taken.add(word)
        if article:
            return f"an {word}" if word[0] in "aeiou" else f"a {word}"
        return word

    text = SLOT.sub(replace, template)
    return text[0].upper() + text[1:]
