"""CloudWatch (GetMetricData, ListMetrics; CBOR and JSON 1.0, as AWS's SDKs speak) and Service Quotas (JSON 1.1), of what was served."""

import base64
import datetime
import hashlib
import json
import random
import re
import time
import traceback
import typing
import uuid

from scripts.emulator import cbor
from scripts.emulator.errors import AwsError
from scripts.emulator.frames import compact
from scripts.emulator.limits import Quota
from scripts.emulator.metric_store import STATISTICS, MetricStore, key
from scripts.emulator.sigv4 import Verifier
from scripts.emulator.watched import Watched

_CBOR = "/service/GraniteServiceVersion20100801/operation/"
_TARGETS = {"GraniteServiceVersion20100801": "monitoring", "ServiceQuotasV20190624": "servicequotas"}
_ID = re.compile(r"[a-z][A-Za-z0-9_]*")
_MOST_QUERIES, _MOST_LISTED = 500, 500
_SHORT = (1, 5, 10, 20, 30)
#: fault -> how each service words it
_REFUSALS = {
    "throttle": {
        "monitoring": (400, "Throttling", "Rate exceeded"),
        "servicequotas": (400, "TooManyRequestsException", "Rate exceeded"),
    },
    "access_denied": {
        "monitoring": (403, "AccessDenied", "User: example is not authorized to perform: cloudwatch:{name}"),
        "servicequotas": (400, "AccessDeniedException", "User: example is not authorized to perform: servicequotas:{name}"),
    },
    "server": {
        "monitoring": (500, "InternalServiceFault", "The request processing has failed due to an unknown error."),
        "servicequotas": (500, "ServiceException", "Something went wrong."),
    },
}  # fmt: skip


def _invalid(message: str) -> AwsError:
    return AwsError(400, "ValidationError", message)


