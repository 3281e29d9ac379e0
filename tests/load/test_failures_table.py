"""The table of FAILURES.md is the test: every row is provoked over real HTTP, and its cells are what the record says.

A row without a provocation fails, and so does a fault of the local endpoint, an error class, or an error that AWS's
own description of both services names, without a row.
"""

import contextlib
import itertools
import json
import re
import socket
import sys
import time
import typing

import botocore.session
import gevent
import numpy as np
import pandas as pd
import pytest

from analysis.bill import bill, usd_by_tokens
from locustfiles.common.errors import UNBILLED, ErrorClass
from locustfiles.common.price_book import TokenPrice
from locustfiles.common.record import KINDS, RequestRecord
from locustfiles.common.scenario import BedrockTarget, OpenAITarget, SageMakerTarget
from locustfiles.common.sender import Visit
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from scripts.emulator.faults import FAULTS
from tests.emulator_process import ROOT, running_emulator
from tests.load.aws_frames import exception
from tests.load.sample_answers import CONVERSE, NOVA, TGI, openai_chunk, sse
from tests.load.test_sender import PROMPT, TOKENS, converse, credentials, sender_for, tgi  # noqa: F401  (a fixture)
from tests.load.wire_server import certificate, receive, reset, serving

WORDS = (ROOT / "locustfiles/FAILURES.md").read_text(encoding="utf-8")
DASH = "–"

# --- the table ---


class Row(typing.NamedTuple):
    """The cells of one row, as they are written."""

    key: str
    injected: str
    surfaces: str
    error: str
    code: str
    status: str
    kept: str
    billed: str
    message: str


def table(first: str) -> list[list[str]]:
    """The rows of the Markdown table whose first column is headed `first`, code marks taken off."""
    lines = [line.split("|")[1:-1] for line in WORDS.splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in line] for line in lines]
    begin = next(i for i, row in enumerate(cells) if row[0] == first)
    width = len(cells[begin])
    return list(itertools.takewhile(lambda row: len(row) == width, cells[begin + 2 :]))


SURFACES = {  # operation, with ` stream` where one operation has both -> service, streamed, how the target is named
    "Converse": ("bedrock", False, {"api": "converse"}),
    "ConverseStream": ("bedrock", True, {"api": "converse"}),
    "InvokeModel": ("bedrock", False, {"api": "invoke", "dialect": "nova"}),
    "InvokeModelWithResponseStream": ("bedrock", True, {"api": "invoke", "dialect": "nova"}),
    "InvokeEndpoint": ("sagemaker", False, {"dialect": "tgi"}),
    "InvokeEndpointWithResponseStream": ("sagemaker", True, {"dialect": "tgi"}),
    "ChatCompletions": ("openai", False, {}),
    "ChatCompletions stream": ("openai", True, {}),
}
SERVICES = {"Bedrock": {"bedrock"}, "SageMaker": {"sagemaker"}, "OpenAI": {"openai"}, "AWS": {"bedrock", "sagemaker"}}
SERVICES["every"] = set().union(*SERVICES.values())


def surfaces(cell: str) -> list[str]:
    """`Bedrock streams, InvokeEndpoint` -> the surfaces."""
    found: list[str] = []
    for name in cell.split(", "):
        words = name.split(" ")
        if name in SURFACES:
            found.append(name)
            continue
        streamed = {"streams": (True,), "whole": (False,), "": (True, False)}[words[1] if words[1:] else ""]
        found += [n for n, (service, s, _) in SURFACES.items() if service in SERVICES[words[0]] and s in streamed]
    return found


ROWS = [Row(*cells) for cells in table("key")]
CASES = {(row.key, surface): row for row in ROWS for surface in surfaces(row.surfaces)}

# --- the local endpoint, and servers that say what a script says ---


