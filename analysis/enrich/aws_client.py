"""boto3's clients for what is asked after a run, and what went wrong in one line with the action that is missing."""

import typing

from locustfiles.contract.aws_calls import patient

ACTIONS = {
    "GetMetricData": "cloudwatch:GetMetricData",
    "ListMetrics": "cloudwatch:ListMetrics",
    "ListServiceQuotas": "servicequotas:ListServiceQuotas",
    "GetServiceQuota": "servicequotas:GetServiceQuota",
}
#: what every answer has
_MEMBERS = {
    "GetMetricData": "MetricDataResults",
    "ListMetrics": "Metrics",
    "ListServiceQuotas": "Quotas",
    "GetServiceQuota": "Quota",
}
_VARIABLES = {"cloudwatch": "AWS_ENDPOINT_URL_CLOUDWATCH", "service-quotas": "AWS_ENDPOINT_URL_SERVICE_QUOTAS"}
_CREDENTIALS = (
    "ExpiredToken",
    "UnrecognizedClient",
    "InvalidClientTokenId",
    "InvalidSignature",
    "SignatureDoesNotMatch",
)
_THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded")


class Unanswered(Exception):
    """What could not be asked for, a line."""


class Aws:
    """Clients of a region, made when they are asked for."""

    def __init__(self, region: str | None) -> None:
        self.region = region
        self._clients: dict[str, typing.Any] = {}

    def call(self, service: str, operation: str, method: str, **arguments: typing.Any) -> dict[str, typing.Any]:
        """One answer. Raises Unanswered."""
        import botocore.exceptions

        try:
            answer = getattr(self._client(service), method)(**arguments)
        except botocore.exceptions.ClientError as e:
            raise Unanswered(_refused(operation, e.response.get("Error", {}))) from None
        except botocore.exceptions.BotoCoreError as e:
            raise Unanswered(_not_reached(service, operation, e)) from None
        except (
            Exception
        ) as e:  # an address that is none; an answer of somebody else, at which parsers fail in many ways
            raise Unanswered(f"{ACTIONS[operation]}: {_one_line(e)}; check {_VARIABLES[service]}") from None
        if _MEMBERS[operation] not in answer:
            raise Unanswered(
                f"{ACTIONS[operation]}: the answer is none of AWS's; check {_VARIABLES[service]} and the proxy"
            )
        return answer

    def pages(self, service: str, operation: str, method: str, **arguments: typing.Any) -> typing.Iterator[dict]:
        """Answers, one after the other. Raises Unanswered."""
        token: dict[str, str] = {}
        while True:
            page = self.call(service, operation, method, **arguments, **token)
            yield page
            if not page.get("NextToken") or page["NextToken"] == token.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _client(self, service: str) -> typing.Any:
        if service not in self._clients:
            import boto3

            session = boto3.session.Session(region_name=self.region)
            self._clients[service] = session.client(service, config=patient(5))
        return self._clients[service]


def _refused(operation: str, error: dict[str, typing.Any]) -> str:
    code, action = str(error.get("Code", "unknown error")), ACTIONS[operation]
    said = _one_line(error.get("Message", ""))
    if code.startswith(("AccessDenied", "UnauthorizedOperation", "NotAuthorized")):
        return f"{action}: not allowed; allow this action to whom the credentials belong, and run it again"
    if code.startswith(_CREDENTIALS):
        return f"{action}: AWS does not take the credentials ({code}); renew or check them and the machine's clock"
    if code.startswith(_THROTTLED):
        return f"{action}: AWS asks to wait ({code}); run it again in a minute"
    return f"{action}: AWS refuses ({code}{f': {said}' if said else ''}); run it again later"


def _not_reached(service: str, operation: str, e: Exception) -> str:
    kind, action = type(e).__name__, ACTIONS[operation]
    if kind == "NoRegionError":
        return f"{action}: no region; give --region, or `region:` in the scenario"
    if any(word in kind for word in ("Credential", "Profile", "Token", "SSO")):
        return f"{action}: {_one_line(e).rstrip('.')}; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return f"{action}: {_one_line(e).rstrip('.')}; check --region, the network and {_VARIABLES[service]}"


def _one_line(said: object) -> str:
    return " ".join(str(said).split())[:300]
