"""What a target is paid for by the hour or by the token."""

import typing

from analysis import format as show


def instances_of(row: typing.Mapping[str, typing.Any]) -> str:
    """`2 × ml.g5.2xlarge`, `ml.g5.2xlarge`, or the model id."""
    count, name = row["instance_count"], show.text(row["instance_type"])
    return f"{count} × {name}" if show.known(count) and count > 1 else name
