"""A service's endpoint is the one that boto3's own client has, whatever decides it, and no service is read for it."""

import itertools

import boto3
import pytest

from locustfiles.common.transport.service_endpoint import ServiceEndpoints

SERVICES = (
    "bedrock-runtime",
    "sagemaker-runtime",
    "sagemaker-inference-router-runtime",
    "sagemaker-gateway-runtime",
    "s3",
)
REGIONS = ("us-east-1", None, "cn-north-1", "us-gov-west-1", "mars-1", "us-east-1-fips", "no region")
CONFIG = """[default]
region = eu-west-1
services = mine
[services mine]
bedrock_runtime =
  endpoint_url = http://in-the-file:7
[profile other]
use_dualstack_endpoint = true
"""
SETTINGS = {
    "none": {},
    "for all services": {"AWS_ENDPOINT_URL": "http://for-all:1"},
    "for one": {"AWS_ENDPOINT_URL": "http://for-all:1", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "https://for-one:2/way"},
    "ignored": {"AWS_ENDPOINT_URL": "http://for-all:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    "fips": {"AWS_USE_FIPS_ENDPOINT": "true"},
    "two stacks": {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "a region": {"AWS_DEFAULT_REGION": "eu-central-1"},
    "a file": {"AWS_CONFIG_FILE": "config"},
    "a profile": {"AWS_CONFIG_FILE": "config", "AWS_PROFILE": "other"},
    "no such profile": {"AWS_PROFILE": "nobody"},
}


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in ("PROFILE", "DEFAULT_REGION", "REGION", "ENDPOINT_URL", "DATA_PATH"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").write_text(CONFIG)


def told(ask) -> str:
    try:
        return ask()
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def boto3s(region: str | None, service: str, given: str | None) -> str:
    session = boto3.Session(region_name=region)
    keys = {"aws_access_key_id": "unused", "aws_secret_access_key": "unused"}
    return session.client(service, endpoint_url=given, **keys).meta.endpoint_url


@pytest.mark.parametrize("setting", SETTINGS)
def test_it_is_boto3s(setting, monkeypatch):
    for name, value in SETTINGS[setting].items():
        monkeypatch.setenv(name, value)
    for region, service in itertools.product(REGIONS if setting == "none" else REGIONS[:2], SERVICES):
        ours = told(lambda r=region, s=service: ServiceEndpoints(r).url(s, None))
        assert ours == told(lambda r=region, s=service: boto3s(r, s, None)), (region, service)


@pytest.mark.parametrize("given", ["http://127.0.0.1:9/way", "nonsense", "https://host:99999"])
def test_a_given_one_is_taken_or_refused_as_boto3_does(given):
    ours = told(lambda: ServiceEndpoints("us-east-1").url("bedrock-runtime", given))
    assert ours == told(lambda: boto3s("us-east-1", "bedrock-runtime", given))


def test_it_knows_no_operation_and_no_other_service():
    endpoints = ServiceEndpoints("us-east-1")
    endpoints.url("bedrock-runtime", None)
    loader = endpoints._session.get_component("data_loader")
    assert loader.load_service_model("bedrock-runtime", "service-2")["operations"] == {}
    services = [set(one["services"]) for one in loader.load_data("endpoints")["partitions"]]
    assert len(services) > 5 and set().union(*services) <= {"bedrock-runtime", "runtime.sagemaker", "s3"}
