"""What stands in the place of an answer where there is none to read, and an answer that is read without harm: by every transport."""

import time
import typing

from locustfiles.common.dialects.parsed import ParsedAnswer
from locustfiles.common.transport.exchange import Exchange
from locustfiles.common.transport.limits import beside_the_loop
from locustfiles.contract.error_classes import ErrorClass


def unsigned(exchange: Exchange, why: Exception) -> ParsedAnswer:
    """Of a request that could not be signed, and was not sent."""
    exchange.sent_at = exchange.done_at = time.perf_counter()
    return ParsedAnswer(error=ErrorClass.AUTH, error_code=type(why).__name__, error_message=str(why))


def read(exchange: Exchange, reader: typing.Callable[..., ParsedAnswer], *facts: object) -> ParsedAnswer:
    """What `reader(*facts)` finds in an answer; a long one is read beside the loop. Raises nothing."""
    try:
        return beside_the_loop(exchange.response_bytes, reader, *facts)
    except Exception as e:  # our own bug: recorded as such, and the stage becomes INVALID
        return ParsedAnswer(error=ErrorClass.INTERNAL, error_message=f"reader: {type(e).__name__}: {e}")
