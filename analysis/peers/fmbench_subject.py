"""Whom FMBench asked: its experiment, the price key that its instance type is, and the endpoint."""

import re
import typing

from analysis.peers.imported import Subject

_INSTANCE = re.compile(r"(ml\.)?[a-z]+\d+[a-z]*(-[a-z0-9]+)?\.(\d*x?large|medium|small|metal\S*|nano|micro)")
_OF_A_DAY = re.compile(r"-20\d\d(-\d+)+$")  # behind the name of a model that SageMaker was given at a deployment
_REGION = re.compile(r"\b(us|eu|ap|sa|ca|me|af|il|mx)(-gov)?-[a-z]+-\d\b")  # of the container's image
_OF_BEDROCK = re.compile(
    r"(?:[a-z]{2,6}\.)?(amazon|anthropic|meta|mistral|cohere|ai21|deepseek|qwen|openai|writer)\.[a-z0-9.:-]+"
)


def subject_of(row: typing.Mapping[str, str], stream: bool) -> Subject:
    """Of a row of any of its tables. `instance_type` is the price key: an instance, or on Bedrock the model's id."""
    name, key = row["experiment_name"], row.get("instance_type") or ""
    model = _OF_BEDROCK.fullmatch(key) or _OF_BEDROCK.fullmatch(row.get("endpoint_name") or "")
    if model:
        return Subject(name=name, model=model[0], service="bedrock", stream=stream)
    endpoint = row.get("EndpointName") or row.get("endpoint_name") or name
    served = next((m for m in (row.get("HF_MODEL_ID"), row.get("ModelName")) if m and not m.startswith("/")), None)
    known = Subject(name=name, model=_OF_A_DAY.sub("", served) if served else None, stream=stream)
    if not _INSTANCE.fullmatch(key):
        return known
    count = row.get("instance_count") or ""
    region = _REGION.search(f"{row.get('Image')} {row.get('S3Uri')}")
    return Subject(
        name=name,
        model=known.model,
        region=region[0] if region else None,
        stream=stream,
        service="sagemaker" if key.startswith("ml.") else "openai",
        endpoint=endpoint if key.startswith("ml.") else None,
        container="tgi",
        instance_type=key,
        instance_count=int(float(count)) if re.fullmatch(r"\d+(\.0)?", count) and float(count) >= 1 else 1,
    )
