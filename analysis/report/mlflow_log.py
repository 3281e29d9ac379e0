"""A report in MLflow: an MLflow run of it, each figure of a target and payload a metric by level, the report's files its artifacts.

The client is MLflow's own, which knows its servers, SageMaker's among them (an ARN, with the package sagemaker-mlflow), and is loaded
only here. What is not known is not logged.
"""

import contextlib
import importlib
import logging
import math
import os
import pathlib
import re
import typing

from analysis.advice.report_model import Report
from analysis.verdicts.stage_results import Result
from analysis.words.columns import METRICS
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import redact

CLIENT = "pip install mlflow-skinny==3.17.2"
AT_ONCE = 1000  # metrics of a request to the server
#: unless they are set otherwise: its own retries go on for minutes, and its addresses come between our lines
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_NO_NAME = re.compile(r"[^\w./: -]")  # what MLflow takes in no name
LONGEST = 250  # characters of a metric's name


def log_report(report: Report, folder: pathlib.Path, uri: str, experiment: str | None = None) -> str:
    """The id of the MLflow run. experiment: default the first run's scenario. Raises BadInput, with the report written by then."""
    client_of = _client()
    first = next(iter(report.runs.values()))
    try:
        with _quiet():
            client = client_of(tracking_uri=uri)
            name = experiment or first.name
            known = client.get_experiment_by_name(name)
            where = known.experiment_id if known else client.create_experiment(name)
            run = client.create_run(where, run_name=", ".join(report.runs), tags=_tags(report)).info.run_id
            _log(client, run, report)
            client.log_artifacts(run, str(folder), "report")
            client.set_terminated(run, "FAILED" if report.invalid else "FINISHED")
    except Exception as e:  # of its own kinds, of HTTP's and of the store's: all mean that it is not there
        raise BadInput(
            f"--mlflow: not logged ({redact(_one_line(e))}); the report itself is in {folder}. Check the address and that the server is up"
        ) from None
    return run


def _client() -> typing.Callable[..., typing.Any]:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module("mlflow").MlflowClient
    except ImportError:
        raise BadInput(f"--mlflow: MLflow's client is not installed; {CLIENT}") from None


@contextlib.contextmanager
def _quiet() -> typing.Iterator[None]:
    """Its retries warn line by line; what went wrong is said once."""
    loud = [logging.getLogger(name) for name in ("mlflow", "urllib3")]
    before = [one.level for one in loud]
    for one in loud:
        one.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for one, level in zip(loud, before, strict=True):
            one.setLevel(level)


def _one_line(e: Exception) -> str:
    return " ".join(str(e).split()) or type(e).__name__


def _tags(report: Report) -> dict[str, str]:
    ids = [part.run_id for manifest in report.runs.values() for part in manifest.parts]
    return {"swarmledger.version": str(report.made_by), "swarmledger.runs": ", ".join(ids)}


def _log(client: typing.Any, run: str, report: Report) -> None:
    entities = importlib.import_module("mlflow.entities")
    at_ms = int(report.made_at.timestamp() * 1000)
    figures = [entities.Metric(key, value, at_ms, step) for key, value, step in metrics_of(report)]
    params = [entities.Param(key, value) for key, value in params_of(report).items()]
    client.log_batch(run, params=params)
    for begin in range(0, len(figures), AT_ONCE):
        client.log_batch(run, metrics=figures[begin : begin + AT_ONCE])


def params_of(report: Report) -> dict[str, str]:
    """What was run, and what it says."""
    found = {"dataset": report.dataset, "recommendation": report.recommendation.text}
    for name, manifest in report.runs.items():
        lead = f"{name}." if len(report.runs) > 1 else ""
        found |= {f"{lead}scenario": manifest.name, f"{lead}region": str(manifest.scenario.get("region") or "")}
        for target in manifest.scenario.get("targets", []):
            called = target.get("model_id") or target.get("endpoint") or ""
            found[f"{lead}target.{target['name']}"] = str(called)
    return {_named(key): value[:6000] for key, value in found.items() if value}


def metrics_of(report: Report) -> typing.Iterator[tuple[str, float, int]]:
    """(name, value, step): `p4d/payload_en/latency_p95_s` by users, in the open loop `p4d/payload_en/by_rate/…` by requests a minute."""
    if report.total_cost is not None:
        yield "total_cost_usd", report.total_cost, 0
    for result in report.candidates:
        lead, step = _level(result, len(report.runs) > 1)
        for column in METRICS:
            value = column.of(result.figures)
            if column.kind in ("number", "count") and isinstance(value, int | float) and math.isfinite(value):
                yield _named(f"{lead}/{column.name}"), float(value), step


def _level(result: Result, several: bool) -> tuple[str, int]:
    """What its metrics' names begin with, and their step."""
    figures = result.figures
    lead = f"{figures.run}/" if several else ""
    lead += f"{figures.identity.target}/{result.payload}"
    return (lead, figures.users) if figures.users is not None else (f"{lead}/by_rate", round(60 * (figures.rate or 0)))


def _named(text: str) -> str:
    return _NO_NAME.sub("_", text)[:LONGEST]
