"""The pricing route: answers and errors as botocore describes them, pages, filters, quota, faults; and its items' form."""

import json

import botocore.exceptions
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from tests.helpers import raw_wire, shapes
from tests.helpers.emulator_process import running_emulator

HOME = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"}
HOSTING = {"Type": "TERM_MATCH", "Field": "component", "Value": "Hosting"}


@pytest.fixture(scope="module")
def prices():
    with running_emulator({"engines": {}, "region": "eu-west-1", "pricing": {}}) as e:
        yield e


@pytest.fixture(scope="module")
def client(prices):
    return prices.client("pricing")


def ask(url: str, operation: str, body: bytes | dict, credentials=raw_wire.EXAMPLE):
    """Status and JSON of one request, signed, without a client that would check or repeat it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Amz-Target": f"AWSPriceListService.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{url}/", headers=headers, data=data)
    if credentials:
        SigV4Auth(credentials, "pricing", "us-east-1").add_auth(request)
    answer = URLLib3Session(timeout=60).send(request.prepare())
    assert answer.headers["content-type"].startswith("application/") and "x-amzn-requestid" in answer.headers
    return answer.status_code, json.loads(answer.content)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (
            "GetProducts",
            {"ServiceCode": "AmazonBedrock", "Filters": [HOME], "FormatVersion": "aws_v1", "MaxResults": 3},
        ),
        ("GetProducts", {"ServiceCode": "AmazonSageMaker", "Filters": [HOME, HOSTING]}),
        ("DescribeServices", {}),
        ("DescribeServices", {"ServiceCode": "AmazonBedrock", "FormatVersion": "aws_v1"}),
        ("GetAttributeValues", {"ServiceCode": "AmazonSageMaker", "AttributeName": "instanceName", "MaxResults": 2}),
    ],
)
def test_every_answer_has_the_shape_that_the_service_declares(prices, operation, body):
    status, answer = ask(prices.url, operation, body)
    shape = botocore.session.get_session().get_service_model("pricing").operation_model(operation).output_shape
    assert status == 200 and answer
    shapes.walk(shape, answer, operation)


def test_pages_follow_each_other_and_end(client):
    first = client.get_products(ServiceCode="AmazonSageMaker", Filters=[HOME, HOSTING], MaxResults=2)
    assert len(first["PriceList"]) == 2 and first["NextToken"]
    pages = list(
        client.get_paginator("get_products").paginate(
            ServiceCode="AmazonSageMaker", Filters=[HOME, HOSTING], PaginationConfig={"PageSize": 2}
        )
    )
    names = [json.loads(text)["product"]["attributes"]["instanceName"] for page in pages for text in page["PriceList"]]
    assert [len(page["PriceList"]) for page in pages] == [2, 2, 1]
    assert names == ["ml.g5.xlarge", "ml.g5.12xlarge", "ml.g6.xlarge", "ml.p4d.24xlarge", "ml.inf2.xlarge"]
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        client.get_products(ServiceCode="AmazonBedrock", NextToken=first["NextToken"])


def test_an_item_has_the_form_of_the_price_list(client):
    filters = [HOME, HOSTING, {"Type": "TERM_MATCH", "Field": "instanceName", "Value": "ML.G5.XLARGE"}]
    [text] = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"]
    item = json.loads(text)
    sku = item["product"]["sku"]
    [(code, term)] = item["terms"]["OnDemand"].items()
    [(rate, dimension)] = term["priceDimensions"].items()
    assert code == f"{sku}.{term['offerTermCode']}" and rate == dimension["rateCode"] and rate.startswith(code)
    assert (dimension["unit"], dimension["pricePerUnit"], dimension["beginRange"], dimension["endRange"]) == (
        "Hrs", {"USD": "1.4080000000"}, "0", "Inf",
    )  # fmt: skip
    assert item["product"]["attributes"]["usagetype"] == "USE1-Host:ml.g5.xlarge"
    assert {"serviceCode", "version", "publicationDate"} < item.keys()


@pytest.mark.parametrize(
    ("kind", "value", "count"),
    [
        ("CONTAINS", "host:ml.g5", 2),
        ("ANY_OF", "USE1-Host:ml.g6.xlarge,x", 1),
        ("NONE_OF", "x", 10),
        ("EQUALS", "x", 0),
    ],
)
def test_filters_choose_as_their_type_says(client, kind, value, count):
    filters = [HOME, {"Type": kind, "Field": "usagetype", "Value": value}]
    assert len(client.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"]) == count


ERRORS = {
    "an unknown service": ({"ServiceCode": "AmazonNothing"}, "InvalidParameterException"),
    "no service": ({}, "InvalidParameterException"),
    "too many results": ({"ServiceCode": "AmazonBedrock", "MaxResults": 101}, "InvalidParameterException"),
    "no number": ({"ServiceCode": "AmazonBedrock", "MaxResults": "3"}, "InvalidParameterException"),
    "a token of one's own": ({"ServiceCode": "AmazonBedrock", "NextToken": "next"}, "InvalidNextTokenException"),
    "half a filter": ({"ServiceCode": "AmazonBedrock", "Filters": [{"Field": "a"}]}, "InvalidParameterException"),
    "another format": ({"ServiceCode": "AmazonBedrock", "FormatVersion": "v2"}, "InvalidParameterException"),
    "no JSON": (b"{", "SerializationException"),
    "a list": (b"[]", "SerializationException"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_is_wrong_is_refused_with_its_code(prices, case):
    body, code = ERRORS[case]
    status, answer = ask(prices.url, "GetProducts", body)
    assert (status, answer["__type"]) == (400, code) and answer["Message"]


def test_a_request_must_be_signed_for_the_service(prices):
    status, answer = ask(prices.url, "GetProducts", {"ServiceCode": "AmazonBedrock"}, credentials=None)
    assert (status, answer["__type"]) == (400, "MissingAuthenticationTokenException")
    other = prices.client("pricing", aws_secret_access_key="another")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidSignatureException"):
        other.describe_services()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("throttle", "ThrottlingException"),
        ("access_denied", "AccessDeniedException"),
        ("server", "InternalErrorException"),
    ],
)
def test_a_fault_is_the_error_that_the_service_declares(fault, code):
    with running_emulator({"engines": {}, "pricing": {"faults": {fault: 1}}}) as e:
        client = e.client("pricing")
        with pytest.raises(getattr(client.exceptions, code)):
            client.describe_services()
        assert e.stats()["by_fault"] == {fault: 1}


def test_its_quota_throttles_and_its_products_can_be_ones_own():
    product = {
        "service": "AmazonBedrock",
        "region": "xx-test-1",
        "attributes": {"usagetype": "T-input-tokens"},
        "unit": "1K tokens",
        "usd": "0.001",
    }
    pricing = {"products": [product], "limit": {"requests_per_second": 0.001, "burst": 1}}
    with running_emulator({"engines": {}, "pricing": pricing}) as e:
        client = e.client("pricing")
        [text] = client.get_products(ServiceCode="AmazonBedrock")["PriceList"]
        assert json.loads(text)["product"]["attributes"]["regionCode"] == "xx-test-1"
        with pytest.raises(client.exceptions.ThrottlingException):
            client.get_products(ServiceCode="AmazonBedrock")


def test_without_the_section_there_is_no_such_route(emulator):
    with pytest.raises(botocore.exceptions.ClientError, match="no operation at /"):
        emulator.client("pricing").describe_services()
