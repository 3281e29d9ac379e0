"""JSON as answers hold it: read by msgspec, and by Python's own decoder whatever msgspec refuses.

Where msgspec takes a document its values are those of Python's decoder, whole numbers of any length and the order of keys
included. It refuses what Python's takes beyond the standard (NaN, 1e400, half a surrogate pair), and what is no JSON: both are
for Python's decoder to say.
"""

import json
import typing

import msgspec

#: what `read_json` raises: bad JSON, bad UTF-8, a number or a depth beyond the decoder's limits
NO_JSON = (ValueError, RecursionError)
_quick = msgspec.json.Decoder().decode
_plain = json.JSONDecoder().decode


def read_json(data: bytes) -> typing.Any:
    """The document. Raises NO_JSON."""
    try:
        return _quick(data)
    except Exception:  # msgspec's own errors and NO_JSON
        return _plain(data.decode())
