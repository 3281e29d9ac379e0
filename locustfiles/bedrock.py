"""Amazon Bedrock only: Converse, ConverseStream, InvokeModel, InvokeModelWithResponseStream.

    locust -f locustfiles/bedrock.py --scenario configs/bedrock-claude.yaml --run-dir runs/claude --headless
"""

from locustfiles.common.launch import register
from locustfiles.common.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.common.user import LLMUser


class BedrockUser(LLMUser):
    """Sends to the Bedrock target of the stage under way."""


register(("bedrock",))
