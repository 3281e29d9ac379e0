"""CloudWatch and Service Quotas: unmodified boto3 gets the figures of what was served, in pages, and errors with their codes."""

import contextlib
import datetime
import json
import time

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from scripts.emulator import cbor
from tests.helpers import raw_wire, shapes
from tests.helpers.emulator_process import running_emulator

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
QUOTAS = [
    {"service": "bedrock", "name": f"On-demand model inference tokens per minute for Model {i}", "value": 1000.0 * i}
    for i in (1, 2, 3)
]
CONFIG = {
    "engines": {
        "fast": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 1000},
        "gpu": {
            "kind": "simulated", "prefill_tokens_per_second": 10000, "decode_base_ms": 5, "decode_per_sequence_ms": 1,
            "batch_limit": 4, "overhead_ms": 10,
        },
    },
    "models": {
        "anthropic.claude-haiku-4-5-20251001-v1:0": {"engine": "fast", "family": "claude"},
        "few": {"engine": "fast", "family": "claude", "limit": {"requests_per_second": 0.001, "burst": 1}},
    },
    "endpoints": {"e": {"engine": "gpu", "dialect": "tgi", "inference_components": ["part"]}},
    "cloudwatch": {"page_size": 2},
    "service_quotas": {"quotas": QUOTAS, "page_size": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def watched():
    with running_emulator(CONFIG) as e:
        yield e


def asked(name: str, statistic: str, space: str = "AWS/Bedrock", period: int = 60, **dimensions: str) -> dict:
    metric = {
        "Namespace": space, "MetricName": name,
        "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
    }  # fmt: skip
    return {"MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


def told(client, **queries: dict) -> dict[str, list[float]]:
    """Id -> values of the last five minutes, joined over pages."""
    now = datetime.datetime.now(datetime.UTC)
    wanted = [{"Id": name} | query for name, query in queries.items()]
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=wanted,
        StartTime=now - datetime.timedelta(minutes=5),
        EndTime=now + datetime.timedelta(minutes=1),
    )
    found: dict[str, list[float]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault(result["Id"], []).extend(result["Values"])
            assert result["StatusCode"] == "Complete" and len(result["Timestamps"]) == len(result["Values"])
    return found


def test_bedrocks_figures_are_those_of_what_was_served(watched):
    runtime, cloudwatch = watched.client("bedrock-runtime"), watched.client("cloudwatch")
    messages = [{"role": "user", "content": [{"text": "word " * 20}]}]
    used = []
    for _ in range(3):
        answer = runtime.converse(modelId=MODEL, messages=messages, inferenceConfig={"maxTokens": 10})
        used.append(answer["usage"])
    stream = runtime.converse_stream(modelId=MODEL, messages=messages, inferenceConfig={"maxTokens": 10})["stream"]
    used += [event["metadata"]["usage"] for event in stream if "metadata" in event]
    for _ in range(3):
        with contextlib.suppress(runtime.exceptions.ThrottlingException):
            runtime.converse(modelId="few", messages=messages)
    of = {"ModelId": MODEL}
    found = told(
        cloudwatch,
        n=asked("Invocations", "Sum", **of), inside=asked("InputTokenCount", "Sum", **of), out=asked("OutputTokenCount", "Sum", **of),
        first=asked("TimeToFirstToken", "SampleCount", **of), ms=asked("InvocationLatency", "Average", **of),
        top=asked("InvocationLatency", "p99", **of), other=asked("InvocationThrottles", "Sum", **of),
        throttles=asked("InvocationThrottles", "Sum", ModelId="few"), short=asked("Invocations", "Sum", period=10, **of),
    )  # fmt: skip
    assert sum(found["n"]) == 4 and sum(found["first"]) == 1
    assert sum(found["inside"]) == sum(u["inputTokens"] for u in used) == 100
    assert sum(found["out"]) == sum(u["outputTokens"] for u in used) == 40
    assert all(20 <= ms < 2000 for ms in (*found["ms"], *found["top"]))
    assert sum(found["throttles"]) == 2 and found["other"] == found["short"] == []
    listed = cloudwatch.list_metrics(Namespace="AWS/Bedrock", MetricName="Invocations")["Metrics"]
    assert {d["Value"] for metric in listed for d in metric["Dimensions"]} == {MODEL, "few"}


def test_sagemakers_latencies_are_microseconds_by_variant_and_by_component(watched):
    runtime = watched.client("sagemaker-runtime")
    body = json.dumps({"inputs": "word " * 20, "parameters": {"max_new_tokens": 5}})
    begun = time.perf_counter()
    for more in ({}, {"InferenceComponentName": "part"}):
        answer = runtime.invoke_endpoint(EndpointName="e", Body=body, ContentType="application/json", **more)
        answer["Body"].read()
    took_us = (time.perf_counter() - begun) * 1e6
    place = {"EndpointName": "e", "VariantName": "AllTraffic"}
    found = told(
        watched.client("cloudwatch"),
        n=asked("Invocations", "Sum", "AWS/SageMaker", **place),
        part=asked("Invocations", "Sum", "AWS/SageMaker", InferenceComponentName="part"),
        model=asked("ModelLatency", "Sum", "AWS/SageMaker", **place),
        overhead=asked("OverheadLatency", "Average", "AWS/SageMaker", **place),
        errors=asked("Invocation4XXErrors", "Sum", "AWS/SageMaker", **place),
        gpu=asked("GPUUtilization", "Maximum", "/aws/sagemaker/Endpoints", period=10, **place),
        at_once=asked("ConcurrentRequestsPerModel", "Maximum", "AWS/SageMaker", period=10, **place),
    )
    assert (sum(found["n"]), sum(found["part"]), sum(found["errors"])) == (2, 1, 0)
    assert found["overhead"][0] == pytest.approx(10_000)
    assert 2 * 25_000 < sum(found["model"]) < took_us  # five steps of 5 ms at least, each
    assert 0 < max(found["gpu"]) <= 100 and max(found["at_once"]) > 0


def test_a_unit_that_a_figure_does_not_have_finds_none():
    """CloudWatch converts none; a query without a unit finds whichever there is."""
    figure = {
        "namespace": "N",
        "name": "t",
        "dimensions": {"D": "d"},
        "at": time.time() - 60,
        "values": [7.0],
        "unit": "Seconds",
    }
    query = asked("t", "Sum", "N", D="d")
    queries = {"any": query} | {
        u.lower(): {"MetricStat": query["MetricStat"] | {"Unit": u}} for u in ("Seconds", "Milliseconds")
    }
    with running_emulator({"engines": {}, "pricing": {}, "cloudwatch": {"figures": [figure]}}) as e:
        assert told(e.client("cloudwatch"), **queries) == {"any": [7.0], "seconds": [7.0], "milliseconds": []}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (asked("Invocations", "Sum", period=61, ModelId="m"), "Period"),
        (asked("Invocations", "Middle", ModelId="m"), "Stat"),
        ({"Expression": "SEARCH('x', 'Sum')"}, "Expressions"),
    ],
)
def test_what_is_wrong_is_a_validation_error(watched, query, message):
    cloudwatch = watched.client("cloudwatch")
    with pytest.raises(botocore.exceptions.ClientError, match=message) as refused:
        told(cloudwatch, m=query)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_quotas_come_in_pages_and_by_code(watched):
    client = watched.client("service-quotas")
    pages = list(client.get_paginator("list_service_quotas").paginate(ServiceCode="bedrock"))
    assert [[q["Value"] for q in page["Quotas"]] for page in pages] == [[1000.0, 2000.0], [3000.0]]
    code = pages[1]["Quotas"][0]["QuotaCode"]
    assert client.get_service_quota(ServiceCode="bedrock", QuotaCode=code)["Quota"]["QuotaName"] == QUOTAS[2]["name"]
    with pytest.raises(client.exceptions.NoSuchResourceException):
        client.get_service_quota(ServiceCode="bedrock", QuotaCode="L-00000000")
    assert client.list_service_quotas(ServiceCode="sagemaker")["Quotas"] == []


