"""Limits of time that a service asks for, and a scenario is below."""

from locustfiles.contract.scenario.sagemaker_fronts import ROUTER_TIMEOUT_S
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import SageMakerTarget


def too_short(scenario: Scenario) -> list[str]:
    """A line a target whose requests may be given up before its service does."""
    limit = scenario.request_timeout_s
    routed = [t.name for t in scenario.targets if isinstance(t, SageMakerTarget) and t.inference_router]
    if limit >= ROUTER_TIMEOUT_S:
        return []
    return [
        f"target `{name}`: an inference router may try two destinations, for 60 s each: AWS asks for a timeout of at least "
        f"{ROUTER_TIMEOUT_S:g} s, and `request_timeout_s` is {limit:g}; with it slow answers become `read_timeout`, raise it"
        for name in routed
    ]
