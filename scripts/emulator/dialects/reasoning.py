"""Which of an answer's tokens are reasoning: the first `reasoning_tokens`, as its target has it."""


def thought(a) -> str:
    """The text of the reasoning so far."""
    return "".join(t for t, _ in a.tokens[: a.reasoning_tokens])


def said(a) -> str:
    """The text after the reasoning."""
    return "".join(t for t, _ in a.tokens[a.reasoning_tokens :])


def thinks(a) -> bool:
    """Whether the newest token is reasoning."""
    return len(a.tokens) <= a.reasoning_tokens


def first_said(a) -> bool:
    """Whether the newest token is the first one after reasoning."""
    return bool(a.reasoning_tokens) and len(a.tokens) == a.reasoning_tokens + 1
