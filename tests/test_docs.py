"""The documents are true: every command of the READMEs runs, in order, in one copy of the tree with local endpoints."""

import csv
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

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from locustfiles.common.prompts.tokenizer_packages import FAMILIES
from locustfiles.contract.exit_codes import GATE_MISSED, NOT_TRUSTED, OK, STOPPED
from locustfiles.contract.run_folder import RunFolder
from locustfiles.contract.spool import Spool, write_spool
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.documents import MANUAL, ROOT, commands
from tests.helpers.emulator_process import running_emulator
from tests.helpers.llama_server import running_llama_server
from tests.helpers.locust_process import free_port
from tests.helpers.s3_server import moto

SHORT = {"users": [1, 2], "settle_s": 0.2, "settle_at_most_s": 2, "measure_s": 0.6}
INTERRUPTED = {"users": [1], "settle_s": 0.2, "measure_s": 3}  # is not over before it is
OTHERS_RUN_THEM = (
    "scripts/demo.sh",
    "scripts/calibrate.sh",
    "scripts/test.sh",
)  # tests of their own; what is running now
#: packages of `pip install`, which is not run; `.` is the product, alone or with the analysis
PACKAGES = {family.package for family in FAMILIES.values()} | {".", ".[analysis]"}
#: variables that an `export` may set, where no code of ours names them
EXPORTED = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_CA_BUNDLE", "HTTPS_PROXY"}
EXPORTED |= {"NO_PROXY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SWARMLEDGER_TOKEN", "SWARMLEDGER_WEB_USERS"}
LONGEST_S = 600


class Desk:
    """Where commands are run, one way for each kind of them."""

    def __init__(self, folder: pathlib.Path, env: dict[str, str]) -> None:
        self.folder, self.env = folder, env

    def run(self, command: str, all_of_them: list[str]) -> None:
        if command.startswith("export "):
            check_export(command)
        elif command.startswith("pip install "):
            check_install(command)
        elif "--worker" in command:
            pass  # started together with its master
        elif "--master " in command:
            self.cluster(command, next(c for c in all_of_them if "--worker" in c))
        elif "scripts.emulator" in command:
            self.emulator(command)
        elif command.startswith("locust ") and "--headless" not in command:
            self.web_ui(command)
        elif "--resume" in command:
            self.resume(command)
        elif " merge " in command:
            self.merge(command)
        elif command.startswith("python -m scripts.make_payloads "):
            self.make_payloads(command)
        elif " analysis gate " in command:  # so short a run decides little
            finish(self.start(command), OK, NOT_TRUSTED, GATE_MISSED)
        else:
            wide = " --bound-ms 1000" if " calibrate " in command else ""  # tests may run on a busy machine
            finish(self.start(command + wide))

    def start(self, command: str) -> subprocess.Popen:
        command = re.sub(r"^swarmledger ", "python -m analysis ", command)  # which is the same, where it is installed
        return subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def make_payloads(self, command: str) -> None:
        """From files of the forms that are named, and never into the tree's own folder."""
        rows = [{"text": f"What of {n}?", "question": f"What of {n}?"} for n in range(20)]
        said = [{"conversations": [{"from": "human", "value": row["text"]}]} for row in rows]
        times = "".join(f"2023-11-16 18:17:{n:02}.9799600,{n + 9},{n + 1}\n" for n in range(20))
        (self.folder / "ShareGPT_V3_unfiltered_cleaned_split.json").write_text(json.dumps(said))
        (self.folder / "own.csv").write_text("\n".join(["text,question", *(f"{row['text']},x" for row in rows)]))
        (self.folder / "AzureLLMInferenceTrace_conv.csv").write_text(
            f"TIMESTAMP,ContextTokens,GeneratedTokens\n{times}"
        )
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), self.folder / "test.parquet")
        finish(self.start(command.replace("--out payloads/", "--out made/")))

    def cluster(self, command: str, worker: str) -> None:
        port = free_port()
        processes = [self.start(f"{command} --master-bind-host 127.0.0.1 --master-bind-port {port}")]
        processes += [self.start(f"{worker} --master-port {port}") for _ in range(2)]
        for process in processes:
            finish(process)

    def emulator(self, command: str) -> None:
        port = free_port()
        process = self.start(command.replace("8800", str(port)).replace("truth.jsonl", "another-truth.jsonl"))
        self.stop_once_it_answers(process, f"http://127.0.0.1:{port}/-/stats", signal.SIGTERM)

    def web_ui(self, command: str) -> None:
        self.env["SWARMLEDGER_WEB_USERS"] = "ada:LONG-RANDOM-TEXT"  # heeded with --web-login
        self.stop_once_it_answers(
            self.start(command), f"http://127.0.0.1:{self.env['LOCUST_WEB_PORT']}/", signal.SIGINT
        )

    def stop_once_it_answers(self, process: subprocess.Popen, url: str, number: signal.Signals) -> None:
        try:
            until(lambda: answers(url), f"{url} answers")
            process.send_signal(number)
        finally:
            finish(process)

    def resume(self, command: str) -> None:
        """Of a run that is interrupted here."""
        again = command.replace("runs/study", "runs/again")
        scenario = self.folder / "configs/llama2-13b-study.yaml"
        scenario.write_text(yaml.safe_dump(yaml.safe_load(scenario.read_text()) | {"load": INTERRUPTED}))
        process = self.start(again.replace(" --resume", ""))
        until((self.folder / "runs/again/manifest.json").exists, "the run began")
        process.send_signal(signal.SIGINT)
        finish(process, STOPPED)
        finish(self.start(again))

    def merge(self, command: str) -> None:
        """Of what a worker has kept: three records, of which the run lacks the last."""
        run = RunFolder(self.folder / command.split()[4])
        lines = run.requests.read_text().splitlines(keepends=True)
        rows = list(csv.reader(lines))[-3:]
        run.requests.write_text("".join(lines[:-1]))
        write_spool(self.folder, Spool(run.read_manifest().run_id, rows[0][1], 0, None, rows))
        output = finish(self.start(f"bash -c {shlex.quote(command)}"))  # a shell, for the pattern
        assert "1 records of worker local added, 2 were in the run already" in output


