"""SageMaker's control plane: answers in the shapes that botocore declares, states, refusals in AWS's words, tags, quotas, faults."""

import contextlib
import json
import time

import botocore.exceptions
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from tests.helpers import raw_wire, shapes
from tests.helpers.control_plane import ROLE, running_plane, there

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tgi:1"
VARIANT = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}


@pytest.fixture(scope="module")
def plane():
    with running_plane(
        quotas={"ml.p5.48xlarge": 1},
        failures={"bad": "The primary container did not pass the ping health check."},
        page_size=2,
    ) as e:
        yield e


@pytest.fixture
def client(plane):
    client = plane.client("sagemaker")
    yield client
    for each in client.list_inference_components()["InferenceComponents"]:
        client.delete_inference_component(InferenceComponentName=each["InferenceComponentName"])
    for _ in range(200):
        left = there(client)
        for name in left:
            for delete, key in (
                (client.delete_endpoint, "EndpointName"),
                (client.delete_endpoint_config, "EndpointConfigName"),
                (client.delete_model, "ModelName"),
            ):
                with contextlib.suppress(botocore.exceptions.ClientError):
                    delete(**{key: name})
        if not left:
            return
        time.sleep(0.02)
    raise AssertionError(left)


def made(client, name: str = "x", variants: list[dict] | None = None, **more) -> None:
    with contextlib.suppress(botocore.exceptions.ClientError):  # it is there
        client.create_model(ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    client.create_endpoint_config(EndpointConfigName=f"{name}-config", ProductionVariants=variants or [VARIANT], **more)
    client.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config")


def status(client, name: str, *expected: str) -> dict:
    """Its description once it has one of these."""
    for _ in range(500):
        described = client.describe_endpoint(EndpointName=name)
        if described["EndpointStatus"] in expected:
            return described
        time.sleep(0.01)
    raise AssertionError(described)


def refusal(call, *arguments, **parameters) -> tuple[str, str]:
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(*arguments, **parameters)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def ask(url: str, operation: str, body: dict) -> tuple[int, bytes]:
    """Signed, without a client that would read or repeat it."""
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{url}/", headers=headers, data=json.dumps(body).encode())
    SigV4Auth(raw_wire.EXAMPLE, "sagemaker", "us-east-1").add_auth(request)
    answer = URLLib3Session(timeout=60).send(request.prepare())
    return answer.status_code, answer.content


def test_every_answer_has_the_shape_that_the_service_declares(plane, client):
    made(client)
    status(client, "x", "InService")
    described = {
        "DescribeModel": {"ModelName": "m"}, "DescribeEndpointConfig": {"EndpointConfigName": "x-config"},
        "DescribeEndpoint": {"EndpointName": "x"}, "ListEndpoints": {}, "ListEndpointConfigs": {}, "ListModels": {},
        "ListInferenceComponents": {}, "ListTags": {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/x"},
    }  # fmt: skip
    service = botocore.session.get_session().get_service_model("sagemaker")
    for operation, body in described.items():
        code, answer = ask(plane.url, operation, body)
        assert code == 200, answer
        shapes.walk(service.operation_model(operation).output_shape, json.loads(answer), operation)


def invoke(e, name: str, **more) -> dict:
    body = json.dumps({"inputs": "Hi", "parameters": {"max_new_tokens": 3}})
    return e.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=body, **more)


def test_an_endpoint_is_created_answers_and_is_deleted(plane, client):
    made(client)
    found = status(client, "x", "InService")
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert invoke(plane, "x")["InvokedProductionVariant"] == "AllTraffic"
    client.delete_endpoint(EndpointName="x")
    assert refusal(invoke, plane, "x")[0] == "ValidationError"


def test_while_it_is_created_it_neither_answers_nor_can_be_deleted():
    with running_plane(creating_s=3600) as e:
        client = e.client("sagemaker")
        made(client)
        assert client.describe_endpoint(EndpointName="x")["EndpointStatus"] == "Creating"
        assert refusal(invoke, e, "x")[0] == "ValidationError"
        assert refusal(client.delete_endpoint, EndpointName="x") == (
            "ValidationException", 'Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/x".',
        )  # fmt: skip


def test_while_it_is_updated_it_answers_and_while_it_is_deleted_it_does_not():
    with running_plane(creating_s=0, updating_s=3600, deleting_s=3600) as e:
        client = e.client("sagemaker")
        for name in ("x", "y"):
            made(client, name)
            status(client, name, "InService")
        client.update_endpoint(EndpointName="x", EndpointConfigName="x-config")
        client.delete_endpoint(EndpointName="y")
        rows = {each["EndpointName"]: each["EndpointStatus"] for each in client.list_endpoints()["Endpoints"]}
        assert rows == {"x": "Updating", "y": "Deleting"}
        assert invoke(e, "x")["Body"].read() and refusal(invoke, e, "y")[0] == "ValidationError"


def test_components_have_to_go_before_their_endpoint(plane, client):
    variant = {key: value for key, value in VARIANT.items() if key != "ModelName"}
    made(client, variants=[variant], ExecutionRoleArn=ROLE)
    needs = {"ModelName": "m", "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}}
    component = {
        "InferenceComponentName": "c",
        "EndpointName": "x",
        "VariantName": "AllTraffic",
        "Specification": needs,
    }
    assert (
        "in-progress endpoint"
        in refusal(client.create_inference_component, **component, RuntimeConfig={"CopyCount": 1})[1]
    )
    status(client, "x", "InService")
    assert "larger than 0" in refusal(client.create_inference_component, **component, RuntimeConfig={"CopyCount": 0})[1]
    client.create_inference_component(**component, RuntimeConfig={"CopyCount": 2})
    assert refusal(client.delete_endpoint, EndpointName="x")[1].startswith(
        "Cannot delete endpoint with inference component"
    )
    while (found := client.describe_inference_component(InferenceComponentName="c"))[
        "InferenceComponentStatus"
    ] == "Creating":
        time.sleep(0.01)
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    assert invoke(plane, "x", InferenceComponentName="c")["Body"].read()
    assert "not found" in refusal(invoke, plane, "x", InferenceComponentName="d")[1]


def test_what_fails_says_why_and_can_be_deleted(client):
    made(client, "bad")
    assert (
        status(client, "bad", "Failed")["FailureReason"] == "The primary container did not pass the ping health check."
    )
    client.delete_endpoint(EndpointName="bad")


def test_what_is_wrong_is_refused_in_awss_words(client):
    made(client)
    arn = "arn:aws:sagemaker:us-east-1:123456789012"
    assert refusal(client.describe_endpoint, EndpointName="y") == (
        "ValidationException",
        f'Could not find endpoint "{arn}:endpoint/y".',
    )
    assert (
        refusal(client.create_endpoint, EndpointName="x", EndpointConfigName="x-config")[1]
        == f'Cannot create already existing endpoint "{arn}:endpoint/x".'
    )
    assert (
        refusal(client.create_endpoint, EndpointName="y", EndpointConfigName="y")[1]
        == f'Could not find endpoint configuration "{arn}:endpoint-config/y".'
    )
    bad = [VARIANT | {"InstanceType": "ml.g99.xlarge"}]
    code, message = refusal(client.create_endpoint_config, EndpointConfigName="z", ProductionVariants=bad)
    assert code == "ValidationException" and message.startswith(
        "1 validation error detected: Value 'ml.g99.xlarge' at 'productionVariants.1.member.instanceType' failed to satisfy constraint"
    )
    big = [VARIANT | {"InstanceType": "ml.p5.48xlarge", "InitialInstanceCount": 2}]
    client.create_endpoint_config(EndpointConfigName="big", ProductionVariants=big)
    code, message = refusal(client.create_endpoint, EndpointName="big", EndpointConfigName="big")
    assert (
        code == "ResourceLimitExceeded"
        and "'ml.p5.48xlarge for endpoint usage' is 1 Instances, with current utilization of 0" in message
    )


def test_tags_are_added_listed_and_taken_off_and_lists_have_pages(client):
    for n in range(3):
        client.create_model(
            ModelName=f"page-{n}",
            PrimaryContainer={"Image": IMAGE},
            ExecutionRoleArn=ROLE,
            Tags=[{"Key": "n", "Value": str(n)}],
        )
    pages = list(client.get_paginator("list_models").paginate(NameContains="PAGE"))
    assert [len(page["Models"]) for page in pages] == [2, 1]
    arn = pages[0]["Models"][0]["ModelArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "a:b", "Value": "c"}])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "n", "Value": "2"}, {"Key": "a:b", "Value": "c"}]
    client.delete_tags(ResourceArn=arn, TagKeys=["n"])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a:b", "Value": "c"}]


def test_faults_and_the_quota_are_errors_of_the_service():
    with running_plane(faults={"throttle": 0.5, "access_denied": 0.5}, fault_seed=1) as e:
        client = e.client("sagemaker")
        codes = {refusal(client.list_endpoints)[0] for _ in range(20)}
        assert codes == {"ThrottlingException", "AccessDeniedException"}
