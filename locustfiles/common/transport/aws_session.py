"""AWS sessions for the hot path: credentials, endpoint resolution and signing by botocore."""

import functools
import os
import typing
import urllib.parse

import botocore.awsrequest
import botocore.exceptions
import botocore.httpsession
import botocore.session

from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.proxy import proxy_for
from locustfiles.common.transport.request_head import Head
from locustfiles.common.transport.service_endpoint import ServiceEndpoints
from locustfiles.common.transport.short_term_key import ShortTermKey
from locustfiles.common.transport.signature import Credentials, Now, Repeated, signed
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import redact
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget, Target

#: service -> (boto3 client name, SigV4 signing name)
SERVICES = {"bedrock": ("bedrock-runtime", "bedrock"), "sagemaker": ("sagemaker-runtime", "sagemaker")}

#: what botocore raises where credentials cannot be had or refreshed. RuntimeError: what came was expired too;
#: OSError, ValueError: a credential_process or a token's file that is not there or holds something else
UNSIGNED = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, RuntimeError, OSError, ValueError)
MOST_KINDS = 1000  # of requests whose common parts are kept


class KeyHeader(typing.NamedTuple):
    """The header of a request that holds a key."""

    name: str
    value: str


class NoCredentials(BadInput):
    """No AWS credentials in any of boto3's usual places."""


