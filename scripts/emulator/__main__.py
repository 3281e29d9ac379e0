"""Command line of the local endpoint."""

import asyncio
import contextlib
import gc
import signal
import ssl
import sys

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.exit_codes import OK
from scripts.emulator import config
from scripts.emulator.connection import Connection
from scripts.emulator.engines.llama import EngineFailed
from scripts.emulator.service import Service
from scripts.emulator.sockets import Listener
from scripts.emulator.truth import Truth

_EXAMPLE = """example:
  python -m scripts.emulator --config configs/emulator/simulated.yaml --port 8800 --truth truth.jsonl
  export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:8800 AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://127.0.0.1:8800
  export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
  (OpenAI's routes: base URL http://127.0.0.1:8800/v1)

GET /-/stats tells how many requests there were, by status, and how late the endpoint's own sends are."""


def _arguments(argv):
    parser = Parser(
        prog="python -m scripts.emulator",
        description="A local endpoint that speaks the wire of the SageMaker and Bedrock runtimes and of OpenAI's routes.",
        epilog=_EXAMPLE,
    )
    parser.add_version()
    parser.add_argument("--config", required=True, help="endpoints, models, OpenAI models, engines, faults (YAML)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8800, help="port to listen on; 0 picks a free one (default: %(default)s)"
    )
    parser.add_argument("--truth", metavar="FILE", help="write one JSON line a request: arrival, sends, tokens, fault")
    parser.add_argument("--tls-cert", metavar="PEM", help="serve HTTPS with this certificate")
    parser.add_argument("--tls-key", metavar="PEM", help="its private key")
    return parser.parse_args(argv)


def _tls(args) -> ssl.SSLContext | None:
    """Raises BadInput."""
    if not args.tls_cert and not args.tls_key:
        return None
    if not (args.tls_cert and args.tls_key):
        raise BadInput(f"--tls-{'cert' if args.tls_cert else 'key'}: half of a pair; give --tls-cert and --tls-key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(args.tls_cert, args.tls_key)
    except (OSError, ssl.SSLError) as e:
        raise BadInput(
            f"--tls-cert {args.tls_cert}, --tls-key {args.tls_key}: cannot be used ({e}); "
            "give PEM files that belong together"
        ) from None
    context.set_alpn_protocols(Connection.versions())
    return context


def _truth(path: str | None) -> Truth:
    """Raises BadInput."""
    try:
        return Truth(path)
    except OSError as e:
        raise BadInput(f"--truth {path}: cannot be written ({e.strerror}); choose another file") from None


def _listen(args, service, connections, tls) -> Listener:
    """Raises BadInput."""
    try:
        return Listener(
            asyncio.get_running_loop(), args.host, args.port, tls, lambda: Connection(service.serve, connections)
        )
    except OSError as e:
        raise BadInput(
            f"--host {args.host} --port {args.port}: cannot listen ({e.strerror}); choose another, or 0 for a free one"
        ) from None


async def _run(args) -> None:
    settings, tls = config.load(args.config), _tls(args)
    truth = _truth(args.truth)
    service = Service(settings, truth)
    connections: set[Connection] = set()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        await service.start()
        listener = _listen(args, service, connections, tls)
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)  # a collection in mid-stream makes every stream late
        host = f"[{args.host}]" if ":" in args.host else args.host
        print(f"listening on {'https' if tls else 'http'}://{host}:{listener.port}", flush=True)
        while not ended.is_set():
            truth.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 1)
        listener.close()
        for connection in list(connections):
            connection.shutdown()
    finally:
        await service.stop()
        truth.close()


def main(argv=None) -> int:
    args = _arguments(argv)
    return ended(lambda: _serve(args))


def _serve(args) -> int:
    """Until a signal ends it. Raises BadInput."""
    try:
        asyncio.run(_run(args))
    except EngineFailed as e:
        raise BadInput(str(e)) from None
    return OK


if __name__ == "__main__":
    sys.exit(main())
