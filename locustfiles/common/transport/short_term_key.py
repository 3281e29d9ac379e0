"""Short-term API keys of Bedrock and SageMaker: a presigned request in base64, made of AWS credentials without a call of any service.

The form is that of AWS's own generators (https://github.com/aws/aws-bedrock-token-generator-python, `sagemaker.core.token_generator`).
A key ends with the credentials that it was made of, twelve hours after it was made at the latest.
"""

import base64
import time
import typing

import botocore.auth
import botocore.awsrequest

LASTS_S = 3600
RENEWED_S = LASTS_S / 2  # before its end by far: a request may wait, and clocks differ


class ShortTermKey:
    """The key of one service and region, made anew when its credentials are, or half of its time is over."""

    def __init__(self, service: str, region: str) -> None:
        """service: bedrock or sagemaker."""
        self._service, self._region = service, region
        self._of: object = None  # the credentials that it was made of
        self._made_at = 0.0  # monotonic
        self._key = ""

    def of(self, credentials: typing.Any) -> str:
        """credentials: as botocore freezes them."""
        now = time.monotonic()
        if credentials != self._of or now - self._made_at > RENEWED_S:
            self._key, self._of, self._made_at = self._made(credentials), credentials, now
        return self._key

    def _made(self, credentials: typing.Any) -> str:
        host = f"{self._service}.amazonaws.com"
        asks = {"Action": "CallWithBearerToken"}
        request = botocore.awsrequest.AWSRequest("POST", f"https://{host}/", {"host": host}, params=asks)
        botocore.auth.SigV4QueryAuth(credentials, self._service, self._region, expires=LASTS_S).add_auth(request)
        text = request.url.removeprefix("https://") + "&Version=1"
        return f"{self._service}-api-key-{base64.b64encode(text.encode()).decode()}"
