"""Imported runs beside own ones of the same model, endpoint or price: what the options of a place are for."""

import json

import pytest

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from tests.helpers.flat import steps
from tests.helpers.made_run import made_run, steady, window
from tests.helpers.peer_files import DATA, changed, copied, imported
from tests.helpers.peer_results import refusal

OWN = {
    "name": "own",
    "model": "Llama 3 8B",
    "service": "openai",
    "base_url": "http://localhost:9/v1",
    "model_id": "llama",
}
HOURLY = {"own": {"usd_per_hour": 3.6, "instance_count": 1}}
G5 = ("--instance", "ml.g5.xlarge", "--region", "us-east-1")


@pytest.fixture
def own(tmp_path):
    """Two users and four, of latency 0.8 s, on prompts of the file that the handed runs name."""
    values = {"target": "own", "service": "openai", "operation": "ChatCompletions", "payload": "prompts"}
    tokens = {"prompt_tokens": 40, "completion_tokens": 30}
    records = [
        r for n, users in ((1, 2), (2, 4)) for r in steady(n, 100 * n, 100 * n + 60, users, 0.8, **values, **tokens)
    ]
    spot = {"target": "own", "payload": "prompts"}
    stages = [window(n, 100 * n, 100 * n + 60, users=users, **spot) for n, users in ((1, 2), (2, 4))]
    return str(made_run(tmp_path / "own", records, stages, targets=[OWN], prices=HOURLY))


def compared(own, other, capsys) -> dict:
    main(["compare", own, str(other), "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_run_of_another_name_is_compared_by_its_model(own, tmp_path, capsys):
    imported("guidellm", DATA / "guidellm", tmp_path / "by-model", "--model", "Llama 3 8B")
    capsys.readouterr()
    (group,) = compared(own, tmp_path / "by-model", capsys)["groups"]
    assert [(level["users"], sorted(level["stages"])) for level in group["levels"]] == [
        (2, ["by-model", "own"]),
        (4, ["by-model", "own"]),
    ]


def test_a_target_s_name_is_enough_too_and_without_either_nothing_is_paired(own, tmp_path, capsys):
    imported("guidellm", DATA / "guidellm", tmp_path / "by-name", "--target", "own")
    imported("guidellm", DATA / "guidellm", tmp_path / "neither")
    capsys.readouterr()
    assert len(compared(own, tmp_path / "by-name", capsys)["groups"]) == 1
    assert main(["compare", own, str(tmp_path / "neither"), "--json"]) == 1


def test_report_and_plan_have_both_as_options_for_one_model(own, tmp_path):
    imported("guidellm", DATA / "guidellm", tmp_path / "theirs", "--model", "Llama 3 8B", "--usd-per-hour", "1.8")
    both = [own, str(tmp_path / "theirs")]
    assert set(steps(analyse(both))["model"]) == {"Llama 3 8B"}
    file = tmp_path / "plan.json"
    assert main(["plan", *both, "--transactions-per-minute", "60", "--json", str(file)]) == 0
    names = " ".join(option["name"] for option in json.loads(file.read_text())["options"])
    assert "own" in names and "mixed" in names


def test_what_answered_stays_what_was_called(tmp_path):
    run = imported("guidellm", DATA / "guidellm", tmp_path / "run", "--model", "Llama 3 8B")
    (target,) = run.scenario.targets
    assert (target.model, target.model_id, target.service) == ("Llama 3 8B", "mixed", "openai")


def test_a_sagemaker_endpoint_is_the_place_of_an_own_run(tmp_path):
    options = ("--service", "sagemaker", "--endpoint", "chat-ep", "--model", "Llama 3 8B", *G5)
    run = imported("vllm-bench", DATA / "vllm-bench", tmp_path / "run", *options)
    (target,) = run.scenario.targets
    assert (target.service, target.endpoint, target.instance_type) == ("sagemaker", "chat-ep", "ml.g5.xlarge")
    assert set(run.records["operation"]) == {"InvokeEndpointWithResponseStream"}
    assert run.manifest.prices["chat-ep"]["usd_per_hour"] > 0


def test_an_id_of_bedrock_s_is_priced_by_the_token_and_another_name_is_not(tmp_path):
    nova = ("--model", "us.amazon.nova-lite-v1:0", "--region", "us-east-1")
    run = imported("guidellm", DATA / "guidellm", tmp_path / "nova", *nova)
    assert run.scenario.targets[0].model_id == "us.amazon.nova-lite-v1:0"
    assert {"input", "output"} <= run.manifest.prices["us.amazon.nova-lite-v1-0"].keys()
    for n, name in enumerate(["qwen2.5-7b-instruct", "llama3.1-8b", "meta-llama/Llama-3-8B", "gpt-4.1-mini", "mixed"]):
        other = imported("guidellm", DATA / "guidellm", tmp_path / f"other{n}", "--model", name)
        assert (other.scenario.targets[0].service, other.manifest.prices) == ("openai", {})
    options = ("--service", "bedrock", "--endpoint", "meta.llama3-8b-instruct-v1:0", "--model", "Llama 3 8B", *G5[2:])
    run = imported("guidellm", DATA / "guidellm", tmp_path / "named", *options)
    assert (run.scenario.targets[0].model, run.scenario.targets[0].model_id) == (
        "Llama 3 8B",
        "meta.llama3-8b-instruct-v1:0",
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--endpoint", "x"), "add --service sagemaker, or --service bedrock"),
        (("--service", "bedrock", *G5), "--instance: Bedrock has none"),
        (("--service", "sagemaker"), "add --region"),
        (("--model", "my.model", "--region", "us-east-1"), "--service openai, if `my.model` is not Bedrock's"),
        (("--input-usd-per-1k", "1", "--output-usd-per-1k", "1", *G5), "more than one price"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, told, tmp_path, capsys):
    assert told in refusal(capsys, "guidellm", DATA / "guidellm", tmp_path / "run", *options)


def test_one_model_is_not_said_of_files_of_two(tmp_path, capsys):
    folder = copied("vllm-bench", tmp_path)
    changed(min(folder.glob("*.json")), lambda d: d.update(model_id="other"))
    line = refusal(capsys, "vllm-bench", folder, tmp_path / "run", "--model", "Llama 3 8B")
    assert "import the files of each by themselves" in line
