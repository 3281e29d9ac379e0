"""What the plain loops go over: the rows of requests.csv as dicts, and what their stage was asked for."""

import csv
import pathlib
import typing

TEXTS = {
    *(
        "worker",
        "target",
        "service",
        "operation",
        "payload",
        "prompt_id",
        "phase",
        "prompt_token_source",
        "token_source",
    ),
    *("stop_reason", "request_id", "error", "error_code", "error_message", "gaps"),
}


class Setup(typing.NamedTuple):
    """What a stage was asked for."""

    price: dict  # usd_per_hour and instance_count, or input and output (USD per 1,000 tokens)
    max_tokens: int | None
    retry: bool
    slo: dict
    open_loop: bool


def read(path: pathlib.Path, start: float, offsets_ms: dict[str, float]) -> list[dict]:
    """requests.csv; offsets_ms: worker -> its clock minus the master's."""
    records = []
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            r = {name: (cell if name in TEXTS else float(cell)) if cell else None for name, cell in row.items()}
            r["sent"] = r["started_at"] - offsets_ms.get(r["worker"], 0.0) / 1000 - start
            r["ended"] = r["sent"] + r["latency_ms"] / 1000
            records.append(r)
    return records