def config() -> dict:
    """A target for each fault and limit: endpoint `<name>`, model `fault.<name>`, OpenAI model `<name>`."""
    made = {name: {"engine": "exact", "faults": {name: 1.0}, "stall_ms": 60} for name in FAULTS}
    made |= {
        "good": {"engine": "exact"},
        "slow_start": {"engine": "exact", "ready_after_s": 3600},
        "request_bucket": {"engine": "exact", "limit": {"requests_per_second": 0.001, "burst": 1}},
        "token_bucket": {"engine": "exact", "limit": {"tokens_per_minute": TOKENS}},  # the prompt and its answer are more
        "prompt_too_long": {"engine": "small"},
        "queue_full": {"engine": "busy"},
    }
    credentials = [{"access_key": EXAMPLE_ACCESS_KEY, "secret_key": EXAMPLE_SECRET_KEY}]
    credentials.append({"access_key": "AKIAEXPIREDEXAMPLE12", "secret_key": EXAMPLE_SECRET_KEY, "expired": True})
    timed = {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 400, "seed": 1}
    busy = {"kind": "simulated", "prefill_tokens_per_second": 1e5, "decode_base_ms": 30, "decode_per_sequence_ms": 0}
    return {
        "credentials": credentials,
        "engines": {"exact": timed, "small": timed | {"context_tokens": 10}, "busy": busy | {"batch_limit": 1, "queue_limit": 1}},
        "endpoints": {name: values | {"dialect": "tgi"} for name, values in made.items()},
        "models": {f"fault.{name}": values | {"family": "nova"} for name, values in made.items()},
        "openai": made,
        "api_key": "sk-right",
    }


TARGETS = {"bedrock": BedrockTarget, "sagemaker": SageMakerTarget, "openai": OpenAITarget}


@contextlib.contextmanager
def given(environment: dict[str, str | None]):
    """These variables, where None removes one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
        yield


class Lab:
    """Sends one call to whatever has been prepared. `senders` are kept: each takes boto3 a tenth of a second."""

    def __init__(self, emulator, folder) -> None:
        self.emulator, self.folder = emulator, folder
        self._senders: dict = {}

    def sender(self, timeout_s: float, **environment: str | None):
        key = (timeout_s, *environment.items())
        if key not in self._senders:
            with given(environment):
                self._senders[key] = sender_for(self.emulator, converse("m"), tgi("e") | {"name": "u"}, timeout_s=timeout_s)
        return self._senders[key]

    def ask(self, surface: str, name: str = "good", url: str | None = None, timeout_s: float = 5, **environment) -> RequestRecord:
        """The one record of a call to the local endpoint's target `name`, or to the server at `url`."""
        service, stream, values = SURFACES[surface]
        sender, records = self.sender(timeout_s, **environment)
        known = len(records)
        with given(environment):  # the key of an OpenAI route is read with every call
            record = sender.call(1, self.target(surface, name, url), PROMPT, Visit(1, "t", "p", 1), "measure")
        assert records[known:] == [record]
        return record

    def target(self, surface: str, name: str, url: str | None = None):
        service, stream, values = SURFACES[surface]
        named = {
            "bedrock": {"model_id": f"fault.{name}", "endpoint_url": url},
            "sagemaker": {"endpoint": name, "endpoint_url": url},
            "openai": {"model_id": name, "base_url": f"{url or self.emulator.url}/v1"},
        }[service]
        return TARGETS[service](name="t", service=service, stream=stream, parameters={"max_tokens": TOKENS}, **values, **named)

    def wire(self, surface: str, *pieces: bytes | float | str, tls=None, scheme="http", **how) -> RequestRecord:
        """The record of a call to a server that answers with these pieces: see `playing`."""
        with serving(playing(*pieces), tls=tls) as server:
            return self.ask(surface, url=f"{scheme}://127.0.0.1:{server.port}", **how)


def playing(*pieces: bytes | float | str):
    """A script: bytes are sent, a float is a pause, `reset` and `drop` end the connection."""

    def script(connection, server):
        while request := receive(connection):
            server.requests.append(request)
            for piece in pieces:
                if piece == "drop":
                    return
                if piece == "reset":
                    time.sleep(0.02)  # an RST would overtake what was sent just before
                    return reset(connection)
                time.sleep(piece) if isinstance(piece, float) else connection.sendall(piece)

    return script


def whole(status: int, body: dict | list | bytes, *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "x-amzn-RequestId: r1", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amzn-RequestId: r1\r\n\r\n"
END = b"0\r\n\r\n"


def chunks(*frames: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(f), f) for f in frames)