class Watching:
    """Both routes. now: Unix seconds."""

    def __init__(self, config, truth) -> None:
        self._config, self._verifier = config, Verifier(config.credentials, region=config.region)
        self._store, self._now = MetricStore(), time.time
        self._watched = Watched(config, self._store)
        if config.cloudwatch:
            truth.watch = self._watched.add
            for figure in config.cloudwatch.figures:
                for value in figure.values:
                    self._store.put(
                        key(figure.namespace, figure.name, figure.dimensions), figure.at, value, figure.unit
                    )
        asked = {"monitoring": config.cloudwatch, "servicequotas": config.service_quotas}
        self._asked = {name: settings for name, settings in asked.items() if settings}
        self._quotas = {name: Quota(settings.limit) for name, settings in self._asked.items()}
        self._draws = {name: random.Random(settings.fault_seed) for name, settings in self._asked.items()}

    def wanted(self, request) -> bool:
        """Whether a request is for one of the services that are configured."""
        return request.method == "POST" and self._named(request)[0] in self._asked

    @staticmethod
    def _named(request) -> tuple[str, str]:
        """Signing name and operation; empty for other requests."""
        if request.raw_path.startswith(_CBOR) and request.headers.get("smithy-protocol") == "rpc-v2-cbor":
            return "monitoring", request.raw_path.removeprefix(_CBOR)
        target, _, name = request.headers.get("x-amz-target", "").partition(".")
        return (_TARGETS[target], name) if request.raw_path == "/" and target in _TARGETS else ("", "")

    def answer(self, request, connection) -> None:
        service, name = self._named(request)
        binary = request.raw_path != "/"
        headers = [("x-amzn-RequestId", str(uuid.uuid4()))]
        headers += [("smithy-protocol", "rpc-v2-cbor")] if binary else []
        kind = "application/cbor" if binary else f"application/x-amz-json-1.{int(service == 'servicequotas')}"
        try:
            status, value = 200, self._answer(service, name, request, binary)
        except Exception as e:
            error = e if isinstance(e, AwsError) else AwsError(*_REFUSALS["server"][service])
            if error is not e:  # a mistake of the emulator's own
                traceback.print_exc()
            status, value = error.status, {"__type": error.code, "message": error.message}
            if service == "monitoring":  # as clients of its older protocol know it
                headers.append(("x-amzn-query-error", f"{error.code};{'Sender' if status < 500 else 'Receiver'}"))
        body = cbor.encoded(value) if binary else compact(_plain(value))
        connection.respond(status, [*headers, ("Content-Type", kind)], body)

    def _answer(self, service: str, name: str, request, binary: bool) -> dict:
        """Raises AwsError."""
        self._verifier.check(request, service)
        draw, edge = self._draws[service].random(), 0.0
        for fault, share in self._asked[service].faults.items():
            edge += share
            if draw < edge:
                status, code, message = _REFUSALS[fault][service]
                raise AwsError(status, code, message.format(name=name))
        if self._quotas[service].exceeded(0, time.perf_counter()):
            raise AwsError(*_REFUSALS["throttle"][service])
        operations: dict[str, typing.Callable[[dict], dict]] = {
            "GetMetricData": self._data, "ListMetrics": self._list,
        } if service == "monitoring" else {"ListServiceQuotas": self._quotas_of, "GetServiceQuota": self._quota}  # fmt: skip
        if name not in operations:
            raise AwsError(400, "UnknownOperationException", f"no operation {name}")
        try:
            body = cbor.decoded(request.body) if binary else json.loads(request.body or b"{}")
        except ValueError:
            raise AwsError(400, "SerializationException", "the body cannot be read") from None
        if not isinstance(body, dict):
            raise AwsError(400, "SerializationException", "Start of structure or map found where not expected.")
        return operations[name](body)

    # --- CloudWatch

    def _data(self, body: dict) -> dict:
        queries, begin, end = body.get("MetricDataQueries"), body.get("StartTime"), body.get("EndTime")
        if not isinstance(queries, list) or not 1 <= len(queries) <= _MOST_QUERIES:
            raise _invalid("The parameter MetricDataQueries must have from 1 to 500 members.")
        if not isinstance(begin, int | float) or not isinstance(end, int | float) or begin >= end:
            raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
        ids = [str(q.get("Id", "")) if isinstance(q, dict) else "" for q in queries]
        if not all(_ID.fullmatch(one) for one in ids) or len(set(ids)) < len(ids):
            raise _invalid("Each Id must begin with a lower-case letter and be unique in its request.")
        page, following = _page(queries, body, self._asked["monitoring"].page_size)
        busy, descending = self._watched.busy(), body.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        end = min(end, self._now() - self._asked["monitoring"].delay_s)
        results = []
        for query in page:
            found = self._of(query, busy, begin, end)[:: -1 if descending else 1]
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
                    "Timestamps": [datetime.datetime.fromtimestamp(at, datetime.UTC) for at, _ in found],
                    "Values": [value for _, value in found],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results, "Messages": []} | following

    def _of(self, query: dict, busy: MetricStore, begin: float, end: float) -> list[tuple[int, float]]:
        """Raises AwsError."""
        asked = query.get("MetricStat")
        metric = asked.get("Metric") if isinstance(asked, dict) else None
        if not isinstance(asked, dict) or not isinstance(metric, dict):
            raise _invalid("Expressions are not served here: each query needs a MetricStat with a Metric.")
        period, statistic = asked.get("Period"), str(asked.get("Stat"))
        if not isinstance(period, int) or period < 1 or (period % 60 and period not in _SHORT):
            raise _invalid(f"The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60: {period}")
        if not STATISTICS.fullmatch(statistic):
            raise _invalid(f"The value {statistic} for parameter Stat is not supported.")
        dimensions = {str(d.get("Name")): str(d.get("Value")) for d in metric.get("Dimensions") or ()}
        of = key(str(metric.get("Namespace")), str(metric.get("MetricName")), dimensions)
        store = busy if of in busy else self._store
        if asked.get("Unit") not in (None, store.unit(of)):  # CloudWatch converts none
            return []
        return store.periods(of, period, begin, end, statistic)

    def _list(self, body: dict) -> dict:
        wanted = {(d.get("Name"), d.get("Value")) for d in body.get("Dimensions") or ()}
        names = {name for name, value in wanted if value is None}
        pairs = {pair for pair in wanted if pair[1] is not None}
        found = [
            {"Namespace": space, "MetricName": name, "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions]}
            for space, name, dimensions in [*self._store.listed(), *self._watched.busy().listed()]
            if body.get("Namespace") in (None, space)
            and body.get("MetricName") in (None, name)
            and names <= {n for n, _ in dimensions}
            and pairs <= set(dimensions)
        ]
        page, following = _page(found, body, _MOST_LISTED)
        return {"Metrics": page} | following

    # --- Service Quotas

    def _quotas_of(self, body: dict) -> dict:
        settings, service = self._asked["servicequotas"], str(body.get("ServiceCode"))
        found = [self._shown(q) for q in settings.quotas if q.service == service]
        if not found and service not in ("bedrock", "sagemaker"):
            raise AwsError(400, "NoSuchResourceException", f"The specified service {service} does not exist.")
        wanted = body.get("QuotaCode")
        page, following = _page([q for q in found if wanted in (None, q["QuotaCode"])], body, settings.page_size)
        return {"Quotas": page} | following

    def _quota(self, body: dict) -> dict:
        code, service = body.get("QuotaCode"), str(body.get("ServiceCode"))
        for quota in self._asked["servicequotas"].quotas:
            if quota.service == service and (shown := self._shown(quota))["QuotaCode"] == code:
                return {"Quota": shown}
        raise AwsError(400, "NoSuchResourceException", "The request failed because the specified quota does not exist.")

    def _shown(self, quota) -> dict:
        code = quota.code or f"L-{hashlib.sha256(quota.name.encode()).hexdigest()[:8].upper()}"
        region, account = self._config.region or "us-east-1", self._config.account
        return {
            "ServiceCode": quota.service,
            "ServiceName": {"bedrock": "Amazon Bedrock", "sagemaker": "Amazon SageMaker"}.get(quota.service, quota.service),
            "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{quota.service}/{code}",
            "QuotaCode": code,
            "QuotaName": quota.name,
            "Value": quota.value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
            "QuotaAppliedAtLevel": "ACCOUNT",
        }  # fmt: skip


def _page(found: list, body: dict, size: int) -> tuple[list, dict]:
    """A page, and the token of the next. Raises AwsError."""
    try:
        begin = int(base64.b64decode(str(body["NextToken"]), validate=True)) if body.get("NextToken") else 0
    except ValueError:
        raise AwsError(400, "InvalidNextToken", "The next token is invalid.") from None
    end = begin + min(size, body.get("MaxResults") or size)
    token = base64.b64encode(str(end).encode()).decode()
    return found[begin:end], {"NextToken": token} if end < len(found) else {}


def _plain(value: typing.Any) -> typing.Any:
    """For JSON: times as Unix seconds."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.timestamp() if isinstance(value, datetime.datetime) else value