@pytest.mark.parametrize(
    ("service", "target", "signed", "operation", "body"),
    [
        ("cloudwatch", "GraniteServiceVersion20100801", "monitoring", "ListMetrics", {}),
        (
            "cloudwatch", "GraniteServiceVersion20100801", "monitoring", "GetMetricData",
            {"MetricDataQueries": [{"Id": "a"} | asked("Invocations", "Sum", ModelId=MODEL)], "StartTime": 0, "EndTime": 2e9},
        ),
        ("service-quotas", "ServiceQuotasV20190624", "servicequotas", "ListServiceQuotas", {"ServiceCode": "bedrock"}),
    ],
)  # fmt: skip
def test_every_answer_has_the_shape_that_the_service_declares(watched, service, target, signed, operation, body):
    headers = {"X-Amz-Target": f"{target}.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    request = AWSRequest("POST", f"{watched.url}/", headers=headers, data=json.dumps(body).encode())
    SigV4Auth(raw_wire.EXAMPLE, signed, "us-east-1").add_auth(request)
    answer = URLLib3Session(timeout=60).send(request.prepare())
    assert answer.status_code == 200
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    shapes.walk(model.output_shape, json.loads(answer.content), operation)


def test_a_fault_is_the_error_of_each_service():
    own = {
        "cloudwatch": {"faults": {"access_denied": 1}},
        "service_quotas": {"limit": {"requests_per_second": 0.001, "burst": 1}},
    }
    with running_emulator({"engines": {}, "pricing": {}} | own) as e:
        quotas, cloudwatch = e.client("service-quotas"), e.client("cloudwatch")
        with pytest.raises(botocore.exceptions.ClientError, match=r"\(AccessDenied\).*cloudwatch:ListMetrics"):
            cloudwatch.list_metrics()
        quotas.list_service_quotas(ServiceCode="bedrock")
        with pytest.raises(quotas.exceptions.TooManyRequestsException):
            quotas.list_service_quotas(ServiceCode="bedrock")
        with pytest.raises(botocore.exceptions.ClientError, match="InvalidSignature"):
            e.client("cloudwatch", aws_secret_access_key="another").list_metrics()


def test_cbor_is_read_as_botocore_writes_it_and_refused_where_it_ends_early():
    value = {"a": [1, -5, 300, 70000, 2**40, 1.5, True, False, None], "ü": {"deep": ["x" * 300]}}
    assert cbor.decoded(cbor.encoded(value)) == value
    at = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
    assert cbor.decoded(cbor.encoded(at)) == at.timestamp()
    assert cbor.decoded(bytes.fromhex("bf61610161629f0203ffff")) == {"a": 1, "b": [2, 3]}  # RFC 8949, appendix A
    assert cbor.decoded(bytes.fromhex("f93e00")) == 1.5
    for broken in (
        b"",
        b"\x61",
        b"\xa1\x61a",
        b"\x9f\x01",
        b"\x01\x01",
        b"\xff",
        b"\x1c",
        b"\xa1\x80\x01",
        b"\x81" * 100,
    ):
        with pytest.raises(cbor.Malformed):
            cbor.decoded(broken)
