"""A line of a payload file as a JSON object."""

import json
import typing


def json_object(line: str) -> dict:
    """Raises ValueError with what is wrong and the remedy."""
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
