"""Asynchronous endpoints: what CloudWatch has of their queue stands beside the client's wait for the answer in S3."""

import json
import re
import time

import botocore.exceptions
import pytest
from botocore.config import Config

from analysis.__main__ import main
from tests.helpers.emulator_process import running_emulator
from tests.helpers.enriching import figure, requests, run_of, shifted, spread
from tests.helpers.made_run import P4D, START, made_run, record, window

QUEUED = P4D | {"name": "queued", "endpoint": "q", "async_inference": {"poll_s": 0.5}, "stream": False}
WHERE = {"EndpointName": "q", "VariantName": "v1"}
NOW = {"EndpointName": "e", "VariantName": "blue"}


def figures_of_two_minutes(unit: str = "Microseconds") -> list[dict]:
    """Minutes 0 and 1, of 4 requests of 3 s and 6 of 2 s, of which 1 s and 0.5 s in the backlog and 1.5 s in the model; the backlog is
    2 and 6 long in minute 0 and 4 in minute 1."""
    found = []
    micro = 1_000_000.0 if unit == "Microseconds" else 1000.0
    for minute, n, total, waited, backlog in ((0, 4, 3000.0, 1.0, [2.0, 6.0]), (1, 6, 2000.0, 0.5, [4.0])):
        found += [
            figure("InvocationsProcessed", minute, [1.0] * n, "AWS/SageMaker", WHERE),
            figure("Invocation4XXErrors", minute, [0.0] * n, "AWS/SageMaker", WHERE),
            figure("TotalProcessingTime", minute, [total] * n, "AWS/SageMaker", WHERE, "Milliseconds"),
            figure("TimeInBacklog", minute, [waited * micro] * n, "AWS/SageMaker", WHERE, unit),
            figure("ModelLatency", minute, [1_500_000.0] * n, "AWS/SageMaker", WHERE, "Microseconds"),
            figure("ApproximateBacklogSize", minute, backlog, "AWS/SageMaker", {"EndpointName": "q"}),
            figure("GPUUtilization", minute, [400.0], "/aws/sagemaker/Endpoints", WHERE),
        ]
    return found


def of_the_other() -> list[dict]:
    """A real-time endpoint in minute 2: 5 requests of 900 ms in the model and 20 ms before it."""
    times = {"Invocations": 1.0, "ModelLatency": 900_000.0, "OverheadLatency": 20_000.0}
    return [figure(name, 2, [value] * 5, "AWS/SageMaker", NOW) for name, value in times.items()]


def sent(stage: int, target: str, begin: float, n: int, latency: float, **other) -> list:
    """n requests, every twelve seconds from `begin` on."""
    facts = {"target": target, "service": "sagemaker", "operation": "InvokeEndpointAsync"}
    return spread(requests(stage, begin, begin + 1, 1, latency, **(facts | other))[0], n)


def watched(figures: list[dict]):
    return running_emulator({"engines": {}, "pricing": {}, "cloudwatch": {"figures": figures}, "service_quotas": {}})


def test_its_own_metrics_stand_beside_those_of_a_real_time_endpoint(tmp_path, ask):
    records = sent(1, "queued", 0, 10, 2.5) + sent(2, "p4d", 120, 5, 1.0, operation="InvokeEndpoint", variant="blue")
    stages = [shifted(1, 0, 120, target="queued"), shifted(2, 120, 180, target="p4d")]
    folder = run_of(tmp_path / "r", records, stages, [QUEUED, P4D])
    with watched(figures_of_two_minutes() + of_the_other()) as e:
        code, said, told = ask(folder, e.url)
    queued, other = told["stages"]
    assert code == 0 and (queued["missing"], other["missing"]) == (None, None), said
    # no record names the variant: CloudWatch knows it
    assert queued["metrics_of"] == "AWS/SageMaker EndpointName=q VariantName=v1"
    assert (queued["basis"], queued["periods"]) == ("inside", 2)
    assert (queued["client_requests"], queued["service_requests"], queued["service_client_errors"]) == (10, 10, 0)
    # (4 × 3000 + 6 × 2000) / 10 = 2400 ms, of which (4 × 1000 + 6 × 500) / 10 = 700 in the backlog; the client 2500
    assert (queued["service_latency_mean_ms"], queued["backlog_time_mean_ms"]) == pytest.approx((2400, 700))
    assert (queued["model_latency_mean_ms"], queued["network_queue_ms"]) == pytest.approx((1500, 100))
    assert (queued["service_p50_low_ms"], queued["service_p50_high_ms"]) == (2000.0, 3000.0)
    # means of the minutes 4 and 4; of eight GPUs 400 % are half
    assert (queued["backlog_mean"], queued["backlog_max"], queued["gpu_share"]) == (4.0, 6.0, 0.5)
    assert queued["overhead_latency_mean_ms"] is queued["concurrent_mean"] is queued["service_server_errors"] is None
    assert "between them 0.100 s; 0.700 s of it in the backlog" in said[0]
    assert (other["service_latency_mean_ms"], other["network_queue_ms"]) == pytest.approx((920, 80))
    assert other["backlog_time_mean_ms"] is other["backlog_mean"] is other["backlog_max"] is None
    assert main(["report", str(folder)]) == 0
    text = (folder / "report/report.md").read_text()
    assert "of the service: model / backlog" in text and "1.50 s / 0.700 s" in text and "4.00 (at most 6.00)" in text


