"""A scripted server on a real socket, in a thread of the operating system: `with serving(script) as server: server.port`."""

import contextlib
import dataclasses
import datetime
import ipaddress
import pathlib
import socket
import ssl
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gevent.monkey import get_original

from tests.helpers.patience import thread_ends

RealThread = get_original("threading", "Thread")
RealSocket = get_original("socket", "socket")
sleep = get_original("time", "sleep")


@dataclasses.dataclass
class Server:
    port: int
    connections: int = 0
    requests: list[bytes] = dataclasses.field(default_factory=list)


def receive(connection) -> bytes:
    """One request, of the Content-Length that it states, if any; empty when the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(*pieces: bytes | float | str, close: bool = False):
    """A script: for every request the pieces in turn; a float is a pause in seconds, `drop` and `reset` end the connection."""

    def script(connection, server):
        while request := receive(connection):
            server.requests.append(request)
            for piece in pieces:
                if piece == "drop":
                    return
                if piece == "reset":
                    sleep(0.02)  # an RST would overtake what was sent just before
                    return reset(connection)
                sleep(piece) if isinstance(piece, float) else connection.sendall(piece)
            if close:
                return

    return script


def in_turn(*answers: bytes | float):
    """A script: the n-th request of all connections gets the n-th answer; a float is a pause before the next one."""
    left = list(answers)

    def script(connection, server):
        while request := receive(connection):
            server.requests.append(request)
            while isinstance(left[0], float):
                sleep(left.pop(0))
            connection.sendall(left.pop(0))

    return script


def tunnelling(port: int, consent: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"):
    """A proxy's script: whatever the CONNECT asks for, the tunnel ends at `port` of this machine."""

    def pump(source, sink) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def script(connection, server):
        server.requests.append(receive(connection))
        connection.sendall(consent)
        with RealSocket(socket.AF_INET, socket.SOCK_STREAM) as onward:
            onward.connect(("127.0.0.1", port))
            back = RealThread(target=pump, args=(onward, connection), daemon=True)
            back.start()
            pump(connection, onward)
            back.join(5)

    return script


def reset(connection) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextlib.contextmanager
def full():
    """An address whose backlog is full: the kernel lets further connections wait."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


@contextlib.contextmanager
def serving(script, tls: ssl.SSLContext | None = None):
    """Call `script(connection, server)` for every connection, each in its own thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])

    def talk(connection) -> None:
        with contextlib.suppress(OSError), connection:
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            script(connection, server)
        thread_ends()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            RealThread(target=talk, args=(connection,), daemon=True).start()

    RealThread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def certificate(folder: pathlib.Path, host: str = "127.0.0.1") -> tuple[pathlib.Path, ssl.SSLContext]:
    """A new CA's file and a server context with a certificate of that CA for `host`."""
    folder.mkdir(exist_ok=True)
    now, year = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=365)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's CA")])

    def begin(subject: x509.Name, public_key):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(public_key)
        return (
            builder.serial_number(x509.random_serial_number()).not_valid_before(now - year).not_valid_after(now + year)
        )

    ca = (
        begin(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(ca_key, hashes.SHA256())
    )
    try:
        name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        name = x509.DNSName(host)
    leaf = (
        begin(x509.Name([]), key.public_key())
        .add_extension(x509.SubjectAlternativeName([name]), True)
        .sign(ca_key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "leaf.pem").write_bytes(pem + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    return folder / "ca.pem", context
