"""How many GPUs an instance type has, of those that models are served on; AWS's EC2 instance types pages."""

import re

_TYPE = re.compile(r"(?:ml\.)?([a-z0-9-]+)\.(\d*x?large|metal)")
_ONE = {"xlarge": 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "16xlarge": 1}
_FOURS = _ONE | {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}
#: family -> size -> GPUs
_GPUS: dict[str, dict[str, int]] = {
    "g4dn": _ONE | {"12xlarge": 4, "metal": 8},
    "g5": _FOURS,
    "g6": _FOURS,
    "g6e": _FOURS,
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
}


def gpus_of(instance_type: str | None) -> int | None:
    """None where it is not known."""
    match = _TYPE.fullmatch(instance_type or "")
    return _GPUS.get(match[1], {}).get(match[2]) if match else None
