"""Where a run's metrics are sent by OTLP: --otlp, and OpenTelemetry's own environment variables, which are read only with it.

Headers may hold keys: they are in no message, and neither is the rest of a URL behind its path.
"""

import dataclasses
import os
import pathlib
import typing
import urllib.parse

from locustfiles.contract.bad_input import BadInput

BY_ENVIRONMENT = "env"  # --otlp env: the endpoint, too, is the variables'
PATH = "/v1/metrics"
EVERY_S, TIMEOUT_S = 10.0, 10.0
PROTOCOL = "http/protobuf"
Environment = typing.Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class OtlpSettings:
    """url: of the metrics, whole."""

    url: str
    headers: dict[str, str] = dataclasses.field(repr=False)
    resource: dict[str, str]
    timeout_s: float = TIMEOUT_S
    every_s: float = EVERY_S
    gzip: bool = False
    certificate: str | None = None  # the authority's, a file

    @property
    def shown(self) -> str:
        """The URL as it may be told."""
        parts = urllib.parse.urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"


def otlp_settings(given: str, environment: Environment = os.environ) -> OtlpSettings:
    """Raises BadInput."""

    def of(name: str) -> tuple[str, str]:
        """The variable's name and what it says, the metrics' own before that of all signals."""
        for variable in (f"OTEL_EXPORTER_OTLP_METRICS_{name}", f"OTEL_EXPORTER_OTLP_{name}"):
            if environment.get(variable, "").strip():
                return variable, environment[variable].strip()
        return f"OTEL_EXPORTER_OTLP_{name}", ""

    protocol, said = of("PROTOCOL")
    if said and said != PROTOCOL:
        raise BadInput(
            f"{protocol}={said[:20]}: --otlp speaks {PROTOCOL} alone; unset it, and give the collector's HTTP port (4318)"
        )
    compression, how = of("COMPRESSION")
    if how not in ("", "none", "gzip"):
        raise BadInput(f"{compression}={how[:20]}: neither gzip nor none; set one of them")
    certificate, file = of("CERTIFICATE")
    if file and not pathlib.Path(file).is_file():
        raise BadInput(f"{certificate}={file}: no such file; give the certificate of the collector's authority")
    service = environment.get("OTEL_SERVICE_NAME", "").strip()
    resource = _pairs("OTEL_RESOURCE_ATTRIBUTES", environment.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    return OtlpSettings(
        url=_url(given, of),
        headers=_pairs(*of("HEADERS")),
        resource={"service.name": "swarmledger"} | resource | ({"service.name": service} if service else {}),
        timeout_s=_seconds(*of("TIMEOUT"), TIMEOUT_S),
        every_s=_seconds("OTEL_METRIC_EXPORT_INTERVAL", environment.get("OTEL_METRIC_EXPORT_INTERVAL", ""), EVERY_S),
        gzip=how == "gzip",
        certificate=file or None,
    )


def _url(given: str, of: typing.Callable[[str], tuple[str, str]]) -> str:
    place, url = "--otlp", given
    if given == BY_ENVIRONMENT:
        place, url = of("ENDPOINT")
        if not url:
            raise BadInput(
                f"--otlp env: {place} is not set; set it to the collector, as http://localhost:4318, or give --otlp its URL"
            )
    try:
        parts = urllib.parse.urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        named = False
    if not named:
        raise BadInput(f"{place}: no URL of a collector; give one as http://localhost:4318 (OTLP over HTTP)")
    if parts.username is not None or parts.password is not None:
        raise BadInput(f"{place}: a URL with a password would stand in logs; put it into OTEL_EXPORTER_OTLP_HEADERS")
    if place == "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" or parts.path.endswith(PATH):
        return url
    return urllib.parse.urlunsplit(parts._replace(path=parts.path.rstrip("/") + PATH, fragment=""))


def _pairs(variable: str, said: str) -> dict[str, str]:
    """`key=value,key=value`, percent-encoded."""
    found = {}
    for pair in said.split(","):
        key, equals, value = pair.partition("=")
        key, value = key.strip(), urllib.parse.unquote(value.strip())
        if pair.strip() and not (
            equals and key.isascii() and key.isprintable() and " " not in key and value.isprintable()
        ):
            raise BadInput(f"{variable}: no `key=value,key=value`; write it so, other characters percent-encoded")
        if key:
            found[key] = value
    return found


def _seconds(variable: str, said: str, default: float) -> float:
    """Of milliseconds."""
    if not said.strip():
        return default
    try:
        ms = int(said)
    except ValueError:
        ms = 0
    if not 100 <= ms <= 3_600_000:
        raise BadInput(f"{variable}={said[:20]}: not between 100 and 3600000; give milliseconds")
    return ms / 1000
