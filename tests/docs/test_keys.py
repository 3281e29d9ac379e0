"""Every key, field, column and option there is stands in the README that explains it, and no other."""

import argparse
import dataclasses
import json
import re
import typing

import pydantic
import pytest
import yaml

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts import payloads, tokenizer_packages
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract import error_classes, exit_codes, manifest, record
from locustfiles.contract.prices import price, price_book
from locustfiles.contract.scenario import (
    async_inference,
    cancels,
    families,
    loads,
    mixes,
    prefix,
    raw,
    retry,
    scenario,
    sessions,
    slo,
    slo_file,
    synthetic,
    targets,
)
from scripts.emulator import config as emulator
from tests.helpers.documents import MANUAL, ROOT, blocks, code, inline_codes, sections, table, text_of
from tests.helpers.key_tables import check_keys

CONFIGS, LOCUSTFILES = ROOT / "configs/README.md", ROOT / "locustfiles/README.md"
COMMON = targets.SageMakerTarget.__mro__[1]
#: whose keys have a table of their own, which those of other models do not repeat
BASES = (COMMON, price_book.Dated, price.Rates, price.TokenPrice, slo.Slo)
#: heading of configs/README.md -> the model whose keys its table lists
MODELS: dict[str, type[pydantic.BaseModel]] = {
    "Scenario": scenario.Scenario,
    "Targets": COMMON,
    "SageMaker": targets.SageMakerTarget,
    "Asynchronous endpoints": async_inference.AsyncInference,
    "Bedrock": targets.BedrockTarget,
    "Guardrail": targets.Guardrail,
    "OpenAI route": targets.OpenAITarget,
    "Load": loads.Load,
    "until": loads.Until,
    "sessions": sessions.Sessions,
    "pauses": sessions.Think,
    "abort_stage": loads.AbortStage,
    "find": loads.Find,
    "ramp": loads.Ramp,
    "Mix": mixes.MixPart,
    "Cancel": cancels.Cancel,
    "Synthetic prompts": synthetic.Synthetic,
    "Lengths": synthetic.Lengths,
    "Prefix": prefix.Prefix,
    "Retry": retry.Retry,
    "SLO": slo.Slo,
    "Limits": slo.Limits,
    "Files of limits": slo_file.SloFile,
    "Classes": slo_file.SloClass,
    "Where": slo_file.Where,
    "Book": price_book.PriceBook,
    "Entries": price_book.Dated,
    "Instances": price_book.InstanceEntry,
    "Models": price_book.ModelEntry,
    "On top of a known price": price_book.OnTop,
    "Price by token": price.Rates,
    "Steps and units": price.TokenPrice,
    "A step": price.Step,
    "Price by the hour": price.HourlyPrice,
    "Reserved tier": price.Reserved,
    "Any other container: raw": raw.RawAnswer,
}
#: a scenario to which a README's YAML adds what it shows
BASE = """
name: base
targets: [{name: t, service: sagemaker, endpoint: e, dialect: tgi, stream: true, price: {usd_per_hour: 1}}]
region: us-east-1
payloads: [p.jsonl]
load: {users: [1], measure_s: 1}
slo: {latency_s: {p50: 1}}
pricing: p.yaml
"""


