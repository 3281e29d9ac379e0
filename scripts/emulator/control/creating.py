"""What a creation is checked for beyond its shape: what it names must be there, and the quota must have room."""

from scripts.emulator.control import refusals
from scripts.emulator.control.store import KINDS, Store


def check_model(body: dict) -> None:
    """Raises AwsError."""
    containers = [body["PrimaryContainer"]] if "PrimaryContainer" in body else body.get("Containers", [])
    if not containers or ("PrimaryContainer" in body and "Containers" in body):
        raise refusals.refused("You must provide either PrimaryContainer or Containers, and not both.")
    if not all("Image" in each or "ModelPackageName" in each for each in containers):
        raise refusals.refused("Either Image or ModelPackageName is required for a container definition.")
    if "ExecutionRoleArn" not in body:
        raise refusals.refused("ExecutionRoleArn is required.")


def check_config(store: Store, body: dict, region: str) -> None:
    """Raises AwsError."""
    for variant in body["ProductionVariants"]:
        if "ModelName" in variant:
            store.get(KINDS["Model"], variant["ModelName"], region)
        elif "ExecutionRoleArn" not in body:
            raise refusals.refused("ExecutionRoleArn is required when inference components are to be used.")
        if ("InstanceType" in variant) == ("ServerlessConfig" in variant) and "InstancePools" not in variant:
            raise refusals.refused("A variant needs either an InstanceType or a ServerlessConfig.")


def check_endpoint(store: Store, body: dict, region: str, quotas: dict[str, int]) -> None:
    """Raises AwsError."""
    config = store.get(KINDS["EndpointConfig"], body["EndpointConfigName"], region).body
    used: dict[str, int] = {}
    for endpoint in store.all_of("Endpoint"):
        for name, count in store.instances(endpoint.body["config"]).items():
            used[name] = used.get(name, 0) + count
    for name, count in store.instances(config).items():
        if name in quotas and used.get(name, 0) + count > quotas[name]:
            raise refusals.beyond_quota(name, quotas[name], used.get(name, 0), count)


def checked_component(store: Store, body: dict, region: str) -> dict:
    """With its variant. Raises AwsError."""
    endpoint = store.get(KINDS["Endpoint"], body["EndpointName"], region)
    if endpoint.status != "InService":
        raise refusals.in_progress("endpoint", endpoint.arn)
    variants = [each["VariantName"] for each in endpoint.body["config"]["ProductionVariants"]]
    if body.get("VariantName", variants[0]) not in variants:
        raise refusals.refused(f"Could not find variant {body['VariantName']} of {endpoint.arn}.")
    if any("ModelName" in each for each in endpoint.body["config"]["ProductionVariants"]):
        raise refusals.refused(f"Inference components are not supported by the endpoint {endpoint.arn}.")
    specification = body.get("Specification", {})
    if "ModelName" in specification:
        store.get(KINDS["Model"], specification["ModelName"], region)
    if body.get("RuntimeConfig", {}).get("CopyCount", 1) < 1:
        raise refusals.refused("Inference components copy count an integer larger than 0")
    return {"VariantName": variants[0]} | body
