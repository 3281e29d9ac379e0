#!/usr/bin/env bash
# Guess: credentials given to boto3.client or boto3.Session in code go before everything in the environment.
# What happens: not for Bedrock. Where AWS_BEARER_TOKEN_BEDROCK is set, bedrock-runtime and bedrock sign with it and
#   leave the keys given in code unused. STS goes on with the keys, so get_caller_identity names one account and the
#   model is called from another. Config(signature_version="v4") brings the keys back.
# Versions: boto3 1.44.5, botocore 1.44.8.
# Why it matters: tools that talk to Bedrock have their users export that variable. A load test started from such a
#   shell, told which account to use and even having checked it, spends the other account's money, meets the other
#   account's quota and measures throttling that the tested account does not have.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check boto3==1.44.5 botocore==1.44.8

cat >probe.py <<'PY'
import io
import sys

import boto3
import urllib3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

KEYS = {"aws_access_key_id": "KEYSFROMCODE", "aws_secret_access_key": "example", "region_name": "us-east-1"}


def signed_with(service, call, **options):
    """The Authorization header of a call, which is answered here instead of being sent."""
    headers = []

    def answer(request, **_):
        value = request.headers["Authorization"]
        headers.append(value.decode() if isinstance(value, bytes) else value)
        body = b"<Answer><GetCallerIdentityResult/></Answer>" if service == "sts" else b"{}"
        return AWSResponse(request.url, 200, {}, urllib3.HTTPResponse(io.BytesIO(body), preload_content=False))

    client = boto3.Session(**KEYS).client(service, **options)
    client.meta.events.register("before-send", answer)
    call(client)
    print(f"{service:16} {'signature_version=v4' if options else '':21} {headers[0][:47]}")
    return headers[0]


def converse(client):
    client.converse(modelId="example", messages=[{"role": "user", "content": [{"text": "Hello?"}]}])


plain = signed_with("bedrock-runtime", converse)
control = signed_with("bedrock", lambda client: client.list_foundation_models())
sts = signed_with("sts", lambda client: client.get_caller_identity())
told = signed_with("bedrock-runtime", converse, config=Config(signature_version="v4"))
token = "Bearer token-of-another-account"
if (plain, control) != (token, token) or "KEYSFROMCODE" not in sts or "KEYSFROMCODE" not in told:
    sys.exit("changed: keys given in code are no longer set aside for the environment's bearer token")
PY
AWS_BEARER_TOKEN_BEDROCK=token-of-another-account venv/bin/python probe.py
