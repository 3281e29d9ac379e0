"""Why an endpoint or a component failed, in a line with what to do about it."""

import re

from locustfiles.contract.keys import redact

#: what FailureReason says -> what to do; the first that fits
_REMEDIES = (
    (r"InsufficientInstanceCapacity|insufficient capacity|provision requested ML compute capacity",
     "AWS has none of these instances just now: try another `instance_type:`, another region, or later"),
    (r"service limit|ResourceLimitExceeded|quota",
     "the account's quota is used up: ask for more in Service Quotas (`… for endpoint usage`), or take another `instance_type:`"),
    (r"health check|\bping\b",
     "the container did not become ready: see its log in CloudWatch, {log}; a large model needs `timeouts: {{health_check_s: 3600}}`"),
    (r"images? .*(exist|access|permission)|CannotPullContainer|pull (the )?image|ECR",
     "check `image:`: its name, tag and region, and that the role may pull it"),
    (r"CannotStartContainer|serve'", "the image does not start: see its log in CloudWatch, {log}"),
    (r"[Dd]ownload|s3://|model data",
     "check `data.s3_uri:`, its region and the role's access; a large model needs `timeouts: {{download_s: 3600}}`"),
    (r"assume role|sts:AssumeRole|[Rr]ole ", "check `role:`: SageMaker must be allowed to assume it"),
    (r"memory|accelerator|[Rr]esource", "its instances have no room: fewer `copies:`, less `memory_mb:`, or a larger `instance_type:`"),
)  # fmt: skip


def remedy_of(reason: str, name: str) -> str:
    log = f"/aws/sagemaker/Endpoints/{name}"
    for form, remedy in _REMEDIES:
        if re.search(form, reason):
            return remedy.format(log=log)
    return f"see its log in CloudWatch, {log}, and try again"


def told(what: str, reason: str | None, name: str) -> str:
    """`endpoint chat: Failed: …; remedy`. name: the endpoint's, whose log it is."""
    said = redact(reason) or "AWS does not say why"
    return f"{what}: Failed: {said.rstrip('.')}; {remedy_of(reason or '', name)}"
