"""AWS's Price List API, asked with the user's credentials: offers of a region, page by page."""

import json
import typing

from analysis.prices.price_list import BEDROCK, HOSTING, MARKETPLACE, SERVICE, Read, read
from locustfiles.contract.aws_calls import patient, remedy
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.nearest import nearest

HOME = "us-east-1"  # the API's; its prices are of all regions
_FILTERS = {HOSTING: {"component": "Hosting"}, BEDROCK: {}, SERVICE: {}, MARKETPLACE: {}}
_SMALL = (SERVICE,)  # an offer that need not be there
#: what went wrong, by AWS's code -> what to do
_REMEDIES = {
    "AccessDenied": "allow the action pricing:GetProducts to whom the credentials belong",
    "ExpiredToken": "renew the credentials",
    "UnrecognizedClient": "check the credentials: AWS does not know them",
    "InvalidClientTokenId": "check the credentials: AWS does not know them",
    "InvalidSignature": "check the secret key and the machine's clock",
    "SignatureDoesNotMatch": "check the secret key and the machine's clock",
    "Throttling": "AWS asks to wait; run it again in a minute",
    "TooManyRequests": "AWS asks to wait; run it again in a minute",
}


def reads_of(region: str) -> list[Read]:
    """What every offer says of a region. Raises BadInput in one line."""
    import boto3
    import botocore.exceptions

    try:
        client = boto3.session.Session().client("pricing", region_name=HOME, config=patient(8))
        reads = [_read(client, offer, region) for offer in _FILTERS]
        if not any(found.hours or found.tokens or found.searches for found in reads):
            raise BadInput(_nothing(region, boto3.session.Session()))
    except botocore.exceptions.ClientError as e:
        raise BadInput(f"pricing: {_refusal(e.response.get('Error', {}))}") from None
    except botocore.exceptions.BotoCoreError as e:
        raise BadInput(
            f"pricing: {' '.join(str(e).split()).rstrip('.')}; {remedy(e, 'AWS_ENDPOINT_URL_PRICING')}"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise BadInput("pricing: an answer is no price list; check AWS_ENDPOINT_URL_PRICING and the proxy") from None
    except ValueError as e:  # an endpoint that is none
        raise BadInput(f"pricing: {' '.join(str(e).split())}; check AWS_ENDPOINT_URL_PRICING") from None
    return reads


def _read(client: typing.Any, offer: str, region: str) -> Read:
    """What an offer says; nothing, of a small one that AWS has not."""
    try:
        return read(offer, _items(client, offer, region))
    except client.exceptions.InvalidParameterException:
        if offer not in _SMALL:
            raise
        return read(offer, ())


def _items(client: typing.Any, offer: str, region: str) -> typing.Iterator[dict]:
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in {"regionCode": region, **_FILTERS[offer]}.items()
    ]
    for page in client.get_paginator("get_products").paginate(
        ServiceCode=offer, Filters=filters, FormatVersion="aws_v1"
    ):
        for text in page.get("PriceList", ()):
            item = json.loads(text)
            if not isinstance(item, dict):
                raise json.JSONDecodeError("not an object", text, 0)
            yield item


def _refusal(error: dict) -> str:
    code = str(error.get("Code", "unknown error"))
    remedy = next((remedy for begin, remedy in _REMEDIES.items() if code.startswith(begin)), "run it again later")
    said = " ".join(str(error.get("Message", "")).split())
    return f"AWS refuses ({code}{f': {said}' if said else ''}); {remedy}"


def _nothing(region: str, session: typing.Any) -> str:
    """For an answer without a price: the region may be none."""
    known = {name for partition in session.get_available_partitions() for name in _regions(session, partition)}
    if region in known:
        return f"--region {region}: AWS lists no hosting or token price there; choose another region"
    close = nearest(region, known)
    return f"--region {region}: no such region; {f'did you mean {close}?' if close else 'give one as us-east-1'}"


def _regions(session: typing.Any, partition: str) -> list[str]:
    return list(session.get_available_regions("ec2", partition_name=partition))
