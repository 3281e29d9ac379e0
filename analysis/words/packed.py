"""What packed files are called, by their first bytes, and what unpacks them."""

import typing


class Packed(typing.NamedTuple):
    """One way to pack files."""

    begins: bytes
    name: str
    unpack: str  # a command


WAYS = (
    Packed(b"\x1f\x8b", "gzip", "gunzip"),
    Packed(b"PK\x03\x04", "zip", "unzip"),
    Packed(b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    Packed(b"BZh", "bzip2", "bunzip2"),
    Packed(b"\xfd7zXZ\x00", "xz", "unxz"),
    Packed(b"7z\xbc\xaf\x27\x1c", "7z", "7z x"),
)


def packed_by(start: bytes) -> Packed | None:
    """start: at least six bytes of a file, where it has as many."""
    return next((way for way in WAYS if start.startswith(way.begins)), None)
