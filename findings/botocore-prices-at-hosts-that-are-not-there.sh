#!/usr/bin/env bash
# Guess: boto3.client("pricing") in one's own region asks AWS's Price List API about that region, or refuses the region at once.
# What happens: the API is in a few regions only, which botocore lists; a client for any other is made without a word and for a
#   host that the list does not have (api.pricing.eu-west-2.amazonaws.com). The call then fails as a network would, after its
#   retries ("Could not connect to the endpoint URL"), and not as a service that is not offered there.
# Versions: boto3 1.44.5, botocore 1.44.8.
# Why it matters: who keeps a load test's prices up to date with the region of the test in AWS_REGION looks for a mistake in the
#   network or the proxy. The region of the prices is a filter (regionCode); the client's own must be one of the list.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check boto3==1.44.5 botocore==1.44.8

cat >probe.py <<'PY'
import sys

import boto3

session = boto3.session.Session()
listed = session.get_available_regions("pricing")
elsewhere = session.client("pricing", region_name="eu-west-2", aws_access_key_id="example", aws_secret_access_key="example")
print("listed:", ", ".join(listed))
print("a client for eu-west-2:", elsewhere.meta.endpoint_url)
if "eu-west-2" in listed or "eu-west-2" not in elsewhere.meta.endpoint_url:
    sys.exit("changed: a client for a region without the API is refused, or sent to one that has it")
PY
env -u AWS_ENDPOINT_URL -u AWS_ENDPOINT_URL_PRICING venv/bin/python probe.py
