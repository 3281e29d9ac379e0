"""CONTRIBUTING.md is true: its recipes are carried out in a copy of the tree, and every file and name that it speaks of is there."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import typing

import pytest
import yaml

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.made_run import made_run, record, window

ROOT = pathlib.Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT.split("## Recipes")[1], re.DOTALL | re.MULTILINE))
BLOCK = re.compile(
    r"^ *```\w+\n *# (?P<path>\S+), (?:new|below `(?P<below>[^\n]+)`)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
STEP = re.compile(r"^\d+\. (.*?)(?=^\d+\. |\Z)", re.DOTALL | re.MULTILINE)


class Edit(typing.NamedTuple):
    """`below`: the line of the file under which the text comes; None for a new file."""

    path: str
    below: str | None
    text: str


def edits(recipe: str) -> list[Edit]:
    """The blocks of a recipe, without the list's own indentation of three."""
    found = (match.groupdict() for match in BLOCK.finditer(RECIPES[recipe]))
    return [Edit(b["path"], b["below"], re.sub(r"^ {3}", "", b["text"], flags=re.MULTILINE)) for b in found]


def carry_out(recipe: str, folder: pathlib.Path) -> list[str]:
    """A copy of the sources in which the recipe was followed; the files that were touched."""
    for name in ("locustfiles", "analysis", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    touched = {}
    for edit in edits(recipe):
        path = folder / edit.path
        if edit.below is None:
            assert not path.exists()
            path.write_text(edit.text, encoding="utf-8")
        else:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            at = next(n for n, line in enumerate(lines, start=1) if edit.below in line)
            path.write_text("".join([*lines[:at], edit.text, *lines[at:]]), encoding="utf-8")
        touched[edit.path] = None
    return list(touched)


def run(folder: pathlib.Path, *arguments: str, **environment: str) -> str:
    """What a command says that ends well, in the copy."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))} | environment
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_recipe_of_a_sub_command_makes_one(tmp_path):
    touched = carry_out("A sub-command", tmp_path)
    assert touched == ["analysis/commands/slowest.py", "analysis/__main__.py"]
    run(tmp_path, "-m", "ruff", "check", "--quiet", *touched)
    run(tmp_path, "-m", "ruff", "format", "--check", *touched)
    assert "slowest" in run(tmp_path, "-m", "analysis", "--help")
    assert "python -m analysis slowest runs/study" in run(tmp_path, "-m", "analysis", "slowest", "--help")
    records = [record(11 + n, 0.5 + n, request_id=f"r{n}") for n in range(12)]
    made_run(tmp_path / "runs/x", records, [window(1, 10, 30)])
    said = run(tmp_path, "-m", "analysis", "slowest", "runs/x").splitlines()
    assert [line.split()[0] for line in said[1:]] == [f"r{n}" for n in range(11, 1, -1)]


SCENARIO = {
    "name": "aurora",
    "region": "us-east-1",
    "payloads": ["prompts.jsonl"],
    "load": {"users": [1], "measure_s": 1},
    "pricing": str(ROOT / "configs/pricing/local-demo.yaml"),
    "targets": [
        {"name": f"aurora-{stream}", "service": "bedrock", "model_id": "example.aurora-1-v1:0", "api": "invoke", "stream": stream}
        | {"parameters": {"max_tokens": 7, "stop": ["."]}, "price": {"input": 0.002, "output": 0.008}}
        for stream in (False, True)
    ],
}  # fmt: skip
ENDPOINT = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 5, "tokens_per_second": 1000}},
    "models": {"example.aurora-1-v1:0": {"engine": "quick", "family": "aurora"}},
}
PROGRAM = """
import csv, subprocess, sys
from locustfiles.contract.exit_codes import OK

with subprocess.Popen([sys.executable, "-m", "scripts.emulator", "--config", "endpoint.yaml", "--port", "0"],
                      stdout=subprocess.PIPE, text=True) as endpoint:
    try:
        import os
        os.environ["AWS_ENDPOINT_URL"] = endpoint.stdout.readline().split()[-1]
        check = [sys.executable, "-m", "analysis", "check", "scenario.yaml", "--record", "records.csv"]
        assert subprocess.run(check, timeout=40).returncode == OK
    finally:
        endpoint.terminate()
for row in csv.DictReader(open("records.csv")):
    print(row["target"], row["error"] or "good", row["prompt_tokens"], row["completion_tokens"], row["stop_reason"], row["chunks"])
"""


def test_the_recipe_of_a_dialect_family_makes_one_that_is_asked_and_answers_on_the_wire(tmp_path):
    touched = carry_out("A dialect family of Bedrock", tmp_path)
    assert len(touched) == 7
    run(
        tmp_path, "-m", "ruff", "check", "--quiet", "--fix", *touched
    )  # the imports' order, as scripts/check.sh --fix would
    run(tmp_path, "-m", "ruff", "format", "--check", *touched)
    (tmp_path / "scenario.yaml").write_text(yaml.safe_dump(SCENARIO))
    (tmp_path / "endpoint.yaml").write_text(yaml.safe_dump(ENDPOINT))
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "How far is it to the harbour?"}\n')
    keys = {"AWS_ACCESS_KEY_ID": EXAMPLE_ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": EXAMPLE_SECRET_KEY}
    said = run(tmp_path, "-c", PROGRAM, **keys, AWS_EC2_METADATA_DISABLED="true")
    # 29 characters are 8 tokens by the simulated rule; each of the 7 tokens of an answer is a chunk of its own
    assert said.splitlines()[-2:] == ["aurora-False good 8 7 length ", "aurora-True good 8 7 length 7"]


def named(recipe: str) -> list[tuple[str, str]]:
    """(file, name that must be in it): in each step the names that stand behind a file, up to the next one."""
    found = []
    for step in STEP.findall(re.sub(r"^ *```.*?^ *```$", "", RECIPES[recipe], flags=re.DOTALL | re.MULTILINE)):
        path = None
        for word in re.findall(r"`([^`]+)`", step):
            if "/" in word:
                path = word
            elif (
                path is not None
                and re.fullmatch(r"_?[A-Za-z]\w*", word)
                and (word.isupper() or "_" in word or word[0].isupper())
            ):
                found.append((path, word))
    return found


def made(recipe: str) -> set[str]:
    return {edit.path for edit in edits(recipe) if edit.below is None}


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_name_of_a_recipe_is_in_the_file_that_it_stands_behind(recipe):
    missing = [
        (path, name)
        for path, name in named(recipe)
        if path not in made(recipe) and not ((ROOT / path).exists() and name in (ROOT / path).read_text())
    ]
    assert missing == []


def test_every_path_is_there():
    paths = {word for word in re.findall(r"`([^` ]+/[^` ]*)`", TEXT) if not word.startswith("-")}
    assert len(paths) > 50
    new = set().union(*map(made, RECIPES))
    assert sorted(path for path in paths - new if not (ROOT / path).exists()) == []


def test_every_folder_with_a_floor_is_in_its_table():
    """So that the tables grow with pyproject.toml, where the floors are checked."""
    folders = [p.parent for half in ("locustfiles/common", "analysis") for p in (ROOT / half).glob("*/__init__.py")]
    assert [
        f for f in folders if f"| `{f.relative_to(ROOT)}/`" not in TEXT and f", `{f.relative_to(ROOT)}/`" not in TEXT
    ] == []
    assert len(folders) > 12


def test_the_recipes_are_those_that_are_wanted():
    wanted = ("dialect family", "fault", "column", "sub-command", "message", "limits", "caution")
    assert [what for what in wanted if not any(what in name for name in RECIPES)] == []
    assert all(len(STEP.findall(textwrap.dedent(text))) >= 3 for text in RECIPES.values())
