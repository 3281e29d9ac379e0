"""SageMaker's control plane by boto3: patient where it throttles, and what it refuses in one line with the remedy."""

import re
import typing

from locustfiles.contract.aws_calls import patient, remedy
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import redact
from scripts.endpoints.names import Item
from scripts.endpoints.shapes import loader

#: what went wrong, by the beginning of AWS's code -> what to do
_REMEDIES = {
    "AccessDenied": "allow the action to whom the credentials belong: scripts/endpoints/README.md lists all of them",
    "ResourceLimitExceeded": "ask for more in Service Quotas, delete what is not needed, or take another `instance_type:`",
    "ExpiredToken": "renew the credentials",
    "UnrecognizedClient": "check the credentials: AWS does not know them",
    "InvalidSignature": "check the secret key and the machine's clock",
    "Throttling": "AWS asks to wait; run it again in a minute",
    "ValidationException": "mend the spec",
}
_NOT_THERE = re.compile(r"(?i)could not find|does not exist|not found")
_BUSY = re.compile(
    r"(?i)in-progress|in progress|DELETE_IN_PROGRESS|inference component associated|is (creating|updating|deleting)"
)
_THERE = "already existing"
_SHORT = 5  # characters: no secret, and in many words


class Refused(Exception):
    """AWS's answer that is none. code: AWS's; text: one line without secrets."""

    def __init__(self, operation: str, code: str, text: str):
        super().__init__(f"{operation}: AWS refuses ({code}{f': {text}' if text else ''})")
        self.operation, self.code, self.text = operation, code, text

    @property
    def not_there(self) -> bool:
        return self.code in ("ValidationException", "ResourceNotFound") and bool(_NOT_THERE.search(self.text))

    @property
    def there_already(self) -> bool:
        return _THERE in self.text

    @property
    def busy(self) -> bool:
        """It is being created, updated or deleted, or something still belongs to it: that passes."""
        return bool(_BUSY.search(self.text)) and not self.not_there

    def told(self) -> BadInput:
        remedy = next(
            (remedy for begin, remedy in _REMEDIES.items() if self.code.startswith(begin)), "run it again later"
        )
        return BadInput(f"{self}; {remedy}")


class Control:
    """One region's control plane. secrets: texts that no message may repeat."""

    def __init__(self, region: str | None, secrets: typing.Iterable[str] = ()):
        import boto3
        import botocore.exceptions
        import botocore.session

        self._secrets = sorted((each for each in secrets if len(each) > _SHORT), key=len, reverse=True)
        try:
            core = botocore.session.get_session()
            core.register_component("data_loader", loader())
            session = boto3.session.Session(botocore_session=core)
            self._client = session.client("sagemaker", region_name=region, config=patient(10))
        except (botocore.exceptions.BotoCoreError, ValueError) as e:
            raise BadInput(
                self._hidden(f"sagemaker: {str(e).rstrip(chr(46))}; give `region:` in the spec or --region")
            ) from None
        self.region: str = self._client.meta.region_name

    def call(self, operation: str, **parameters: typing.Any) -> dict[str, typing.Any]:
        """Raises Refused, or BadInput where nobody answers or there are no credentials."""
        import botocore
        import botocore.exceptions

        try:
            answer: dict[str, typing.Any] = getattr(self._client, botocore.xform_name(operation))(**parameters)
            return answer
        except botocore.exceptions.ClientError as e:
            error = e.response.get("Error", {})
            text = self._hidden(str(error.get("Message", ""))).rstrip(".")
            raise Refused(operation, str(error.get("Code", "unknown error")), text) from None
        except botocore.exceptions.BotoCoreError as e:
            text = self._hidden(str(e)).rstrip(".")
            raise BadInput(f"sagemaker: {operation}: {text}; {remedy(e, 'AWS_ENDPOINT_URL_SAGEMAKER')}") from None

    def _hidden(self, text: str) -> str:
        """One line, without what `env_from:` took in."""
        for each in self._secrets:
            text = text.replace(each, "[redacted]")
        return redact(text) or ""

    def pages(self, operation: str, member: str, **parameters: typing.Any) -> typing.Iterator[dict[str, typing.Any]]:
        """All rows of a list. Raises as `call`."""
        more: dict[str, str] = {}
        while True:
            answer = self.call(operation, **parameters, **more)
            yield from answer[member]
            if not answer.get("NextToken"):
                return
            more = {"NextToken": answer["NextToken"]}

    def tags(self, arn: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.pages("ListTags", "Tags", ResourceArn=arn)}

    def describe(self, item: Item) -> dict[str, typing.Any] | None:
        """None where it is not there. Raises as `call`."""
        try:
            return self.call(f"Describe{item.kind.name}", **{item.kind.key: item.name})
        except Refused as e:
            if e.not_there:
                return None
            raise


def status_of(described: dict[str, typing.Any]) -> str:
    """Of an endpoint or an inference component."""
    return str(described.get("EndpointStatus") or described.get("InferenceComponentStatus") or "unknown")
