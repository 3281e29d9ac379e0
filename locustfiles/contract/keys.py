"""What has the form of a key: refused in a scenario, blanked in messages.

Hashes in hexadecimal, ARNs, model ids and base64 of pictures have no such form.
"""

import re

#: kind -> form
_FORMS = {
    "an AWS access key": r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,}(?![a-z0-9])",
    "a Bedrock API key": r"(?<![A-Za-z0-9])(?:ABSK[A-Za-z0-9+/=]{30,}|bedrock-api-key-[A-Za-z0-9+/=]{16,})",
    "a SageMaker API key": r"(?<![A-Za-z0-9])sagemaker-api-key-[A-Za-z0-9+/=]{16,}",
    "an API key": r"(?<![A-Za-z0-9_-])(?:sk-(?=[A-Za-z_-]*[0-9])(?:[A-Za-z0-9]+[_-])*[A-Za-z0-9]{16,}[A-Za-z0-9_-]*"
    r"|sk-[A-Za-z0-9_-]{40,}|nvapi-[A-Za-z0-9_-]{30,}|gsk_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{35}|xai-[A-Za-z0-9]{40,})",
    "a Hugging Face token": r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{20,}",
    "a GitHub or GitLab token": r"(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,})",
    "a Slack token": r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a JSON web token": r"(?<![A-Za-z0-9_])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    "a private key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----",
    "a bearer token": r"(?i:bearer)[ \t]+(?=[A-Za-z0-9._~+/=-]*[0-9])[A-Za-z0-9._~+/=-]{16,}",
    "a user and password": r"(?i:basic)[ \t]+(?=[A-Za-z0-9+/]*[0-9=])[A-Za-z0-9+/]{12,}={0,2}|://[^/\s:@]+:[^/\s@]+@",
}
_NAMED = (
    r"(?i:\b(?:aws[_-]?)?(?:secret[_-]?access[_-]?key|secret[_-]?key|access[_-]?key|api[_-]?key|client[_-]?secret|password"
    r"|auth[_-]?token|access[_-]?token|session[_-]?token)[\"']?\s*[=:]\s*[\"']?)(?=[^\s\"',;&]*[0-9])[^\s\"',;&]{8,}"
)
_FORM = re.compile("|".join([*(f"(?P<k{n}>{form})" for n, form in enumerate(_FORMS.values())), f"(?P<named>{_NAMED})"]))
#: names whose value is a key whatever its form
_NAME = re.compile(
    r"(?i)(?:^|[_.-])(?:secret|passwd|password|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|credentials?"
    r"|auth[_-]?token|access[_-]?token|session[_-]?token|bearer[_-]?token|authorization)$"
)

_SECRETS = re.compile(
    r"(?i:basic)\s+[A-Za-z0-9+/=]{8,}"
    r"|(?i:(signature|credential|security-token|authorization|bearer|secret\w*)[\"']?\s*[=:]?\s*)['\"]?[A-Za-z0-9/+=_.-]{16,}"
    r"|(?i:(?:token|api.?key)[\"']?\s*[=:]\s*)[\"']?[A-Za-z0-9/+=_.-]{16,}"
    r"|(?i:(?:password|passwd)[\"']?\s*[=:]\s*)\S+"
    # an AWS secret alone: forty characters, small, large and a digit; no hash
    r"|(?<![A-Za-z0-9/+=])(?=[^a-z\s]*[a-z])(?=[^A-Z\s]*[A-Z])(?=[^0-9\s]*[0-9])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)

_MOST = 200  # characters of a message that are kept


def kind_of_key(text: str, name: str = "") -> str | None:
    """What kind of key `text` holds, None where it looks like none. name: the one under which it stands."""
    if found := _FORM.search(text):
        group = found.lastgroup or ""
        return "a key" if group == "named" else list(_FORMS)[int(group[1:])]
    if _NAME.search(name) and len(text) >= 8 and not re.search(r"\s", text):
        return "a key, by its name"
    return None


def redact(message: str | None) -> str | None:
    """A message of at most 200 characters on one line, with credentials and signatures blanked; one that was cut shows it."""
    if message is None:
        return None
    text = re.sub(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*-----|$)",
        "[redacted]",
        message,
        flags=re.DOTALL,
    )
    text = _FORM.sub("[redacted]", _SECRETS.sub("[redacted]", " ".join(text.split())))
    return (text if len(text) <= _MOST else f"{text[: _MOST - 1]}…") or None
