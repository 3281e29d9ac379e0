"""AWS sessions for the hot path: credentials, endpoint resolution and signing by botocore."""

import os
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.exceptions
import botocore.httpsession

from locustfiles.common.transport.connect import Origin
from locustfiles.common.transport.header_lines import check
from locustfiles.common.transport.proxy import proxy_for
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import redact
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import OpenAITarget, Target

#: service -> (boto3 client name, SigV4 signing name)
SERVICES = {"bedrock": ("bedrock-runtime", "bedrock"), "sagemaker": ("sagemaker-runtime", "sagemaker")}

#: what botocore raises where credentials cannot be had or refreshed. RuntimeError: what came was expired too;
#: OSError, ValueError: a credential_process or a token's file that is not there or holds something else
UNSIGNED = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, RuntimeError, OSError, ValueError)


class NoCredentials(BadInput):
    """No AWS credentials in any of boto3's usual places."""


class AwsSession:
    """One boto3 session per process. Raises NoCredentials, or BadInput for an endpoint that is no URL."""

    def __init__(self, scenario: Scenario) -> None:
        self._region = scenario.region
        self._endpoint_url = scenario.endpoint_url
        self._bearer = os.environ.get("AWS_BEARER_TOKEN_BEDROCK", "").strip()
        self._boto3 = scenario.transport == "boto3"
        self._bases: dict[tuple[str, str | None], urllib.parse.SplitResult] = {}
        self._origins: dict[urllib.parse.SplitResult, Origin] = {}
        self.ca_file = os.environ.get("AWS_CA_BUNDLE") or botocore.httpsession.get_cert_path(True)
        try:  # the session too: it fails for an AWS_PROFILE that does not exist
            self.boto3 = boto3.Session(region_name=scenario.region)
            self._credentials = self.boto3.get_credentials()
        except UNSIGNED as e:
            raise NoCredentials(
                f"AWS credentials: cannot be used: {redact(str(e))}; check AWS_PROFILE and where it takes them from"
            ) from None
        for target in scenario.targets:
            if isinstance(target, OpenAITarget):
                _check_key(target.api_key_env)
        _check_key("AWS_BEARER_TOKEN_BEDROCK")
        signed = {t.service for t in scenario.targets} - {"openai"} - ({"bedrock"} if self._bearer else set())
        if self._credentials is None and signed:
            raise NoCredentials(
                "AWS credentials: none found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or sign in with `aws sso login`"
            )

    def _base(self, target: Target) -> urllib.parse.SplitResult:
        """The service endpoint as boto3 resolves it: the scenario's, AWS_ENDPOINT_URL_*, profile, region."""
        if isinstance(target, OpenAITarget):
            return urllib.parse.urlsplit(target.base_url)
        url = target.endpoint_url or self._endpoint_url
        key = (target.service, url)
        if key not in self._bases:
            try:
                client = self.boto3.client(
                    SERVICES[target.service][0],
                    endpoint_url=url,
                    # the keys are not used: a client of boto3's would look for its own
                    aws_access_key_id="unused",
                    aws_secret_access_key="unused",
                )
                base = urllib.parse.urlsplit(client.meta.endpoint_url)
                # a bad port raises ValueError
                if base.scheme not in ("http", "https") or not base.hostname or base.port == 0:
                    raise ValueError(f"{client.meta.endpoint_url} is no http or https URL")
            except (ValueError, botocore.exceptions.BotoCoreError) as e:
                raise BadInput(
                    f"target `{target.name}`: no endpoint: {redact(str(e))}; check `endpoint_url` and `region`"
                ) from None
            self._bases[key] = base
        return self._bases[key]

    def origin(self, target: Target) -> Origin:
        """Where the target's requests go, and through which proxy: the environment is read once. Raises BadInput."""
        base = self._base(target)
        if base not in self._origins:
            try:
                proxy = proxy_for(base.geturl(), secure=self._boto3)
            except BadInput as e:
                raise BadInput(f"target `{target.name}`: {e}") from None
            self._origins[base] = Origin(
                base.scheme, base.hostname or "", base.port or (443 if base.scheme == "https" else 80), proxy
            )
        return self._origins[base]

    def request(self, target: Target, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """A signed HTTP/1.1 request, ready to be sent. `path` is URL-quoted already.

        A proxy before an http endpoint reads the whole URL in the first line, and its own header; neither is signed.
        """
        base = self._base(target)
        path = base.path.rstrip("/") + path
        signed = botocore.awsrequest.AWSRequest(
            method="POST", url=f"{base.scheme}://{base.netloc}{path}", headers=headers, data=body
        )
        if isinstance(target, OpenAITarget):
            if key := os.environ.get(target.api_key_env, "").strip():
                signed.headers["Authorization"] = f"Bearer {key}"
        elif self._bearer and target.service == "bedrock":
            signed.headers["Authorization"] = f"Bearer {self._bearer}"
        else:
            frozen = self._credentials.get_frozen_credentials()
            botocore.auth.SigV4Auth(frozen, SERVICES[target.service][1], self._region).add_auth(signed)
        proxy = self.origin(target).proxy if base.scheme == "http" else None
        place = f"http://{_host(base)}{path}" if proxy else path
        lines = [f"POST {place} HTTP/1.1", f"Host: {_host(base)}", f"Content-Length: {len(body)}"]
        if proxy and proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        check(signed.headers)
        lines += [f"{name}: {value}" for name, value in signed.headers.items()]
        return "\r\n".join([*lines, "User-Agent: swarmledger", "", ""]).encode() + body


def _check_key(variable: str) -> None:
    """Raises NoCredentials for a key that no header can hold."""
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise NoCredentials(
            f"{variable}: holds a line break or other characters that no key has; set it to the key alone"
        )


def _host(base: urllib.parse.SplitResult) -> str:
    """The Host header that botocore signs: lower case, without a default port."""
    host = base.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}[base.scheme]
    return host if base.port in (None, default) else f"{host}:{base.port}"
