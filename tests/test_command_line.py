"""Every command: what it says of a bad command line or file has one shape, ends it with 1, and its help has an example."""

import re
import subprocess
import sys

import pytest

from locustfiles.contract import bad_input
from locustfiles.contract.command_line import Parser, ended, usage_error
from locustfiles.contract.exit_codes import BAD_INPUT
from tests.helpers.emulator_process import ROOT
from tests.helpers.locust_process import LOCUST, environment

SHAPE = re.compile(r"error: (?P<place>\S.*?): (?P<what>\S[^;]*); (?P<remedy>\S.*)\n")
ANALYSIS, EMULATOR = "python -m analysis", "python -m scripts.emulator"
PAYLOADS, TOKENIZER = "python -m scripts.make_payloads", "python -m scripts.make_payloads.tokenizer"
ENDPOINTS = "python -m scripts.endpoints"
SCENARIO, BENCH = "python -m scripts.lib.calibrate_scenario", "python -m scripts.bench"
SWEEP = "locust --headless -f locustfiles/sweep.py"
#: command line -> the place that its line names
MISTAKES = {
    ANALYSIS: ANALYSIS,
    f"{ANALYSIS} reprot runs/x": "reprot",
    f"{ANALYSIS} --verson report x": "--verson",
    f"{ANALYSIS} report": f"{ANALYSIS} report",
    f"{ANALYSIS} report runs/x --otu y": "--otu",
    f"{ANALYSIS} report /no/run": "/no/run",
    f"{ANALYSIS} gate": f"{ANALYSIS} gate",
    f"{ANALYSIS} gate /no/run": "/no/run",
    f"{ANALYSIS} check": f"{ANALYSIS} check",
    f"{ANALYSIS} check none.yaml": "none.yaml",
    f"{ANALYSIS} cost --locust-csv x --usd-per-hour abc": "--usd-per-hour abc",
    f"{ANALYSIS} cost --locust-csv x --in 1": "--in",
    f"{ANALYSIS} cost --locust-csv x": "cost",
    f"{ANALYSIS} cost --locust-csv x --usd-per-hour 1": "x_stats.csv",
    f"{ANALYSIS} calibrate r --truth t --bound-ms 0": "--bound-ms",
    f"{ANALYSIS} calibrate r --truth none.jsonl": "--truth none.jsonl",
    f"{ANALYSIS} merge r": f"{ANALYSIS} merge",
    f"{ANALYSIS} merge r none.csv": "none.csv",
    EMULATOR: EMULATOR,
    f"{EMULATOR} --prot 1 --config c": "--prot",
    f"{EMULATOR} --config none.yaml": "none.yaml",
    f"{EMULATOR} --config c --port x": "--port x",
    f"{EMULATOR} --config configs/emulator/simulated.yaml --tls-key k": "--tls-key",
    f"{PAYLOADS} --only demo": "--only demo",
    f"{PAYLOADS} --sead 1": "--sead",
    f"{PAYLOADS} folder": "folder",
    TOKENIZER: TOKENIZER,
    f"{TOKENIZER} --count a --gguf none.gguf": "none.gguf",
    ENDPOINTS: ENDPOINTS,
    f"{ENDPOINTS} deploy none.yaml": "none.yaml",
    f"{ENDPOINTS} run none.yaml locust": "--",
    SCENARIO: SCENARIO,
    f"{SCENARIO} --out x --users 0": "--users 0",
    f"{SCENARIO} --out x --tls maybe": "--tls maybe",
    f"{SCENARIO} --out /no/x --tls no": "--out /no/x",
    f"{BENCH}.load --users 1,b": "--users 1,b",
    f"{BENCH}.verdicts --stages 0": "--stages",
    f"{BENCH}.collect --workers 129": "scripts.bench.collect",
    f"{BENCH}.stages --stages 0": "--stages",
    f"{BENCH}.boto3_loop --url": "--url",
    f"{SWEEP} --scenrio x": "--scenrio",
    f"{SWEEP} --users few --scenario x": "-u/--users few",
    f"{SWEEP} --scenario none.yaml": "none.yaml",
    f"{SWEEP} --scenario configs/demo.yaml --resume": "--resume",
    "scripts/demo.sh --engin x": "--engin",
    "scripts/demo.sh --engine": "--engine",
    "scripts/demo.sh --engine steam": "--engine steam",
    "scripts/calibrate.sh --users": "--users",
    "scripts/calibrate.sh --user 1": "--user",
    "scripts/lock.sh --all": "--all",
    "scripts/check.sh --fi": "--fi",
}
PROGRAMS = [
    ANALYSIS,
    *(f"{ANALYSIS} {name}" for name in ("report", "gate", "cost", "check", "calibrate", "merge")),
    EMULATOR,
    PAYLOADS,
    TOKENIZER,
    ENDPOINTS,
    f"{ENDPOINTS} run",
    SCENARIO,
    *(f"{BENCH}.{name}" for name in ("load", "verdicts", "collect", "stages", "boto3_loop")),
    *(f"scripts/{name}.sh" for name in ("demo", "calibrate", "test", "check", "lock")),
]


