"""Amazon SageMaker endpoints only: InvokeEndpoint, InvokeEndpointWithResponseStream.

locust -f locustfiles/sagemaker_runtime.py --scenario configs/sagemaker-llama2.yaml --headless
"""

from locustfiles.common.swarm.locust_plugin import register
from locustfiles.common.swarm.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.common.swarm.user import LLMUser


class SageMakerUser(LLMUser):
    """Sends to the SageMaker endpoint of the stage under way."""


register(("sagemaker",))