def _models(annotation: typing.Any) -> set[type[pydantic.BaseModel]]:
    """The models that an annotation holds, and those that they hold."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        inner = (_models(field.annotation) for field in annotation.model_fields.values())
        return {annotation}.union(*inner)
    return set().union(*map(_models, typing.get_args(annotation)))


def test_every_model_of_a_scenario_and_a_price_book_has_its_table():
    assert _models(scenario.Scenario) | _models(price_book.PriceBook) <= set(MODELS.values())


@pytest.mark.parametrize("heading", MODELS)
def test_a_table_has_every_key_with_its_default_and_no_other(heading):
    check_keys(CONFIGS, heading, MODELS[heading], BASES)


def test_every_choice_of_a_key_is_named():
    """converse, invoke, poisson, flex, …"""
    choices: set = set()

    def collect(annotation) -> None:
        if typing.get_origin(annotation) is typing.Literal:
            choices.update(typing.get_args(annotation))
        for part in typing.get_args(annotation):
            collect(part)

    for model in MODELS.values():
        for field in model.model_fields.values():
            collect(field.annotation)
    assert len(choices) > 20
    assert choices - set(inline_codes(CONFIGS)) == set()


def test_every_family_and_tokenizer_is_named():
    named = set(inline_codes(CONFIGS))
    assert set(typing.get_args(families.Family)) <= named
    rows = {(code(name), package) for name, _, package in table(CONFIGS, "Tokenizers", "name")}
    assert rows == {(name, v.package) for name, v in tokenizer_packages.FAMILIES.items()}


YAML = [pytest.param(text, id=f"{p.parent.name}-{n}") for p in MANUAL for n, text in enumerate(blocks(p, "yaml"), 1)]


def _scenario(text: str, folder) -> scenario.Scenario:
    (folder / "scenario.yaml").write_text(yaml.safe_dump(yaml.safe_load(BASE) | yaml.safe_load(text)))
    return scenario.load_scenario(folder / "scenario.yaml")


@pytest.mark.parametrize("text", YAML)
def test_every_key_of_a_yaml_block_is_accepted(text, tmp_path):
    (tmp_path / "file.yaml").write_text(text)
    if "\nengines:" in text:
        emulator.load(tmp_path / "file.yaml")
    elif "\ncurrency:" in text:
        price_book.load_price_book(tmp_path / "file.yaml")
    elif "\nclasses:" in text:
        slo_file.load_slo(tmp_path / "file.yaml")
    else:
        _scenario(text, tmp_path)


def test_the_readmes_yaml_means_what_is_said_of_it(tmp_path):
    whole = next(text for text in blocks(CONFIGS, "yaml") if text.startswith("name:"))
    assert _scenario(whole, tmp_path).load.users == list(range(1, 21))
    rate, replay, find = (_scenario(text, tmp_path).load for text in blocks(LOCUSTFILES, "yaml"))
    assert (rate.rate, replay.replay, find.find.up_to) == ([0.5, 1, 2], "traces/monday.csv", 64)
    [own] = _scenario(next(text for text in blocks(CONFIGS, "yaml") if "dialect: raw" in text), tmp_path).targets
    assert json.loads(build(own, Prompt("p", "Hi", None)).body) == {"text_inputs": "Hi", "max_length": 100}


def _dataclasses(annotation: typing.Any) -> set[type]:
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):  # a validator is an instance of one
        return {annotation}.union(*(_dataclasses(f.type) for f in dataclasses.fields(annotation)))
    return set().union(*map(_dataclasses, typing.get_args(annotation)))


@pytest.mark.parametrize("part", sorted(_dataclasses(manifest.Manifest), key=lambda c: c.__name__))
def test_every_field_of_the_manifest_is_explained_and_no_other(part):
    rows = table(LOCUSTFILES, part.__name__, "field")
    assert [code(row[0]) for row in rows] == [field.name for field in dataclasses.fields(part)]
    assert all(row[1] for row in rows)


def test_every_column_of_requests_csv_is_explained_and_no_other():
    rows = table(LOCUSTFILES, "requests.csv", "column")
    assert tuple(code(row[0]) for row in rows) == record.FIELDS
    assert all(row[1] for row in rows)


def test_every_error_class_and_exit_code_is_named():
    named = sections(LOCUSTFILES)["Error classes"]
    for error in error_classes.ErrorClass:
        assert f"`{error}`" in named
        assert f"| {error} |" in error_classes.__doc__
    codes = {str(value) for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    told = {row[0] for path in (LOCUSTFILES, ROOT / "analysis/README.md") for row in table(path, "Exit codes", "code")}
    assert told == codes


COMMANDS = sorted((ROOT / "analysis/commands").glob("[a-z]*.py"))


@pytest.mark.parametrize("path", [p for p in COMMANDS if "exit code:" in p.read_text()], ids=lambda p: p.stem)
def test_a_commands_help_names_the_exit_codes_that_it_has_and_no_other(path):
    """1 is of every command: a BadInput that it raises."""
    text = path.read_text()
    imported = re.search(r"exit_codes import ([\w, ]+)", text)
    names = {name.strip() for name in imported[1].split(",")} - {"complain"}
    told = re.search(r"exit code: (.*?)\"\"\"", text, re.DOTALL)[1]
    assert {int(code) for code in re.findall(r"\b\d\b", told)} == {1} | {getattr(exit_codes, name) for name in names}


def test_every_option_of_the_load_side_is_explained_and_no_other():
    from locustfiles.common.swarm import locust_plugin

    found = []

    class LocustsParser(argparse.ArgumentParser):
        def add_argument(self, name, include_in_web_ui=True, env_var=None, **more):
            found.append((name, env_var))
            return super().add_argument(name, **more)

    locust_plugin._add_options(LocustsParser(add_help=False), given={})
    rows = table(LOCUSTFILES, "Options", "option")
    assert [(code(option).split()[0], code(variable)) for option, _, variable in rows] == found


def test_every_form_of_a_payload_line_is_one(tmp_path):
    text = "".join(block.strip() + "\n" for block in blocks(ROOT / "payloads/README.md", "json"))
    (tmp_path / "p.jsonl").write_text(text)
    assert len(payloads.load_payload(tmp_path / "p.jsonl")) == len(text.splitlines())
    named = text + text_of(ROOT / "payloads/README.md")
    assert [key for key in payloads._KEYS if not re.search(rf'[`"]{key}[`"]', named)] == []
