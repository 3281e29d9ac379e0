"""The local endpoint with SageMaker's control plane, and scripts.endpoints against it."""

import contextlib
import os
import pathlib
import subprocess
import sys

import yaml

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from tests.helpers.emulator_process import ROOT, running_emulator

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SPEC = {
    "name": "chat",
    "region": "us-east-1",
    "role": ROLE,
    "owner": "ada",
    "model": {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/lmi:1", "env": {"HF_MODEL_ID": "/opt/ml/model"}},
    "instance_type": "ml.g5.2xlarge",
}


def config(**settings) -> dict:
    """Endpoints of it answer at once."""
    engine = {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 5000}
    return {
        "engines": {"e": engine},
        "control_plane": {"engine": "e", "creating_s": 0.1, "deleting_s": 0.05, **settings},
    }


@contextlib.contextmanager
def running_plane(**settings):
    with running_emulator(config(**settings)) as e:
        yield e


def variables(url: str, folder: pathlib.Path) -> dict[str, str]:
    """The environment of a user of it, whose journals are in a folder."""
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER": url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": EXAMPLE_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EXAMPLE_SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SWARMLEDGER_ENDPOINTS": str(folder / "journals"),
    }


def written(folder: pathlib.Path, **keys) -> str:
    """A spec's file."""
    spec = {**SPEC, **keys}
    path = folder / f"{spec['name']}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in spec.items() if value is not None}))
    return str(path)


def started(url: str, folder: pathlib.Path, *arguments: str, **more: str) -> subprocess.Popen:
    """A process of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | variables(url, folder) | more
    command = [sys.executable, "-m", "scripts.endpoints", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def there(client) -> list[str]:
    """Names of all that the account has."""
    found = [each["EndpointName"] for each in client.list_endpoints()["Endpoints"]]
    found += [each["EndpointConfigName"] for each in client.list_endpoint_configs()["EndpointConfigs"]]
    found += [each["InferenceComponentName"] for each in client.list_inference_components()["InferenceComponents"]]
    return found + [each["ModelName"] for each in client.list_models()["Models"]]
