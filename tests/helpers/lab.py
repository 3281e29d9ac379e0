"""One call to whatever has been prepared: the local endpoint, or a server that says what a script says."""

import contextlib
import json

import pytest

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.transport.exchange import Exchange
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, SageMakerTarget
from tests.helpers.calls import PROMPT, TOKENS, converse, sender_for, tgi
from tests.helpers.sample_answers import CONVERSE, NOVA, TGI, openai_chunk, sse
from tests.helpers.wire_server import answering, serving

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
                self._senders[key] = sender_for(
                    self.emulator, converse("m"), tgi("e") | {"name": "u"}, timeout_s=timeout_s
                )
        return self._senders[key]

    def ask(
        self, surface: str, name: str = "good", url: str | None = None, timeout_s: float = 5, **environment
    ) -> RequestRecord:
        """The one record of a call to the local endpoint's target `name`, or to the server at `url`."""
        service, stream, values = SURFACES[surface]
        sender, records = self.sender(timeout_s, **environment)
        known = len(records)
        with given(environment):  # the key of an OpenAI route is read with every call
            record = sender.call(1, self.target(surface, name, url), PROMPT, StageSpec(1, "t", "p", 1), "measure")
        assert records[known:] == [record]
        return record

    def under_way(self) -> list[Exchange]:
        return [each for sender, _ in self._senders.values() for each in sender.probe._exchanges.values()]

    def target(self, surface: str, name: str, url: str | None = None):
        service, stream, values = SURFACES[surface]
        named = {
            "bedrock": {"model_id": f"fault.{name}", "endpoint_url": url},
            "sagemaker": {"endpoint": name, "endpoint_url": url},
            "openai": {"model_id": name, "base_url": f"{url or self.emulator.url}/v1"},
        }[service]
        return TARGETS[service](
            name="t", service=service, stream=stream, parameters={"max_tokens": TOKENS}, **values, **named
        )

    def wire(self, surface: str, *pieces: bytes | float | str, tls=None, scheme="http", **how) -> RequestRecord:
        """The record of a call to a server that answers with these pieces: see `answering`."""
        with serving(answering(*pieces), tls=tls) as server:
            return self.ask(surface, url=f"{scheme}://127.0.0.1:{server.port}", **how)


def whole(status: int, body: dict | list | bytes, *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "x-amzn-RequestId: r1", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amzn-RequestId: r1\r\n\r\n"
END = b"0\r\n\r\n"


def chunks(*frames: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(f), f) for f in frames)


CHAT = [
    sse(openai_chunk({"role": "assistant", "content": ""})),
    *(sse(openai_chunk({"content": t})) for t in ("Hel", "lo")),
]
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
