"""The same calls by both transports against one endpoint, and where their records differ."""

import typing

from locustfiles.common.calls.clock import Clock
from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.record import FIELDS, RequestRecord
from locustfiles.contract.scenario.scenario import Scenario
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from scripts.emulator.faults import FAULTS
from tests.helpers import bodies
from tests.helpers.calls import PROMPT, SCENARIO
from tests.helpers.surfaces import (
    EMBEDDINGS,
    PARAMETERS,
    RAW_CHAT,
    RAW_TGI,
    STREAMS,
    THINKING,
    WHOLES,
    container,
    converse,
    invoke,
)

TOLERANCE_MS = 12  # the endpoint's first token comes after 20 ms, what opens a stream at once

#: compared by value, within the tolerance; where the machine was late, asked again
TIMES = (
    "latency_ms",
    "ttft_ms",
    "ttft_visible_ms",
    "last_token_ms",
    "max_gap_ms",
    "service_latency_ms",
    "service_ttft_ms",
)
LATE = {*TIMES, "response_bytes"}  # a stream's last event says how many milliseconds it took, in two digits or three
#: each call has its own: both have one, or neither
OWN = ("call", "started_at", "request_id", "lag_ms", "gaps")
#: operations whose JSON boto3 writes itself, with blanks
WRITTEN_BY_BOTO3 = ("Converse", "ConverseStream", "CountTokens", "ApplyGuardrail", "InvokeGuardrailChecks")
#: in the words of whoever noticed: botocore, urllib3 or our own connection and decoder
WORDED = ("stream_broken", "bad_response", "connect", "read_timeout")

Differences = dict[str, tuple[typing.Any, typing.Any]]


class Pair:
    """A sender by each transport, of one scenario; `targets` by any names, which the scenario numbers."""

    def __init__(self, url: str, targets: dict[str, dict], timeout_s: float = 10) -> None:
        self._numbers = {name: f"t{number}" for number, name in enumerate(targets)}
        numbered = [target | {"name": self._numbers[name]} for name, target in targets.items()]
        scenario = SCENARIO | {"targets": numbered, "endpoint_url": url, "request_timeout_s": timeout_s}
        made = [Scenario.model_validate(scenario | {"transport": transport}) for transport in ("fast", "boto3")]
        self.senders = [Sender(s, Clock(), lambda record: None) for s in made]

    def ask(self, transport: int, name: str, prompt: Prompt = PROMPT) -> RequestRecord:
        """A call to a target by the fast path (0) or boto3 (1)."""
        sender, number = self.senders[transport], self._numbers[name]
        return sender.call(1, sender.scenario.target(number), prompt, StageSpec(1, number, "p", 1), "measure")

    def records(self, name: str) -> tuple[RequestRecord, RequestRecord]:
        return self.ask(0, name), self.ask(1, name)

    def differences(self, name: str, but: typing.Collection[str] = ()) -> Differences:
        """Field -> its two values, for all fields that differ, without those of `but`; late ones are asked for thrice.
        `last` has the records."""
        found: Differences = {}
        for _ in range(3):
            self.last = self.records(name)
            found = differences(*self.last)
            if not found.keys() - but or found.keys() - LATE - set(but):
                break
        return {field: both for field, both in found.items() if field not in but}


def differences(fast: RequestRecord, boto3: RequestRecord) -> Differences:
    """Field -> (fast path's, boto3's) where they do not say the same. Every field is compared, in one of four ways."""
    found: Differences = {}
    for field in FIELDS:
        a, b = both = getattr(fast, field), getattr(boto3, field)
        if field == "reconnect":
            same = a in (0, 1) and b is None  # boto3 does not tell
        elif field in TIMES:
            same = a == b if None in both else abs(a - b) < TOLERANCE_MS
        elif field == "request_bytes" and fast.operation in WRITTEN_BY_BOTO3 and None not in both:
            same = 0 < a <= b
        elif field in OWN or (field == "error_message" and fast.error in WORDED):
            same = (a is None) == (b is None)
        else:
            same = a == b
        if not same:
            found[field] = both
    return found


# --- what both are asked

BEARER = "a-bearer-token-of-the-local-endpoint"
TOOL = {"toolSpec": {"name": "lookup", "inputSchema": {"json": {"type": "object"}}}}
SETTINGS = {
    "guardrail": {"id": "gr12345", "version": "1"},
    "latency": "optimized",
    "service_tier": "flex",
    "system": "Be brief.",
}

GUARDED = {"claude": "claude", "titan": "titan-text"}

