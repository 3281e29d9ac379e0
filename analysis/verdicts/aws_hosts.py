"""Whether an address is AWS's own of a service: public, FIPS, dual-stack, or a VPC's way to it.

These lead to the same endpoints and models of a region. Anything else that answers in AWS's form (a gateway, LiteLLM, a local
endpoint, an API Gateway or a load balancer under amazonaws.com) may serve something else, or queue, cache and retry before it.
"""

import re
import urllib.parse

_SUFFIXES = (
    "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu",
    "c2s.ic.gov", "api.aws.ic.gov", "sc2s.sgov.gov", "api.aws.scloud", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
)  # fmt: skip
_NAMES = {
    "bedrock": r"bedrock-runtime(-fips)?",
    "sagemaker": r"(runtime(-fips)?|inferencerouter-runtime|gateway-runtime)\.sagemaker(-fips)?",
}
_OWN = {
    service: re.compile(
        rf"(vpce-[a-z0-9-]+\.)?{name}\.(?P<region>[a-z0-9-]+)\.(vpce\.)?({'|'.join(map(re.escape, _SUFFIXES))})"
    )
    for service, name in _NAMES.items()
}


def own_region(service: str, url: str) -> str | None:
    """The region of AWS's own endpoint of sagemaker or bedrock that the address is; None: it is another's."""
    parts = urllib.parse.urlsplit(url)
    found = _OWN[service].fullmatch((parts.hostname or "").lower().rstrip("."))
    plain = parts.scheme == "https" and parts.port in (None, 443) and parts.path in ("", "/")
    return found["region"] if found and plain else None
