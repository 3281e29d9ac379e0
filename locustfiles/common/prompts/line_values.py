"""Values of a payload's lines, strictly read: each function raises ValueError with what is wrong and the remedy."""

import json
import typing


def object_of(line: str) -> dict:
    """A line of JSON, whose characters can all be sent."""
    try:
        row = json.loads(line, parse_constant=_no_constant)
        json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair cannot be sent
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair (\\ud800 to \\udfff) in a text; write the whole character") from None
    except (ValueError, RecursionError) as e:
        what = e.msg if isinstance(e, json.JSONDecodeError) else "nested too deep or a value out of range"
        raise ValueError(f"not valid JSON ({what}); one JSON object on each line") from None
    if not isinstance(row, dict):
        raise ValueError('not a JSON object; write the line as {"prompt": "…"}')
    return row


def _no_constant(name: str) -> typing.Never:
    raise ValueError(name)


def id_of(value: object, number: int) -> str:
    if value is None:
        return str(number)
    if type(value) is int or (isinstance(value, str) and value.strip()):
        return str(value)
    raise ValueError("`id` must be a text or a whole number")


def text_of(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"`{key}` must be a text")
    if not value.strip():
        raise ValueError(f"`{key}` is empty; write the prompt or remove the line")
    return value


def parameters_of(value: object) -> dict:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError('`parameters` must be an object such as {"max_tokens": 100}')
    max_tokens = value.get("max_tokens", 1)
    if type(max_tokens) is not int or max_tokens < 1:
        raise ValueError("`parameters.max_tokens` must be a whole number of at least 1")
    for key in ("temperature", "top_p"):
        if type(value.get(key, 1)) not in (int, float):
            raise ValueError(f"`parameters.{key}` must be a number")
    stop = value.get("stop", [])
    if not isinstance(stop, str) and not (isinstance(stop, list) and all(isinstance(s, str) for s in stop)):
        raise ValueError("`parameters.stop` must be a text or a list of texts")
    return value
