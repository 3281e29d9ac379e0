"""What tests of whole runs make and read: scenarios with their files, and run folders."""

import collections
import csv
import io
import json
import pathlib
import time
import typing

import yaml

from locustfiles.contract.record import FIELDS, KINDS
from tests.helpers.patience import until

#: endpoint and model names of the emulator that `conftest` starts, with what they do
EMULATOR = {
    "engines": {
        "quick": {
            "kind": "timed",
            "ttft_ms": 20,
            "tokens_per_second": 200,
            "seed": 3,
        },  # 10 tokens: 20 + 9/200 s = 65 ms
        "slow": {
            "kind": "timed",
            "ttft_ms": 1550,
            "tokens_per_second": 20,
            "seed": 3,
        },  # 10 tokens: 1550 + 9/20 s = 2 s
    },
    "endpoints": {
        "quick": {"engine": "quick", "dialect": "tgi"},
        "slow": {"engine": "slow", "dialect": "tgi"},
        "throttled": {
            "engine": "quick",
            "dialect": "tgi",
            "faults": {"throttle": 0.3, "drop_mid_stream": 0.1},
            "fault_seed": 5,
        },
        # is never left out, however many of its first calls fail: those that are throttled do not count
        "often-throttled": {"engine": "quick", "dialect": "tgi", "faults": {"throttle": 0.3}, "fault_seed": 5},
        "busy": {"engine": "quick", "dialect": "tgi", "faults": {"throttle": 1.0}},
        "failing": {"engine": "quick", "dialect": "tgi", "faults": {"server": 1.0}},
    },
    "models": {
        "quick-model": {"engine": "quick", "family": "nova"},
        "slow-model": {"engine": "slow", "family": "nova"},
    },
}

BOOK = {
    "region": "us-east-1",
    "currency": "USD",
    "as_of": "2024-04-15",
    "source": "made for a test",
    "instances": {"ml.test": 3.6},  # a tenth of a cent a second
    "models": {"quick-model": {"input": 0.001, "output": 0.002}, "slow-model": {"input": 0.001, "output": 0.002}},
}


def sagemaker(endpoint: str, **more: object) -> dict:
    target = {"name": f"on-{endpoint}", "service": "sagemaker", "endpoint": endpoint, "dialect": "tgi", "stream": True}
    return target | {"instance_type": "ml.test", "parameters": {"max_tokens": 10}} | more


def bedrock(model: str, **more: object) -> dict:
    target = {"name": f"by-{model}", "service": "bedrock", "model_id": model, "api": "converse", "stream": True}
    return target | {"parameters": {"max_tokens": 10}} | more


def make_scenario(
    folder: pathlib.Path, url: str, targets: list[dict], load: dict, prompts: int = 40, **more: object
) -> pathlib.Path:
    """A scenario file in `folder` with its payload file and price book beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": f"p{n}", "prompt": f"Prompt number {n}: tell me of it."}) for n in range(prompts)]
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n")
    book = yaml.safe_dump(BOOK).replace("'2024-04-15'", "2024-04-15")
    (folder / "book.yaml").write_text(book)
    scenario = {
        "name": "tried",
        "targets": targets,
        "region": "us-east-1",
        "endpoint_url": url,
        "payloads": [str(folder / "prompts.jsonl")],
    }
    scenario |= {"load": load, "request_timeout_s": 10, "seed": 7, "pricing": str(folder / "book.yaml")} | more
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in scenario.items() if v is not None}))
    return path


class Row(dict):
    """A line of requests.csv with its cells as the record's kinds; an empty cell is None."""

    def __getattr__(self, name: str) -> typing.Any:
        return self[name]


def rows(run: pathlib.Path) -> list[Row]:
    return _rows((run / "requests.csv").read_text(encoding="utf-8"))


def rows_so_far(run: pathlib.Path) -> list[Row]:
    """Of a run that goes on: the whole lines, none where there is no file yet."""
    file = run / "requests.csv"
    whole = file.read_text(encoding="utf-8").rpartition("\n")[0] if file.exists() else ""
    return _rows(whole) if whole else []


def _rows(text: str) -> list[Row]:
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert tuple(lines[0]) == FIELDS
    assert all(len(line) == len(FIELDS) for line in lines)
    return [
        Row({f: KINDS[f](cell) if cell else None for f, cell in zip(FIELDS, line, strict=True)}) for line in lines[1:]
    ]


def manifest(run: pathlib.Path) -> dict:
    return json.loads((run / "manifest.json").read_text())


def table(run: pathlib.Path, name: str) -> list[dict[str, str]]:
    """One of Locust's own CSV files."""
    with open(run / f"locust_{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def total(run: pathlib.Path) -> dict[str, str]:
    return next(row for row in table(run, "stats") if row["Name"] == "Aggregated")


def lag_s(found: list[Row]) -> float:
    """How late the processes' event loops were at the worst, by their own record: what a busy machine took from a run."""
    return max(r.lag_ms or 0.0 for r in found) / 1000


def each_once(found: list[Row]) -> bool:
    """Every call of every worker stands in the file exactly once, numbered from 1 without a gap."""
    calls = collections.defaultdict(list)
    for row in found:
        calls[row.worker].append(row.call)
    return all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in calls.values())


def await_requests(endpoint, at_least: int) -> None:
    """Wait until the endpoint has received so many requests in all."""
    until(lambda: endpoint.stats()["requests"] >= at_least, lambda: f"{at_least} requests: {endpoint.stats()}")


def truth_of(endpoint, ids: set[str]) -> dict[str, dict]:
    """The endpoint's own log of these requests; it is written once a second."""
    over = time.monotonic() + 30
    while True:
        truth = {row["request_id"]: row for row in endpoint.truth_rows()}
        if ids <= set(truth) or time.monotonic() > over:
            return {i: truth[i] for i in ids if i in truth}
        time.sleep(0.2)