class AwsSession:
    """One session of botocore's per process. Raises NoCredentials, or BadInput for an endpoint that is no URL."""

    def __init__(self, scenario: Scenario) -> None:
        self._region = scenario.region
        self._endpoint_url = scenario.endpoint_url
        self._boto3 = scenario.transport == "boto3"
        self._bases: dict[tuple[str, str | None], urllib.parse.SplitResult] = {}
        self._origins: dict[urllib.parse.SplitResult, Origin] = {}
        self._kinds: dict[tuple, tuple[Head, Repeated | None]] = {}
        self._now = Now()
        self.ca_file = os.environ.get("AWS_CA_BUNDLE") or botocore.httpsession.get_cert_path(True)
        self._session = botocore.session.get_session()
        if scenario.region is not None:
            self._session.set_config_variable("region", scenario.region)
        try:
            self._session.get_scoped_config()  # fails for an AWS_PROFILE that does not exist
            self._credentials = self._session.get_credentials()
        except UNSIGNED as e:
            raise NoCredentials(
                f"AWS credentials: cannot be used: {redact(str(e))}; check AWS_PROFILE and where it takes them from"
            ) from None
        self._keys: dict[typing.Hashable, KeyHeader | ShortTermKey | None] = {}  # by what decides them
        keys = [self._kept_key(target) for target in scenario.targets]
        if self._credentials is None and any(not isinstance(key, KeyHeader) for key in keys):
            raise NoCredentials(
                "AWS credentials: none found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or sign in with `aws sso login`"
            )

    @functools.cached_property
    def boto3(self) -> typing.Any:
        """boto3's session of the same credentials, for whoever calls by boto3."""
        import boto3

        return boto3.Session(botocore_session=self._session)

    @functools.cached_property
    def _endpoints(self) -> ServiceEndpoints:
        return ServiceEndpoints(self._region)

    def _base(self, target: Target) -> urllib.parse.SplitResult:
        """The service endpoint as boto3 resolves it: the scenario's, AWS_ENDPOINT_URL_*, profile, region."""
        if isinstance(target, OpenAITarget):
            return urllib.parse.urlsplit(target.base_url)
        return self.base(client_of(target), target)

    def base(self, service: str, target: Target) -> urllib.parse.SplitResult:
        """The same of any service, by boto3's name, that a target needs. Raises BadInput."""
        url = target.endpoint_url or self._endpoint_url
        key = (service, url)
        if key not in self._bases:
            try:
                resolved = self._endpoints.url(service, url)
                base = urllib.parse.urlsplit(resolved)
                # a bad port raises ValueError
                if base.scheme not in ("http", "https") or not base.hostname or base.port == 0:
                    raise ValueError(f"{resolved} is no http or https URL")
            except (ValueError, botocore.exceptions.BotoCoreError) as e:
                raise BadInput(
                    f"target `{target.name}`: no endpoint: {redact(str(e))}; check `endpoint_url` and `region`"
                ) from None
            self._bases[key] = base
        return self._bases[key]

    def origin(self, target: Target) -> Origin:
        """Where the target's requests go, and through which proxy: the environment is read once. Raises BadInput."""
        return self.origin_of(self._base(target), target)

    def origin_of(self, base: urllib.parse.SplitResult, target: Target) -> Origin:
        """The same of an address that a target needs. Raises BadInput."""
        if base not in self._origins:
            try:
                proxy = proxy_for(base.geturl(), secure=self._boto3)
            except BadInput as e:
                raise BadInput(f"target `{target.name}`: {e}") from None
            self._origins[base] = Origin(
                base.scheme, base.hostname or "", base.port or (443 if base.scheme == "https" else 80), proxy
            )
        return self._origins[base]

    @property
    def region(self) -> str:
        return self._region or ""

    def frozen_credentials(self) -> Credentials:
        """Raises what botocore raises where they are not to be had."""
        frozen: Credentials = self._credentials.get_frozen_credentials()
        return frozen

    def request(self, target: Target, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """A signed HTTP/1.1 request, ready to be sent. `path` is URL-quoted already. What requests of one kind share is
        kept. Credentials are asked for anew at each."""
        base, key = self._base(target), self._key_header(target)
        frozen = self._credentials.get_frozen_credentials() if key is None else None
        # not by getattr: to find that a target has no such key takes as long as all the rest
        signing_name = target.signing_name if isinstance(target, OpenAITarget) else None
        kind = (target.service, signing_name, base, path, key, *headers.items())
        known = self._kinds.get(kind)
        if known is not None:
            head, repeated = known
            if repeated is None:
                return head.written(body)
            if repeated.credentials == frozen:
                stamp = self._now.stamp()
                return head.written(body, stamp, repeated.authorization(stamp, body))
        path = base.path.rstrip("/") + path
        request = botocore.awsrequest.AWSRequest(
            method="POST", url=f"{base.scheme}://{base.netloc}{path}", headers=headers, data=body
        )
        repeated = None
        if frozen is not None:
            repeated = signed(frozen, self._region or "", _signed_as(target), request)
        elif key and key.value:
            request.headers[key.name] = key.value
        head = Head(base, path, request.headers, self.origin(target).proxy if base.scheme == "http" else None)
        if repeated or frozen is None:
            if len(self._kinds) >= MOST_KINDS:
                self._kinds.clear()
            self._kinds[kind] = head, repeated
        return head.written(body)

    def _key_header(self, target: Target) -> KeyHeader | None:
        """The header that holds a key, without a value where there is none; None where requests are signed. Raises NoCredentials,
        and what botocore raises where credentials are not to be had."""
        key = self._kept_key(target)
        if isinstance(key, ShortTermKey):
            return KeyHeader("Authorization", f"Bearer {key.of(self._credentials.get_frozen_credentials())}")
        return key

    def _kept_key(self, target: Target) -> KeyHeader | ShortTermKey | None:
        """The same, or what makes the key of credentials. The environment is read once. Raises NoCredentials."""
        kind: typing.Hashable = (target.service, _ranks(target))
        if isinstance(target, OpenAITarget):
            kind = target.auth, target.api_key_env, target.dialect, target.signing_name, target.base_url
        if kind not in self._keys:
            self._keys[kind] = self._find_key(target)
        return self._keys[kind]

    def _find_key(self, target: Target) -> KeyHeader | ShortTermKey | None:
        if isinstance(target, OpenAITarget):
            if target.auth == "sigv4":
                return None
            if target.auth == "bearer":
                return ShortTermKey("sagemaker" if target.signed_as == "sagemaker" else "bedrock", self._region or "")
            key = _key_in(target.key_variable)
            if target.dialect == "anthropic-messages":
                return KeyHeader("x-api-key", key)
            return KeyHeader("Authorization", f"Bearer {key}" if key else "")
        bearer = _key_in("AWS_BEARER_TOKEN_BEDROCK") if target.service == "bedrock" and not _ranks(target) else ""
        return KeyHeader("Authorization", f"Bearer {bearer}") if bearer else None


def client_of(target: Target) -> str:
    """The service that a target asks, by boto3's name."""
    if _ranks(target):
        return "bedrock-agent-runtime"
    return target.runtime if isinstance(target, SageMakerTarget) else SERVICES[target.service][0]


def _ranks(target: Target) -> bool:
    """Whether it asks Rerank, of a runtime that takes no bearer token."""
    return isinstance(target, BedrockTarget) and target.api == "rerank"


def _signed_as(target: Target) -> str:
    return target.signed_as if isinstance(target, OpenAITarget) else SERVICES[target.service][1]


def _key_in(variable: str) -> str:
    """Empty where there is none. Raises NoCredentials for a key that no header can hold."""
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise NoCredentials(
            f"{variable}: holds a line break or other characters that no key has; set it to the key alone"
        )
    return key
