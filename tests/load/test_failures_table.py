"""The table of FAILURES.md is the test: every row is provoked over real HTTP, and its cells are what the record says.

A row without a provocation fails, and so does a fault of the local endpoint, an error class, or an error that AWS's
own description of both services names, without a row; and a refusal that it does not name, unless the row says so.
"""

import itertools
import re
import typing

import botocore.session
import numpy as np
import pandas as pd
import pytest

from analysis.cost.bill import bill, usd_by_tokens
from locustfiles.contract.error_classes import UNBILLED, ErrorClass, OwnCode
from locustfiles.contract.prices.price import TokenPrice
from locustfiles.contract.record import KINDS, RequestRecord
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from scripts.emulator.faults import FAULTS
from tests.helpers.calls import TOKENS
from tests.helpers.emulator_process import ROOT, running_emulator
from tests.helpers.lab import SURFACES, Lab
from tests.helpers.provocations import PROVOKE, event_exceptions

WORDS = (ROOT / "locustfiles/FAILURES.md").read_text(encoding="utf-8")
DASH = "–"

# --- the table ---


class Row(typing.NamedTuple):
    """The cells of one row, as they are written."""

    key: str
    injected: str
    surfaces: str
    error: str
    code: str
    status: str
    kept: str
    billed: str
    message: str


def table(first: str) -> list[list[str]]:
    """The rows of the Markdown table whose first column is headed `first`, code marks taken off."""
    lines = [line.split("|")[1:-1] for line in WORDS.splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in line] for line in lines]
    begin = next(i for i, row in enumerate(cells) if row[0] == first)
    width = len(cells[begin])
    return list(itertools.takewhile(lambda row: len(row) == width, cells[begin + 2 :]))


SERVICES = {"Bedrock": {"bedrock"}, "SageMaker": {"sagemaker"}, "OpenAI": {"openai"}, "AWS": {"bedrock", "sagemaker"}}
SERVICES["every"] = set().union(*SERVICES.values())


def surfaces(cell: str) -> list[str]:
    """`Bedrock streams, InvokeEndpoint` -> the surfaces."""
    found: list[str] = []
    for name in cell.split(", "):
        words = name.split(" ")
        if name in SURFACES:
            found.append(name)
            continue
        streamed = {"streams": (True,), "whole": (False,), "": (True, False)}[words[1] if words[1:] else ""]
        found += [n for n, (service, s, _) in SURFACES.items() if service in SERVICES[words[0]] and s in streamed]
    return found


ROWS = [Row(*cells) for cells in table("key")]
CASES = {(row.key, surface): row for row in ROWS for surface in surfaces(row.surfaces)}

# --- the local endpoint ---


def config() -> dict:
    """A target for each fault and limit: endpoint `<name>`, model `fault.<name>`, OpenAI model `<name>`."""
    made = {name: {"engine": "exact", "faults": {name: 1.0}, "stall_ms": 60} for name in FAULTS}
    made |= {
        "good": {"engine": "exact"},
        "slow_start": {"engine": "exact", "ready_after_s": 3600},
        "request_bucket": {"engine": "exact", "limit": {"requests_per_second": 0.001, "burst": 1}},
        "token_bucket": {
            "engine": "exact",
            "limit": {"tokens_per_minute": TOKENS},
        },  # the prompt and its answer are more
        "prompt_too_long": {"engine": "small"},
        "queue_full": {"engine": "busy"},
    }
    credentials = [{"access_key": EXAMPLE_ACCESS_KEY, "secret_key": EXAMPLE_SECRET_KEY}]
    credentials.append({"access_key": "AKIAEXPIREDEXAMPLE12", "secret_key": EXAMPLE_SECRET_KEY, "expired": True})
    timed = {"kind": "timed", "ttft_ms": 20, "tokens_per_second": 400, "seed": 1}
    busy = {"kind": "simulated", "prefill_tokens_per_second": 1e5, "decode_base_ms": 30, "decode_per_sequence_ms": 0}
    return {
        "credentials": credentials,
        "engines": {
            "exact": timed,
            "small": timed | {"context_tokens": 10},
            "busy": busy | {"batch_limit": 1, "queue_limit": 1},
        },
        "endpoints": {name: values | {"dialect": "tgi"} for name, values in made.items()},
        "models": {f"fault.{name}": values | {"family": "nova"} for name, values in made.items()},
        "openai": made,
        "api_key": "sk-right",
    }


# --- the test ---


@pytest.fixture(scope="module")
def lab(tmp_path_factory, credentials):
    with running_emulator(config()) as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-right")
        yield Lab(emulator, tmp_path_factory.mktemp("failures"))


def kept_of(record: RequestRecord) -> str:
    """What of the answer that came is in the record."""
    times = [record.ttft_ms, record.last_token_ms, record.chunks]
    assert all(t is None for t in times) or all(t is not None for t in times)
    assert record.completion_tokens is None or record.token_source == "service"
    words = ["times"] * (record.ttft_ms is not None) + ["tokens"] * (record.completion_tokens is not None)
    return ", ".join(words) or DASH


