"""What the control plane refuses, in SageMaker's words. Its protocol is JSON 1.1: status 400, and the code in the body."""

import re

from scripts.emulator.errors import AwsError


def throttled() -> AwsError:
    return AwsError(400, "ThrottlingException", "Rate exceeded")


def broken() -> AwsError:
    return AwsError(500, "InternalFailure", "The request processing has failed because of an unknown error.")


def refused(message: str) -> AwsError:
    return AwsError(400, "ValidationException", message)


def unknown(words: str, arn: str) -> AwsError:
    return refused(f'Could not find {words} "{arn}".')


def exists(words: str, arn: str) -> AwsError:
    return refused(f'Cannot create already existing {words} "{arn}".')


def in_progress(words: str, arn: str) -> AwsError:
    """Of what is Creating, Updating or Deleting: it can neither be updated nor deleted."""
    return refused(f'Cannot update in-progress {words} "{arn}".')


def has_components() -> AwsError:
    return refused(
        "Cannot delete endpoint with inference component associated. Please delete inference component and try it again."
    )


def beyond_quota(instance_type: str, limit: int, used: int, asked: int) -> AwsError:
    return AwsError(
        400,
        "ResourceLimitExceeded",
        f"The account-level service limit '{instance_type} for endpoint usage' is {limit} Instances, with current utilization "
        f"of {used} Instances and a request delta of {asked} Instances. Please use AWS Service Quotas to request an increase "
        "for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.",
    )


def denied(operation: str, region: str, account: str) -> AwsError:
    return AwsError(
        400,
        "AccessDeniedException",
        f"User: arn:aws:iam::{account}:user/example is not authorized to perform: sagemaker:{operation} on resource: "
        f"arn:aws:sagemaker:{region}:{account}:* because no identity-based policy allows the sagemaker:{operation} action",
    )


def unreadable() -> AwsError:
    return AwsError(400, "SerializationException", "Start of structure or map found where not expected.")


def lowered(message: str) -> str:
    """The places of a violation as SageMaker spells them: `productionVariants.1.member.instanceType`."""

    def place(found: re.Match) -> str:
        return "at '" + ".".join(part[:1].lower() + part[1:] for part in found[1].split(".")) + "'"

    return re.sub(r"at '([^']+)'", place, message)
