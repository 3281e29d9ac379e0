"""llmeter: a run of ten requests by each of its endpoints that this one serves."""

import asyncio

from llmeter.endpoints.bedrock import BedrockConverse, BedrockConverseStream
from llmeter.endpoints.openai import OpenAICompletionEndpoint, OpenAICompletionStreamEndpoint
from llmeter.endpoints.sagemaker import SageMakerStreamEndpoint
from llmeter.runner import Runner

from scripts.clients.reporting import CLAUDE, OPENAI, PROMPT, TGI_ENDPOINT, TOKENS, URL, check

SERVER = {"model_id": OPENAI, "api_key": "none", "base_url": f"{URL}/v1"}


def run(endpoint, payload):
    runner = Runner(endpoint=endpoint, disable_per_client_progress_bar=True, disable_clients_progress_bar=True)
    result = asyncio.run(runner.run(payload=payload, clients=2, n_requests=5))
    assert len(result.responses) == 10, f"{len(result.responses)} responses"
    for response in result.responses:
        assert response.error is None, response.error
        assert response.num_tokens_output == TOKENS, f"{response.num_tokens_output} output tokens"


def plain():
    for endpoint in (BedrockConverse(model_id=CLAUDE, region="us-east-1"), OpenAICompletionEndpoint(**SERVER)):
        run(endpoint, endpoint.create_payload(PROMPT, max_tokens=TOKENS))


def stream():
    streamed = BedrockConverseStream(model_id=CLAUDE, region="us-east-1")
    for endpoint in (streamed, OpenAICompletionStreamEndpoint(**SERVER)):
        run(endpoint, endpoint.create_payload(PROMPT, max_tokens=TOKENS))


def sagemaker():
    endpoint = SageMakerStreamEndpoint(
        TGI_ENDPOINT, "tgi", generated_text_jmespath="token.text", token_count_jmespath="details.generated_tokens"
    )
    run(endpoint, endpoint.create_payload(PROMPT, max_tokens=TOKENS, inference_parameters={"max_new_tokens": TOKENS}))


check("plain", plain)
check("stream", stream)
check("SageMaker", sagemaker)
