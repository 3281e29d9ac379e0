"""Command line of the local endpoint."""

import asyncio
import contextlib
import gc
import pathlib
import signal
import ssl
import sys

import yaml

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.scenario.scenario import Scenario, load_scenario
from scripts.emulator import config, served
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

  python -m scripts.emulator --scenario configs/bedrock-claude.yaml --port 8800
  (serves the targets of a scenario at plausible speeds, and says how to run the scenario against them)

GET /-/stats tells how many requests there were, by status, and how late the endpoint's own sends are."""


def _arguments(argv):
    parser = Parser(
        prog="python -m scripts.emulator",
        description="A local endpoint that speaks the wire of the SageMaker and Bedrock runtimes and of OpenAI's routes.",
        epilog=_EXAMPLE,
    )
    parser.add_version()
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--config", metavar="FILE", help="endpoints, models, OpenAI models, engines, faults (YAML)")
    source.add_argument("--scenario", metavar="FILE", help="a scenario: serve what its targets name (YAML)")
    parser.add_argument(
        "--ttft-ms", type=_number, metavar="MS", help="of --scenario: first token of every answer, whatever the load"
    )
    parser.add_argument(
        "--tokens-per-second", type=_number, metavar="N", help="of --scenario: from then on; else by size and instance"
    )
    parser.add_argument(
        "--write-config", metavar="FILE", help="of --scenario: write it as a configuration for --config, and end"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=int,
        help="port to listen on; 0 picks a free one (default: 8800, or those that the scenario names)",
    )
    parser.add_argument(
        "--share-port",
        action="store_true",
        help="several processes may listen on the port, all with this option: each connection goes to one of them",
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


def _number(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise ValueError(text)
    return value


def _settings(args) -> tuple[config.Config, Scenario | None]:
    """The configuration, and the scenario that it was made of. Raises BadInput."""
    if args.config:
        for option in ("ttft_ms", "tokens_per_second", "write_config"):
            if getattr(args, option) is not None:
                raise BadInput(f"--{option.replace('_', '-')}: belongs to --scenario; remove it")
        return config.load(args.config), None
    scenario = load_scenario(args.scenario)
    return served.config_of(args.scenario, scenario, args.ttft_ms, args.tokens_per_second), scenario


def _ports(args, scenario: Scenario | None) -> list[int]:
    named = served.ports_of(scenario) if scenario is not None and not args.tls_cert else []
    return named or [8800] if args.port is None else [args.port]


def _listen(args, port: int, service, connections, tls) -> Listener:
    """Raises BadInput."""
    try:
        loop = asyncio.get_running_loop()
        return Listener(loop, args.host, port, args.share_port, tls, lambda: Connection(service.serve, connections))
    except OSError as e:
        raise BadInput(
            f"--host {args.host} --port {port}: cannot listen ({e.strerror}); choose another, or 0 for a free one"
        ) from None


async def _run(args) -> None:
    (settings, scenario), tls = _settings(args), _tls(args)
    truth = _truth(args.truth)
    service = Service(settings, truth)
    connections: set[Connection] = set()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    try:
        await service.start()
        listeners = [_listen(args, port, service, connections, tls) for port in _ports(args, scenario)]
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)  # a collection in mid-stream makes every stream late
        host = f"[{args.host}]" if ":" in args.host else args.host
        url = f"{'https' if tls else 'http'}://{host}:{listeners[0].port}"
        ports = [listener.port for listener in listeners]
        print(f"listening on {url}", *ports[1:], sep=", and on port ")
        print(*(served.told(args.scenario, scenario, settings, url, ports) if scenario else ()), sep="\n", flush=True)
        while not ended.is_set():
            if lines := truth.take():
                await loop.run_in_executor(None, truth.write, lines)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 1)
        for listener in listeners:
            listener.close()
        for connection in list(connections):
            connection.shutdown()
    finally:
        await service.stop()
        truth.close()


def main(argv=None) -> int:
    args = _arguments(argv)
    return ended(lambda: _written(args) if args.write_config and args.scenario else _serve(args))


def _written(args) -> int:
    """Raises BadInput."""
    settings, _ = _settings(args)
    text = yaml.safe_dump(settings.model_dump(mode="json", exclude_defaults=True), sort_keys=False)
    try:
        pathlib.Path(args.write_config).write_text(text, encoding="utf-8")
    except OSError as e:
        raise BadInput(
            f"--write-config {args.write_config}: cannot be written ({e.strerror}); choose another"
        ) from None
    print(f"written: {args.write_config}; python -m scripts.emulator --config {args.write_config} serves it")
    return OK


def _serve(args) -> int:
    """Until a signal ends it. Raises BadInput."""
    try:
        asyncio.run(_run(args))
    except EngineFailed as e:
        raise BadInput(str(e)) from None
    return OK


if __name__ == "__main__":
    sys.exit(main())
