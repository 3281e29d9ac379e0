"""How fast a model may be, where nobody has measured it: from its size and its hardware, as a rough model server.

A step of decoding reads all weights (two bytes a parameter) at 60 % of the memory's speed and adds 5 ms; prefill reaches
40 % of the arithmetic. A size is looked for in the names (7b, 8x7b, haiku); the hardware is the instance's, and for Bedrock
half of a machine of H100. To try a scenario with, not to plan by: what a run against it measures is this table.
"""

import re

from scripts.emulator.engine_config import Batched

DEFAULT_BILLIONS = 8.0
#: what a name contains -> billions of parameters that are read for a token; the first that is found
_SIZES = {
    "haiku": 8, "micro": 3, "nano": 3, "mini": 8, "lite": 8, "flash": 8, "sonnet": 70, "nova-pro": 40, "opus": 150,
    "premier": 150, "large": 70, "deepseek": 37, "embed": 0.5, "small": 20,
}  # fmt: skip
#: instance family -> terabytes/s and teraflop/s of an accelerator
_HARDWARE = {
    "g4dn": (0.32, 65), "g5": (0.6, 125), "g6e": (0.86, 362), "g6": (0.3, 121), "g7e": (1.6, 500), "p3": (0.9, 125),
    "p4de": (2.0, 312), "p4d": (1.55, 312), "p5en": (4.8, 990), "p5e": (4.8, 990), "p5": (3.35, 990), "p6": (8.0, 2250),
    "inf2": (0.82, 190), "trn1": (0.82, 190), "trn2": (2.9, 667),
}  # fmt: skip
#: accelerators of an instance size, where they are not one
_ACCELERATORS = {"p": 8, "12xlarge": 4, "24xlarge": 4, "48xlarge": 8, "16xlarge": 1}
_UNKNOWN = _HARDWARE["g5"]  # of an instance that is not here
_MOST_PREFILL = 100_000
_SERVERLESS = (3.35 * 4, 990 * 4)
_BATCH = 64


def billions_of(*names: str | None) -> float:
    """The size that the names tell, in billions of parameters; the default where they tell none."""
    text = " ".join(n for n in names if n).lower()
    if found := re.search(r"(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)\s?b(?![a-z0-9])", text):
        experts, each = found.groups()
        return float(each) * (2 if experts else 1)  # two experts speak at a time
    if found := re.search(r"(?<![a-z0-9.])(\d+)m(?![a-z0-9])", text):
        return int(found[1]) / 1000
    return next((float(size) for name, size in _SIZES.items() if name in text), DEFAULT_BILLIONS)


def _hardware(instance_type: str | None, count: int) -> tuple[float, float]:
    """Terabytes/s and teraflop/s of all of it."""
    if instance_type is None:
        return _SERVERLESS
    family, _, size = instance_type.removeprefix("ml.").partition(".")
    speed, flops = next((v for key, v in _HARDWARE.items() if family.startswith(key)), _UNKNOWN)
    accelerators = _ACCELERATORS["p"] if family.startswith("p") and size != "2xlarge" else _ACCELERATORS.get(size, 1)
    return speed * accelerators * count, flops * accelerators * count


def engine_of(names: tuple[str | None, ...], instance_type: str | None, count: int = 1, seed: int = 0) -> Batched:
    """A batching server of a model of this name on this hardware; without an instance type a shared one."""
    billions = billions_of(*names)
    speed, flops = _hardware(instance_type, count)
    step_ms = 5 + 2 * billions / (speed * 0.6)
    return Batched(
        kind="simulated",
        seed=seed,
        prefill_tokens_per_second=min(_MOST_PREFILL, round(flops * 0.4 * 1000 / (2 * billions))),
        decode_base_ms=round(step_ms, 2),
        decode_per_sequence_ms=round(step_ms * 0.03, 3),
        batch_limit=_BATCH,
        overhead_ms=40.0,
    )
