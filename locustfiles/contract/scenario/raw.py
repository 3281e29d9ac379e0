"""The `raw` dialect: a JSON body and JMESPath expressions of the scenario's own, for any container.

    body: {text_inputs: "{prompt}", max_length: "{max_tokens}"}
    answer: {text: "generated_texts[0]", completion_tokens: "usage.out"}

In `body`, `{prompt}` is the prompt's text, `{messages}` its messages, `{max_tokens}` and so on the parameters of
these names. A value that is nothing but a placeholder takes the value as it is, a number stays a number; inside a
longer text, `{prompt}` alone is replaced.

Each expression of `answer` is evaluated on the whole answer or, when streaming, on each line of it. An answer that is no
JSON but bare text is read by `answer: {plain_text: true}`: when streaming, every piece that arrives is a delta, and the
proper end of the stream closes it.
"""

import functools
import re
import typing

import jmespath
import jmespath.exceptions
import pydantic

from locustfiles.contract.strict_yaml import Strict

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


@functools.lru_cache(maxsize=256)
def expression(text: str) -> typing.Any:
    """A compiled JMESPath expression. Raises ValueError in one line."""
    try:
        return jmespath.compile(text)
    except jmespath.exceptions.JMESPathError as e:
        raise ValueError(f"`{text}` is no JMESPath expression ({str(e).splitlines()[0]}); see jmespath.org") from None


def _checked(text: str) -> str:
    expression(text)
    return text


Expression = typing.Annotated[str, pydantic.Field(min_length=1), pydantic.AfterValidator(_checked)]


class RawAnswer(Strict):
    """Where things are in an answer, or in each line of a stream; or that the answer is nothing but text."""

    text: Expression | None = None
    plain_text: bool = False
    prompt_tokens: Expression | None = None
    completion_tokens: Expression | None = None
    units: Expression | None = None  # queries, images, seconds or pages that are billed
    stop_reason: Expression | None = None
    error: Expression | None = None  # something there, not false and not empty: the answer is an error
    done: Expression | None = None  # the same in a stream's last line; without it `data: [DONE]` closes the stream

    @pydantic.model_validator(mode="after")
    def _one_of_both(self) -> typing.Self:
        if not self.plain_text and self.text is None:
            raise ValueError(
                "`text` is missing; say where the text is, or `plain_text: true` of an answer that is no JSON"
            )
        if self.plain_text and (
            key := next((k for k in type(self).model_fields if k != "plain_text" and getattr(self, k)), None)
        ):
            raise ValueError(f"`{key}` finds nothing in plain text; remove it, or `plain_text:`")
        return self


def _texts(value: typing.Any) -> typing.Iterator[str]:
    """All texts inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def check_raw(is_raw: bool, body: object, answer: RawAnswer | None, parameters: typing.Iterable[str]) -> None:
    """Raises ValueError for a target whose `dialect`, `body`, `answer` and `parameters` do not fit together."""
    if not is_raw:
        stray = next((key for key, value in (("body", body), ("answer", answer)) if value is not None), None)
        if stray:
            raise ValueError(f"`{stray}` belongs to `dialect: raw`; remove it")
        return
    for key, value in (("body", body), ("answer", answer)):
        if value is None:
            raise ValueError(f"`dialect: raw` needs `{key}:`; see the scenario reference in configs/README.md")
    texts = list(_texts(body))
    if not any("{prompt}" in text or text == "{messages}" for text in texts):
        raise ValueError('`body` has no place for the prompt; write "{prompt}" or "{messages}" where it belongs')
    homeless = next((name for name in parameters if f"{{{name}}}" not in texts), None)
    if homeless:
        raise ValueError(f'`parameters.{homeless}` has no place in `body`; write "{{{homeless}}}" where it belongs')


def has_place(body: object, placeholder: str) -> bool:
    """Whether a value of the body is this placeholder and nothing else."""
    return placeholder in _texts(body)


def fill(template: typing.Any, values: dict[str, typing.Any]) -> typing.Any:
    """`template` with `values` by placeholder ("{prompt}" and so on) in their places. Raises ValueError."""
    if isinstance(template, dict):
        return {key: fill(inner, values) for key, inner in template.items()}
    if isinstance(template, list):
        return [fill(inner, values) for inner in template]
    if not isinstance(template, str):
        return template
    if template in values:
        return values[template]
    if _PLACEHOLDER.fullmatch(template):
        raise ValueError(
            f"`body` has a place for {template}, which is not in `parameters:`; add it or remove the place"
        )
    return template.replace("{prompt}", values.get("{prompt}", "{prompt}"))
