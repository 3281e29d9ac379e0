"""Pipes to processes of ours, in a loop that must not wait: what is full or empty lets the others go on."""

import typing

from gevent.os import make_nonblocking, nb_read, nb_write

BLOCK = 1 << 16
MOST_BYTES = 1 << 25  # of a line: more than any answer


def write(descriptor: int, data: bytes) -> None:
    """All of it, once the other side has taken it. Nothing of it is kept when it is interrupted. Raises OSError."""
    make_nonblocking(descriptor)
    left = memoryview(data)
    while left:
        left = left[nb_write(descriptor, left[:BLOCK]) :]


def lines(descriptor: int) -> typing.Iterator[bytes]:
    """Without their ends, until the other side closes it. Raises OSError, ValueError for one that is too long."""
    make_nonblocking(descriptor)
    held = bytearray()
    while block := nb_read(descriptor, BLOCK):
        *whole, rest = block.split(b"\n")
        for one in whole:
            held += one
            yield bytes(held)
            held.clear()
        held += rest
        if len(held) > MOST_BYTES:
            raise ValueError(f"a line of more than {MOST_BYTES} bytes")
    if held:
        yield bytes(held)
