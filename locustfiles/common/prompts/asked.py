"""How long a prompt and its answer are to be, where a trace or a synthetic payload says so."""

import typing


class Asked(typing.NamedTuple):
    """Tokens; None: nothing is asked. counted: the whole prompt by the target's tokenizer, where that is known before the call."""

    prompt_tokens: int | None = None
    whole: bool = (
        False  # prompt_tokens are those of all that is sent, as a trace has them; else without system text and prefix
    )
    completion_tokens: int | None = None
    counted: int | None = None


NOTHING = Asked()
