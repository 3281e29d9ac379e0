"""What makes a record of every row of FAILURES.md, by the row's key."""

import gzip
import socket
import sys
import typing

import botocore.session
import gevent
import pytest

from locustfiles.common.calls.leaving import Leaving
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.cancels import Cancel
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from scripts.emulator.faults import FAULTS
from tests.helpers.aws_frames import exception
from tests.helpers.calls import PROMPT
from tests.helpers.lab import CHAT, CHUNKED, END, SURFACES, Lab, begun, chunks, whole
from tests.helpers.sample_answers import openai_chunk, sse
from tests.helpers.wire_server import certificate, full


def _queue_full(lab: Lab, surface: str) -> RequestRecord:
    """One request runs, one waits, the next is refused."""
    sender, records = lab.sender(5)
    waiting = (lab.target(surface, "queue_full"), PROMPT, StageSpec(1, "t", "p", 1), "settle")
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
    with full() as address:
        return lab.ask(surface, url=f"http://127.0.0.1:{address[1]}", timeout_s=0.4)


def _wrong_host(lab: Lab, surface: str) -> RequestRecord:
    ca, context = certificate(lab.folder / "elsewhere", host="elsewhere.example")
    return lab.wire(surface, tls=context, scheme="https", AWS_CA_BUNDLE=str(ca))


def _killed(lab: Lab, surface: str) -> RequestRecord:
    """In mid-answer: its head is there, whenever that comes."""
    job = gevent.spawn(lab.wire, surface, begun(surface), 1.0)
    while not job.ready() and not any(exchange.status for exchange in lab.under_way()):
        gevent.sleep(0.01)
    job.kill()
    return job.value


def _left(lab: Lab, surface: str) -> RequestRecord:
    """Of a thousand clients all but one leave."""
    sender, _ = lab.sender(5)
    stay, sender._leaving = sender._leaving, Leaving(Cancel(share=0.999, after="first_token"))
    try:
        return lab.wire(surface, begun(surface), 1.0)
    finally:
        sender._leaving = stay


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
        patch.setattr("locustfiles.common.calls.sender.parse_answer", broken)
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


def _counting(prompt: object, output: object) -> typing.Callable[[Lab, str], RequestRecord]:
    """A good answer in one piece with these counts."""

    def provoke(lab: Lab, surface: str) -> RequestRecord:
        chat = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
        said = {"output": {"message": {"content": [{"text": "Hello"}]}}, "stopReason": "end_turn"}
        body = {
            "ChatCompletions": chat | {"usage": {"prompt_tokens": prompt, "completion_tokens": output}},
            "Converse": said | {"usage": {"inputTokens": prompt, "outputTokens": output}},
        }[surface]
        return lab.wire(surface, whole(200, body))

    return provoke


VLLM_ERROR = {"object": "error", "message": "max_tokens is too large.", "type": "BadRequestError", "code": 400}
PROVOKE: dict[str, typing.Callable[[Lab, str], RequestRecord]] = {
    name: (lambda lab, surface, name=name: lab.ask(surface, name)) for name in FAULTS
}
PROVOKE |= {
    name: _raising(name, "The stream failed.") for names in event_exceptions().values() for name in sorted(names)
}
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
    "given_up": lambda lab, surface: lab.wire(
        surface, begun(surface) + chunks(sse(openai_chunk({}, "abort")), CHAT[-1]) + END
    ),
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
        whole(
            424,
            {"message": "The model failed.", "originalStatusCode": 400},
            "x-amzn-ErrorType: ModelStreamErrorException",
        ),
    ),
    "exception_first": lambda lab, surface: lab.wire(
        surface, CHUNKED + chunks(exception("throttlingException", {"message": "Wait."})) + END
    ),
    "exception_unknown": _raising("brandNewException", "Nobody knows this one yet."),
    "too_many_headers": lambda lab, surface: lab.wire(surface, whole(200, b"", *(f"x-{n}: y" for n in range(101)))),
    "compressed": lambda lab, surface: lab.wire(surface, whole(200, gzip.compress(b"{}"), "Content-Encoding: gzip")),
    "implausible_usage": _counting(None, 900_000_000_000),
    "unreadable_usage": _counting(20, float("nan")),
    "killed": _killed,
    "left": _left,
    "bug": _bug,
}
