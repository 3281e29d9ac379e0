"""What has the form of a key is refused in a scenario and blanked in messages; what only looks long is not."""

import pytest

from locustfiles.contract.keys import kind_of_key, redact

#: made up: each has the form of its kind
KEYS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ASIA" + "IOSFODNN7EXAMPLE",
    "ABSK" + "QmVkcm9ja0FQSUtleS1hYmNkLWF0LTEyMzQ1Njc4OTAx",
    "bedrock-api-key-" + "YmVkcm9jay5hbWF6b25hd3MuY29t",
    "sagemaker-api-key-" + "c2FnZW1ha2VyLmFtYXpvbmF3cy5jb20v",
    "sk-" + "abcdefghijklmnopqrstuvwxyz123456",
    "sk-ant-api03-" + "AbC1_dEf-gHi2jklmnopqrstuv",
    "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEF12",
    "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "Bearer " + "abcdef1234567890xyz",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.abc_def-123",
    "-----BEGIN RSA PRIVATE " + "KEY-----",
    "aws_secret_access_key=" + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "api_key=" + "abcd1234efgh",
    "https://user:" + "passw0rd@host/v1",
]
NO_KEYS = [
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",  # a hash
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==",
    "huggingface-pytorch-tgi-inference:2.3.0-tgi2.2.0-gpu-py310-cu121-ubuntu22.04-v2.0",
    "task-1234567890abcdef1234",
    "sk-learn-model-v2-something",
    "hf_embedding_model_for_retrieval",
    "<|endoftext|>",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_known_and_blanked(key):
    assert kind_of_key(f"before {key} after")
    secret = key.split()[-1].split("=")[-1].removeprefix("https://user:").removesuffix("@host/v1")
    assert secret not in redact(f"it says {key}")


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_only_long_is_no_key(text):
    assert kind_of_key(text) is None
    assert redact(text) == text


def test_a_name_can_tell_a_key():
    assert kind_of_key("hunter2hunter2", "password") and kind_of_key("abcdefgh", "api_key")
    assert kind_of_key("OPENAI_API_KEY", "api_key_env") is None
    assert kind_of_key("</s>", "eos_token") is None and kind_of_key("512", "max_tokens") is None


def test_what_a_credential_process_prints_is_blanked():
    said = 'from custom-process: {"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"} password=hunter2'
    assert "wJalr" not in redact(said) and "hunter2" not in redact(said) and "custom-process" in redact(said)
    assert "wJalr" not in redact("denied: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