#: surface -> its target, of those that both stream and do not
BOTH = (
    {kind: STREAMS[kind] for kind in STREAMS if kind != "raw tgi"}
    | {f"thinking {kind}": target for kind, target in THINKING.items()}
    | {f"converse {model_id}": converse(model_id) for model_id in (bodies.NOVA, bodies.CLAUDE, bodies.LLAMA)}
    | {f"invoke {model_id}": invoke(model_id) for model_id in (bodies.NOVA, bodies.CLAUDE, bodies.LLAMA)}
    | {dialect: container(name, dialect) for dialect, name in (("tgi", "tgi"), ("lmi", "lmi"), ("openai-chat", "chat"))}
    | {
        "tgi, split": container("tgi-split", "tgi"),
        "tgi, prompt repeated": container("tgi", "tgi", parameters=PARAMETERS | {"return_full_text": True}),
        "session": container("tgi", "tgi", session_id="session-7", custom_attributes="tenant=7", variant="AllTraffic"),
        "component": container("tgi", "tgi", inference_component="part-one"),
        "wrong component": container("tgi", "tgi", inference_component="part-two"),
        "wrong variant": container("tgi", "tgi", variant="v2"),
        "no such endpoint": container("nowhere", "tgi"),
        "palmyra": invoke("us.writer.palmyra-x5-v1:0", dialect="chat-completions"),
        "tool": converse(
            bodies.NOVA, parameters=PARAMETERS | {"toolConfig": {"tools": [TOOL], "toolChoice": {"any": {}}}}
        ),
        "additional fields": converse(bodies.NOVA, parameters=PARAMETERS | {"top_k": 7}),
        "settings, converse": converse(bodies.NOVA, **SETTINGS),
        "settings, invoke": invoke(bodies.NOVA, **SETTINGS),
        "served as standard, converse": converse("plain.nova", **SETTINGS),
        "served as standard, invoke": invoke("plain.nova", dialect="nova", **SETTINGS),
        "blocked, converse": converse("guarded.claude", guardrail=SETTINGS["guardrail"]),
        "blocked, claude": invoke("guarded.claude", dialect="claude", guardrail=SETTINGS["guardrail"]),
        "blocked, titan-text": invoke("guarded.titan", dialect="titan-text", guardrail=SETTINGS["guardrail"]),
        "wrong guardrail, converse": converse(bodies.NOVA, guardrail={"id": "gr12345", "version": "2"}),
        "wrong guardrail, invoke": invoke(bodies.NOVA, guardrail={"id": "gr12345", "version": "2"}),
        "no such model": converse("no.such-model"),
        "prompt too long": container("tgi-small", "tgi", parameters={"max_tokens": 16}),
    }
)
SURFACES = (
    {f"{kind}, stream": target | {"stream": True} for kind, target in BOTH.items()}
    | {f"{kind}, whole": target | {"stream": False} for kind, target in BOTH.items()}
    | {f"embedding {kind}": target for kind, target in EMBEDDINGS.items()}
    | {"raw tgi, stream": container("tgi-new", "raw", **RAW_TGI, stream=True), "raw chat, whole": WHOLES["raw chat"]}
    | {
        "target model, whole": container("multi", "tgi", target_model="m.tar.gz"),
        "new session, whole": container("tgi", "tgi", session_id="NEW_SESSION"),
        "wrong target model, whole": container("multi", "tgi", target_model="other.tar.gz"),
        "wrong session, stream": container("tgi", "tgi", session_id="session_7", stream=True),
    }
)

#: what the faults are met by: each framing of each service, and its containers
KINDS = {
    "converse": lambda fault: converse(f"{fault}.claude"),
    "claude": lambda fault: invoke(f"{fault}.claude", dialect="claude"),
    "gpt-oss": lambda fault: invoke(f"{fault}.openai-chat", dialect="openai-chat"),
    "qwen": lambda fault: invoke(f"{fault}.chat-completions", dialect="chat-completions"),
    "tgi": lambda fault: container(f"{fault}-tgi", "tgi"),
    "lmi": lambda fault: container(f"{fault}-lmi", "lmi"),
    "vllm": lambda fault: container(f"{fault}-openai-chat", "openai-chat"),
    "raw": lambda fault: container(f"{fault}-openai-chat", "raw", **RAW_CHAT),
}


def configuration() -> dict:
    """The endpoint of the surfaces, with an endpoint or a model for every fault."""
    config = dict(bodies.CONFIG)
    config["engines"] = config["engines"] | {
        "slow": {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 25, "seed": 1}
    }
    config["bearer_tokens"] = [BEARER]
    keys = {"access_key": EXAMPLE_ACCESS_KEY, "secret_key": EXAMPLE_SECRET_KEY}
    config["credentials"] = [
        keys,
        keys | {"access_key": "AKIAEXPIREDEXAMPLE00", "session_token": "old", "expired": True},
    ]
    config["models"] = config["models"] | {"slow.claude": {"engine": "slow", "family": "claude"}}
    config["models"] |= {
        f"guarded.{name}": {"engine": "exact", "family": family, "blocked": True} for name, family in GUARDED.items()
    }
    multi = {"engine": "exact", "dialect": "tgi", "target_models": ["m.tar.gz"]}
    config["endpoints"] = config["endpoints"] | {"multi": multi}
    for fault in FAULTS:
        shared = {"engine": "exact", "faults": {fault: 1.0}, "stall_ms": 60}
        families = ("claude", "openai-chat", "chat-completions")
        config["models"] |= {f"{fault}.{family}": shared | {"family": family} for family in families}
        config["endpoints"] |= {
            f"{fault}-{dialect}": shared | {"dialect": dialect} for dialect in ("tgi", "lmi", "openai-chat")
        }
    return config
