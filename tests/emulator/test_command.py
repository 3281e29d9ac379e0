"""The command: what it prints, how it ends, what bad input gets."""

import json
import signal
import socket
import ssl
import subprocess
import sys

import pytest
import yaml

from locustfiles.contract import exit_codes
from locustfiles.contract.bad_input import BadInput
from scripts.emulator.config import load
from tests.helpers import bodies, raw_wire
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.patience import LONGEST_S

GOOD = {
    "engines": {"e": {"kind": "timed", "ttft_ms": 1, "tokens_per_second": 1000}},
    "endpoints": {"tgi": {"engine": "e"}},
}


def _run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "scripts.emulator", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )


@pytest.mark.parametrize("path", sorted((ROOT / "configs/emulator").glob("*.yaml")), ids=lambda p: p.name)
def test_every_example_configuration_is_valid(path):
    assert load(path).engines


def test_help_has_an_example_and_codes_are_the_products():
    done = _run("--help")
    assert done.returncode == exit_codes.OK
    assert "python -m scripts.emulator --config configs/emulator/simulated.yaml --port 8800" in done.stdout
    assert _run("--port", "1").returncode == exit_codes.BAD_INPUT


BAD = {
    "unknown key": ({**GOOD, "endpoint": {}}, "endpoint: unknown key `endpoint`; did you mean `endpoints`?"),
    "unknown engine": (
        {**GOOD, "endpoints": {"tgi": {"engine": "x"}}},
        "endpoints.tgi.engine: no engine `x`; one of e",
    ),
    "unknown fault": (
        {**GOOD, "endpoints": {"tgi": {"engine": "e", "faults": {"drips": 0.1}}}},
        "unknown fault `drips`",
    ),
    "shares above one": (
        {**GOOD, "endpoints": {"tgi": {"engine": "e", "faults": {"drop": 0.6, "client": 0.6}}}},
        "add up to more than 1",
    ),
    "wrong type": (
        {**GOOD, "engines": {"e": {"kind": "timed", "ttft_ms": "fast", "tokens_per_second": 1}}},
        "engines.e.ttft_ms: input should be a valid number",
    ),
    "unknown dialect": ({**GOOD, "endpoints": {"tgi": {"engine": "e", "dialect": "vllm"}}}, "endpoints.tgi.dialect"),
    "no target": ({"engines": GOOD["engines"]}, "name at least one"),
    "missing file": (
        {**GOOD, "engines": {"e": {**GOOD["engines"]["e"], "tokenizer": "nowhere.json"}}},
        "engines.e.tokenizer: no file nowhere.json",
    ),
    "incomplete output": (
        {**GOOD, "engines": {"e": {**GOOD["engines"]["e"], "output": {"distribution": "uniform", "low": 1}}}},
        "also needs `high:`",
    ),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_in_the_configuration_gets_one_line_with_its_place(tmp_path, mistake):
    config, text = BAD[mistake]
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(config))
    with pytest.raises(BadInput) as e:
        load(path)
    assert str(e.value).startswith(str(path)) and text in str(e.value) and "\n" not in str(e.value)


def test_bad_input_ends_the_command_with_one_line_and_code_1(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "region_name": "x"}))
    done = _run("--config", str(path))
    assert (done.returncode, done.stdout) == (exit_codes.BAD_INPUT, "")
    assert done.stderr.count("\n") == 1 and "region_name" in done.stderr
    done = _run("--config", "nowhere.yaml")
    assert (done.returncode, done.stderr.count("\n")) == (exit_codes.BAD_INPUT, 1)


def test_a_port_in_use_is_bad_input(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _run("--config", str(path), "--port", str(taken.getsockname()[1]))
    assert done.returncode == exit_codes.BAD_INPUT
    assert "choose another, or 0 for a free one" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_the_log_is_whole(tmp_path, number):
    with running_emulator(GOOD, truth=tmp_path / "truth.jsonl") as e:
        raw_wire.send(e.url, "InvokeEndpoint", "tgi", bodies.tgi(1))
        e.process.send_signal(number)
        assert e.process.wait(LONGEST_S) == exit_codes.OK
        assert len(e.truth_rows()) == 1


def test_what_is_in_progress_at_the_end_is_in_the_log(tmp_path):
    slow = {
        "engines": {"e": {"kind": "timed", "ttft_ms": 60000, "tokens_per_second": 1}},
        "models": {"m.nova": {"engine": "e", "family": "nova"}},
    }
    with running_emulator(slow, truth=tmp_path / "truth.jsonl") as e:
        body = json.dumps(bodies.converse(1)).encode()
        path, headers = raw_wire.signed(e.url, "ConverseStream", "m.nova", body)
        with socket.create_connection(("127.0.0.1", e.port), 5) as sock:
            sock.sendall(raw_wire.request_bytes(path, headers, body))
            sock.recv(1)
            assert e.stop() == exit_codes.OK
            assert not raw_wire.read_answer(sock).complete
        [row] = e.truth_rows()
    assert (row["error"], row["first_token"], row["completion_tokens"]) == ("emulator stopped", None, 0)


def test_connections_are_kept_alive_and_requests_on_one_are_answered_in_order(emulator):
    body = b'{"inputs":"Hi","parameters":{"max_new_tokens":1}}'
    path, headers = raw_wire.signed(emulator.url, "InvokeEndpoint", "tgi", body)
    request = raw_wire.request_bytes(path, headers, body)
    with socket.create_connection(("127.0.0.1", emulator.port), 5) as sock:
        for _ in range(3):
            sock.sendall(request)
            assert raw_wire.read_answer(sock).status == 200
        sock.sendall(request + request.replace(b"POST /endpoints/tgi", b"POST /endpoints/nix"))
        reader = raw_wire.Reader(sock)
        first = reader.until(b"\r\n\r\n")
        reader.exactly(int(first.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        assert (first.split()[1], reader.until(b"\r\n").split()[1]) == (
            b"200",
            b"403",
        )  # the second's path is not what was signed


def test_what_is_not_http_is_a_400_and_an_unknown_path_a_404(emulator):
    with socket.create_connection(("127.0.0.1", emulator.port), 5) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert raw_wire.read_answer(sock).status == 400
    assert raw_wire.post(emulator.url, "/elsewhere", {"Host": "x", "Content-Length": "0"}, b"").status == 404


def test_it_serves_https_with_a_certificate(certificate):
    cert, key = certificate
    with running_emulator(bodies.CONFIG, arguments=("--tls-cert", str(cert), "--tls-key", str(key))) as e:
        assert e.url.startswith("https://")
        client = e.client("bedrock-runtime", verify=str(cert))
        events = list(client.converse_stream(modelId=bodies.NOVA, **bodies.converse(5))["stream"])
        assert sum("contentBlockDelta" in ev for ev in events) == 5
        with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection(("127.0.0.1", e.port)) as sock:
            ssl.create_default_context().wrap_socket(sock, server_hostname="127.0.0.1")


def test_a_key_without_its_certificate_is_bad_input(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    done = _run("--config", str(path), "--tls-key", "key.pem")
    assert (done.returncode, done.stderr) == (
        exit_codes.BAD_INPUT,
        "error: --tls-key: half of a pair; give --tls-cert and --tls-key\n",
    )
