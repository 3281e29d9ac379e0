"""The documents are true: every command of the README runs, every scenario key and exit code is in it."""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
import yaml

from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract import error_classes as errors
from locustfiles.contract.scenario import loads, scenario, targets
from locustfiles.contract.scenario import strict_yaml as yaml_file
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.emulator_process import running_emulator
from tests.helpers.llama_server import running_llama_server
from tests.helpers.locust_process import free_port

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
SHORT = {"users": [1, 2], "settle_s": 0.2, "measure_s": 0.6}
OTHERS_RUN_THEM = (
    "scripts/demo.sh",
    "scripts/calibrate.sh",
    "scripts/test.sh",
)  # tests of their own; what is running now


def commands() -> list[str]:
    """Every line of the README's sh blocks, without its comment."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(OTHERS_RUN_THEM)]


@pytest.fixture(scope="module")
def llama():
    with running_llama_server() as url:
        yield url


@pytest.fixture(scope="module")
def desk(tmp_path_factory, llama):
    """A working folder like the repository, its scenarios cut short, with an endpoint for all their names."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("locustfiles", "analysis", "payloads", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    served: dict = {
        "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 2000}},
        "endpoints": {},
        "models": {},
    }
    for source in ROOT.glob("configs/**/*.yaml"):
        copy = folder / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        data = yaml.safe_load(source.read_text())
        for target in data.get("targets", ()):
            if target["service"] == "openai":
                target["base_url"] = llama
            elif target["service"] == "sagemaker":
                served["endpoints"][target["endpoint"]] = {"engine": "quick", "dialect": target["dialect"]}
            else:
                family = "claude" if "claude" in target["model_id"] else "llama"
                served["models"][target["model_id"]] = {"engine": "quick", "family": family}
        if "targets" in data:
            data |= {"load": SHORT, "payloads": data["payloads"][:1]}
            data["slo"].pop("dataset", None)
        copy.write_text(yaml.safe_dump(data))
    with running_emulator(served, truth=folder / "truth.jsonl") as emulator:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCUST_"))}
        env |= {
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": EXAMPLE_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": EXAMPLE_SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": emulator.url,
            "LOCUST_WEB_HOST": "127.0.0.1",
            "LOCUST_WEB_PORT": str(free_port()),
        }
        yield folder, env


def start(desk, command: str) -> subprocess.Popen:
    folder, env = desk
    return subprocess.Popen(
        shlex.split(command), cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen) -> str:
    """Its output, once it has ended well."""
    try:
        output, _ = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}:\n{output}"
    return output


def wait_for(url: str) -> None:
    over = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            assert time.monotonic() < over, f"{url} does not answer"
            time.sleep(0.2)


def lengthen(path: pathlib.Path) -> None:
    data = yaml.safe_load(path.read_text())
    data["load"] = data["load"] | {"measure_s": 5}
    path.write_text(yaml.safe_dump(data))


def await_manifest(path) -> None:
    over = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < over, f"{path} was not written"
        time.sleep(0.1)


def test_every_readme_command_runs_in_the_order_of_the_readme(desk):
    folder, env = desk
    found = commands()
    assert len(found) >= 12
    for command in found:
        if command.startswith("export "):
            assert all(name.startswith("AWS_ENDPOINT_URL_") for name in re.findall(r"(\w+)=", command))
        elif "--worker" in command:
            continue  # started together with its master
        elif "--master " in command:
            worker = next(c for c in found if "--worker" in c)
            port = free_port()
            command += f" --master-bind-host 127.0.0.1 --master-bind-port {port}"
            worker += f" --master-port {port}"
            processes = [start(desk, command), start(desk, worker), start(desk, worker)]
            for process in processes:
                finish(process)
        elif "scripts.emulator" in command:
            port = free_port()
            process = start(desk, command.replace("8800", str(port)))
            wait_for(f"http://127.0.0.1:{port}/-/stats")
            process.send_signal(signal.SIGTERM)
            finish(process)
        elif command.startswith("locust ") and "--headless" not in command:
            process = start(desk, command)
            wait_for(f"http://127.0.0.1:{env['LOCUST_WEB_PORT']}/")
            process.send_signal(signal.SIGINT)
            finish(process)
        elif "--resume" in command:
            again = command.replace("runs/study", "runs/again")
            lengthen(folder / "configs/llama2-13b-study.yaml")  # it must not be over before it is interrupted
            process = start(desk, again.replace(" --resume", ""))
            await_manifest(folder / "runs/again/manifest.json")
            process.send_signal(signal.SIGINT)
            finish(process)
            finish(start(desk, again))
        else:
            wide = " --bound-ms 1000" if " calibrate " in command else ""  # tests may run on a busy machine
            finish(start(desk, command + wide))
    for name in ("runs/study/report/report.html", "reports/both/report.html", "runs/wide/requests.csv"):
        assert (folder / name).is_file(), name


def test_every_scenario_key_is_in_the_readme():
    reference = README.split("## Scenario reference")[1].split("## The local endpoint")[0]
    missing = [
        key
        for key in sorted(yaml_file.keys_of(scenario.Scenario, set()) - {"cache_read", "cache_write"})
        if key not in reference
    ]
    assert missing == []


def test_the_readmes_scenario_is_one(tmp_path):
    (tmp_path / "scenario.yaml").write_text(next(text for text in YAML if text.startswith("name:")))
    assert scenario.load_scenario(tmp_path / "scenario.yaml").load.users == list(range(1, 21))


def test_the_readmes_open_loops_are_loads():
    lines = next(text for text in YAML if text.startswith("load:")).splitlines()
    rate, replay, find = (loads.Load.model_validate(yaml.safe_load(line)["load"]) for line in lines)
    assert (rate.rate, replay.replay, find.find.up_to) == ([0.5, 1, 2], "traces/monday.csv", 64)


def test_the_readmes_raw_target_is_one():
    text = next(text for text in YAML if "dialect: raw" in text)
    parameters = {"max_tokens": 5}
    target = targets.SageMakerTarget(
        name="t", service="sagemaker", endpoint="e", parameters=parameters, **yaml.safe_load(text)
    )
    assert json.loads(build(target, Prompt("p", "Hi", None)).body) == {"text_inputs": "Hi", "max_length": 5}


def test_every_error_class_is_in_the_readme_and_in_the_table_of_errors_py():
    for error in errors.ErrorClass:
        assert f"`{error}`" in README
        assert f"| {error} |" in errors.__doc__


def test_every_local_link_of_the_documents_leads_somewhere():
    for document in (
        ROOT / "README.md",
        ROOT / "payloads/README.md",
        ROOT / "locustfiles/FAILURES.md",
        ROOT / "scripts/emulator/README.md",
        ROOT / "scripts/bench/README.md",
    ):
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
