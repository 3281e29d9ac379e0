"""Walks every target of a scenario, whatever its service.

    locust -f locustfiles/sweep.py --scenario configs/demo.yaml --run-dir runs/demo --headless

One concrete user that dispatches by the stage's target: two classes would share each step's users
half and half.
"""

from locustfiles.common.swarm.locust_plugin import register
from locustfiles.common.swarm.shape import StageShape  # noqa: F401  Locust finds the shape in this module
from locustfiles.common.swarm.user import LLMUser

SERVICES = ("bedrock", "sagemaker", "openai")


class SweepUser(LLMUser):
    """Sends to the target of the stage under way."""


register(SERVICES)
