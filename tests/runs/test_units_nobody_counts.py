"""A price by units that no answer counts: said where there is no budget, and never sent on where one is to be kept."""

import pytest

from locustfiles.common.planning.inputs import load_inputs
from locustfiles.contract.bad_input import BadScenario
from tests.helpers import folders
from tests.helpers.emulator_process import running_emulator
from tests.helpers.locust_process import one_locust
from tests.runs.test_check import check

SEED = 1  # with which the first dozen calls are throttled, and some later ones are not
EMULATOR = {
    "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 200, "seed": 3}},
    "models": {
        "quick-model": {"engine": "quick", "family": "nova"},
        "cohere.command-r-v1:0": {"engine": "quick", "family": "cohere-command-r"},
    },
    "endpoints": {
        "tgi": {"engine": "quick", "dialect": "tgi"},
        "busy": {"engine": "quick", "dialect": "tgi", "faults": {"throttle": 0.9}, "fault_seed": SEED},
    },
}
LOAD = {"users": [2], "settle_s": 0, "measure_s": 1}
IMAGES = {"units": {"image": 0.01}}
UNKNOWN = "its cost will not be known; {raw}price it by token, by `query`, which is one a call, or by the hour"
RAW = {
    "dialect": "raw",
    "stream": False,
    "body": {"inputs": "{prompt}", "parameters": {"max_new_tokens": "{max_tokens}"}},
    "answer": {"text": "generated_text || [0].generated_text"},
    "instance_type": None,
    "parameters": {"max_tokens": 10},
}
COHERE = {"name": "t", "service": "bedrock", "model_id": "cohere.command-r-v1:0", "api": "invoke", "stream": False}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running_emulator(EMULATOR) as e:
        yield e


def raw(endpoint: str = "tgi", **more) -> dict:
    target = folders.sagemaker(endpoint, name="t", price=IMAGES, **RAW)
    target = {k: v for k, v in target.items() if v is not None}
    return target | {"answer": target["answer"] | more}


def scenario_of(folder, served, target: dict, **more):
    return folders.make_scenario(folder, served.url, [target], LOAD, pricing=None, **more)


#: targets of which it is known beforehand, and what is said
NEVER = {
    "Converse": (folders.bedrock("quick-model", name="t", price=IMAGES), "Converse counts none", ""),
    "Converse by the page": (
        folders.bedrock("quick-model", name="t", price={"input": 0.001, "output": 0.002, "units": {"page": 0.01}}),
        "Converse counts none",
        "",
    ),
    "a family without units": (
        folders.bedrock("amazon.nova-micro-v1:0", name="t", api="invoke", price=IMAGES),
        "answers of `nova` count none",
        "",
    ),
    "a container without `units`": (
        raw(),
        "`answer` does not say where their count is",
        "add `answer.units`, or ",
    ),
}


@pytest.mark.parametrize("kind", NEVER)
def test_a_budget_that_nothing_would_guard_is_refused_before_anything_is_sent(served, tmp_path, kind):
    target, silent, raw_remedy = NEVER[kind]
    unit = next(iter(target["price"]["units"]))
    before = served.stats()["requests"]
    scenario = scenario_of(tmp_path, served, target, budget_usd=0.5)
    line = (
        f"target `t`: `budget_usd` cannot be kept: it is billed by the {unit}, and {silent}: "
        f"{UNKNOWN.format(raw=raw_remedy)}\n"
    )
    with pytest.raises(BadScenario) as e:
        load_inputs(str(scenario), ("bedrock", "sagemaker"))
    assert f"{e.value}\n".endswith(line)
    if kind == "Converse":
        done = check(scenario, "--no-call")
        assert (done.returncode, done.stderr) == (1, f"error: {e.value}\n")
        with one_locust(scenario, tmp_path / "run") as process:
            assert process.wait() == 1 and line.strip() in process.text, process.text
    assert served.stats()["requests"] == before


