"""What is said of a target whose first call failed: the service's words, the URL, and what the words tell to mend."""

import types

import pytest

from locustfiles.common.planning.first_failure import sentence
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget

CHAT = OpenAITarget(name="t", service="openai", base_url="http://127.0.0.1:9/v1", model_id="m")
TGI = SageMakerTarget(name="t", service="sagemaker", endpoint="e", dialect="tgi", instance_type="ml.x")
ON_CHAT = TGI.model_copy(update={"dialect": "openai-chat"})
EMBEDDING = TGI.model_copy(update={"dialect": "hf-embedding"})
CONVERSE = BedrockTarget(name="t", service="bedrock", model_id="meta.llama3-8b-instruct-v1:0")


def made(error: str, code: str | None, message: str | None, status: int | None = 400):
    return types.SimpleNamespace(error=error, error_code=code, error_message=message, http_status=status)


def test_a_server_of_ones_own_that_has_no_such_path_is_told_with_the_url_that_was_asked():
    assert sentence(CHAT, made("client", "404", "Not Found.", 404)) == (
        "target `t`: 404: Not Found; check `base_url`, which ends before /chat/completions, most often in /v1, and "
        "`model_id`; POST http://127.0.0.1:9/v1/chat/completions was asked"
    )
    assert "None" not in sentence(CHAT, made("client", None, None, 404))


def test_a_server_of_ones_own_that_fails_or_refuses_is_told_with_what_servers_mean_by_it():
    asked = "; POST http://127.0.0.1:9/v1/chat/completions was asked"
    # `transformers serve` 5.19 of a model id that it cannot load
    assert sentence(CHAT, made("server", "500", "Internal Server Error", 500)) == (
        f"target `t`: 500: Internal Server Error; see its logs; some servers answer so where they lack the model of `model_id`{asked}"
    )
    # vLLM 0.32 of a prompt that is too long
    words = "This model's maximum context length is 1024 tokens."
    told = sentence(CHAT, made("client", "BadRequestError", words))
    assert told.endswith(f"; check `model_id`, `parameters`, the length of the prompts and `base_url`{asked}")


#: words as servers have them -> the field that they do not know
UNKNOWN_FIELDS = {
    "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]": "stream_options",
    "Unsupported parameter: 'max_tokens' is not supported with this model.": "max_tokens",
    "Unrecognized request argument supplied: 'top_k'": "top_k",
    "Additional properties are not allowed ('seed' was unexpected)": "seed",
}


@pytest.mark.parametrize(("words", "field"), UNKNOWN_FIELDS.items(), ids=UNKNOWN_FIELDS.values())
def test_a_field_that_the_server_does_not_know_can_be_left_out(words, field):
    assert f"; leave the field out by `parameters: {{{field}: null}}`, or check" in sentence(
        CHAT, made("client", "400", words)
    )


#: (target, what its container says) -> the dialect to try
BODIES = [
    (TGI, 'container status 422: {"detail":[{"loc":["body","messages"],"msg":"field required"}]}', "openai-chat"),
    (TGI, "container status 400: 'messages' is a required property", "openai-chat"),
    (
        ON_CHAT,
        "Failed to deserialize the JSON body into the target type: missing field `inputs` at line 1",
        "tgi or lmi",
    ),
    (ON_CHAT, "Input validation error: `inputs` cannot be empty", "tgi or lmi"),
    (ON_CHAT, "container status 400: KeyError: 'prompt'", "openai-completions"),
    (  # vLLM 0.32 of a body with `inputs`: its /invocations takes `messages`, too, and names `prompt` alone
        TGI,
        'container status 400: {"error":{"message":"Either prompt or prompt_embeds must be provided and non-empty."}}',
        "openai-chat or openai-completions",
    ),
]


@pytest.mark.parametrize(("target", "words", "dialect"), BODIES)
def test_a_container_that_asks_for_another_body_is_told_the_dialect_to_try(target, words, dialect):
    told = sentence(target, made("model_error", "ModelError", words, 424))
    assert (
        f"; the server asks for another body: try `dialect: {dialect}` (which container speaks which dialect: configs/"
        in told
    )


#: infinity-emb 0.0.78, which wants `input` and shows what it was sent
WANTS_INPUT = 'container status 422: {"detail":[{"type":"missing","loc":["body","text","input"],"msg":"Field required","input":%s}]}'


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (TGI, "`inputs` must have less than 1024 tokens"),
        (CONVERSE, "messages: required"),
        (EMBEDDING, WANTS_INPUT % '{"inputs":"On 5 July"}'),
        (EMBEDDING, "container status 400: inputs: field required"),
        (TGI, WANTS_INPUT % '{"inputs":"a prompt without messages"}'),
    ],
)
def test_words_that_tell_of_no_other_body_lead_to_no_other_dialect(target, words):
    assert "another body" not in sentence(target, made("client", "ValidationException", words))


#: status -> what its remedy names, whatever the words
LIMITS = {
    413: "send shorter prompts, or raise the greatest size of a request's body",
    414: "first line",
    431: "raise the greatest size of headers",
    504: "raise its time limit",
}


@pytest.mark.parametrize(("status", "remedy"), LIMITS.items(), ids=LIMITS)
def test_a_limit_of_what_stands_before_the_model_is_what_is_to_be_raised(status, remedy):
    error = "server" if status == 504 else "client"
    words = f"an HTML page: {status} nginx/1.22.1"
    told = sentence(CHAT, made(error, str(status), words, status))
    assert (
        remedy in told
        and "model_id" not in told
        and told.endswith("POST http://127.0.0.1:9/v1/chat/completions was asked")
    )
    assert remedy in sentence(TGI, made(error, str(status), words, status))


#: a container's own status -> what its remedy names
OF_CONTAINERS = {
    400: "refuses the request as it is: check the dialect, `parameters` and the length of the prompts",
    401: "wants a key or a token",
    404: "no such path or model",
    413: "send shorter prompts",
    429: "too busy",
    500: "see whether the endpoint is in service, and its logs",
}


@pytest.mark.parametrize(("status", "remedy"), OF_CONTAINERS.items(), ids=OF_CONTAINERS)
def test_what_a_container_refuses_is_told_by_its_own_status(status, remedy):
    words = f"CLIENT_ERROR_FROM_MODEL: container status {status}: No"
    assert remedy in sentence(TGI, made("model_error", "ModelError", words, 424))


def test_a_quota_that_is_used_up_is_not_to_be_waited_for():
    used_up = sentence(CHAT, made("throttled", "insufficient_quota", "You exceeded your current quota.", 429))
    assert "which no waiting mends" in used_up
    assert "; wait, or have the quota raised" in sentence(
        CHAT, made("throttled", "rate_limit_exceeded", "Slow down.", 429)
    )


def test_a_page_in_the_place_of_aws_points_at_the_address():
    told = sentence(TGI, made("client", "404", "an HTML page: 404 Not Found", 404))
    assert (
        "AWS answers with no such page: check the region, `endpoint_url` and AWS_ENDPOINT_URL_*, or check endpoint"
        in told
    )
    assert "AWS answers" not in sentence(CHAT, made("client", "404", "an HTML page: 404 Not Found", 404))
