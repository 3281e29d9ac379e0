"""Servers of the OpenAI routes only: vLLM, TGI, LMI, llama.cpp, Bedrock's OpenAI route.

locust -f locustfiles/openai_compatible.py --scenario configs/vllm-on-ec2.yaml --run-dir runs/vllm --headless
"""

from locustfiles.common.swarm.locust_plugin import register
from locustfiles.common.swarm.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.common.swarm.user import LLMUser


class OpenAIUser(LLMUser):
    """Sends to the OpenAI route of the stage under way."""


register(("openai",))
