"""moto's S3, a server that nobody here wrote, and before it a front that writes down what is asked and fails on demand.

with moto() as url, Front(url) as front: front.fault = refused(503, "SlowDown")
"""

import collections.abc
import contextlib
import dataclasses
import functools
import http.client
import http.server
import pathlib
import subprocess
import sys
import threading
import typing
import urllib.parse

import botocore.session

from tests.helpers.locust_process import environment, free_port
from tests.helpers.patience import until

BUCKET = "load-tests"


@contextlib.contextmanager
def moto():
    """Its URL; an empty bucket BUCKET is there."""
    port = free_port()
    command = [pathlib.Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(port), lambda: "moto's server does not answer")
        client(url).create_bucket(Bucket=BUCKET)
        yield url
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


@functools.cache
def client(url: str):
    """Of anybody, to look at what is there."""
    session = botocore.session.get_session()
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret"}
    return session.create_client("s3", region_name="us-east-1", endpoint_url=url, **keys)


def objects(url: str, prefix: str) -> dict[str, bytes]:
    """Key below the prefix -> body."""
    s3 = client(url)
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])
    return {o["Key"][len(prefix) + 1 :]: s3.get_object(Bucket=BUCKET, Key=o["Key"])["Body"].read() for o in listed}


def joined(url: str, prefix: str) -> bytes:
    """requests.csv, of its blocks."""
    found = objects(url, prefix)
    return b"".join(found[key] for key in sorted(found) if key.startswith("requests/"))


@dataclasses.dataclass
class Asked:
    method: str
    key: str
    headers: http.client.HTTPMessage


class Answer(typing.NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


Fault = collections.abc.Callable[[Asked], Answer | str | None]


def refused(
    status: int, code: str, message: str = "as you wish", headers: typing.Sequence[tuple[str, str]] = (), more: str = ""
) -> Fault:
    """S3's own form of an error."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{more}<RequestId>1</RequestId></Error>'
    return lambda _: Answer(status, [("Content-Type", "application/xml"), *headers], text.encode())


def gone(_: Asked) -> str:
    """The connection ends without an answer, and nothing arrives."""
    return "cut"


def answer_lost(_: Asked) -> str:
    """The request arrives, its answer does not."""
    return "lost"


class Front(http.server.ThreadingHTTPServer):
    """`fault` of a request: an answer, `cut`, `lost`, or None to pass it on."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urllib.parse.urlsplit(url)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[Asked] = []
        self.fault: Fault | None = None
        self.dropped: set[str] = set()  # headers that are not passed on

    def __enter__(self) -> "Front":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that has left."""

    @property
    def written(self) -> list[str]:
        return [each.key for each in self.asked if each.method == "PUT"]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def _pass(self) -> None:
        asked = Asked(
            self.command, urllib.parse.unquote(self.path.partition("?")[0]).removeprefix(f"/{BUCKET}/"), self.headers
        )
        self.server.asked.append(asked)
        if self.headers.get("Expect") == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = self.server.fault(asked) if self.server.fault else None
        if isinstance(found, Answer):
            return self._answer(found)
        if found == "cut":
            self.close_connection = True
            return
        passed = http.client.HTTPConnection(self.server.behind.hostname, self.server.behind.port, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {"expect", *self.server.dropped}}
        passed.request(self.command, self.path, body, headers)
        response = passed.getresponse()
        kept = [
            (k, v)
            for k, v in response.getheaders()
            if k.lower() not in ("connection", "transfer-encoding", "content-length", "server")
        ]
        answer = Answer(response.status, kept, response.read())
        passed.close()
        if found == "lost":
            self.close_connection = True
            return
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else answer.body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass

    def log_message(self, *_: object) -> None:
        pass
