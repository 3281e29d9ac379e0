"""Where --otlp sends, by the option and by OpenTelemetry's own variables, and what is refused."""

import pytest

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.otlp_settings import otlp_settings

ENDPOINT, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"


@pytest.mark.parametrize(
    ("given", "variables", "url"),
    [
        ("http://localhost:4318", {}, "http://localhost:4318/v1/metrics"),
        ("https://c.example/otlp/", {}, "https://c.example/otlp/v1/metrics"),
        ("http://localhost:4318/v1/metrics", {}, "http://localhost:4318/v1/metrics"),
        ("http://localhost:4318", {ENDPOINT: "http://elsewhere:1"}, "http://localhost:4318/v1/metrics"),
        ("env", {ENDPOINT: "http://c:4318"}, "http://c:4318/v1/metrics"),
        ("env", {ENDPOINT: "http://c:1", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:2/x"}, "http://m:2/x"),
    ],
)
def test_metrics_go_where_it_says(given, variables, url):
    assert otlp_settings(given, variables).url == url


def test_variables_have_the_standards_meaning():
    found = otlp_settings(
        "http://c:4318",
        {
            HEADERS: "api-key=a%20b%3Dc, x=1",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,team=llm",
            "OTEL_SERVICE_NAME": "mine",
        },
    )
    assert found.headers == {"api-key": "a b=c", "x": "1"}
    assert (found.timeout_s, found.every_s, found.gzip) == (2.5, 5.0, True)
    assert found.resource == {"service.name": "mine", "team": "llm"}
    assert "a b=c" not in repr(found) and otlp_settings("http://c:1/?key=hidden", {}).shown == "http://c:1/v1/metrics"


@pytest.mark.parametrize(
    ("given", "variables", "place"),
    [
        ("localhost:4318", {}, "--otlp"),
        ("http://", {}, "--otlp"),
        ("http://c:99999", {}, "--otlp"),
        ("http://user:secret@c:4318", {}, "--otlp"),
        ("env", {}, "--otlp env"),
        ("env", {ENDPOINT: "c"}, ENDPOINT),
        ("http://c:1", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
        ("http://c:1", {HEADERS: "secret"}, HEADERS),
        ("http://c:1", {HEADERS: "k=secret%0d%0aHost: x"}, HEADERS),
        ("http://c:1", {"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "OTEL_EXPORTER_OTLP_TIMEOUT=soon"),
        ("http://c:1", {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/none"}, "OTEL_EXPORTER_OTLP_CERTIFICATE=/none"),
        ("http://c:1", {"OTEL_EXPORTER_OTLP_COMPRESSION": "br"}, "OTEL_EXPORTER_OTLP_COMPRESSION=br"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place_and_tells_no_secret(given, variables, place):
    with pytest.raises(BadInput) as refused:
        otlp_settings(given, variables)
    assert str(refused.value).startswith(place) and "secret" not in str(refused.value)
