"""The endpoint's README names every key, fault, column and option there is."""

import re

from scripts.emulator import config
from scripts.emulator.faults import FAULTS
from tests.helpers import bodies, raw_wire
from tests.helpers.emulator_process import ROOT, running_emulator

NAMED = set(re.findall(r"`([a-z0-9_./-]+)`", (ROOT / "scripts/emulator/README.md").read_text()))


def test_every_configuration_key_is_named():
    sections = (
        config.Config,
        config.Credential,
        config.Output,
        config.Timed,
        config.Batched,
        config.Llama,
        config.Limit,
        config.Endpoint,
        config.Model,
        config.Server,
    )
    keys = {key for section in sections for key in section.model_fields}
    assert keys - NAMED == set()


def test_every_fault_is_named():
    assert set(FAULTS) - NAMED == set()


def test_every_column_of_the_truth_is_named(tmp_path):
    with running_emulator(bodies.CONFIG, truth=tmp_path / "truth.jsonl") as e:
        raw_wire.send(e.url, "InvokeEndpoint", "tgi", bodies.tgi(1))
        e.stop()
        [row] = e.truth_rows()
    assert set(row) - NAMED == set()


def test_every_example_configuration_is_named():
    assert {p.name for p in (ROOT / "configs/emulator").glob("*.yaml")} - NAMED == set()
