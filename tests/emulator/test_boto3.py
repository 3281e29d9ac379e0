"""Unmodified boto3 clients against the local endpoint: all six operations, every family and container."""

import json

import botocore.exceptions
import pytest

from tests.helpers import bodies

N = 5


@pytest.fixture(scope="module")
def bedrock(emulator):
    return emulator.client("bedrock-runtime")


@pytest.fixture(scope="module")
def sagemaker(emulator):
    return emulator.client("sagemaker-runtime")


def _latency_is_plausible(ms) -> bool:
    # first token at 20 ms, four more every 2 ms: 28 ms, on a busy machine never ten seconds
    return isinstance(ms, int) and 28 <= ms < 10_000


@pytest.mark.parametrize("model_id", [bodies.LLAMA, bodies.CLAUDE, bodies.NOVA])
def test_converse_gives_text_usage_and_latency(bedrock, model_id):
    answer = bedrock.converse(modelId=model_id, **bodies.converse(N))
    assert answer["usage"] == {"inputTokens": 8, "outputTokens": 5, "totalTokens": 13}
    assert answer["stopReason"] == "max_tokens"
    assert len(answer["output"]["message"]["content"][0]["text"].split()) == N
    assert _latency_is_plausible(answer["metrics"]["latencyMs"])


def test_converse_stream_gives_the_same_text_as_converse_in_five_deltas(bedrock):
    whole = bedrock.converse(modelId=bodies.NOVA, **bodies.converse(N))["output"]["message"]["content"][0]["text"]
    events = list(bedrock.converse_stream(modelId=bodies.NOVA, **bodies.converse(N))["stream"])
    assert [next(iter(e)) for e in events] == [
        "messageStart",
        *["contentBlockDelta"] * N,
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e) == whole
    assert events[-1]["metadata"]["usage"] == {"inputTokens": 8, "outputTokens": 5, "totalTokens": 13}
    assert _latency_is_plausible(events[-1]["metadata"]["metrics"]["latencyMs"])


READ = {  # text, prompt tokens, completion tokens of a body
    bodies.LLAMA: lambda b: (b["generation"], b["prompt_token_count"], b["generation_token_count"], b["stop_reason"]),
    bodies.CLAUDE: lambda b: (
        b["content"][0]["text"],
        b["usage"]["input_tokens"],
        b["usage"]["output_tokens"],
        b["stop_reason"],
    ),
    bodies.NOVA: lambda b: (
        b["output"]["message"]["content"][0]["text"],
        b["usage"]["inputTokens"],
        b["usage"]["outputTokens"],
        b["stopReason"],
    ),
}
DELTA = {
    bodies.LLAMA: lambda v: v["generation"],
    bodies.CLAUDE: lambda v: v.get("delta", {}).get("text", ""),
    bodies.NOVA: lambda v: v.get("contentBlockDelta", {}).get("delta", {}).get("text", ""),
}


@pytest.mark.parametrize("model_id", [bodies.LLAMA, bodies.CLAUDE, bodies.NOVA])
def test_invoke_model_answers_in_the_familys_body_with_counting_headers(bedrock, model_id):
    answer = bedrock.invoke_model(modelId=model_id, body=json.dumps(bodies.invoke(model_id, N)))
    text, prompt_tokens, completion_tokens, stop = READ[model_id](json.loads(answer["body"].read()))
    assert (len(text.split()), prompt_tokens, completion_tokens) == (N, 8, N)
    assert stop == ("length" if model_id == bodies.LLAMA else "max_tokens")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amzn-bedrock-input-token-count"], headers["x-amzn-bedrock-output-token-count"]) == ("8", "5")
    assert _latency_is_plausible(int(headers["x-amzn-bedrock-invocation-latency"]))
    assert answer["contentType"] == "application/json"


