"""The pricing route: AWS's Price List API (`X-Amz-Target: AWSPriceListService.…`, JSON 1.1), with pages, quota and faults."""

import base64
import binascii
import hashlib
import json
import time
import typing

from scripts.emulator.errors import AwsError
from scripts.emulator.frames import compact
from scripts.emulator.operations import Operation
from scripts.emulator.price_offers import Product, products
from scripts.emulator.sigv4 import Verifier

TARGET = "AWSPriceListService."
_OPERATIONS = {
    name: Operation(name, "pricing", False) for name in ("GetProducts", "DescribeServices", "GetAttributeValues")
}
_KEYS = {
    "GetProducts": {"ServiceCode", "Filters", "FormatVersion", "NextToken", "MaxResults"},
    "DescribeServices": {"ServiceCode", "FormatVersion", "NextToken", "MaxResults"},
    "GetAttributeValues": {"ServiceCode", "AttributeName", "NextToken", "MaxResults"},
}
MOST_RESULTS = 100
_FITS: dict[str, typing.Callable[[str, str], bool]] = {
    "TERM_MATCH": lambda have, want: have == want,
    "EQUALS": lambda have, want: have == want,
    "CONTAINS": lambda have, want: want in have,
    "ANY_OF": lambda have, want: have in want.split(","),
    "NONE_OF": lambda have, want: have not in want.split(","),
}
#: faults of a target's configuration that are error answers -> how this service words them
_REFUSALS = {
    "throttle": (400, "ThrottlingException", "Rate exceeded"),
    "access_denied": (
        400,
        "AccessDeniedException",
        "User: example is not authorized to perform: pricing:GetProducts because no identity-based policy allows it",
    ),
    "server": (500, "InternalErrorException", "An error on the server occurred during the processing of your request."),
}
#: faults that are the same whatever the service
_OTHER = {"drop", "reset", "garbage_body"}
FAULTS = {*_REFUSALS, *_OTHER}


def route(request) -> tuple[Operation, str] | None:
    """The operation that a request names in its head; None for any other request."""
    target = request.headers.get("x-amz-target", "")
    if request.method != "POST" or request.raw_path != "/" or not target.startswith(TARGET):
        return None
    operation = _OPERATIONS.get(target.removeprefix(TARGET))
    return (operation, "") if operation else None


def refused(code: str, message: str) -> AwsError:
    return AwsError(400, code, message)


class PriceList:
    """The route's state. hosted: its quota and the order of its faults."""

    def __init__(self, config, hosted) -> None:
        self._verifier = Verifier(config.credentials)
        self._hosted = hosted
        own = hosted.config.products
        self._products = products() if own is None else [Product(**product.model_dump()) for product in own]

    def answer(self, a) -> None:
        """Raises AwsError."""
        a.region = self._verifier.check(a.request, "pricing")
        a.target = self._hosted.config
        a.fault = self._hosted.fault(a.operation)
        if a.fault:
            name, fault = a.fault
            if name in _REFUSALS:
                raise AwsError(*_REFUSALS[name])
            return fault.apply(a)
        if self._hosted.quota.exceeded(0, time.perf_counter()):
            raise AwsError(*_REFUSALS["throttle"])
        body = self._read(a.operation.name, a.request.body)
        a.target_name = str(body.get("ServiceCode", ""))
        answers = {
            "GetProducts": self._products_of,
            "DescribeServices": self._services,
            "GetAttributeValues": self._values,
        }
        a.out.respond(200, a.operation.whole_headers(a), compact(answers[a.operation.name](body)))

    def _read(self, operation: str, data: bytes) -> dict:
        try:
            body = json.loads(data or b"{}")
        except ValueError:
            raise refused("SerializationException", "the body is not valid JSON") from None
        if not isinstance(body, dict):
            raise refused("SerializationException", "Start of structure or map found where not expected.")
        unknown = body.keys() - _KEYS[operation]
        if unknown:
            raise refused("InvalidParameterException", f"Unknown parameter: {min(unknown)}")
        if "FormatVersion" in body and body["FormatVersion"] != "aws_v1":
            raise refused("InvalidParameterException", "Invalid FormatVersion. Valid values are: aws_v1")
        most = body.get("MaxResults", MOST_RESULTS)
        if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST_RESULTS:
            raise refused("InvalidParameterException", "MaxResults must be a number from 1 to 100")
        return body

    def _of_service(self, body: dict) -> list[Product]:
        code = body.get("ServiceCode")
        found = [product for product in self._products if product.service == code]
        if not isinstance(code, str) or not found:
            raise refused("InvalidParameterException", f"Invalid ServiceCode: {code}")
        return found

    def _products_of(self, body: dict) -> dict:
        found = self._of_service(body)
        for each in body.get("Filters", ()):
            fits, field, value = _filter(each)
            found = [p for p in found if fits(_field(p, field), value)]
        page, following = self._page(found, body)
        return {"FormatVersion": "aws_v1", "PriceList": [compact(p.item()).decode() for p in page]} | following

    def _services(self, body: dict) -> dict:
        codes = sorted({p.service for p in self._products})
        if "ServiceCode" in body:
            codes = [self._of_service(body)[0].service]
        page, following = self._page(
            [{"ServiceCode": code, "AttributeNames": self._names(code)} for code in codes], body
        )
        return {"Services": page, "FormatVersion": "aws_v1"} | following

    def _names(self, code: str) -> list[str]:
        return sorted(
            {name for p in self._products if p.service == code for name in (*p.all_attributes(), "productFamily")}
        )

    def _values(self, body: dict) -> dict:
        name = body.get("AttributeName")
        values = sorted({_field(p, str(name).lower(), fold=False) for p in self._of_service(body)} - {""})
        if not values:
            raise refused("InvalidParameterException", f"Invalid AttributeName: {name}")
        page, following = self._page([{"Value": value} for value in values], body)
        return {"AttributeValues": page} | following

    def _page(self, found: list, body: dict) -> tuple[list, dict]:
        """A page, and the token of the next. The token holds of what it is the continuation."""
        size = min(body.get("MaxResults", MOST_RESULTS), self._hosted.config.page_size)
        asked = {key: value for key, value in body.items() if key not in ("NextToken", "MaxResults")}
        of = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        begin = _begin(body["NextToken"], of) if body.get("NextToken") else 0
        following = (
            {"NextToken": base64.b64encode(f"{of}:{begin + size}".encode()).decode()}
            if begin + size < len(found)
            else {}
        )
        return found[begin : begin + size], following


def _begin(token: typing.Any, of: str) -> int:
    try:
        told, _, begin = base64.b64decode(str(token), validate=True).decode().partition(":")
        if told == of:
            return int(begin)
    except (binascii.Error, ValueError):
        pass
    raise refused("InvalidNextTokenException", "The pagination token is invalid. Try again without a pagination token.")


def _filter(each: typing.Any) -> tuple[typing.Callable[[str, str], bool], str, str]:
    if not isinstance(each, dict) or not {"Type", "Field", "Value"} <= each.keys() or each["Type"] not in _FITS:
        raise refused("InvalidParameterException", "A filter needs a Type of those that there are, a Field and a Value")
    return _FITS[each["Type"]], str(each["Field"]).lower(), str(each["Value"]).lower()


def _field(product: Product, field: str, fold: bool = True) -> str:
    """An attribute by its name in any case; matching is blind to case as well."""
    there = {"productFamily": product.family, **product.all_attributes()}
    value = next((value for name, value in there.items() if name.lower() == field), "")
    return value.lower() if fold else value
