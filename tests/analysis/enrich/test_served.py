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
from tests.helpers.enriching import HAIKU, MINUTE, enrich, figure, shifted
from tests.helpers.made_run import P4D, START, made_run, record, window


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
    earlier = {name: value for name, value in told["stages"][0].items() if "backlog" not in name}
    (folder / "service.json").write_text(json.dumps(told | {"stages": [earlier]}))
    assert read_service_file(folder, manifest).stages[0].service.backlog_mean is None
    manifest.stages[0].measure_from += 1
    assert read_service_file(folder, manifest) is None
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


def test_an_endpoints_variants_are_those_that_answered_and_its_gpus_are_counted(tmp_path, monkeypatch, capsys):
    """Two minutes of two variants: 4 and 6 requests of 900 and 700 ms (µs there) with 20 ms before each: (4 × 920 + 6 × 720) / 10 = 800 ms.
    An ml.g5.12xlarge has four GPUs: 300 % and 100 % of one are 75 % and 25 % of all, of which the higher is told."""
    p4d = P4D | {"instance_type": "ml.g5.12xlarge"}
    ended = [MINUTE + 12 * i + 1 for i in range(10)]
    records = [record(at - 0.85, 0.85, variant="blue" if i < 4 else "green") for i, at in enumerate(ended)]
    figures = []
    for variant, n, ms, gpu in (("blue", 4, 900, 300.0), ("green", 6, 700, 100.0)):
        place = {"EndpointName": "e", "VariantName": variant}
        told = {"Invocations": [1.0] * n, "ModelLatency": [ms * 1000.0] * n, "OverheadLatency": [20_000.0] * n}
        figures += [
            figure(name, m, values[m::2], "AWS/SageMaker", place) for name, values in told.items() for m in (0, 1)
        ]
        figures += [figure("GPUUtilization", m, [gpu], "/aws/sagemaker/Endpoints", place) for m in (0, 1)]
    quota = {"service": "sagemaker", "name": "ml.g5.12xlarge for endpoint usage", "value": 4.0, "code": "L-00000012"}
    config = {"engines": {}, "pricing": {}, "cloudwatch": {"figures": figures}, "service_quotas": {"quotas": [quota]}}
    stages = [shifted(1, 0, 120, target="p4d")]
    prices = {"p4d": {"usd_per_hour": 7.09, "instance_count": 1}}
    folder = made_run(tmp_path / "r", records, stages, [p4d], prices, started_at=START + MINUTE)
    with running_emulator(config) as e:
        for arguments in ((), ("--quota-code", "p4d=L-00000012")):
            code, _, told = enrich(monkeypatch, capsys, folder, e.url, *arguments)
            (row,) = told["stages"]
            assert (code, row["missing"], row["instances_quota_share"]) == (0, None, 0.25)
    assert row["metrics_of"] == "AWS/SageMaker EndpointName=e VariantName=blue, EndpointName=e VariantName=green"
    assert row["service_latency_mean_ms"] == pytest.approx(800) and row["network_queue_ms"] == pytest.approx(50)
    assert (row["model_latency_mean_ms"], row["overhead_latency_mean_ms"]) == pytest.approx((780, 20))
    assert (row["gpu_percent"], row["gpu_share"], row["service_p50_low_ms"]) == (300.0, 0.75, 700.0)
    assert row["service_throttles"] is row["service_prompt_tokens"] is row["service_client_errors"] is None
