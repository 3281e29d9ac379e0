"""What an inference router stands before: the figures of all its destinations together, by the command and the local endpoint."""

import pytest

from analysis.__main__ import main
from tests.helpers.emulator_process import running_emulator
from tests.helpers.enriching import figure, requests, run_of, shifted, spread
from tests.helpers.made_run import P4D

ROUTER = P4D | {"name": "routed", "endpoint": None, "inference_router": "r", "routing_target": "chat", "stream": False}
ROUTER |= {"instance_type": "ml.g5.2xlarge", "instance_count": 2}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:"
ONE, PART = f"{ARN}endpoint/one", f"{ARN}inference-component/part"
CHAT = {
    "name": "chat", "service": "openai", "base_url": "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/two/openai/v1",
    "auth": "bearer", "model_id": "m", "instance_type": "ml.g5.2xlarge", "instance_count": 3,
}  # fmt: skip
QUOTA = {"service": "sagemaker", "name": "ml.g5.2xlarge for endpoint usage", "value": 8.0}


def ten(stage: int, begin: float, places: list[dict], **other) -> list:
    """Requests of 1 s, one every twelve seconds, answered by `places` in turn."""
    facts = {"service": "sagemaker", "operation": "InvokeInferenceRouter"}
    return spread(requests(stage, begin, begin + 1, 1, 1.0, **(facts | other))[0], 10, places)


def timed(minute: int, n: int, ms: float, gpu: float, **place: str) -> list[dict]:
    """n requests of so long in the model and 20 ms before it, and a GPU so busy."""
    space = "/aws/sagemaker/InferenceComponents" if "InferenceComponentName" in place else "/aws/sagemaker/Endpoints"
    times = {"Invocations": 1.0, "ModelLatency": ms * 1000, "OverheadLatency": 20_000.0}
    found = [figure(name, minute, [value] * n, "AWS/SageMaker", place) for name, value in times.items()]
    return [*found, figure("GPUUtilizationNormalized", minute, [gpu], space, place)]


def watched(figures: list[dict]):
    quotas = {"quotas": [QUOTA]}
    return running_emulator(
        {"engines": {}, "pricing": {}, "cloudwatch": {"figures": figures}, "service_quotas": quotas}
    )


def of_the_router() -> list[dict]:
    """Two minutes, in each 3 requests of 900 ms to the endpoint and 2 of 400 ms to the component."""
    found = []
    for minute in (0, 1):
        found += timed(minute, 3, 900, 30, EndpointName="one", VariantName="blue")
        found += timed(minute, 2, 400, 70, InferenceComponentName="part")
    return found


DESTINATIONS = [{"routed_to": ONE, "variant": "blue"}, {"routed_to": PART}] * 2 + [
    {"routed_to": ONE, "variant": "blue"}
]


def test_a_router_has_the_figures_of_its_destinations_together(tmp_path, ask):
    folder = run_of(
        tmp_path / "r", ten(1, 0, DESTINATIONS, target="routed"), [shifted(1, 0, 120, target="routed")], [ROUTER]
    )
    with watched(of_the_router()) as e:
        code, said, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert (code, row["missing"], told["missing"]) == (0, None, []), said
    assert row["metrics_of"] == "AWS/SageMaker EndpointName=one VariantName=blue, InferenceComponentName=part"
    # (6 × 920 + 4 × 420) / 10 = 720 ms, the client 1000; the busier GPU is told
    assert (row["client_requests"], row["service_requests"]) == (10, 10)
    assert (row["service_latency_mean_ms"], row["network_queue_ms"]) == pytest.approx((720, 280))
    assert (row["gpu_share"], row["instances_quota_share"]) == (0.7, 0.25)
    assert main(["report", str(folder)]) == 0


def test_what_went_to_another_region_is_named_and_not_asked_for(tmp_path, ask):
    """Half of the requests: the two counts are too far apart for their means, and instances have a quota in each region."""
    west = [{"routed_to": ONE.replace("us-east-1", "us-west-2"), "variant": "blue"}, {"routed_to": PART}]
    folder = run_of(tmp_path / "r", ten(1, 0, west, target="routed"), [shifted(1, 0, 120, target="routed")], [ROUTER])
    figures = [f for m, n in ((0, 2), (1, 3)) for f in timed(m, n, 400, 70, InferenceComponentName="part")]
    with watched(figures) as e:
        _, _, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert row["missing"].startswith(
        "its inference router sent requests to us-west-2, too, whose metrics are not read; the service timed 5"
    )
    assert (row["service_requests"], row["network_queue_ms"], row["instances_quota"]) == (5, None, None)


def test_without_destinations_in_its_records_a_routers_figures_are_not_asked_for(tmp_path, ask):
    folder = run_of(tmp_path / "r", ten(1, 0, [{}], target="routed"), [shifted(1, 0, 120, target="routed")], [ROUTER])
    code, _, told = ask(folder, "http://127.0.0.1:9")
    why = "no record says to which endpoint its inference router sent it"
    assert (code, told["missing"], told["stages"][0]["missing"]) == (0, [], why)


def test_a_chat_route_has_its_endpoints_figures_and_its_instances_quota(tmp_path, ask):
    """Stage 2 in minutes 2 and 3, 5 requests of 600 ms in each; the answers name no variant, CloudWatch knows `v2`."""
    who = {"target": "chat", "service": "openai", "operation": "ChatCompletions"}
    folder = run_of(tmp_path / "r", ten(1, 120, [{}], **who), [shifted(1, 120, 240, target="chat")], [CHAT])
    figures = [f for m in (2, 3) for f in timed(m, 5, 600, 50, EndpointName="two", VariantName="v2")]
    with watched(figures) as e:
        code, _, told = ask(folder, e.url)
    (row,) = told["stages"]
    assert (code, row["missing"], row["metrics_of"]) == (0, None, "AWS/SageMaker EndpointName=two VariantName=v2")
    assert (row["service_latency_mean_ms"], row["network_queue_ms"]) == pytest.approx((620, 380))
    assert (row["instances_quota_share"], row["tokens_quota"]) == (0.375, None)
