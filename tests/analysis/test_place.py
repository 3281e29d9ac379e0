"""One place or two: AWS's own endpoints of a region are one, a proxy, a gateway or a local endpoint that answers in their form is not."""

import pytest

from analysis.advice.analyse import analyse
from analysis.verdicts.aws_hosts import own_region
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, window

OWN = "https://bedrock-runtime.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("service", "url", "region"),
    [
        ("bedrock", OWN, "us-east-1"),
        ("bedrock", f"{OWN}/", "us-east-1"),
        ("bedrock", f"{OWN}:443", "us-east-1"),
        ("bedrock", "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock", "https://bedrock-runtime.eu-west-1.api.aws", "eu-west-1"),
        ("bedrock", "https://vpce-0ab12-x9y8.bedrock-runtime.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("bedrock", "https://vpce-0ab12-x9y8-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("sagemaker", "https://runtime.sagemaker.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sagemaker", "https://runtime-fips.sagemaker.us-east-1.amazonaws.com", "us-east-1"),
        ("sagemaker", "https://vpce-0ab12-x9y8.runtime.sagemaker.us-east-1.vpce.amazonaws.com", "us-east-1"),
        # of the other service, or a customer's own
        ("sagemaker", OWN, None),
        ("bedrock", "https://abc123.execute-api.us-east-1.amazonaws.com", None),
        ("bedrock", "https://bedrock-runtime-1234.us-east-1.elb.amazonaws.com", None),
        ("bedrock", "https://ec2-3-4-5-6.compute-1.amazonaws.com", None),
        ("bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com.example.com", None),
        ("bedrock", "https://bedrock-runtime.us-east-1.example.com", None),
        ("bedrock", f"{OWN}/team-a", None),
        ("bedrock", f"{OWN}:8443", None),
        ("bedrock", "http://bedrock-runtime.us-east-1.amazonaws.com", None),
        ("bedrock", "http://127.0.0.1:8800", None),
        ("bedrock", "http://[::1]:8800", None),
    ],
)
def test_what_is_an_address_of_aws_and_of_which_region(service, url, region):
    assert own_region(service, url) == region


def two_runs(folder, one, other, target=BEDROCK, manifest=({}, {})):
    """Of keys of the target (`endpoint_url`) or, with a `scenario`, of the scenario: the report of both."""
    paths = []
    for name, keys, more in zip("ab", (one, other), manifest, strict=True):
        keys, service = dict(keys), target["service"]
        scenario = keys.pop("scenario", {})
        spot = {"target": target["name"], "service": service, "prompt_tokens": 50, "completion_tokens": 20}
        records = [record(100 + i, 0.9, prompt_id=str(i), **spot) for i in range(20)]
        made = made_run(
            folder / name,
            records,
            [window(1, 100, 120, target=target["name"])],
            targets=[target | keys],
            scenario_keys=scenario,
            **more,
        )
        paths.append(made)
    return analyse(paths)


def places(report):
    return len({r.place for r in report.candidates})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"endpoint_url": OWN}),
        ({"endpoint_url": OWN}, {"scenario": {"endpoint_url": f"{OWN}/"}}),
        ({}, {"endpoint_url": "https://vpce-0ab12-x9y8.bedrock-runtime.us-east-1.vpce.amazonaws.com"}),
        ({"endpoint_url": "http://127.0.0.1:8800"}, {"scenario": {"endpoint_url": "http://127.0.0.1:8800"}}),
    ],
)
def test_ways_to_the_same_service_are_one_place(tmp_path, one, other):
    report = two_runs(tmp_path, one, other)
    assert places(report) == 1 and len(report.candidates) == 1


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({}, {"endpoint_url": "http://127.0.0.1:4000"}, "endpoint_url – against http://127.0.0.1:4000"),
        ({}, {"scenario": {"endpoint_url": "https://llm.example.com/aws/"}}, "against https://llm.example.com/aws"),
        ({"endpoint_url": "http://127.0.0.1:1"}, {"endpoint_url": "http://127.0.0.1:2"}, "http://127.0.0.1:2"),
        ({}, {"endpoint_url": OWN.replace("east-1", "west-2")}, "https://bedrock-runtime.us-west-2.amazonaws.com"),
    ],
)
def test_what_answers_in_its_place_is_another_and_said(tmp_path, one, other, said):
    report = two_runs(tmp_path, one, other)
    assert places(report) == len(report.candidates) == 2
    (warning,) = [text for text in report.recommendation.warnings if "no repetitions of each other" in text]
    assert said in warning


def test_a_local_endpoint_that_the_environment_names_is_known_by_its_http(tmp_path):
    schemes = ({"schemes": {"p4d": "https"}}, {"schemes": {"p4d": "http"}})
    report = two_runs(tmp_path, {}, {}, P4D, schemes)
    assert places(report) == 2
    assert any("one over http, by the environment" in text for text in report.recommendation.warnings)
