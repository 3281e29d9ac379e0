"""What went wrong with S3, in one line: what it is, and the remedy. Keys, signatures and addresses of the network are not in it."""

import typing

import botocore.exceptions

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import redact
from locustfiles.contract.s3.address import Address
from locustfiles.contract.s3.operations import ACTIONS

Kind = typing.Literal[
    "bucket", "permission", "key", "region", "credentials", "busy", "network", "absent", "conflict", "taken", "other"
]
_CREDENTIALS = (
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch",
    "TokenRefreshRequired", "RequestTimeTooSkewed", "InvalidClientTokenId", "UnrecognizedClientException",
)  # fmt: skip
_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301")
_BUSY = ("SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "RequestTimeout")
_ABSENT = ("NoSuchKey", "NotFound", "404")
_CONFLICT = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class S3Fault(BadInput):
    """S3 did not do what was asked. `what` alone is for a run that goes on, the whole text for one that cannot begin."""

    def __init__(self, address: Address, kind: Kind, what: str, remedy: str) -> None:
        super().__init__(f"{address}: {what}; {remedy}")
        self.kind, self.what, self.remedy = kind, what, remedy


def fault(e: Exception, address: Address, method: str) -> S3Fault:
    """Of what botocore raised when `method` of its client was called."""
    if isinstance(e, botocore.exceptions.ClientError):
        return _answered(e, address, method)
    if isinstance(
        e,
        botocore.exceptions.NoCredentialsError
        | botocore.exceptions.PartialCredentialsError
        | botocore.exceptions.CredentialRetrievalError
        | botocore.exceptions.TokenRetrievalError
        | botocore.exceptions.UnauthorizedSSOTokenError
        | botocore.exceptions.SSOError
        | botocore.exceptions.ProfileNotFound
        | RuntimeError,  # credentials that were refreshed and are expired still
    ):
        return S3Fault(address, "credentials", f"no AWS credentials to be had ({_told(e)})", _SIGN_IN)
    if isinstance(e, botocore.exceptions.ConnectionError | botocore.exceptions.HTTPClientError | OSError):
        return S3Fault(address, "network", f"S3 cannot be reached ({type(e).__name__})", _REACH)
    return S3Fault(
        address, "other", f"S3 cannot be asked ({_told(e)})", "check AWS_ENDPOINT_URL_S3, the profile and the region"
    )


_SIGN_IN = "renew them (AWS_PROFILE, aws sso login, the role of the machine or pod)"
_REACH = "check the network, AWS_ENDPOINT_URL_S3 and the proxy"


def _answered(e: botocore.exceptions.ClientError, address: Address, method: str) -> S3Fault:
    told, about = e.response.get("Error", {}), e.response.get("ResponseMetadata", {})
    code, status = str(told.get("Code", "")), about.get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return S3Fault(address, "bucket", f"there is no bucket `{address.bucket}`", "create it, or give another one")
    if code in _CREDENTIALS:
        return S3Fault(address, "credentials", f"S3 does not take the credentials ({code})", _SIGN_IN)
    if code in _REGION or status == 301:
        region = about.get("HTTPHeaders", {}).get("x-amz-bucket-region") or told.get("Region")
        there = f"is in {region}" if region else "is in another region"
        return S3Fault(address, "region", f"the bucket {there} ({code})", f"set AWS_DEFAULT_REGION={region or 'to it'}")
    if code.startswith("KMS.") or "kms:" in str(told.get("Message", "")).lower():
        remedy = "check the key, and that kms:GenerateDataKey and kms:Decrypt are allowed on it"
        return S3Fault(address, "key", f"the KMS key cannot be used ({code})", remedy)
    if status == 403 or code in ("AccessDenied", "AllAccessDisabled"):
        action = ACTIONS.get(method, method)
        # without the second S3 says so of what is not there, too
        also = " and s3:ListBucket on the bucket" if method == "get_object" else ""
        remedy = f"allow {action} on it{also} to this role"
        return S3Fault(address, "permission", f"{action} is not allowed ({code})", remedy)
    if code in _ABSENT:
        return S3Fault(address, "absent", "it is not there", "give another address")
    if code in _CONFLICT or status in (409, 412):
        return S3Fault(
            address, "conflict", "somebody else has written it meanwhile", "give each run an address of its own"
        )
    if code in _BUSY or status in (429, 500, 502, 503, 504):
        return S3Fault(address, "busy", f"S3 asks to go slower ({code or status})", "try again in a while")
    if status == 501:
        return S3Fault(
            address, "other", "the server knows no conditional writes", "use one that has If-None-Match and If-Match"
        )
    return S3Fault(address, "other", f"S3 refuses {method} ({code or status}: {_told(e)})", "see what it says")


def _told(e: Exception) -> str:
    return redact(str(e)) or type(e).__name__