CHAT = [sse(openai_chunk({"role": "assistant", "content": ""})), *(sse(openai_chunk({"content": t})) for t in ("Hel", "lo"))]
CHAT += [sse(openai_chunk({}, "stop")), sse({"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 3}})]
CHAT += [b"data: [DONE]\n\n"]
#: surface -> the frames of a stream, and how many of them there are up to the second output
STREAMS = {
    "ConverseStream": (CONVERSE, 4),
    "InvokeModelWithResponseStream": (NOVA, 3),
    "InvokeEndpointWithResponseStream": (TGI, 2),
    "ChatCompletions stream": (CHAT, 3),
}


def begun(surface: str) -> bytes:
    """The head of a stream and its frames up to the second output, in pieces of HTTP."""
    frames, outputs = STREAMS[surface]
    return CHUNKED + chunks(*frames[:outputs])


# --- provocations: key -> what makes a record of it ---


def _queue_full(lab: Lab, surface: str) -> RequestRecord:
    """One request runs, one waits, the next is refused."""
    sender, records = lab.sender(5)
    waiting = (lab.target(surface, "queue_full"), PROMPT, Visit(1, "t", "p", 1), "settle")
    others = [gevent.spawn(sender.call, user, *waiting) for user in (2, 3)]
    gevent.sleep(0.1)
    record = lab.ask(surface, "queue_full")
    gevent.joinall(others, raise_error=True)
    assert [r.error for r in records[-2:]] == [None, None]
    return record


def _request_bucket(lab: Lab, surface: str) -> RequestRecord:
    first = lab.ask(surface, "request_bucket")  # the burst of one, unless another surface had it
    assert first.error in (None, "throttled")
    return lab.ask(surface, "request_bucket")


def _refused(lab: Lab, surface: str) -> RequestRecord:
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    return lab.ask(surface, url=f"http://127.0.0.1:{port}")


def _connect_timeout(lab: Lab, surface: str) -> RequestRecord:
    """A full backlog: the kernel lets further connections wait."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for s in [stack.enter_context(socket.socket()) for _ in range(3)]:
            s.setblocking(False)
            s.connect_ex(listener.getsockname())
        return lab.ask(surface, url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.4)


def _wrong_host(lab: Lab, surface: str) -> RequestRecord:
    ca, context = certificate(lab.folder / "elsewhere", host="elsewhere.example")
    return lab.wire(surface, tls=context, scheme="https", AWS_CA_BUNDLE=str(ca))


def _killed(lab: Lab, surface: str) -> RequestRecord:
    job = gevent.spawn(lab.wire, surface, begun(surface), 1.0)
    gevent.sleep(0.15)
    job.kill()
    return job.value


SIGN_IN = """
import datetime, json, pathlib, sys
if pathlib.Path({ended!r}).exists():
    sys.exit("the sign-in has ended")
until = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=5)).isoformat()  # so near that each call asks again
print(json.dumps(dict(Version=1, AccessKeyId={access!r}, SecretAccessKey={secret!r}, Expiration=until)))
"""


def _unrefreshed(lab: Lab, surface: str) -> RequestRecord:
    """Credentials of a process, as `aws sso login` and roles give them, that ends between two calls."""
    script, profile, ended = (lab.folder / name for name in ("sign_in.py", "aws_config", "ended"))
    ended.unlink(missing_ok=True)
    script.write_text(SIGN_IN.format(ended=str(ended), access=EXAMPLE_ACCESS_KEY, secret=EXAMPLE_SECRET_KEY))
    profile.write_text(f"[profile p]\ncredential_process = {sys.executable} {script}\n")
    how = {"AWS_CONFIG_FILE": str(profile), "AWS_PROFILE": "p", "AWS_ACCESS_KEY_ID": None}
    assert lab.ask(surface, **how).error is None
    ended.touch()
    return lab.ask(surface, **how)


def _bug(lab: Lab, surface: str) -> RequestRecord:
    def broken(*_):
        raise KeyError("a bug")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("locustfiles.common.sender.read", broken)
        return lab.ask(surface)


def event_exceptions() -> dict[str, set[str]]:
    """Operation -> the exceptions that its stream may carry, from AWS's own description."""
    found = {}
    for service in ("bedrock-runtime", "sagemaker-runtime"):
        model = botocore.session.get_session().get_service_model(service)
        for name in SURFACES:
            if name in model.operation_names and (stream := model.operation_model(name).get_event_stream_output()):
                found[name] = {n for n, shape in stream.members.items() if shape.metadata.get("exception")}
    return found


def _raising(name: str, message: str):
    return lambda lab, surface: lab.wire(surface, begun(surface) + chunks(exception(name, {"message": message})) + END)


VLLM_ERROR = {"object": "error", "message": "max_tokens is too large.", "type": "BadRequestError", "code": 400}


PROVOKE: dict[str, typing.Callable[[Lab, str], RequestRecord]] = {
    name: (lambda lab, surface, name=name: lab.ask(surface, name)) for name in FAULTS
}
PROVOKE |= {name: _raising(name, "The stream failed.") for names in event_exceptions().values() for name in sorted(names)}
PROVOKE |= {
    "request_bucket": _request_bucket,
    "token_bucket": lambda lab, surface: lab.ask(surface, "token_bucket"),
    "slow_start": lambda lab, surface: lab.ask(surface, "slow_start"),
    "queue_full": _queue_full,
    "prompt_too_long": lambda lab, surface: lab.ask(surface, "prompt_too_long"),
    "unknown_name": lambda lab, surface: lab.ask(surface, "nobody"),
    "expired_token": lambda lab, surface: lab.ask(surface, AWS_ACCESS_KEY_ID="AKIAEXPIREDEXAMPLE12"),
    "unknown_key": lambda lab, surface: lab.ask(surface, AWS_ACCESS_KEY_ID="AKIANOBODYEXAMPLE123"),
    "wrong_secret": lambda lab, surface: lab.ask(surface, AWS_SECRET_ACCESS_KEY=EXAMPLE_SECRET_KEY[::-1]),
    "unrefreshed_credentials": _unrefreshed,
    "wrong_bearer": lambda lab, surface: lab.ask(surface, AWS_BEARER_TOKEN_BEDROCK="no-such-key"),
    "wrong_api_key": lambda lab, surface: lab.ask(surface, OPENAI_API_KEY="sk-wrong"),
    "object_error": lambda lab, surface: lab.wire(surface, whole(400, VLLM_ERROR)),
    "error_mid_stream": lambda lab, surface: lab.wire(surface, begun(surface) + chunks(sse(VLLM_ERROR)) + END),
    "refused": _refused,
    "unknown_host": lambda lab, surface: lab.ask(surface, url="http://no-such-host.invalid"),
    "connect_timeout": _connect_timeout,
    "untrusted_certificate": lambda lab, surface: lab.wire(
        surface, tls=certificate(lab.folder / "unknown-ca")[1], scheme="https"
    ),
    "wrong_host_certificate": _wrong_host,
    "no_tls": lambda lab, surface: lab.wire(surface, scheme="https", timeout_s=0.4),
    "read_timeout": lambda lab, surface: lab.wire(surface, 1.0, timeout_s=0.4),
    "read_timeout_mid_stream": lambda lab, surface: lab.wire(surface, begun(surface), 1.0, timeout_s=0.4),
    "drop_after_headers": lambda lab, surface: lab.wire(surface, CHUNKED, 0.02, "drop"),
    "not_http": lambda lab, surface: lab.wire(surface, b"SSH-2.0-OpenSSH_9.6\r\n", 0.1),
    "broken_chunking": lambda lab, surface: lab.wire(surface, begun(surface) + b"zz\r\n", 0.1),
    "redirect": lambda lab, surface: lab.wire(surface, whole(301, b"", "Location: /")),
    "proxy_502": lambda lab, surface: lab.wire(surface, whole(502, b"<html>upstream is gone</html>")),
    "too_large": lambda lab, surface: lab.wire(surface, whole(413, b"")),
    "model_stream_error_424": lambda lab, surface: lab.wire(
        surface,
        whole(424, {"message": "The model failed.", "originalStatusCode": 400}, "x-amzn-ErrorType: ModelStreamErrorException"),
    ),
    "exception_first": lambda lab, surface: lab.wire(
        surface, CHUNKED + chunks(exception("throttlingException", {"message": "Wait."})) + END
    ),
    "exception_unknown": _raising("brandNewException", "Nobody knows this one yet."),
    "killed": _killed,
    "bug": _bug,
}
# --- the test ---


@pytest.fixture(scope="module")
def lab(tmp_path_factory, credentials):  # noqa: F811
    with running_emulator(config()) as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-right")
        yield Lab(emulator, tmp_path_factory.mktemp("failures"))


def kept_of(record: RequestRecord) -> str:
    """What of the answer that came is in the record."""
    times = [record.ttft_ms, record.last_token_ms, record.chunks]
    assert all(t is None for t in times) or all(t is not None for t in times)
    assert record.completion_tokens is None or record.token_source == "service"
    words = ["times"] * (record.ttft_ms is not None) + ["tokens"] * (record.completion_tokens is not None)
    return ", ".join(words) or DASH


def billed_of(record: RequestRecord) -> str:
    """What the analysis takes the call to cost at a price by tokens: `no`, `its tokens`, or `unknown`."""
    row = pd.DataFrame([{name: getattr(record, name) for name in KINDS}])
    row = row.astype({name: float for name, kind in KINDS.items() if kind is not str})
    price = TokenPrice(input=0.001, output=0.002)
    if record.error is None:
        return "unknown" if np.isnan(usd_by_tokens(row, price)).any() else "its tokens"
    found = bill(row, price, TOKENS)
    if found.low != found.high:
        # from nothing to all: 77 x 0.001 / 1000 + 8 x 0.002 / 1000 USD
        assert (found.low, found.high) == (0, pytest.approx(93e-6))
        return "unknown"
    return "its tokens" if found.high else "no"


@pytest.mark.parametrize(("key", "surface"), CASES, ids=[f"{key}, {surface}" for key, surface in CASES])
def test_what_is_injected_is_recorded_as_the_table_says(lab, key, surface):
    row = CASES[key, surface]
    assert key in PROVOKE, f"nothing provokes `{key}`"
    record = PROVOKE[key](lab, surface)
    said = (record.error, record.error_code, record.http_status)
    recorded = [DASH if value is None else str(value) for value in said]
    assert [*recorded, kept_of(record), billed_of(record)] == [*row[3:8]], (record.error_message, record)
    assert record.operation == surface.split(" ")[0]
    assert EXAMPLE_SECRET_KEY not in str(record) and EXAMPLE_ACCESS_KEY not in str(record)
    assert 0 <= record.latency_ms < 3000
    if row.message == DASH:
        assert record.error_message is None
    else:
        assert any(part in record.error_message for part in row.message.split(" / ")), record.error_message
        assert len(record.error_message) <= 200 and record.error_message.isprintable()


def test_every_fault_of_the_local_endpoint_is_in_the_table_on_every_surface_that_it_changes():
    for name, fault in FAULTS.items():
        changed = "every streams" if fault.stage == "stream" and not fault.body else "every"
        changed = changed.replace("every", "AWS") if fault.framed else changed
        assert {s for key, s in CASES if key == name} >= set(surfaces(changed)), name


def test_every_provocation_and_every_class_has_a_row_and_no_case_has_two():
    assert set(PROVOKE) == {row.key for row in ROWS}
    assert {row.error for row in ROWS} - {DASH} == set(ErrorClass)
    cases = [(row.key, surface) for row in ROWS for surface in surfaces(row.surfaces)]
    assert len(cases) == len(set(cases))


def test_every_error_that_aws_describes_is_in_the_table_for_its_operation():
    streamed = event_exceptions()
    assert sum(map(len, streamed.values())) == 5 + 6 + 2  # ConverseStream, InvokeModelWith…, InvokeEndpointWith…
    for service in ("bedrock-runtime", "sagemaker-runtime"):
        model = botocore.session.get_session().get_service_model(service)
        for name in set(SURFACES) & set(model.operation_names):
            described = {shape.name for shape in model.operation_model(name).error_shapes} | streamed.get(name, set())
            assert described <= {row.code for (_, surface), row in CASES.items() if surface == name}, name


def test_every_class_has_its_meaning_its_remedy_and_its_bill():
    explained = table("class")
    assert [row[0] for row in explained] == [c.value for c in ErrorClass]
    for name, meaning, remedy, billed in explained:
        assert len(meaning) > 10 and len(remedy) > 10
        assert (billed == "no") == (name in UNBILLED), name
    assert not re.search(r"\bTODO\b", WORDS)
