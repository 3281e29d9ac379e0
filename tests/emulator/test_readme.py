"""The endpoint's README names every key with its default, every fault, column of the truth, option and example there is."""

import re

import pytest

from scripts.emulator import __main__ as program
from scripts.emulator import config, config_control, config_watched, engine_config
from scripts.emulator.faults import FAULTS
from tests.helpers import bodies, raw_wire
from tests.helpers.documents import ROOT, code, sections, table, text_of
from tests.helpers.emulator_process import running_emulator
from tests.helpers.key_tables import check_keys

README = ROOT / "scripts/emulator/README.md"
TITLE = next(iter(sections(README)))
NAMED = set(re.findall(r"`([a-z0-9_./-]+)`", text_of(README)))
MODELS = {
    "Top level": config.Config,
    "Credentials": config.Credential,
    "Engine timed": engine_config.Timed,
    "Engine simulated": engine_config.Batched,
    "Engine llama": engine_config.Llama,
    "Output": engine_config.Output,
    "Every target": config.Target,
    "Limit": config.Limit,
    "Endpoints": config.Endpoint,
    "Asynchronous": config.Asynchronous,
    "Models": config.Model,
    "Counting": config.Beside,
    "Guarding": config.Guarding,
    "OpenAI": config.Server,
    "Pricing": config.Pricing,
    "Product": config.Item,
    "CloudWatch": config_watched.Watching,
    "Figure": config_watched.Figure,
    "Service Quotas": config_watched.Quotas,
    "Quota": config_watched.Allowed,
    "Control plane": config_control.ControlPlane,
}


@pytest.mark.parametrize("heading", MODELS)
def test_a_table_has_every_key_with_its_default_and_no_other(heading):
    check_keys(README, heading, MODELS[heading], bases=(config.Target, config.Beside))


def test_every_fault_is_named():
    assert set(FAULTS) - NAMED == set()


def test_every_column_of_the_truth_is_named(tmp_path):
    with running_emulator(bodies.CONFIG, truth=tmp_path / "truth.jsonl") as e:
        raw_wire.send(e.url, "InvokeEndpoint", "tgi", bodies.tgi(1))
        e.stop()
        [row] = e.truth_rows()
    assert set(row) - NAMED == set()


def test_every_option_is_explained_and_no_other(capsys):
    with pytest.raises(SystemExit):
        program.main(["--help"])
    told = {code(row[0]).split()[0] for row in table(README, TITLE, "option")}
    there = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert told == there - {"--version"}


def test_every_example_configuration_is_named():
    assert {p.name for p in (ROOT / "configs/emulator").glob("*.yaml")} - NAMED == set()