@pytest.mark.parametrize("model_id", [bodies.LLAMA, bodies.CLAUDE, bodies.NOVA])
def test_an_invoke_stream_ends_with_bedrocks_metrics_and_has_the_whole_text(bedrock, model_id):
    body = json.dumps(bodies.invoke(model_id, N))
    text = READ[model_id](json.loads(bedrock.invoke_model(modelId=model_id, body=body)["body"].read()))[0]
    answer = bedrock.invoke_model_with_response_stream(modelId=model_id, body=body)
    values = [json.loads(e["chunk"]["bytes"]) for e in answer["body"]]
    assert "".join(DELTA[model_id](v) for v in values) == text
    assert all("amazon-bedrock-invocationMetrics" not in v for v in values[:-1])
    metrics = values[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (8, N)
    assert 20 <= metrics["firstByteLatency"] <= metrics["invocationLatency"] < 10_000
    assert answer["contentType"] == "application/json"


def test_ids_of_inference_profiles_and_arns_reach_their_model(bedrock):
    for model_id in (
        f"us.{bodies.LLAMA}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{bodies.LLAMA}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{bodies.LLAMA}",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",
    ):
        assert bedrock.converse(modelId=model_id, **bodies.converse(N))["usage"]["outputTokens"] == N


def _invoke(client, target, body):
    return json.loads(
        client.invoke_endpoint(EndpointName=target, Body=json.dumps(body), ContentType="application/json")[
            "Body"
        ].read()
    )


def _stream(client, target, body) -> bytes:
    answer = client.invoke_endpoint_with_response_stream(
        EndpointName=target, Body=json.dumps(body), ContentType="application/json"
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    return b"".join(e["PayloadPart"]["Bytes"] for e in answer["Body"])


def _sse(data: bytes) -> list[dict]:
    return [json.loads(line.removeprefix(b"data:")) for line in data.split(b"\n\n") if line and line != b"data: [DONE]"]


def test_tgi_answers_whole_and_as_events_of_one_token(sagemaker):
    [whole] = _invoke(sagemaker, "tgi", bodies.tgi(N))
    assert whole["details"]["generated_tokens"] == len(whole["details"]["tokens"]) == N
    events = _sse(_stream(sagemaker, "tgi", bodies.tgi(N, stream=True)))
    assert [e["index"] for e in events] == [1, 2, 3, 4, 5]
    assert "".join(e["token"]["text"] for e in events) == whole["generated_text"]
    assert [e["generated_text"] for e in events] == [None] * 4 + [whole["generated_text"]]
    assert events[-1]["details"] == {"finish_reason": "length", "generated_tokens": N, "seed": None}


def test_a_tgi_stream_that_stops_by_itself_ends_in_a_special_token(sagemaker):
    # the answers of `tgi-short` have 3 tokens, the limit is 5
    events = _sse(_stream(sagemaker, "tgi-short", bodies.tgi(N, stream=True)))
    assert [e["token"]["special"] for e in events] == [False, False, False, True]
    assert events[-1]["details"]["finish_reason"] == "eos_token"
    assert events[-1]["details"]["generated_tokens"] == 3
    assert "</s>" not in events[-1]["generated_text"]


def test_a_newer_tgi_also_reports_the_prompts_length(sagemaker):
    assert _sse(_stream(sagemaker, "tgi-new", bodies.tgi(N, stream=True)))[-1]["details"]["input_length"] == 8


def test_return_full_text_repeats_the_prompt(sagemaker):
    body = bodies.tgi(N)
    body["parameters"]["return_full_text"] = True
    [whole] = _invoke(sagemaker, "tgi", body)
    assert whole["generated_text"].startswith(bodies.PROMPT)


def test_chat_answers_whole_and_as_events_with_usage_and_done(sagemaker):
    usage = {"prompt_tokens": 8, "completion_tokens": 5, "total_tokens": 13}
    whole = _invoke(sagemaker, "chat", bodies.chat(N))
    assert (whole["usage"], whole["choices"][0]["finish_reason"]) == (usage, "length")
    data = _stream(sagemaker, "chat", bodies.chat(N, stream=True))
    events = _sse(data)
    assert data.endswith(b"data: [DONE]\n\n")
    assert (
        "".join(c["delta"].get("content", "") for e in events for c in e["choices"])
        == whole["choices"][0]["message"]["content"]
    )
    assert (events[-1]["usage"], events[-1]["choices"]) == (usage, [])


def test_lmi_answers_whole_and_as_json_lines(sagemaker):
    whole = _invoke(sagemaker, "lmi", bodies.tgi(N))
    lines = [json.loads(line) for line in _stream(sagemaker, "lmi", bodies.tgi(N, stream=True)).splitlines()]
    assert "".join(line["token"]["text"] for line in lines) == whole["generated_text"] == lines[-1]["generated_text"]
    assert lines[-1]["details"]["generated_tokens"] == N


def test_parts_are_cut_inside_lines_and_inside_characters(sagemaker):
    body = bodies.tgi(120, stream=True)
    answer = sagemaker.invoke_endpoint_with_response_stream(EndpointName="tgi-split", Body=json.dumps(body))
    parts = [e["PayloadPart"]["Bytes"] for e in answer["Body"]]
    assert max(map(len, parts)) == 5
    assert len(_sse(b"".join(parts))) == 120

    def broken(part: bytes) -> bool:
        try:
            part.decode()
        except UnicodeDecodeError:
            return True
        return False

    assert any(broken(p) for p in parts)


def test_a_container_streams_only_when_its_body_says_so(sagemaker):
    # the operation with a response stream, a body without `stream`: one part with the whole JSON
    [value] = json.loads(_stream(sagemaker, "tgi", bodies.tgi(N)))
    assert value["details"]["generated_tokens"] == N
    # the plain operation, a body with `stream`: the container's events as one body
    answer = sagemaker.invoke_endpoint(EndpointName="tgi", Body=json.dumps(bodies.tgi(N, stream=True)))
    assert len(_sse(answer["Body"].read())) == N


def test_an_answer_that_stops_by_itself_says_end_turn(bedrock):
    answer = bedrock.converse(modelId="short.nova", **bodies.converse(N))
    assert (answer["stopReason"], answer["usage"]["outputTokens"]) == ("end_turn", 3)


def test_unknown_targets_get_the_services_own_words(bedrock, sagemaker):
    with pytest.raises(bedrock.exceptions.ValidationException, match="The provided model identifier is invalid."):
        bedrock.converse(modelId="nobody.nothing-v1:0", **bodies.converse(N))
    with pytest.raises(
        botocore.exceptions.ClientError, match="Endpoint nowhere of account 123456789012 not found."
    ) as e:
        sagemaker.invoke_endpoint(EndpointName="nowhere", Body=b"{}")
    assert e.value.response["Error"]["Code"] == "ValidationError"


def test_a_prompt_that_does_not_fit_is_refused_as_each_service_does(bedrock, sagemaker):
    # 20 tokens of context. Bedrock: a prompt of 81 characters is ceil(81 / 4) = 21 tokens.
    with pytest.raises(bedrock.exceptions.ValidationException, match="21 tokens, the limit is 20"):
        bedrock.invoke_model(modelId="small.llama", body=json.dumps({"prompt": "x" * 81, "max_gen_len": 1}))
    # Bedrock shortens the answer to what is left: 20 - 8 = 12
    answer = bedrock.converse(modelId="small.llama", **bodies.converse(100))
    assert (answer["usage"]["outputTokens"], answer["stopReason"]) == (12, "max_tokens")
    # TGI refuses what might not fit: 8 + 13 > 20
    with pytest.raises(sagemaker.exceptions.ModelError) as e:
        sagemaker.invoke_endpoint(EndpointName="tgi-small", Body=json.dumps(bodies.tgi(13)))
    assert e.value.response["OriginalStatusCode"] == 422
    assert json.loads(e.value.response["OriginalMessage"])["error_type"] == "validation"
    assert "Given: 8 `inputs` tokens and 13 `max_new_tokens`" in e.value.response["OriginalMessage"]
    assert e.value.response["LogStreamArn"].endswith("log-group:/aws/sagemaker/Endpoints/tgi-small")
