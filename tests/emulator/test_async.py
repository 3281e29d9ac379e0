"""Asynchronous endpoints and the small S3 behind them, by unmodified boto3: queue, time limits, failures, signatures, shapes."""

import itertools
import json
import time

import botocore.exceptions
import pytest
from botocore.config import Config

from tests.helpers import bodies, shapes
from tests.helpers.emulator_process import running_emulator
from tests.helpers.patience import until

N = 3
OUT, BAD = "s3://answers/out", "s3://answers/failed"
QUEUE = {"output": OUT, "failure": BAD}
ONE = {"kind": "timed", "ttft_ms": 300, "tokens_per_second": 1000, "seed": 1}
CONFIG = {
    "engines": bodies.CONFIG["engines"] | {"slow": ONE, "still": ONE | {"ttft_ms": 3_000}},
    "endpoints": {
        "queued": {"engine": "exact", "dialect": "tgi", "asynchronous": QUEUE},
        "one": {"engine": "slow", "dialect": "tgi", "asynchronous": QUEUE | {"concurrency": 1}},
        "still": {"engine": "still", "dialect": "tgi", "asynchronous": QUEUE},
        "broken": {"engine": "exact", "dialect": "tgi", "asynchronous": QUEUE, "faults": {"model_error": 1.0}},
        "silent": {
            "engine": "exact",
            "dialect": "tgi",
            "asynchronous": {"output": OUT},
            "faults": {"model_error": 1.0},
        },
        "full": {"engine": "exact", "dialect": "tgi", "asynchronous": QUEUE, "faults": {"unavailable": 1.0}},
        "now": {"engine": "exact", "dialect": "tgi"},
    },
    "buckets": ["inputs"],
    "hidden_buckets": ["hidden"],
}


@pytest.fixture(scope="module")
def queues(tmp_path_factory):
    with running_emulator(CONFIG, truth=tmp_path_factory.mktemp("queues") / "truth.jsonl") as e:
        yield e


@pytest.fixture(scope="module")
def runtime(queues):
    return queues.client("sagemaker-runtime")


@pytest.fixture(scope="module")
def s3(queues):
    return queues.client("s3", config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))


def submit(client, endpoint: str, **more) -> dict:
    given = {"EndpointName": endpoint, "ContentType": "application/json"}
    if "InputLocation" not in more:
        given["Body"] = json.dumps(bodies.tgi(N))
    return client.invoke_endpoint_async(**given, **more)


def refused(call, **given) -> tuple[int, str]:
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**given)
    return e.value.response["ResponseMetadata"]["HTTPStatusCode"], e.value.response["Error"]["Code"]


