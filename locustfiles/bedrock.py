"""Amazon Bedrock only: Converse, ConverseStream, InvokeModel, InvokeModelWithResponseStream.

locust -f locustfiles/bedrock.py --scenario configs/bedrock-claude.yaml --run-dir runs/claude --headless
"""

from locustfiles.common.swarm.locust_plugin import register
from locustfiles.common.swarm.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.common.swarm.user import LLMUser


class BedrockUser(LLMUser):
    """Sends to the Bedrock target of the stage under way."""


register(("bedrock",))
