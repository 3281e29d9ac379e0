"""Which targets embed texts, by dialect or by the family of the model id."""

import pydantic
import pytest

from locustfiles.contract.scenario.families import embeds
from locustfiles.contract.scenario.targets import Target

OPENAI = {"service": "openai", "base_url": "http://127.0.0.1:8800/v1", "model_id": "m"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"service": "bedrock", "api": "invoke", "model_id": "amazon.titan-embed-text-v2:0"}, True),
        ({"service": "bedrock", "api": "invoke", "model_id": "cohere.embed-english-v3"}, True),
        ({"service": "bedrock", "model_id": "amazon.nova-lite-v1:0"}, False),
        ({"service": "sagemaker", "endpoint": "e", "dialect": "hf-embedding", "instance_type": "ml.g5.xlarge"}, True),
        ({"service": "sagemaker", "endpoint": "e", "dialect": "tgi", "instance_type": "ml.g5.xlarge"}, False),
        (OPENAI | {"dialect": "openai-embeddings"}, True),
        (OPENAI, False),
    ],
)
def test_a_target_embeds_by_its_dialect_or_its_models_family(target, expected):
    assert embeds(pydantic.TypeAdapter(Target).validate_python({"name": "t"} | target)) is expected
