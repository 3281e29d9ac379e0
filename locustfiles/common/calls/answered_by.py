"""Who answered a SageMaker call, and why it was asked, as an answer's headers say: the same by every transport."""

import typing

from locustfiles.common.dialects.one_line import one_line

#: field of a record -> header, in lower case
_HEADERS = {
    "variant": "x-amzn-invoked-production-variant",
    "routed_to": "x-amzn-sagemaker-invoked-routed-resource-arn",
    "routing_reason": "x-amzn-sagemaker-invoked-routing-reason",
}
_NOBODY: dict[str, str | None] = dict.fromkeys(_HEADERS)


def answered_by(headers: typing.Mapping[str, str]) -> dict[str, str | None]:
    """Fields of a record; header names in lower case."""
    if _HEADERS["variant"] not in headers and _HEADERS["routed_to"] not in headers:  # nearly all answers of Bedrock
        return _NOBODY
    return {field: one_line(headers.get(name), 256) for field, name in _HEADERS.items()}
