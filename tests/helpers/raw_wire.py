"""A client that shows the bytes: requests signed by botocore, sent over a plain socket, answers kept as they came."""

import dataclasses
import json
import socket
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY

TIMEOUT_S = 10
EXAMPLE = Credentials(EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY)


@dataclasses.dataclass
class RawAnswer:
    """`chunks` are the HTTP chunks, or the whole body as one. `complete`: the HTTP message came to its end.
    `reset`: it ended in RST."""

    status: int | None
    headers: dict[str, str]
    chunks: list[bytes]
    complete: bool
    reset: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def json(self):
        return json.loads(self.body)

    def frames(self) -> list:
        """The event-stream messages as botocore decodes them; raises its errors for a wrong checksum."""
        buffer = EventStreamBuffer()
        buffer.add_data(self.body)
        return list(buffer)


PATHS = {
    "InvokeEndpoint": ("sagemaker", "/endpoints/{}/invocations"),
    "InvokeEndpointWithResponseStream": ("sagemaker", "/endpoints/{}/invocations-response-stream"),
    "Converse": ("bedrock", "/model/{}/converse"),
    "ConverseStream": ("bedrock", "/model/{}/converse-stream"),
    "InvokeModel": ("bedrock", "/model/{}/invoke"),
    "InvokeModelWithResponseStream": ("bedrock", "/model/{}/invoke-with-response-stream"),
    "OpenAIChat": ("bedrock", "/openai/v1/chat/completions"),
}


def signed(
    url: str, operation: str, target: str, body: bytes, credentials=EXAMPLE, headers: dict | None = None
) -> tuple[str, dict]:
    """Path and headers of a request signed by botocore."""
    service, pattern = PATHS[operation]
    path = pattern.format(urllib.parse.quote(target, safe="-._~"))
    request = AWSRequest("POST", url + path, headers={"Content-Type": "application/json", **(headers or {})}, data=body)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    host = urllib.parse.urlsplit(url).netloc
    return path, {**dict(request.headers), "Host": host, "Content-Length": str(len(body))}


def send(url: str, operation: str, target: str, body, **signing) -> RawAnswer:
    """One request of an operation, signed, on a connection of its own."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path, headers = signed(url, operation, target, data, **signing)
    return post(url, path, headers, data)


def request_bytes(path: str, headers: dict, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
    return head.encode("latin-1") + body


def post(url: str, path: str, headers: dict, body: bytes) -> RawAnswer:
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), TIMEOUT_S) as sock:
        sock.sendall(request_bytes(path, headers, body))
        return read_answer(sock)


class _Ended(Exception):
    """The connection ended before the message did."""


class Reader:
    def __init__(self, sock):
        self._sock, self._data = sock, b""

    def _more(self) -> None:
        data = self._sock.recv(65536)
        if not data:
            raise _Ended
        self._data += data

    def until(self, mark: bytes) -> bytes:
        while mark not in self._data:
            self._more()
        line, _, self._data = self._data.partition(mark)
        return line

    def exactly(self, n: int) -> bytes:
        while len(self._data) < n:
            self._more()
        part, self._data = self._data[:n], self._data[n:]
        return part

    def rest(self) -> bytes:
        return self._data


def read_answer(sock) -> RawAnswer:
    """Read one HTTP/1.1 answer, whole or chunked, as far as it comes."""
    reader, answer = Reader(sock), RawAnswer(None, {}, [], False)
    try:
        lines = reader.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        answer.status = int(lines[0].split(" ")[1])
        answer.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        if answer.headers.get("transfer-encoding") == "chunked":
            while size := int(reader.until(b"\r\n"), 16):
                answer.chunks.append(reader.exactly(size + 2)[:-2])
            reader.exactly(2)
        else:
            answer.chunks.append(reader.exactly(int(answer.headers["content-length"])))
        answer.complete = True
    except _Ended:
        answer.chunks.append(reader.rest())
    except ConnectionResetError:
        answer.chunks.append(reader.rest())
        answer.reset = True
    return answer
