"""CloudWatch, asked for many metrics at once (GetMetricData)."""

import datetime
import typing

from analysis.enrich.aws_client import Aws, Unanswered
from analysis.enrich.whose import FINE, SAGEMAKER, Series

QUERIES, POINTS = 500, 100_800  # of a call, at most
LATE_S = 180  # until the figures of a minute are there, at most as a rule
_FINE_S = 10  # how often concurrency is published
Of = tuple[Series, str]  # what was asked for, and the statistic


class Told:
    """What CloudWatch told: by series and statistic the values by begin of their period, Unix seconds."""

    def __init__(self) -> None:
        self.values: dict[Of, dict[int, float]] = {}
        self.missing: list[str] = []
        self.metrics = 0  # that were asked for: what CloudWatch bills

    def of(self, series: Series, statistic: str) -> dict[int, float]:
        return self.values.get((series, statistic), {})


class Wanted(typing.NamedTuple):
    """series: what to ask for. fine_s: period of those that may be finer than a minute; None: not finer."""

    series: list[Series]
    begin: float
    end: float
    period_s: int
    fine_s: int | None
    account: str | None


def fine_period(series: Series, fine_s: int | None) -> int | None:
    """Of a metric that is published more often than once a minute; None: not finer than the others. Concurrency always is,
    an instance's only where its endpoint is configured so, which `--period` says."""
    if fine_s is None:
        return None
    if series.name in FINE:
        return _FINE_S
    return fine_s if series.namespace.startswith("/") and fine_s < 60 else None


def ask(aws: Aws, wanted: Wanted) -> Told:
    """What is not told, and why, is in its `missing`."""
    told = Told()
    queries = [(series, statistic) for series in wanted.series for statistic in series.statistics]
    by_period: dict[int, list[tuple[Series, str]]] = {}
    for series, statistic in queries:
        length = fine_period(series, wanted.fine_s) or wanted.period_s
        by_period.setdefault(length, []).append((series, statistic))
    for length, some in by_period.items():
        points = int((wanted.end - wanted.begin) / length) + 2
        size = max(1, min(QUERIES, POINTS // points))
        for first in range(0, len(some), size):
            try:
                _ask_some(aws, wanted, some[first : first + size], length, told)
            except Unanswered as e:
                if str(e) not in told.missing:
                    told.missing.append(str(e))
                return told
    return told


def _ask_some(aws: Aws, wanted: Wanted, some: list[tuple[Series, str]], length: int, told: Told) -> None:
    """Raises Unanswered."""
    begin, end = (int(t // length * length) + length * late for t, late in ((wanted.begin, 0), (wanted.end, 1)))
    queries = [_query(f"m{i}", *each, length, wanted.account) for i, each in enumerate(some)]
    arguments = {
        "MetricDataQueries": queries,
        "StartTime": datetime.datetime.fromtimestamp(begin, datetime.UTC),
        "EndTime": datetime.datetime.fromtimestamp(end, datetime.UTC),
        "ScanBy": "TimestampAscending",
    }
    for number, page in enumerate(aws.pages("cloudwatch", "GetMetricData", "get_metric_data", **arguments)):
        told.metrics += 0 if number else len(queries)
        for result in page.get("MetricDataResults", ()):
            series, statistic = some[int(result["Id"][1:])]
            values = told.values.setdefault((series, statistic), {})
            values.update(zip((int(t.timestamp()) for t in result["Timestamps"]), result["Values"], strict=True))
            if result.get("StatusCode") == "Forbidden":
                _add(
                    told,
                    "cloudwatch:GetMetricData: another account's metrics are forbidden; check --account and what it shares",
                )
            elif result.get("StatusCode") == "InternalError":
                _add(told, "cloudwatch:GetMetricData: CloudWatch failed on some metrics; run it again")


def _add(told: Told, line: str) -> None:
    if line not in told.missing:
        told.missing.append(line)


def _query(name: str, series: Series, statistic: str, period: int, account: str | None) -> dict[str, typing.Any]:
    dimensions = [{"Name": n, "Value": v} for n, v in series.dimensions]
    metric = {"Namespace": series.namespace, "MetricName": series.name, "Dimensions": dimensions}
    asked = {"Metric": metric, "Period": period, "Stat": statistic} | ({"Unit": series.unit} if series.unit else {})
    return {"Id": name, "MetricStat": asked} | ({"AccountId": account} if account else {})


def variants_of(aws: Aws, endpoint: str, account: str | None) -> list[str]:
    """Those of which CloudWatch had a figure in the last two weeks. Raises Unanswered."""
    of: dict[str, typing.Any] = {"Namespace": SAGEMAKER, "MetricName": "ModelLatency"}
    of["Dimensions"] = [{"Name": "EndpointName", "Value": endpoint}]
    of |= {"IncludeLinkedAccounts": True, "OwningAccount": account} if account else {}
    return sorted(_listed(aws, "VariantName", of))


def _listed(aws: Aws, dimension: str, of: dict[str, typing.Any]) -> set[str]:
    """The values that a dimension has in the metrics that are listed. Raises Unanswered."""
    pages = aws.pages("cloudwatch", "ListMetrics", "list_metrics", **of)
    dimensions = (d for page in pages for metric in page.get("Metrics", ()) for d in metric.get("Dimensions", ()))
    return {d["Value"] for d in dimensions if d["Name"] == dimension}


def others_there(aws: Aws, series: Series) -> str:
    """For a target of which nothing is known: the values that its dimension has. Raises Unanswered."""
    dimension, value = series.dimensions[0]
    found = _listed(aws, dimension, {"Namespace": series.namespace, "MetricName": series.name})
    if value in found:
        return f"CloudWatch knows {dimension} {value}, and has no figure of these minutes yet"
    known = f"it has {', '.join(sorted(found)[:6])}{', …' if len(found) > 6 else ''}" if found else "it has none at all"
    return (
        f"CloudWatch has no {series.namespace} metric of {dimension} {value}; {known}: check --region and the account"
    )