@pytest.fixture(scope="module")
def llama():
    with running_llama_server() as url:
        yield url


@pytest.fixture(scope="module")
def desk(tmp_path_factory, llama):
    """A working folder like the repository, its scenarios cut short, with an endpoint for all their names."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "configs").mkdir()
    for name in ("locustfiles", "analysis", "payloads", "scripts", "configs/rates", "tests"):
        (folder / name).symlink_to(ROOT / name)
    served: dict = {
        "engines": {"quick": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 2000}},
        "endpoints": {},
        "models": {},
        "pricing": {},
    }
    for source in ROOT.glob("configs/**/*.yaml"):
        copy = folder / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        data = yaml.safe_load(source.read_text())
        for target in data.get("targets", ()):
            if target["service"] == "openai":
                target |= {"base_url": llama, "parameters": {"max_tokens": 8}}
            elif "endpoint" in target:
                served["endpoints"][target["endpoint"]] = {"engine": "quick", "dialect": target["dialect"]}
            elif "model_id" in target:
                family = "claude" if "claude" in target["model_id"] else "llama"
                served["models"][target["model_id"]] = {"engine": "quick", "family": family}
        if "targets" in data:
            data |= {"load": SHORT, "payloads": data["payloads"][:1]}
            data["slo"].pop("dataset", None)
        copy.write_text(yaml.safe_dump(data))
    with running_emulator(served, truth=folder / "truth.jsonl") as emulator, moto() as s3:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOCUST_"))}
        env |= {
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": EXAMPLE_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": EXAMPLE_SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_ENDPOINT_URL_S3": s3,
            "LOCUST_WEB_HOST": "127.0.0.1",
            "LOCUST_WEB_PORT": str(free_port()),
        }
        yield Desk(folder, env)


def check_export(command: str) -> None:
    """It sets variables that something reads; the key pair is the example one."""
    values = dict(part.split("=", 1) for part in shlex.split(command)[1:])
    assert set(values) <= EXPORTED
    assert values.get("AWS_ACCESS_KEY_ID", EXAMPLE_ACCESS_KEY) == EXAMPLE_ACCESS_KEY
    assert values.get("AWS_SECRET_ACCESS_KEY", EXAMPLE_SECRET_KEY) == EXAMPLE_SECRET_KEY


def check_install(command: str) -> None:
    """It names packages that the product knows, and files that are there."""
    words = shlex.split(command)[2:]
    for option in ("-r", "-c"):
        if option in words:
            assert (ROOT / words.pop(words.index(option) + 1)).is_file(), command
    named = {word.split("==")[0] for word in words if not word.startswith("-")}
    assert named <= PACKAGES, command


def finish(process: subprocess.Popen, *codes: int) -> str:
    """Its output, once it has ended as it should: by one of these codes, with 0 if none is given."""
    try:
        output, _ = process.communicate(timeout=LONGEST_S)
    finally:
        process.kill()
    assert process.returncode in (codes or (OK,)), f"{process.args} ended with {process.returncode}:\n{output}"
    return output


def until(fact, what: str) -> None:
    over = time.monotonic() + LONGEST_S
    while not fact():
        assert time.monotonic() < over, f"waited in vain: {what}"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).read()
    except OSError:
        return False
    return True


def test_every_command_runs_in_the_order_of_the_readmes(desk):
    found = [command for path in MANUAL for command in commands(path)]
    found = [command for command in dict.fromkeys(found) if not command.startswith(OTHERS_RUN_THEM)]
    assert len(found) >= 25
    for command in found:
        desk.run(command, found)
    for name in ("runs/study/report/report.html", "reports/both/report.html", "runs/wide/requests.csv"):
        assert (desk.folder / name).is_file(), name
