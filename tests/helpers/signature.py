"""A request's first line and headers, and its SigV4 signature made anew from the bytes on the wire."""

import hashlib
import hmac
import urllib.parse


def parts(request: bytes) -> tuple[bytes, dict[str, str]]:
    lines = request.split(b"\r\n\r\n")[0].decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert len({h.lower() for h in headers}) == len(lines) - 1  # none stands twice
    return lines[0].encode(), {name.lower(): value for name, value in headers.items()}


def signature_of(line: str, headers: dict[str, str], body: bytes, secret: str) -> str:
    """SigV4 as in the AWS General Reference: the path is quoted once more, every signed header is as received."""
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
    path = urllib.parse.quote(line.split(" ")[1], safe="/~-_.")
    canonical = "\n".join(
        [
            "POST",
            path,
            "",
            *(f"{n}:{' '.join(headers[n].split())}" for n in names.split(";")),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = headers["authorization"].split("Credential=")[1].split(",")[0].split("/", 1)[1]
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
