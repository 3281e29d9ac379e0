"""`report --mlflow`: what a real MLflow server then holds, and what is said where there is none."""

import contextlib
import csv
import pathlib
import subprocess
import sys
import sysconfig
import urllib.request
import venv

import pytest
from mlflow import MlflowClient

from analysis.__main__ import main
from analysis.report.mlflow_log import metrics_of
from tests.helpers.first_study import PAYLOAD, study
from tests.helpers.locust_process import environment, free_port
from tests.helpers.patience import until

# The server in an environment of its own, for it takes no pyarrow as new as ours; what else it imports it finds in ours.
SERVER = """mlflow==3.17.2 mlflow-tracing==3.17.2 alembic==1.20.1 mako==1.4.3 sqlalchemy==2.1.9 graphene==3.4.3 graphql-core==3.2.14
graphql-relay==3.2.0 aiohttp==3.14.5 aiohappyeyeballs==2.7.1 aiosignal==1.4.0 frozenlist==1.8.0 multidict==7.2.1 propcache==0.5.4
yarl==1.25.1""".split()
PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Its address."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    venv.create(folder / "env", symlinks=True)
    python = folder / "env/bin/python"
    own = subprocess.run([python, "-c", PACKAGES], check=True, capture_output=True, text=True).stdout.strip()
    (pathlib.Path(own) / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-compile", "--no-deps", *SERVER], check=True, capture_output=True)
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder / "artifacts"]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with open(folder / "server.log", "wb") as log:
        command = [python, "-m", "mlflow", "server", *store, *where]
        env = environment() | {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"
        }  # eight processes that nothing here asks for
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or answers(port), lambda: (folder / "server.log").read_text()[-3000:])
        assert process.poll() is None, (folder / "server.log").read_text()[-3000:]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).status == 200
    return False


def test_a_report_is_an_mlflow_run_with_its_figures_by_level_and_its_files(server, tmp_path, capsys):
    report, run = study(tmp_path), tmp_path / "r"
    assert main(["report", str(run), "--out", str(tmp_path / "out"), "--mlflow", server]) == 0
    told = capsys.readouterr().out.splitlines()
    client = MlflowClient(server)
    known = client.get_run(told[-1].removeprefix("MLflow run: "))
    assert client.get_experiment(known.info.experiment_id).name == report.runs["r"].name
    assert (known.info.status, known.info.run_name) == ("FINISHED", run.name)
    assert known.data.params["dataset"] == PAYLOAD
    with open(tmp_path / "out/steps.csv", newline="", encoding="utf-8") as file:
        steps = [row for row in csv.DictReader(file) if row["target"] == "p4d"]
    assert steps
    for name in ("latency_p95_s", "usd_per_transaction", "requests", "throughput_per_s"):
        history = client.get_metric_history(known.info.run_id, f"p4d/{PAYLOAD}/{name}")
        assert {m.step: m.value for m in history} == {int(row["users"]): float(row[name]) for row in steps if row[name]}
    page = client.download_artifacts(known.info.run_id, "report/report.html", str(tmp_path))
    with open(page, "rb") as there, open(tmp_path / "out/report.html", "rb") as here:
        assert there.read() == here.read()


def test_nothing_that_is_not_known_is_a_metric(tmp_path):
    found = list(metrics_of(study(tmp_path)))
    assert found and all(
        value == value and abs(value) != float("inf") for _, value, _ in found
    )  # neither NaN nor infinite
    assert not any("open_loop" in name or "rate_achieved" in name for name, *_ in found)  # a closed loop has none


@pytest.mark.parametrize("address", ["http://ada:LONG-SECRET-1@127.0.0.1:9", "nonsense://x"])
def test_a_server_that_is_not_there_costs_no_report_and_shows_no_secret(tmp_path, capsys, address):
    study(tmp_path)
    assert main(["report", str(tmp_path / "r"), "--out", str(tmp_path / "out"), "--mlflow", address]) == 1
    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    assert line.startswith("error: --mlflow: not logged (") and line.endswith(
        "Check the address and that the server is up"
    )
    assert "LONG-SECRET" not in captured.out + captured.err
    assert (tmp_path / "out/report.html").is_file()


def test_an_address_that_is_empty_is_told_before_anything_is_read(capsys):
    assert main(["report", "nowhere", "--mlflow", ""]) == 1
    assert capsys.readouterr().err == "error: --mlflow: no address; give the server's, as http://127.0.0.1:5000\n"