def billed_of(record: RequestRecord) -> str:
    """What the analysis takes the call to cost at a price by tokens: `no`, `its tokens`, or `unknown`."""
    row = pd.DataFrame([{name: getattr(record, name) for name in KINDS}])
    row = row.astype({name: float for name, kind in KINDS.items() if kind is not str})
    price = TokenPrice(input=0.001, output=0.002)
    if record.error is None:
        return "unknown" if np.isnan(usd_by_tokens(row, price)).any() else "its tokens"
    found = bill(row, price, TOKENS)
    if found.low != found.high:
        # from nothing to all: 77 x 0.001 / 1000 + 8 x 0.002 / 1000 USD
        assert (found.low, found.high) == (0, pytest.approx(93e-6))
        return "unknown"
    return "its tokens" if found.high else "no"


@pytest.mark.parametrize(("key", "surface"), CASES, ids=[f"{key}, {surface}" for key, surface in CASES])
def test_what_is_injected_is_recorded_as_the_table_says(lab, key, surface):
    row = CASES[key, surface]
    assert key in PROVOKE, f"nothing provokes `{key}`"
    record = PROVOKE[key](lab, surface)
    said = (record.error, record.error_code, record.http_status)
    recorded = [DASH if value is None else str(value) for value in said]
    assert [*recorded, kept_of(record), billed_of(record)] == [*row[3:8]], (record.error_message, record)
    assert record.operation == surface.split(" ")[0]
    assert EXAMPLE_SECRET_KEY not in str(record) and EXAMPLE_ACCESS_KEY not in str(record)
    assert 0 <= record.latency_ms < 3000
    if row.message == DASH:
        assert record.error_message is None
    else:
        assert any(part in record.error_message for part in row.message.split(" / ")), record.error_message
        assert len(record.error_message) <= 200 and record.error_message.isprintable()


def test_every_fault_of_the_local_endpoint_is_in_the_table_on_every_surface_that_it_changes():
    for name, fault in FAULTS.items():
        changed = "every streams" if fault.stage == "stream" and not fault.body else "every"
        changed = changed.replace("every", "AWS") if fault.framed else changed
        assert {s for key, s in CASES if key == name} >= set(surfaces(changed)), name


def test_every_provocation_and_every_class_has_a_row_and_no_case_has_two():
    assert set(PROVOKE) == {row.key for row in ROWS}
    assert {row.error for row in ROWS} - {DASH} == set(ErrorClass) - {
        ErrorClass.UNKNOWN
    }  # which imported files alone have
    assert {row.code for row in ROWS} >= set(OwnCode)
    cases = [(row.key, surface) for row in ROWS for surface in surfaces(row.surfaces)]
    assert len(cases) == len(set(cases))


def test_every_error_that_aws_describes_is_in_the_table_for_its_operation():
    streamed = event_exceptions()
    assert sum(map(len, streamed.values())) == 5 + 6 + 2  # ConverseStream, InvokeModelWith…, InvokeEndpointWith…
    for service in ("bedrock-runtime", "sagemaker-runtime"):
        model = botocore.session.get_session().get_service_model(service)
        for name in set(SURFACES) & set(model.operation_names):
            described = {shape.name for shape in model.operation_model(name).error_shapes} | streamed.get(name, set())
            assert described <= {row.code for (_, surface), row in CASES.items() if surface == name}, name


#: what any AWS service may refuse a request with, before its operation sees it
COMMON = set(
    "AccessDeniedException ExpiredTokenException InvalidSignatureException ThrottlingException UnrecognizedClientException".split()
)


def test_a_refusal_that_aws_does_not_declare_for_the_operation_says_so():
    undeclared = set()
    for service in ("bedrock-runtime", "sagemaker-runtime"):
        model = botocore.session.get_session().get_service_model(service)
        for name in set(SURFACES) & set(model.operation_names):
            known = COMMON | {shape.name for shape in model.operation_model(name).error_shapes}
            rows = [
                row
                for (_, surface), row in CASES.items()
                if surface == name and row.status not in (DASH, "200", row.code)
            ]
            assert rows
            for row in rows:
                assert (row.code not in known) == row.injected.endswith("; not declared"), (name, row)
            undeclared |= {(name, row.code) for row in rows if row.code not in known}
    assert undeclared == {
        ("Converse", "ServiceQuotaExceededException"),
        ("ConverseStream", "ServiceQuotaExceededException"),
        ("InvokeEndpointWithResponseStream", "ModelNotReadyException"),
        ("InvokeEndpointWithResponseStream", "InternalDependencyException"),
    }


def test_every_class_has_its_meaning_its_remedy_and_its_bill():
    explained = table("class")
    assert [row[0] for row in explained] == [c.value for c in ErrorClass]
    for name, meaning, remedy, billed in explained:
        assert len(meaning) > 10 and len(remedy) > 10
        assert (billed == "no") == (name in UNBILLED), name
    assert not re.search(r"\bTODO\b", WORDS)
