"""manifest.json as it is written: the same by the quick encoder and by Python's own, of however many stages."""

import dataclasses
import json
import time

import pytest

from locustfiles.contract.manifest import LeftOut, Part, StageWindow, WorkerLoad
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.patience import repeated
from tests.helpers.run_parts import manifest


def many(stages: int):
    loads = [WorkerLoad("w", 0.5, 1.25), WorkerLoad("x", 1e-5, 1e17)]
    return [StageWindow(n, 1, "t", "ü\n", n, None, 10.5 + n, 1e-7, 0.1 + 0.2, workers=loads) for n in range(stages)]


@pytest.mark.parametrize(
    "more",
    [
        {
            "stages": many(3),
            "left_out": [LeftOut("t", None, "auth", "no", "yes")],
            "parts": [Part("r", 1.0, None, "x")],
        },
        {"seed": 2**70},  # more than 64 bits
        {"host": "half a pair \ud83d of UTF-16"},
        {"prices": {"t": {"input": 6e-05, "output": None, "deep": [{"a": [1, 2.0, True]}]}}},
    ],
)
def test_the_file_says_what_pythons_own_encoder_says(tmp_path, more):
    folder, made = RunFolder(tmp_path), manifest(**more)
    folder.write_manifest(made)
    text = folder.manifest.read_text()
    assert json.loads(text) == json.loads(json.dumps(dataclasses.asdict(made)))
    assert text.startswith('{\n "name": "n",\n') and text.endswith("}\n")  # for people to read


@pytest.mark.timed
@repeated
def test_writing_500_stages_takes_a_fifth_of_what_pythons_own_encoder_takes_alone(tmp_path):
    folder, made = RunFolder(tmp_path), manifest(stages=many(500))

    def cpu_s(write) -> float:
        began = time.process_time()
        for _ in range(3):
            write()
        return time.process_time() - began

    ours = cpu_s(lambda: folder.write_manifest(made))
    assert ours < 0.2 * cpu_s(lambda: json.dumps(dataclasses.asdict(made), indent=1))
