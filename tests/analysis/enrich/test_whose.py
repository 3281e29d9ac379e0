"""Whose metrics a target's are: endpoints, components, models, and what stands before them."""

import dataclasses

import pytest

from analysis.enrich.whose import Whose, series_of, whose, with_variants
from analysis.runs.run_reader import load_run
from tests.helpers.made_run import P4D, made_run, record, window

CHAT = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e"
OWN = {"name": "own", "service": "openai", "model_id": "openai.gpt-oss-120b"}
ROUTER = P4D | {"endpoint": None, "inference_router": "r", "routing_target": "chat", "stream": False}
GATEWAY = P4D | {"endpoint": None, "gateway": "abc123", "model_id": "m", "dialect": "openai-chat"}
QUEUED = P4D | {"async_inference": {}, "stream": False}
ARN = "arn:aws:sagemaker:{}:123456789012:{}"
EAST, WEST = ARN.format("us-east-1", "endpoint/east"), ARN.format("us-west-2", "endpoint/west")
PART = ARN.format("us-east-1", "inference-component/part")


def made(path, target: dict, *answered: dict):
    """A run of a target, of a request for each of `answered`."""
    who = {"target": target["name"], "service": target["service"]}
    records = [record(i, 1.0, **who, **each) for i, each in enumerate(answered or [{}])]
    prices = {target["name"]: {"usd_per_hour": 1.0, "instance_count": 1}}
    return load_run(made_run(path / "r", records, [window(1, 0, 120, target=target["name"])], [target], prices))


def of(path, target: dict, *answered: dict, region: str | None = None) -> Whose:
    run = made(path, target, *answered)
    return whose(run, run.scenario.targets[0], region)


def endpoint(name: str, variant: str) -> tuple:
    return (("EndpointName", name), ("VariantName", variant))


@pytest.mark.parametrize(
    ("base_url", "service", "places"),
    [
        (f"{CHAT}/openai/v1", "sagemaker", (endpoint("e", "AllTraffic"),)),
        (f"{CHAT}/inference-components/part/openai/v1", "sagemaker", ((("InferenceComponentName", "part"),),)),
        (f"{CHAT}/other/v1", "", ()),
        ("https://bedrock-mantle.us-east-1.api.aws/openai/v1", "mantle", ((("Model", "openai.gpt-oss-120b"),),)),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "bedrock", ((("ModelId", "openai.gpt-oss-120b"),),)),
        ("http://h:8000/endpoints/e/openai/v1", "", ()),
    ],
)  # fmt: skip
def test_a_route_of_openais_is_of_whom_its_address_names(tmp_path, base_url, service, places):
    assert of(tmp_path, OWN | {"base_url": base_url})[:2] == (service, places)


def test_a_chat_route_has_the_metrics_of_the_endpoint_that_others_ask(tmp_path):
    """By the variants that its records name, as an endpoint's own: a stage of either is a neighbour of the other's."""
    answers = [{"variant": "blue"}, {"variant": "green"}, {"variant": "blue"}]
    found = of(tmp_path / "chat", OWN | {"base_url": f"{CHAT}/openai/v1"}, *answers)
    assert found == of(tmp_path / "own", P4D, *answers)
    assert found.places == (endpoint("e", "blue"), endpoint("e", "green")) and found.guessed == ()


def test_a_router_has_the_metrics_of_all_to_which_it_sent(tmp_path):
    """Two variants of one endpoint, a component, a request that failed and names nobody, and one elsewhere."""
    answers = [
        {"routed_to": EAST, "variant": "blue"}, {"routed_to": EAST, "variant": "green"}, {"routed_to": PART}, {}, {"routed_to": WEST}
    ]  # fmt: skip
    found = of(tmp_path, ROUTER, *answers, region="us-east-1")
    assert (found.service, found.guessed) == ("sagemaker", ())
    assert found.places == (endpoint("east", "blue"), endpoint("east", "green"), (("InferenceComponentName", "part"),))
    assert found.lacks == "its inference router sent requests to us-west-2, too, whose metrics are not read"
    spaces = {(s.namespace, s.name, s.dimensions) for s in series_of(found)}
    assert ("/aws/sagemaker/InferenceComponents", "GPUUtilization", found.places[2]) in spaces
    assert ("AWS/SageMaker", "ConcurrentRequestsPerModel", found.places[0]) in spaces
    assert ("AWS/SageMaker", "ConcurrentRequestsPerCopy", found.places[0]) not in spaces
    everywhere = of(tmp_path / "all", ROUTER, *answers)
    assert (len(everywhere.places), everywhere.guessed, everywhere.lacks) == (4, ("west",), "")
    away = of(tmp_path / "away", ROUTER, {"routed_to": WEST}, region="us-east-1")
    assert away[:3] == ("", (), "its inference router sent all requests to us-west-2; give one region with --region")


def test_without_a_record_that_says_where_it_went_nothing_is_asked(tmp_path):
    assert of(tmp_path / "a", ROUTER)[:3] == ("", (), "no record says to which endpoint its inference router sent it")
    gateway = "a gateway stands before its endpoints, whose metrics are not read"
    assert of(tmp_path / "b", GATEWAY)[:3] == ("", (), gateway)
    assert of(tmp_path / "c", GATEWAY, {"routed_to": EAST, "variant": "v"}).places == (endpoint("east", "v"),)


def test_older_folders_have_no_column_of_destinations_or_variants(tmp_path):
    run = made(tmp_path / "a", ROUTER, {"routed_to": EAST})
    older = dataclasses.replace(run, records=run.records.drop(columns=["routed_to", "variant"]))
    assert whose(older, run.scenario.targets[0]).why_none.startswith("no record says")
    run = made(tmp_path / "b", P4D, {"variant": "blue"})
    older = dataclasses.replace(run, records=run.records.drop(columns=["variant"]))
    found = whose(older, run.scenario.targets[0])
    assert (found.places, found.guessed) == ((endpoint("e", "AllTraffic"),), ("e",))


def test_an_asynchronous_endpoint_has_metrics_of_its_own_and_a_backlog_of_all_variants(tmp_path):
    found = with_variants(of(tmp_path, QUEUED), {"e": ["blue", "green"]})
    assert (found.service, found.places) == ("queued", (endpoint("e", "blue"), endpoint("e", "green")))
    asked = series_of(found)
    assert [s.dimensions for s in asked if s.name == "ApproximateBacklogSize"] == [(("EndpointName", "e"),)]
    assert not {"Invocations", "OverheadLatency", "ConcurrentRequestsPerModel"} & {s.name for s in asked}
    assert [s.unit for s in asked if s.name == "TimeInBacklog"] == ["Microseconds", "Milliseconds"] * 2


def test_variants_that_cloudwatch_does_not_know_stay_the_guess_and_those_of_records_stay_theirs(tmp_path):
    guess = of(tmp_path / "a", P4D)
    assert with_variants(guess, {"e": []}) == with_variants(guess, {}) == guess
    told = of(tmp_path / "b", P4D, {"variant": "blue"})
    assert with_variants(told, {"e": ["other"]}) == told
