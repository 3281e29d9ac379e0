"""The control plane's route: `X-Amz-Target: SageMaker.CreateEndpoint` and its like, and what becomes of endpoints with time."""

import asyncio
import random
import re
import time
import traceback
import typing
import uuid

from scripts.emulator.config import Config, Endpoint
from scripts.emulator.config_control import ControlPlane
from scripts.emulator.control import creating, refusals, shapes
from scripts.emulator.control.store import BUSY, KINDS, Kind, Resource, Store, page
from scripts.emulator.errors import AwsError
from scripts.emulator.frames import compact
from scripts.emulator.hosted import Catalog
from scripts.emulator.limits import Quota
from scripts.emulator.sigv4 import Verifier

_TARGET = "SageMaker."
_OPERATION = re.compile(r"(Create|Describe|List|Update|Delete)(Model|EndpointConfig|Endpoint|InferenceComponent)(s?)")
_TAGS = ("AddTags", "ListTags", "DeleteTags")
_CAN_UPDATE = "Endpoint"


class Plane:
    """The route's state. What is created in it answers the runtime's operations once it is in service."""

    def __init__(self, config: Config, settings: ControlPlane, catalog: Catalog):
        self._settings, self._catalog = settings, catalog
        self._verifier = Verifier(config.credentials, region=config.region)
        self._store = Store(config.account)
        self._quota, self._draws = Quota(settings.limit), random.Random(settings.fault_seed)
        shapes.description()  # or the first request would take long

    @staticmethod
    def wanted(request) -> bool:
        """Whether a request names one of its operations."""
        return request.headers.get("x-amz-target", "").startswith(_TARGET)

    def answer(self, request, connection) -> None:
        operation = request.headers["x-amz-target"].removeprefix(_TARGET)
        headers = [("x-amzn-RequestId", str(uuid.uuid4())), ("Content-Type", "application/x-amz-json-1.1")]
        try:
            region = self._verifier.check(request, "sagemaker")
            fault = self._fault()
            if fault == "drop":
                return connection.drop()
            if fault == "access_denied":
                raise refusals.denied(operation, region, self._store.account)
            if fault == "server":
                raise refusals.broken()
            if fault == "throttle" or self._quota.exceeded(0, time.perf_counter()):
                raise refusals.throttled()
            value = self._answer(operation, request.body, region)
            body = b"" if value is None else compact(shapes.told(operation, value))
            connection.respond(200, headers, body)
        except Exception as e:
            error = e if isinstance(e, AwsError) else refusals.broken()
            if error is not e:  # a mistake of the emulator's own: said, and answered like everything else
                traceback.print_exc()
            status = 400 if error.status < 500 else error.status
            connection.respond(status, headers, compact({"__type": error.code, "message": error.message}))

    def _fault(self) -> str | None:
        draw, edge = self._draws.random(), 0.0
        for name, share in self._settings.faults.items():
            edge += share
            if draw < edge:
                return name
        return None

    def _answer(self, operation: str, data: bytes, region: str) -> dict | None:
        """The answer's members; None where it has none. Raises AwsError."""
        found = _OPERATION.fullmatch(operation)
        verb, kind = (found[1], KINDS[found[2]]) if found else (operation, None)
        served = operation in _TAGS or (kind and (verb != "Update" or kind.name == _CAN_UPDATE))
        if not served or operation not in shapes.description().operation_names:
            raise AwsError(400, "UnknownOperationException", f"no operation {operation} here")
        body = shapes.read(operation, data)
        if kind is None:
            return self._tags(operation, body)
        if verb == "List":
            return self._list(kind, body)
        if verb == "Create":
            return self._create(kind, body, region)
        resource = self._store.get(kind, body[kind.key], region)
        if verb == "Describe":
            return self._describe(resource)
        if verb == "Update":
            return self._update(resource, body, region)
        self._delete(resource)
        return None

    # --- creation

    def _create(self, kind: Kind, body: dict, region: str) -> dict:
        match kind.name:
            case "Model":
                creating.check_model(body)
            case "EndpointConfig":
                creating.check_config(self._store, body, region)
            case "Endpoint":
                creating.check_endpoint(self._store, body, region, self._settings.quotas)
            case _:
                body = creating.checked_component(self._store, body, region)
        made = self._store.add(kind, body, region)
        if kind.name == "Endpoint":
            made.body["config"] = self._store.get(KINDS["EndpointConfig"], body["EndpointConfigName"], region).body
        if kind.status:
            made.become("Creating")
            _later(self._settings.creating_s, lambda: self._created(made))
        return {kind.arn: made.arn}

    def _created(self, made: Resource) -> None:
        config = made.body.get("config", {"ProductionVariants": []})
        names = (made.name, *self._store.instances(config))
        reason = next((self._settings.failures[name] for name in names if name in self._settings.failures), None)
        made.become("Failed" if reason else "InService", reason)
        self._serve(made.body.get("EndpointName", made.name))

    def _serve(self, endpoint: str) -> None:
        """Have the runtime answer as the endpoint is now."""
        found = next((e for e in self._store.all_of("Endpoint") if e.name == endpoint), None)
        if found is None or found.status not in ("InService", "Updating"):
            return self._catalog.unhost(endpoint)
        variants = [each["VariantName"] for each in found.body["config"]["ProductionVariants"]]
        weights = [each.get("InitialVariantWeight", 1.0) for each in found.body["config"]["ProductionVariants"]]
        components = [c.name for c in self._store.components_of(endpoint) if c.status == "InService"]
        shares = {name: weight / sum(weights) for name, weight in zip(variants, weights, strict=True)}
        served = Endpoint(
            engine=self._settings.engine,
            dialect=self._settings.dialect,
            variant=variants[0],
            variant_shares=shares if len(shares) > 1 else {},
            inference_components=components,
        )
        self._catalog.host(endpoint, served)

    # --- afterwards

    def _update(self, endpoint: Resource, body: dict, region: str) -> dict:
        config = self._store.get(KINDS["EndpointConfig"], body["EndpointConfigName"], region)
        if endpoint.status in BUSY:
            raise refusals.in_progress("endpoint", endpoint.arn)
        endpoint.become("Updating")
        endpoint.body |= {"EndpointConfigName": config.name, "config": config.body}
        _later(self._settings.updating_s, lambda: self._created(endpoint))
        return {"EndpointArn": endpoint.arn}

    def _delete(self, resource: Resource) -> None:
        if resource.status in BUSY:
            raise refusals.in_progress(resource.kind.words, resource.arn)
        if resource.kind.name == "Endpoint" and self._store.components_of(resource.name):
            raise refusals.has_components()
        if resource.kind.status is None:
            return self._store.drop(resource)
        resource.become("Deleting")
        self._serve(resource.body.get("EndpointName", resource.name))
        _later(self._settings.deleting_s, lambda: self._store.drop(resource))

    def _describe(self, resource: Resource) -> dict:
        told = resource.body | resource.summary()
        if resource.kind.name == "Endpoint" and resource.status in ("InService", "Updating"):
            told["ProductionVariants"] = [_variant(each) for each in told["config"]["ProductionVariants"]]
        if resource.kind.name == "InferenceComponent":
            endpoint = next(e for e in self._store.all_of("Endpoint") if e.name == resource.body["EndpointName"])
            copies = resource.body.get("RuntimeConfig", {}).get("CopyCount", 1)
            current = copies if resource.status == "InService" else 0
            told |= {"EndpointArn": endpoint.arn}
            told["RuntimeConfig"] = {"DesiredCopyCount": copies, "CurrentCopyCount": current}
        return told

    def _list(self, kind: Kind, body: dict) -> dict:
        found = self._store.all_of(kind.name)
        found = [each for each in found if body.get("NameContains", "").lower() in each.name.lower()]
        found = [each for each in found if body.get("StatusEquals", each.status) == each.status]
        if "EndpointNameEquals" in body:
            found = [each for each in found if each.body["EndpointName"] == body["EndpointNameEquals"]]
        found.sort(key=lambda each: each.created, reverse=body.get("SortOrder") != "Ascending")
        shown, more = page(found, body, self._settings.page_size)
        described = [self._describe(each) if kind.name == "InferenceComponent" else each.summary() for each in shown]
        member = shapes.description().operation_model(f"List{kind.name}s").output_shape.members[f"{kind.name}s"].member
        rows = [{key: row[key] for key in member.members if row.get(key) is not None} for row in described]
        return {f"{kind.name}s": rows} | more

    def _tags(self, operation: str, body: dict) -> dict | None:
        tags = self._store.tagged(body["ResourceArn"]).tags
        if operation == "AddTags":
            tags |= {tag["Key"]: tag["Value"] for tag in body["Tags"]}
        if operation == "DeleteTags":
            for key in body["TagKeys"]:
                tags.pop(key, None)
            return {}
        rows = [{"Key": key, "Value": value} for key, value in tags.items()]
        shown, more = page(rows, {"MaxResults": 50} | body, 100)
        return {"Tags": shown} | more


def _variant(asked: dict) -> dict:
    """Of a variant in service, by what was asked for."""
    weight, count = asked.get("InitialVariantWeight", 1.0), asked.get("InitialInstanceCount", 1)
    counts = {"CurrentInstanceCount": count, "DesiredInstanceCount": count} if "InstanceType" in asked else {}
    return {"VariantName": asked["VariantName"], "CurrentWeight": weight, "DesiredWeight": weight, **counts}


def _later(seconds: float, then: typing.Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, then)
