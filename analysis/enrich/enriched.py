"""A run's stages with what the service tells of each."""

import dataclasses
import time
import typing

from analysis.enrich.aws_client import Aws, Unanswered
from analysis.enrich.client_side import client_side, in_periods
from analysis.enrich.cloudwatch import LATE_S, Told, Wanted, ask, others_there, variants_of
from analysis.enrich.periods import FINE_KEPT_S, Periods, length_at, periods_of
from analysis.enrich.prometheus import Prometheus, Unreached, container_side
from analysis.enrich.quotas import Quotas, QuotasOf
from analysis.enrich.reader import Reader
from analysis.enrich.service_side import Side, differences, service_side
from analysis.enrich.whose import Series, Whose, series_of, whose, with_variants
from analysis.runs.run_reader import Run
from analysis.words.service_figures import ContainerSide, Minutes, QuotaShare, ServiceFigures
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.manifest import StageWindow
from locustfiles.contract.scenario.targets import BedrockTarget, Target


class Wishes(typing.NamedTuple):
    """What the command line asks for. matchers: target -> labels of its server's series."""

    region: str | None = None
    account: str | None = None
    period_s: int = 60
    codes: typing.Mapping[str, str] = {}
    prometheus: str | None = None
    matchers: typing.Mapping[str, str] = {}


@dataclasses.dataclass(slots=True)
class Enriched:
    """missing: what could not be asked for, a line each. metrics: that CloudWatch was asked for, which it bills."""

    stages: list[ServiceFigures]
    missing: list[str]
    metrics: int = 0
    whole_from: float | None = (
        None  # Unix seconds from which on CloudWatch's figures can be relied on; None: it is not asked
    )