@pytest.mark.parametrize("more", [{"budget_usd": 0.5}, {"confirm_above_usd": 1000}], ids=["budget", "none"])
def test_a_price_of_two_units_is_refused_before_anything_is_sent_for_an_answer_has_one_count(served, tmp_path, more):
    """One count times both prices would be 3 x $0.01 + 3 x $0.002 for three images of one page."""
    target = raw(units="usage.images") | {"price": {"units": {"image": 0.01, "page": 0.002}}}
    before = served.stats()["requests"]
    scenario = scenario_of(tmp_path, served, target, **more)
    line = (
        "target `t`: `price:`: `units` has image and page, and an answer has one count, which is not of both; keep the one that it "
        "counts, and give the calls that are billed by the other a target and `price:` of their own"
    )
    for options in ((), ("--no-call",)):
        done = check(scenario, *options)
        assert done.returncode == 1 and done.stderr.strip().endswith(line) and done.stderr.count("\n") == 1
    with one_locust(scenario, tmp_path / "run", "--yes") as process:
        assert process.wait() == 1, process.text
        assert len(process.errors) == 1 and process.errors[0].endswith(line)
    assert served.stats()["requests"] == before and not (tmp_path / "run").exists()


def test_without_a_budget_it_is_said_before_the_load_and_by_check(served, tmp_path):
    target, silent, _ = NEVER["Converse"]
    scenario = scenario_of(tmp_path, served, target, confirm_above_usd=1000)
    line = f"it is billed by the image, and {silent}: {UNKNOWN.format(raw='')}"
    done = check(scenario, "--no-call")
    assert done.returncode == 0 and line in " ".join(done.stdout.split())
    done = check(scenario)
    assert "t: billed by units that no answer counts" in " ".join(done.stdout.split())
    with one_locust(scenario, tmp_path / "run", "--yes") as process:
        assert process.wait() == 0, process.text
        assert process.text.count(f"Price of target `t`: {line}") == 1
    assert folders.manifest(tmp_path / "run")["price_sources"]["t"]["cautions"] == [line]


#: targets whose answers may count, and do not
SILENT = {
    "Cohere's": COHERE | {"price": IMAGES, "parameters": {"max_tokens": 10}},
    "a container's": raw(units="usage.images"),
}


@pytest.mark.parametrize("kind", SILENT)
def test_a_first_call_without_the_count_ends_a_run_that_has_a_budget(served, tmp_path, kind):
    scenario = scenario_of(tmp_path, served, SILENT[kind], budget_usd=0.5)
    line = (
        "target `t`: `budget_usd` cannot be kept: it is billed by the image, and a first call came without a count of them: "
        f"{UNKNOWN.format(raw='')}"
    )
    done = check(scenario)
    assert done.returncode == 1 and done.stderr.strip().endswith(line), done.stderr
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 1, process.text
        assert process.errors == [f"error: {line}"] and "Traceback" not in process.text
    assert len(folders.rows(tmp_path / "run")) == 1 and folders.manifest(tmp_path / "run")["stages"] == []


def test_without_a_budget_the_missing_count_is_said_once(served, tmp_path):
    scenario = scenario_of(tmp_path, served, SILENT["Cohere's"], confirm_above_usd=1000)
    line = f"target `t`: it is billed by the image, and a first call came without a count of them: {UNKNOWN.format(raw='')}"
    assert line in " ".join(check(scenario).stdout.split())
    with one_locust(scenario, tmp_path / "run", "--yes") as process:
        assert process.wait() == 0, process.text
        assert process.text.count(line) == 1


def test_a_run_whose_first_calls_were_throttled_ends_at_the_first_answer_without_a_count(served, tmp_path):
    scenario = scenario_of(tmp_path, served, raw("busy", units="usage.images"), budget_usd=0.5, error_pause_s=0.05)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 1, process.text
        assert (
            "all 5 first calls were throttled" in process.text and "`budget_usd` cannot be kept" in process.errors[-1]
        )
    worked = [row for row in folders.rows(tmp_path / "run") if row.error is None]
    assert (
        1 <= len(worked) <= 20
    )  # two users, at 65 ms a call, of which a tenth works, until the guard looks: each 0.1 s