def place(location: str) -> dict[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def there(s3, location: str) -> bytes | None:
    try:
        return s3.get_object(**place(location))["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


def test_an_inline_request_is_accepted_and_its_answer_is_an_object(runtime, s3):
    answer = submit(runtime, "queued", InferenceId="mine", S3OutputPathExtension="tenant/7", CustomAttributes="a=b")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202 and answer["InferenceId"] == "mine"
    assert (answer["OutputLocation"], answer["FailureLocation"]) == (
        f"{OUT}/tenant/7/mine.out",
        f"{BAD}/mine-error.out",
    )
    [whole] = json.loads(until(lambda: there(s3, answer["OutputLocation"])))
    assert whole["details"]["generated_tokens"] == N
    head = s3.head_object(**place(answer["OutputLocation"]))
    assert head["ContentLength"] == len(there(s3, answer["OutputLocation"]))
    assert abs(head["LastModified"].timestamp() - time.time()) < 100
    assert there(s3, answer["FailureLocation"]) is None


def test_an_object_is_an_input_too_and_a_name_is_the_callers(runtime, s3):
    s3.put_object(Bucket="inputs", Key="a b/c+d.json", Body=json.dumps(bodies.tgi(N)).encode())
    answer = submit(runtime, "queued", InputLocation="s3://inputs/a b/c+d.json", Filename="named.json")
    assert answer["OutputLocation"] == f"{OUT}/named.json"
    [whole] = json.loads(until(lambda: there(s3, answer["OutputLocation"])))
    assert whole["details"]["generated_tokens"] == N
    lost = submit(runtime, "queued", InputLocation="s3://inputs/nothing.json")
    assert b"not found at its location" in until(lambda: there(s3, lost["FailureLocation"]))


def test_requests_wait_for_their_turn(runtime, s3, queues):
    began = time.perf_counter()
    answers = [submit(runtime, "one") for _ in range(3)]
    assert time.perf_counter() - began < 0.9  # of three times 0.3 s: nobody waits for an answer
    until(lambda: all(there(s3, a["OutputLocation"]) for a in answers))
    ids = {a["ResponseMetadata"]["RequestId"] for a in answers}

    def jobs() -> list[dict] | None:
        rows = [row for row in queues.truth_rows() if row["client_request_id"] in ids]
        return rows if len(rows) == 3 else None

    found = sorted(until(jobs), key=lambda row: row["last_byte"])
    assert {row["operation"] for row in found} == {"AsyncInvocation"}
    ends = [row["last_byte"] for row in found]
    assert all(b - a >= 0.29 for a, b in itertools.pairwise(ends))


def test_what_fails_is_told_in_an_object_of_its_own(runtime, s3):
    answer = submit(runtime, "broken")
    assert b"Received server error (500) from primary" in until(lambda: there(s3, answer["FailureLocation"]))
    assert there(s3, answer["OutputLocation"]) is None
    late = submit(runtime, "still", InvocationTimeoutSeconds=1)
    assert b"timed out" in until(lambda: there(s3, late["FailureLocation"]))
    assert "FailureLocation" not in submit(runtime, "silent")


def test_what_cannot_be_accepted_is_refused_as_declared(runtime, queues):
    for given, code in (
        ({"endpoint": "full"}, (503, "ServiceUnavailable")),
        ({"endpoint": "now"}, (400, "ValidationError")),
        ({"endpoint": "nowhere"}, (400, "ValidationError")),
        ({"endpoint": "queued", "Body": b"x" * 128_001}, (400, "ValidationError")),
        ({"endpoint": "queued", "Body": b"{}", "InputLocation": "s3://inputs/a"}, (400, "ValidationError")),
        ({"endpoint": "queued", "Body": b"{}", "RequestTTLSeconds": 59}, None),
    ):
        call = {"EndpointName": given.pop("endpoint"), "Body": b"{}"} | given
        if code is None:  # botocore looks itself
            with pytest.raises(botocore.exceptions.ParamValidationError):
                runtime.invoke_endpoint_async(**call)
        else:
            assert refused(runtime.invoke_endpoint_async, **call) == code
    assert refused(runtime.invoke_endpoint, EndpointName="queued", Body=b"{}") == (400, "ValidationError")
    declared = {s.name for s in shapes.operation_model("sagemaker", "InvokeEndpointAsync").error_shapes}
    assert {"ServiceUnavailable", "ValidationError"} <= declared


def test_s3_takes_what_sdks_send_over_tls(certificate):
    """In frames, unsigned, with a checksum behind it."""
    made, key = certificate
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    with running_emulator(CONFIG, arguments=("--tls-cert", str(made), "--tls-key", str(key))) as e:
        client = e.client("s3", config=config, verify=str(made))
        sent = []
        client.meta.events.register("before-send", lambda request, **_: sent.append(dict(request.headers)))
        client.put_object(Bucket="inputs", Key="k", Body=b"a" * 100_000 + b"end")
        assert sent[0]["X-Amz-Content-SHA256"] == b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert client.get_object(Bucket="inputs", Key="k")["Body"].read() == b"a" * 100_000 + b"end"


def test_s3_refuses_as_s3_does(s3, queues):
    assert refused(s3.get_object, Bucket="inputs", Key="nothing") == (404, "NoSuchKey")
    assert refused(s3.get_object, Bucket="nobodys", Key="k") == (404, "NoSuchBucket")
    assert refused(s3.get_object, Bucket="hidden", Key="k") == (403, "AccessDenied")
    assert refused(s3.head_object, Bucket="inputs", Key="nothing")[0] == 404
    assert refused(s3.delete_object, Bucket="inputs", Key="nothing") == (501, "NotImplemented")
    path = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    wrong = queues.client("s3", config=path, aws_secret_access_key="wrong")
    assert refused(wrong.get_object, Bucket="inputs", Key="k") == (403, "SignatureDoesNotMatch")
    nobody = queues.client("s3", config=path, aws_access_key_id="AKIANOBODY")
    assert refused(nobody.put_object, Bucket="inputs", Key="k", Body=b"") == (403, "InvalidAccessKeyId")
