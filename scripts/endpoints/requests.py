"""A spec as AWS's requests, in the order in which they are made; a pure function, checked before anything is sent."""

import datetime
import os
import typing

from scripts.endpoints.names import COMPONENT, CONFIG, ENDPOINT_KIND, MODEL, Item, marked, tags
from scripts.endpoints.shapes import check
from scripts.endpoints.spec import Component, Instances, Model, Spec, Variant

ALL_TRAFFIC = "AllTraffic"  # the variant's name where a spec names none


class Request(typing.NamedTuple):
    """One creation. place: of its part in the spec; body: the operation's parameters."""

    item: Item
    place: str
    body: dict[str, typing.Any]

    @property
    def operation(self) -> str:
        return f"Create{self.item.kind.name}"


class Made(typing.NamedTuple):
    """What tells one deployment from another."""

    run: str
    owner: str
    expires_at: datetime.datetime


def requests_of(spec: Spec, made: Made) -> list[Request]:
    """Models, endpoint configuration, endpoint, inference components. Raises BadInput for what botocore's description rules
    out, with the place in the spec."""
    tagged = {"Tags": tags(spec.name, made.run, made.owner, made.expires_at, spec.tags)}
    models, names = _models(spec, made, tagged)
    config = {
        "EndpointConfigName": marked(spec.name, made.run),
        "ProductionVariants": [
            _variant(spec, part, None if spec.components else names[id(part.model or spec.model)])
            for _, part in spec.parts()
        ],
    }
    if spec.components:  # whose models come later: the role must be known to the instances
        config["ExecutionRoleArn"] = spec.role
    endpoint = {"EndpointName": spec.name, "EndpointConfigName": config["EndpointConfigName"]}
    made_of = [
        *models,
        Request(Item(CONFIG, marked(spec.name, made.run)), "endpoint_config", config | spec.endpoint_config | tagged),
        Request(Item(ENDPOINT_KIND, spec.name), "endpoint", endpoint | spec.endpoint | tagged),
        *(_component(spec, each, names, tagged) for each in spec.components),
    ]
    for request in made_of:
        check(request.operation, request.body, request.place)
    return made_of


def _models(spec: Spec, made: Made, tagged: dict) -> tuple[list[Request], dict[int, str]]:
    """A request for each model that is used, and the name of each by its identity."""
    holders: list[Component] | list[Instances] = spec.components or [part for _, part in spec.parts()]
    used: dict[int, Model] = {}
    for holder in holders:
        model = holder.model or spec.model
        if model is not None:
            used[id(model)] = model
    names = {key: marked(spec.name, made.run, number) for number, key in enumerate(used, 1)}
    made_of = [
        Request(Item(MODEL, names[key]), "model", _model(spec, names[key], model) | tagged)
        for key, model in used.items()
    ]
    return made_of, names


def _model(spec: Spec, name: str, model: Model) -> dict:
    environment = {**model.env, **{key: os.environ.get(variable, "") for key, variable in model.env_from.items()}}
    container: dict[str, typing.Any] = {"Image": model.image} if model.image else {"ModelPackageName": model.package}
    if model.data:
        source: dict[str, typing.Any] = {
            "S3Uri": model.data.s3_uri,
            "S3DataType": "S3Prefix" if model.data.compression == "None" else "S3Object",
            "CompressionType": model.data.compression,
        }
        if model.data.accept_eula is not None:
            source["ModelAccessConfig"] = {"AcceptEula": model.data.accept_eula}
        container["ModelDataSource"] = {"S3DataSource": source}
    if environment:
        container["Environment"] = environment
    more = {key: value for key, value in model.more.items() if key != "PrimaryContainer"}
    container |= model.more.get("PrimaryContainer", {})
    return {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": spec.role} | more


def _variant(spec: Spec, part: Instances, model: str | None) -> dict:
    name, weight = (part.name, part.weight) if isinstance(part, Variant) else (ALL_TRAFFIC, 1.0)
    made: dict[str, typing.Any] = {"VariantName": name, "InitialVariantWeight": weight}
    instance_type = part.instance_type or spec.instance_type
    if instance_type and "ServerlessConfig" not in part.more:
        made |= {"InstanceType": instance_type, "InitialInstanceCount": part.instance_count}
    if model is not None:
        made["ModelName"] = model
        made |= _timeouts(spec)
    return made | part.more


def _timeouts(spec: Spec) -> dict[str, int]:
    told = {
        "ModelDataDownloadTimeoutInSeconds": spec.timeouts.download_s,
        "ContainerStartupHealthCheckTimeoutInSeconds": spec.timeouts.health_check_s,
    }
    return {key: value for key, value in told.items() if value is not None}


def _component(spec: Spec, part: Component, names: dict[int, str], tagged: dict) -> Request:
    needs: dict[str, typing.Any] = {"MinMemoryRequiredInMb": part.memory_mb}
    if part.accelerators is not None:
        needs["NumberOfAcceleratorDevicesRequired"] = part.accelerators
    if part.cpus is not None:
        needs["NumberOfCpuCoresRequired"] = part.cpus
    specification: dict[str, typing.Any] = {
        "ModelName": names[id(part.model or spec.model)],
        "ComputeResourceRequirements": needs,
    }
    if started := _timeouts(spec):
        specification["StartupParameters"] = started
    body = {
        "InferenceComponentName": part.name,
        "EndpointName": spec.name,
        "VariantName": part.variant or (spec.variants[0].name if spec.variants else ALL_TRAFFIC),
        "Specification": specification | part.more,
        "RuntimeConfig": {"CopyCount": part.copies},
    }
    return Request(Item(COMPONENT, part.name), f"component `{part.name}`", body | tagged)
