"""How a command asks AWS's services: with patience where they throttle, and with what to do where they cannot be asked at all."""

import os
import typing


def patient(attempts: int) -> typing.Any:
    """botocore's Config: so many attempts in all, unless AWS_MAX_ATTEMPTS says how many; an answer within 60 s."""
    import botocore.config

    retries = (
        {} if os.environ.get("AWS_MAX_ATTEMPTS") else {"retries": {"mode": "standard", "total_max_attempts": attempts}}
    )
    return botocore.config.Config(connect_timeout=10, read_timeout=60, **retries)


def remedy(e: Exception, variable: str) -> str:
    """What to do about one of botocore's own errors. variable: that of the service's address."""
    kind = type(e).__name__
    if "Credential" in kind or "Profile" in kind or "Token" in kind or "SSO" in kind:
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in"
    if "Connect" in kind or "Timeout" in kind or "SSL" in kind or "Proxy" in kind:
        return f"check the network, the proxy and {variable}"
    return "check the AWS configuration"
