"""--otlp: a run's metrics are sent to an OpenTelemetry collector, by the observer; here it is asked to, and waited for at the end."""

import argparse
import json
import logging
import time
import typing

from locustfiles.common.deployed import grace
from locustfiles.common.watching.observer import Observer
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.otlp_settings import BY_ENVIRONMENT, otlp_settings

log = logging.getLogger("swarmledger")
FLUSH_S = 10.0  # at the end, for the last sums
TRIES = 2  # then they are given up


def add(add_argument: typing.Callable) -> None:
    add_argument(
        "--otlp",
        default="",
        env_var="SWARMLEDGER_OTLP",
        help="Send metrics to this OpenTelemetry collector, as http://localhost:4318; "
        f"{BY_ENVIRONMENT}: to where OTEL_EXPORTER_OTLP_ENDPOINT says",
    )
    add_argument(
        "--metrics-port",
        type=int,
        default=0,
        env_var="SWARMLEDGER_METRICS_PORT",
        help="Answer Prometheus at http://127.0.0.1:PORT/metrics, also without the web UI",
    )
    add_argument(
        "--metrics-host",
        default="127.0.0.1",
        env_var="SWARMLEDGER_METRICS_HOST",
        help="Where --metrics-port listens; 0.0.0.0: for a Prometheus on another machine. Nobody logs in there",
    )


def prepare(options: argparse.Namespace) -> None:
    """Raises BadInput."""
    if options.otlp and not options.worker:
        otlp_settings(options.otlp)
    if options.metrics_port and not 1 <= options.metrics_port <= 65535:
        raise BadInput(f"--metrics-port {options.metrics_port}: no port; give one from 1 to 65535")


class MetricsOut:
    """Of one process."""

    def __init__(self, options: argparse.Namespace, observer: Observer) -> None:
        self._to, self._observer = options.otlp, observer
        self._begun = False

    def begin(self) -> None:
        """A run begins."""
        if self._to:
            self._begun = True
            self._observer.want(otlp={"to": self._to})

    def scrape(self, wait_s: float) -> bytes | None:
        """What Prometheus is answered, as JSON; None where it is not worked out in so long."""
        return self._observer.ask("metrics", True, wait_s)

    def flush(self) -> None:
        """At the very end: wait until the collector has all, for FLUSH_S at most."""
        if not self._begun:
            return
        over, failed_before = time.monotonic() + grace.at_most(FLUSH_S), self._told().get("failed", 0)
        while (left_s := over - time.monotonic()) > 0:
            self._observer.ask("otlp", {"to": self._to, "flush": True}, left_s)
            told = self._told()
            if told.get("flushed"):
                return
            if told.get("failed", 0) - failed_before >= TRIES:
                break
        log.warning("--otlp: the collector has not taken the last figures; what it has of this run is not whole")

    def _told(self) -> dict[str, typing.Any]:
        return json.loads(self._observer.latest.get("otlp", b"{}"))
