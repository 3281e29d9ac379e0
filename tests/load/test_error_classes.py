"""The class of an error from what the service said, what it bills, and messages without secrets."""

import pytest

from locustfiles.contract.error_classes import UNBILLED, ErrorClass, classify, type_name
from locustfiles.contract.keys import redact


@pytest.mark.parametrize(
    ("exception_type", "status", "expected"),
    [
        ("ThrottlingException", 429, "throttled"),
        ("TooManyRequestsException", 429, "throttled"),
        ("ServiceQuotaExceededException", 400, "throttled"),
        (None, 429, "throttled"),
        ("throttlingException", None, "throttled"),  # inside a stream names begin small and there is no status
        ("ModelNotReadyException", 429, "not_ready"),
        ("ModelTimeoutException", 408, "model_timeout"),
        (None, 408, "model_timeout"),
        ("ModelErrorException", 424, "model_error"),
        ("ModelError", 424, "model_error"),
        ("ModelError", 500, "model_error"),
        ("modelStreamErrorException", None, "model_error"),
        (None, 424, "model_error"),
        ("ServiceUnavailableException", 503, "unavailable"),
        ("ServiceUnavailable", 503, "unavailable"),
        (None, 503, "unavailable"),
        ("InternalServerException", 500, "server"),
        ("InternalFailure", 500, "server"),
        ("InternalDependencyException", 530, "server"),
        ("InternalStreamFailure", None, "server"),
        (None, 502, "server"),
        ("ValidationException", 400, "client"),
        ("ResourceNotFoundException", 404, "client"),
        (None, 422, "client"),
        ("AccessDeniedException", 403, "auth"),
        ("UnrecognizedClientException", 403, "auth"),
        ("ExpiredTokenException", 400, "auth"),  # the type goes before the status
        (None, 401, "auth"),
        (None, 403, "auth"),
        ("NewException", 429, "throttled"),  # a name that nobody knows leaves it to the status
        ("NewException", 418, "client"),
        ("newException", None, "model_error"),  # in a stream: the model's stream failed
        (None, None, "bad_response"),
        ("", 500, "server"),
        ("ThrottlingException:http://internal.amazon.com/coral/", 429, "throttled"),
        ("com.amazonaws.bedrock#ModelNotReadyException", 429, "not_ready"),
    ],
)
def test_the_exception_type_decides_before_the_status(exception_type, status, expected):
    assert classify(exception_type, status) == expected


def test_a_types_bare_name_is_what_counts():
    assert type_name("a.b#Name:http://x") == "Name"
    assert type_name(" Name ") == "Name"
    assert type_name("") is type_name(None) is type_name(":") is None


def test_what_bills_nothing_is_what_never_reached_the_model():
    assert {"throttled", "not_ready", "auth", "client", "connect", "unavailable"} == UNBILLED
    assert ErrorClass.MODEL_TIMEOUT not in UNBILLED


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize(
    "text",
    [
        "Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1",
        "the key ASIAIOSFODNN7EXAMPLE is unknown",
        f"secret: {SECRET}",
        f"SecretAccessKey='{SECRET}'",
        f"X-Amz-Security-Token={SECRET}{SECRET}==",
        "Signature=" + "0f" * 32,
        f"Authorization: Bearer {SECRET}",
    ],
)
def test_credentials_are_blanked_in_messages(text):
    shown = redact(text)
    assert "[redacted]" in shown
    assert (
        "AKIAIOSFODNN7EXAMPLE" not in shown
        and "ASIAIOSFODNN7EXAMPLE" not in shown
        and SECRET not in shown
        and "0f0f0f" not in shown
    )


def test_a_message_is_one_line_of_at_most_200_characters():
    assert redact(None) is redact("") is redact(" \n ") is None
    assert redact("a\n b\t c") == "a b c"
    assert redact("ab " * 100) == ("ab " * 100)[:199] + "…"
    assert redact("Model is not ready for inference. Wait and try your request again.") == (
        "Model is not ready for inference. Wait and try your request again."
    )


def test_a_secret_that_the_cut_would_split_is_blanked_first():
    assert SECRET[:10] not in redact("x" * 170 + " secret=" + SECRET)
