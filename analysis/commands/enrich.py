"""`python -m analysis enrich`: what the service itself tells of a run's stages, beside what the client saw."""

import argparse
import re
import sys
import time
import typing

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.exit_codes import OK

if typing.TYPE_CHECKING:
    from analysis.enrich.enriched import Enriched
    from analysis.words.service_figures import ServiceFigures

EXAMPLE = """examples:
  python -m analysis enrich runs/study
  python -m analysis enrich runs/study --wait --quota-code claude=L-1234ABCD
  python -m analysis enrich runs/vllm --prometheus http://127.0.0.1:9090
  python -m analysis enrich runs/both --prometheus http://127.0.0.1:9090 --select 'vllm=instance="10.0.0.5:8000"'

It reads, with the credentials of the shell, CloudWatch (cloudwatch:GetMetricData, cloudwatch:ListMetrics) and Service Quotas
(servicequotas:ListServiceQuotas, servicequotas:GetServiceQuota); what it may not read it says in a line, and goes on.
AWS bills $0.01 for 1,000 metrics that GetMetricData is asked for; the command says how many they were.

exit code: 0 fine, also where something is missing; 1 bad input."""
PERIODS = (10, 30, 60)
_MOST_WAIT_S = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `enrich`."""
    parser.add_argument("folder", metavar="RUN", help="a run's folder (--run-dir of the load test)")
    parser.add_argument("--region", metavar="REGION", help="default: the scenario's")
    parser.add_argument(
        "--account",
        metavar="ID",
        help="whose metrics, from a monitoring account of CloudWatch's cross-account observability",
    )
    parser.add_argument(
        "--period", type=int, default=60, metavar="S",
        help="how often the endpoint publishes CPU and GPU, 10, 30 or 60 s (MetricPublishFrequencyInSeconds); default: 60",
    )  # fmt: skip
    parser.add_argument("--wait", action="store_true", help="until CloudWatch has the last minute, at most 10 minutes")
    parser.add_argument(
        "--quota-code",
        action="append",
        default=[],
        metavar="TARGET=CODE",
        help="of a quota that is not found by its name",
    )
    parser.add_argument(
        "--prometheus", metavar="URL", help="a server that scraped the container, or GPUs by DCGM's exporter"
    )
    parser.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="TARGET=MATCHERS",
        help="""its series, as vllm=instance="10.0.0.5:8000\"""",
    )


def run(args: argparse.Namespace) -> int:
    """Ask, write service.json and service.csv, and print the gist. Raises BadInput."""
    if args.period not in PERIODS:
        raise BadInput(f"--period {args.period}: an endpoint publishes every 10, 30 or 60 s; give one of these")
    if args.account and not re.fullmatch(r"\d{12}", args.account):
        raise BadInput(f"--account {args.account}: not the twelve digits of an account; mend it")
    if args.select and not args.prometheus:
        raise BadInput("--select: belongs to --prometheus; give the server's address, too")
    from analysis.enrich.enriched import Wishes, enriched, whole_from
    from analysis.enrich.prometheus import matchers_of
    from analysis.enrich.quotas import codes_of
    from analysis.enrich.written import write
    from analysis.runs.run_reader import load_run

    run = load_run(args.folder)
    names = [t.name for t in run.scenario.targets]
    matchers = matchers_of(args.select, names) if args.prometheus else {}
    codes = codes_of(args.quota_code, names)
    if args.wait:
        _wait(whole_from(run))
    found = enriched(run, Wishes(args.region, args.account, args.period, codes, args.prometheus, matchers))
    path = write(run, found, args.region or run.scenario.region)
    print("\n".join([*map(_line, found.stages), *_remarks(found)]))
    print(f"written: {path}; `python -m analysis report {args.folder}` shows it")
    return OK


def _wait(until: float | None) -> None:
    left = 0.0 if until is None else until - time.time()
    if left > _MOST_WAIT_S:
        raise BadInput(f"--wait: the run's last minute is {left:.0f} s ahead; check this machine's clock")
    if left > 0:
        if sys.stderr.isatty():
            print(f"CloudWatch has the last minute in {left:.0f} s", file=sys.stderr)
        time.sleep(left)


def _line(s: "ServiceFigures") -> str:
    """`stage 2, claude, 5 users: 2 periods inside; client 1.48 s, service 1.42 s, between them 60 ms; GPU 87 %`"""
    from analysis.words import format as show
    from analysis.words.level import level_text

    service, parts = s.service, []
    if s.minutes.periods:
        parts.append(f"{s.minutes.periods} period{'s' if s.minutes.periods > 1 else ''} {s.minutes.basis}")
    latencies = (s.client.client_latency_mean_ms, service.service_latency_mean_ms, s.differences.network_queue_ms)
    words = [show.UNKNOWN if ms is None else show.seconds(ms / 1000) for ms in latencies]
    if service.service_latency_mean_ms is not None:
        parts.append(f"mean latency of the client {words[0]}, of the service {words[1]}, between them {words[2]}")
    if service.backlog_time_mean_ms is not None:
        parts.append(f"{show.seconds(service.backlog_time_mean_ms / 1000)} of it in the backlog")
    if service.service_throttles:
        parts.append(f"{show.count(service.service_throttles)} throttles")
    shares = {"GPU": service.gpu_share or s.container.dcgm_gpu_share, "quota of tokens": s.quota.tokens_quota_share}
    parts += [f"{name} {show.percent(share)}" for name, share in shares.items() if share is not None]
    if s.container.waiting_mean is not None:
        parts.append(f"{show.number(s.container.waiting_mean)} requests waiting in the container")
    if s.missing:
        parts.append(f"missing: {s.missing}")
    return f"stage {s.stage}, {s.target}, {level_text(s)}: {'; '.join(parts)}"


def _remarks(found: "Enriched") -> list[str]:
    from analysis.words import format as show

    lines = [f"missing: {line}" for line in found.missing]
    if found.metrics:
        lines.append(f"CloudWatch was asked for {found.metrics:,} metrics (${found.metrics / 1000 * 0.01:.4f})")
    if found.whole_from is not None and found.whole_from > time.time():
        by = show.utc(found.whole_from)
        lines.append(f"the last minutes may be missing: CloudWatch has them by {by}; run it again then, or with --wait")
    return lines