@pytest.mark.parametrize(("unit", "ms"), [("Milliseconds", 700.0), ("Seconds", None)])
def test_time_in_the_backlog_is_read_in_the_unit_that_cloudwatch_keeps_it_in(tmp_path, ask, unit, ms):
    folder = run_of(tmp_path / "r", sent(1, "queued", 0, 10, 2.5), [shifted(1, 0, 120, target="queued")], [QUEUED])
    with watched(figures_of_two_minutes(unit)) as e:
        _, _, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert row["backlog_time_mean_ms"] == ms and row["service_latency_mean_ms"] == pytest.approx(2400)


def test_a_minute_in_which_nothing_was_processed_is_told_of_by_the_backlog(tmp_path, ask):
    """Minute 2 has 9 waiting and none processed: (4 + 4 + 9) / 3."""
    figures = [
        *figures_of_two_minutes(),
        figure("ApproximateBacklogSize", 2, [9.0], "AWS/SageMaker", {"EndpointName": "q"}),
    ]
    folder = run_of(tmp_path / "r", sent(1, "queued", 0, 10, 2.5), [shifted(1, 0, 180, target="queued")], [QUEUED])
    with watched(figures) as e:
        _, _, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert (row["periods"], row["service_requests"], row["missing"]) == (3, 10, None)
    assert row["backlog_mean"] == pytest.approx(17 / 3) and row["backlog_max"] == 9.0


def test_where_cloudwatch_has_nothing_of_it_that_is_said(tmp_path, ask):
    folder = run_of(tmp_path / "r", sent(1, "queued", 0, 10, 2.5), [shifted(1, 0, 120, target="queued")], [QUEUED])
    with watched(of_the_other()) as e:
        code, _, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert code == 0 and row["missing"] == "CloudWatch has no figure of its 2 periods of 60 s"
    assert told["missing"][0] == (
        "target `queued`: CloudWatch has no AWS/SageMaker metric of EndpointName q; it has none at all: check --region and the account"
    )
    assert row["service_requests"] is row["backlog_mean"] is row["client_requests"] is None


def test_what_the_local_endpoint_queued_is_told_by_its_cloudwatch(tmp_path, ask):
    """Three requests, of which one at a time is worked on for 300 ms: sent at once they would wait 0, 300 and 600 ms, on average 300,
    and less by at most the time that sending took; the client looks every 50 ms."""
    engine = {"kind": "timed", "ttft_ms": 300, "tokens_per_second": 1000, "seed": 1}
    queue = {"output": "s3://answers/out", "failure": "s3://answers/failed", "concurrency": 1}
    config = {
        "engines": {"slow": engine},
        "endpoints": {"q": {"engine": "slow", "dialect": "tgi", "asynchronous": queue}},
    }
    minute = time.time() // 60 * 60 - START
    with running_emulator(config | {"pricing": {}, "cloudwatch": {}, "service_quotas": {}}) as e:
        records, sending_ms = three_queued(e)
        stages = [window(1, minute, minute + 180, target="queued")]
        prices = {"queued": {"usd_per_hour": 1.0, "instance_count": 1}}
        folder = made_run(tmp_path / "r", records, stages, [QUEUED], prices, started_at=START + minute)
        _, _, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert (row["client_requests"], row["service_requests"]) == (3, 3)
    assert 300 - sending_ms < row["backlog_time_mean_ms"] < row["service_latency_mean_ms"] - 299
    assert row["network_queue_ms"] == pytest.approx(row["client_latency_mean_ms"] - row["service_latency_mean_ms"])
    assert row["network_queue_ms"] > 0 and row["model_latency_mean_ms"] >= 300
    assert row["backlog_max"] > 0 and row["concurrent_mean"] is None and row["service_server_errors"] == 0


def three_queued(e) -> tuple[list, float]:
    """Records of them, as a client has them that looks for the answers in S3, and how long sending took, ms."""
    runtime = e.client("sagemaker-runtime")
    s3 = e.client("s3", config=Config(s3={"addressing_style": "path"}))
    body, sent = json.dumps({"inputs": "word " * 20, "parameters": {"max_new_tokens": 3}}), []
    for _ in range(3):
        at = time.time()
        answer = runtime.invoke_endpoint_async(EndpointName="q", Body=body, ContentType="application/json")
        sent.append((at, re.fullmatch("s3://([^/]+)/(.+)", answer["OutputLocation"])))
    sending_ms, records = (time.time() - sent[0][0]) * 1000, []
    for at, (bucket, name) in ((at, place.groups()) for at, place in sent):
        while time.time() < at + 30:
            try:
                s3.get_object(Bucket=bucket, Key=name)["Body"].read()
                break
            except botocore.exceptions.ClientError:
                time.sleep(0.05)
        who = {"target": "queued", "operation": "InvokeEndpointAsync", "http_status": 202}
        records.append(record(at - START, time.time() - at, **who))
    return records, sending_ms
