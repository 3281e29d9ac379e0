"""Service Quotas: what a model's and an instance type's quotas are."""

import re
import typing

from analysis.enrich.aws_client import Aws, Unanswered
from analysis.prices.model_names import Names
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target

_NAME = re.compile(
    r"(?P<how>On-demand|Cross-region|Global cross-region|Cross-Region) (?:model inference|InvokeModel) "
    r"(?P<what>tokens|requests) per minute for (?P<model>.+?)(?: V1)?",
    re.IGNORECASE,
)
#: https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-mantle.html: apart from bedrock-runtime's, and none of requests
_OF_MANTLE = re.compile(r"Bedrock Mantle (?P<what>input|output) tokens per minute for (?P<model>.+)", re.IGNORECASE)
_PROFILE = re.compile(r"(us|us-gov|eu|apac|jp|au|ca|in|sa|global)\.(.+)")
_CODE = re.compile(r"([^=]+)=(L-[A-Z0-9]{8})")


class Quota(typing.NamedTuple):
    name: str
    value: float


class QuotasOf(typing.NamedTuple):
    """Of a target; None: not known."""

    tokens: Quota | None = None
    requests: Quota | None = None
    instances: Quota | None = None
    output_tokens: Quota | None = None  # where they have one of their own
    why_none: str = ""


class Quotas:
    """What is applied to the account in a region. codes: target -> code of its quota of tokens a minute, or of instances."""

    def __init__(self, aws: Aws, codes: dict[str, str]) -> None:
        self._aws, self._codes = aws, codes
        self._listed: dict[str, list[dict[str, typing.Any]]] = {}
        self.missing: list[str] = []

    def of(self, target: Target, service: str) -> QuotasOf:
        """service: as Whose has it. What could not be asked is in `missing`."""
        try:
            if service in ("sagemaker", "queued") and not isinstance(target, BedrockTarget):
                return self._of_instances(target)
            if service == "mantle" and isinstance(target, OpenAITarget):
                return self._of_mantle(target.name, target.model_id)
            if isinstance(target, BedrockTarget | OpenAITarget):
                return self._of_model(target.name, target.model_id)
        except Unanswered as e:
            if str(e) not in self.missing:
                self.missing.append(str(e))
        return QuotasOf()

    def _of_model(self, target: str, model_id: str) -> QuotasOf:
        """Raises Unanswered."""
        if code := self._codes.get(target):
            return QuotasOf(tokens=self._by_code("bedrock", code))
        bare = model_id.rsplit("/", 1)[-1]
        profile = _PROFILE.fullmatch(bare)
        how = "on-demand" if profile is None else "global cross-region" if profile[1] == "global" else "cross-region"
        names = Names([profile[2] if profile else bare])
        found: dict[str, Quota] = {}
        for quota in self._all("bedrock"):
            told = _NAME.fullmatch(str(quota.get("QuotaName", "")))
            if told and told["how"].lower() == how and names.ids(told["model"]):
                found.setdefault(told["what"].lower(), _quota(quota))
        if found:
            return QuotasOf(found.get("tokens"), found.get("requests"))
        return QuotasOf(
            why_none=f"no quota listed for Bedrock has the name of `{model_id}`; give its code with --quota-code"
        )

    def _of_mantle(self, target: str, model_id: str) -> QuotasOf:
        """Raises Unanswered."""
        code, names = self._codes.get(target), Names([model_id.rsplit("/", 1)[-1]])
        found: dict[str, Quota] = {}
        for quota in [self._by_code("bedrock", code)] if code else map(_quota, self._all("bedrock")):
            told = _OF_MANTLE.fullmatch(quota.name)
            if told and (code or names.ids(told["model"])):
                found.setdefault(told["what"].lower(), quota)
        if found:
            return QuotasOf(found.get("input"), output_tokens=found.get("output"))
        why = f"{code} is no quota of bedrock-mantle; give the code of one" if code else ""
        return QuotasOf(
            why_none=why or f"no quota of bedrock-mantle is listed for `{model_id}`; AWS lists those of few models"
        )

    def _of_instances(self, target: SageMakerTarget | OpenAITarget) -> QuotasOf:
        """Raises Unanswered."""
        if code := self._codes.get(target.name):
            return QuotasOf(instances=self._by_code("sagemaker", code))
        if target.instance_type is None:
            return QuotasOf()
        name = f"{target.instance_type} for endpoint usage"
        found = next((q for q in self._all("sagemaker") if q.get("QuotaName") == name), None)
        return QuotasOf(instances=_quota(found)) if found else QuotasOf(why_none=f"no quota `{name}` is applied")

    def _all(self, service: str) -> list[dict[str, typing.Any]]:
        """Raises Unanswered."""
        if service not in self._listed:
            pages = self._aws.pages("service-quotas", "ListServiceQuotas", "list_service_quotas", ServiceCode=service)
            self._listed[service] = [quota for page in pages for quota in page.get("Quotas", ())]
        return self._listed[service]

    def _by_code(self, service: str, code: str) -> Quota:
        """Raises Unanswered."""
        arguments = {"ServiceCode": service, "QuotaCode": code}
        answer = self._aws.call("service-quotas", "GetServiceQuota", "get_service_quota", **arguments)
        return _quota(answer["Quota"])


def _quota(quota: dict[str, typing.Any]) -> Quota:
    return Quota(str(quota["QuotaName"]), float(quota["Value"]))


def codes_of(given: typing.Iterable[str], targets: typing.Collection[str]) -> dict[str, str]:
    """`TARGET=L-1234ABCD` each. Raises BadInput."""
    found = {}
    for text in given:
        match = _CODE.fullmatch(text)
        if match is None:
            raise BadInput(f"--quota-code {text}: not TARGET=CODE; write it as {next(iter(targets))}=L-1234ABCD")
        if match[1] not in targets:
            raise BadInput(f"--quota-code {text}: no target `{match[1]}` in the run; give one of {', '.join(targets)}")
        found[match[1]] = match[2]
    return found