def run(line: str) -> subprocess.CompletedProcess:
    first, *rest = line.split()
    command = [{"python": sys.executable, "locust": LOCUST}.get(first, first), *rest]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_gets_one_line_with_place_and_remedy_and_code_1(line):
    done = run(line)
    said = re.sub(r"^\[.*INFO/locust.main: Starting Locust.*\n", "", done.stderr)  # by Locust, before it asks us
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    found = SHAPE.fullmatch(said)
    assert found, done.stderr
    assert found["place"] == MISTAKES[line]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_has_a_help_with_an_example(program):
    done = run(f"{program} --help")
    assert (done.returncode, done.stderr) == (0, "")
    example = done.stdout[done.stdout.index("example") :]
    assert program in example and program in done.stdout[: done.stdout.index("example")]


def test_what_is_misspelt_is_told_its_right_name():
    for line, right in {
        f"{ANALYSIS} reprot x": "did you mean report? Else see python -m analysis --help",
        f"{ANALYSIS} report x --pricng y": "did you mean --pricing? Else see python -m analysis report --help",
        f"{PAYLOADS} --only payload_en_dem": "did you mean payload_en_demo? Else see python -m scripts.make_payloads --help",
    }.items():
        assert SHAPE.fullmatch(run(line).stderr)["remedy"] == right


@pytest.mark.parametrize(
    ("message", "line"),
    {
        "argument -n/--number: expected 2 arguments": "-n/--number: needs 2 values; see p --help",
        "argument --a: expected at least one argument": "--a: needs at least a value; see p --help",
        "argument --a: not allowed with argument --b": "--a: not allowed with argument --b; see p --help",
        "argument --a: 3 is too few; give 4": "--a: 3 is too few; give 4",
        "argument --a: invalid choice: 'x' (choose from xy, zz)": "--a x: none of xy, zz; did you mean xy? Else see p --help",
        "something new": "p: something new; see p --help",
    }.items(),
)
def test_whatever_argparse_says_gets_a_place_and_a_remedy(message, line):
    assert usage_error(message, "p", ["--a"], "see p --help") == line


def test_a_full_disk_behind_standard_output_is_one_line():
    command = [sys.executable, "-m", "analysis", "prices", "us.amazon.nova-lite-v1:0"]
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "error: standard output: No space left on device; make room where it goes, or send it elsewhere\n"
    assert (run.returncode, run.stderr) == (BAD_INPUT, said)


def test_a_python_without_the_libraries_is_told_which_one_has_them():
    command = [sys.executable, "-S", "-m", "analysis", "report", "runs/x"]  # -S: none of site-packages
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == BAD_INPUT
    found = SHAPE.fullmatch(done.stderr)
    assert found["place"] == sys.executable and found["remedy"].startswith("use .venv/bin/python, or pip install")


def test_a_module_of_ours_that_is_missing_is_no_mistake_of_the_users():
    def command():
        raise ModuleNotFoundError("No module named 'analysis.gone'", name="analysis.gone")

    with pytest.raises(ModuleNotFoundError):
        ended(command)


def test_an_option_of_a_sub_command_is_not_suggested_to_another(capsys):
    parser = Parser(prog="p")
    commands = parser.add_subparsers()
    commands.add_parser("one").add_argument("--colour")
    commands.add_parser("two")
    with pytest.raises(SystemExit):
        parser.parse_args(["two", "--color"])
    assert capsys.readouterr().err == "error: --color: unknown option; see p two --help\n"


def test_the_command_line_loads_nothing_heavy():
    code = "import sys, locustfiles.contract.command_line; print({'pydantic', 'yaml', 'gevent', 'importlib.metadata'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "set()\n"


WALK = """
import importlib, pkgutil, locust
from locustfiles.contract.bad_input import BadInput
for name in ("locustfiles.contract", "locustfiles.common", "analysis", "scripts.emulator", "scripts.make_payloads", "scripts.lib"):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        if not module.name.endswith("llama_process"):  # the engine, which may not be installed
            importlib.import_module(module.name)
def walk(cls, depth):
    for below in cls.__subclasses__():
        print(depth, below.__name__)
        walk(below, depth + 1)
walk(BadInput, 1)
"""


def test_the_exception_tree_is_drawn_as_it_is():
    done = subprocess.run([sys.executable, "-c", WALK], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    drawn = re.findall(r"^([│ ]*)[├└]── (\w+) {2,}\S", bad_input.__doc__, re.MULTILINE)
    assert sorted(done.stdout.splitlines()) == sorted(f"{1 + len(indent) // 4} {name}" for indent, name in drawn)