def whole_from(run: Run) -> float | None:
    """When the figures of the last stage's last minute are there; None where no target is in CloudWatch."""
    asked = {t.name for t in run.scenario.targets if whose(run, t).service}
    ends = [s.measure_until for s in run.manifest.stages if s.measure_until and s.target in asked]
    return (max(ends) // 60 + 1) * 60 + LATE_S if ends else None


def enriched(run: Run, wishes: Wishes) -> Enriched:
    """Raises BadInput where no stage was measured, and for an address that is none."""
    visits = [s for s in run.manifest.stages if s.measure_from is not None and s.measure_until is not None]
    if not visits:
        raise BadInput(
            f"{run.path}: no stage has a measured window, the service can tell nothing of it; give another run"
        )
    region = wishes.region or run.scenario.region
    aws = Aws(region)
    same = {t.name: _whose(aws, whose(run, t, region), wishes.account) for t in run.scenario.targets}
    begin = min(s.measure_from for s in visits if s.measure_from is not None)
    end = max(s.measure_until for s in visits if s.measure_until is not None)
    length = max(60, length_at(begin, time.time()))
    fine_s = wishes.period_s if time.time() - begin < FINE_KEPT_S else None
    series = list(
        dict.fromkeys(one for name in dict.fromkeys(s.target for s in visits) for one in series_of(same[name]))
    )
    told = ask(aws, Wanted(series, begin, end, length, fine_s, wishes.account)) if series else Told()
    quotas = Quotas(aws, dict(wishes.codes))
    maker = _Maker(run, same, told, length, fine_s, quotas)
    server = Prometheus(wishes.prometheus, begin, end) if wishes.prometheus else None
    found = Enriched([], told.missing, told.metrics, whole_from(run))
    for visit in visits:
        container = _container(server, wishes.matchers.get(visit.target), visit, found.missing)
        found.stages.append(maker.stage(visit, container))
    if not told.missing:
        _look_for_others(aws, found, maker.silent())
    found.missing += quotas.missing + maker.without_quota()
    return found


def _whose(aws: Aws, found: Whose, account: str | None) -> Whose:
    """With an endpoint's variants as CloudWatch knows them, where no record names one."""
    known = {}
    for endpoint in found.guessed:
        try:
            known[endpoint] = variants_of(aws, endpoint, account)
        except Unanswered:  # then its figures cannot be asked for either, which is told
            break
    return with_variants(found, known)


def _container(server: Prometheus | None, matcher: str | None, visit: StageWindow, missing: list[str]) -> ContainerSide:
    if server is None or matcher is None or any(line.startswith("--prometheus") for line in missing):
        return ContainerSide()
    try:
        return container_side(server, matcher, visit.measure_from or 0.0, visit.measure_until or 0.0)
    except Unreached as e:
        missing.append(str(e))
        return ContainerSide()


def _look_for_others(aws: Aws, found: Enriched, silent: dict[str, Series]) -> None:
    """Why nothing is known of a target."""
    for target, series in silent.items():
        try:
            found.missing.append(f"target `{target}`: {others_there(aws, series)}")
        except Unanswered as e:
            found.missing.append(str(e))
            return


class _Maker:
    """Makes rows."""

    def __init__(
        self, run: Run, same: dict[str, Whose], told: Told, length: int, fine_s: int | None, quotas: Quotas
    ) -> None:
        self._run, self._same, self._told, self._length, self._fine_s = run, same, told, length, fine_s
        self._quotas = quotas
        self._of_target: dict[str, QuotasOf] = {}
        self._heard: dict[str, bool] = {}  # target -> whether CloudWatch had anything of it

    def silent(self) -> dict[str, Series]:
        """Targets in CloudWatch of which nothing was told, with the metric that should be there."""
        return {name: series_of(self._same[name])[0] for name, heard in self._heard.items() if not heard}

    def without_quota(self) -> list[str]:
        return [f"target `{name}`: {quotas.why_none}" for name, quotas in self._of_target.items() if quotas.why_none]

    def stage(self, visit: StageWindow, container: ContainerSide) -> ServiceFigures:
        target, found = self._run.target(visit.target), self._same[visit.target]
        who = {name: getattr(visit, name) for name in ("stage", "target", "payload", "users", "rate")}
        a, b = visit.measure_from, visit.measure_until
        row = ServiceFigures(**who, window_from=a, window_until=b, container=container)
        if not found.service:
            return dataclasses.replace(row, missing=None if container != ContainerSide() else found.why_none)
        quotas = self._quotas_of(target, found)
        periods = periods_of(self._run, visit, self._same, self._length)
        reader = Reader(found, self._told, periods, visit, self._fine_s)
        self._heard[visit.target] = self._heard.get(visit.target, False) or bool(reader.begins())
        row, side, why = self._measured(row, visit, periods, reader)
        missing = "; ".join(line for line in why if line)
        return dataclasses.replace(row, quota=quota_share(target, quotas, side), missing=missing or None)

    def _measured(
        self, row: ServiceFigures, visit: StageWindow, periods: Periods, reader: Reader
    ) -> tuple[ServiceFigures, Side, list[str]]:
        """The row with both sides of its minutes, and why figures are not there."""
        found, counted = self._same[visit.target], reader.begins()
        kept = periods._replace(begins=counted)
        side = service_side(  # with levels of short periods, where there is no whole one
            Reader(found, self._told, kept, visit, self._fine_s), found.service, self._run.target(visit.target)
        )
        row = dataclasses.replace(row, service=side.figures, minutes=Minutes(metrics_of=found.told))
        if not counted:
            why_none = periods.why_none or self._why_no_data(len(periods.begins), periods.length)
            return row, side, [why_none, found.lacks]
        client = client_side(in_periods(self._run, visit.stage, kept))
        apart, why = differences(client, side)
        minutes = Minutes(
            metrics_of=found.told, basis=periods.basis, periods=len(counted), period_s=float(periods.length),
            from_s=counted[0] - self._run.epoch, until_s=counted[-1] + periods.length - self._run.epoch,
        )  # fmt: skip
        some = len(periods.begins) - len(counted)
        gone = (
            f"CloudWatch has nothing of {some} of its {len(periods.begins)} periods, which are left out on both sides"
        )
        row = dataclasses.replace(row, minutes=minutes, client=client, differences=apart)
        return row, side, [gone if some else "", found.lacks, why]

    def _why_no_data(self, periods: int, length: int) -> str:
        if self._told.missing:
            return "CloudWatch could not be asked"
        return f"CloudWatch has no figure of its {periods} period{'s' if periods > 1 else ''} of {length} s"

    def _quotas_of(self, target: Target, found: Whose) -> QuotasOf:
        if target.name not in self._of_target:
            # regions have quotas of their own
            self._of_target[target.name] = QuotasOf() if found.abroad else self._quotas.of(target, found.service)
        return self._of_target[target.name]


def quota_share(target: Target, quotas: QuotasOf, side: Side) -> QuotaShare:
    """What a stage took of the quotas."""
    instances = None if isinstance(target, BedrockTarget) else target.instance_count

    def share(used: float | None, whole: float | None) -> float | None:
        return used / whole if used is not None and whole else None

    tokens, requests, machines, output = (quota and quota.value for quota in quotas[:4])
    quota, peak = quotas.tokens, side.peak_tokens
    if (share(side.peak_output, output) or 0.0) > (share(peak, tokens) or 0.0):  # of two quotas the one that is fuller
        quota, tokens, peak = quotas.output_tokens, output, side.peak_output
    return QuotaShare(
        tokens_quota=quota.name if quota else None,
        tokens_per_minute_quota=tokens,
        tokens_per_minute_peak=peak,
        tokens_quota_share=share(peak, tokens),
        requests_per_minute_quota=requests,
        requests_quota_share=share(side.peak_requests, requests),
        instances_quota=machines,
        instances_quota_share=share(None if instances is None else float(instances), machines),
    )
