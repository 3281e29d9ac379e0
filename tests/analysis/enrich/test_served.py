"""From calls by boto3 to the report: what the local endpoint measured of them stands beside what the client did."""

import json
import time

import pytest

from analysis.__main__ import main
from analysis.enrich.enriched import Wishes, enriched
from analysis.runs.run_reader import load_run
from analysis.runs.service_file import read_service_file
from locustfiles.contract.run_folder import NotARun, RunFolder
from tests.emulator.test_watching import CONFIG, MODEL
from tests.helpers.emulator_process import running_emulator
from tests.helpers.enriching import HAIKU, enrich
from tests.helpers.made_run import START, made_run, record, window


def asked(client, model: str):
    """A record of one call."""
    messages = [{"role": "user", "content": [{"text": "word " * 20}]}]
    at, begun = time.time(), time.perf_counter()
    usage = client.converse(modelId=model, messages=messages, inferenceConfig={"maxTokens": 10})["usage"]
    counts = {"prompt_tokens": usage["inputTokens"], "completion_tokens": usage["outputTokens"]}
    who = {"target": "haiku", "service": "bedrock", "operation": "Converse"}
    return record(at - START, time.perf_counter() - begun, **who, **counts)


def test_the_services_own_clock_stands_beside_the_clients_to_the_report(tmp_path, monkeypatch, capsys):
    minute = time.time() // 60 * 60 - START
    with running_emulator(CONFIG | {"cloudwatch": {}}) as e:
        client = e.client("bedrock-runtime")
        records = [asked(client, MODEL) for _ in range(6)]
        stages = [window(1, minute, minute + 180, target="haiku", users=1)]
        prices = {"haiku": {"input": 0.001, "output": 0.005}}
        folder = made_run(tmp_path / "r", records, stages, [HAIKU], prices, started_at=START + minute)
        code, said, told = enrich(monkeypatch, capsys, folder, e.url)
    (row,) = told["stages"]
    assert code == 0 and any(
        line.startswith("the last minutes may be missing: CloudWatch has them by ") for line in said
    )
    assert (row["client_requests"], row["service_requests"], row["basis"]) == (6, 6, "inside")
    assert (row["prompt_tokens_more"], row["completion_tokens_more"], row["throttles_more"]) == (0, 0, 0)
    # ten tokens at 1,000 a second after 20 ms; the client waits for the way there and back as well
    assert 29 < row["service_latency_mean_ms"] < row["client_latency_mean_ms"]
    assert row["network_queue_ms"] == pytest.approx(row["client_latency_mean_ms"] - row["service_latency_mean_ms"])
    assert main(["report", str(folder)]) == 0
    summary = json.loads((folder / "report/summary.json").read_text())
    assert summary["service"][0]["network_queue_ms"] == row["network_queue_ms"] and summary["knee_reasons"] == []
    page, text = ((folder / "report" / name).read_text() for name in ("report.html", "report.md"))
    assert '<section id="service">' in page and "## The service's side" in text
    assert (folder / "report/tables/service.csv").read_text().startswith("run,stage,target,")


def test_rows_of_a_stage_that_was_measured_again_are_left_out_and_other_files_refused(tmp_path, monkeypatch, capsys):
    stages = [window(1, 0, 120, target="haiku", users=1)]
    prices = {"haiku": {"input": 0.001, "output": 0.005}}
    records = [record(1, 1.0, target="haiku", service="bedrock")]
    folder = made_run(tmp_path / "r", records, stages, [HAIKU], prices)
    _, _, told = enrich(monkeypatch, capsys, folder, "http://127.0.0.1:9")
    manifest = RunFolder(folder).read_manifest()
    assert len(read_service_file(folder, manifest).stages) == 1
    manifest.stages[0].measure_from += 1
    assert read_service_file(folder, manifest).stages == []
    for broken, said in (
        ({"schema": 2}, "its schema is 2, this version reads 1; remove it, or run `python -m analysis enrich"),
        ({"schema": 1, "stages": [{}]}, "cannot be read .*; remove it"),
        ({**told, "stages": [told["stages"][0] | {"users": "many"}]}, "`users` of stage 1 is no count"),
        ([], "cannot be read"),
    ):
        (folder / "service.json").write_text(json.dumps(broken))
        with pytest.raises(NotARun, match=said):
            read_service_file(folder, manifest)


def test_a_server_that_is_not_in_cloudwatch_is_asked_after_nowhere(tmp_path):
    """Without an address of Prometheus there is nothing to ask, and no client of AWS is made."""
    target = {"name": "own", "service": "openai", "base_url": "http://h:8000/v1", "model_id": "m"}
    records = [record(1, 1.0, target="own", service="openai", operation="ChatCompletions")]
    prices = {"own": {"input": 0.001, "output": 0.005}}
    run = load_run(made_run(tmp_path / "r", records, [window(1, 0, 120, target="own")], [target], prices))
    found = enriched(run, Wishes(region="nowhere"))
    assert (found.missing, found.metrics, found.whole_from) == ([], 0, None)
    assert found.stages[0].missing == "its server is not in CloudWatch"
