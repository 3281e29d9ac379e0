"""An OpenTelemetry collector's door: takes metrics by OTLP over HTTP, read with OpenTelemetry's own messages, as slowly as it likes."""

import contextlib
import gzip
import http.server
import threading
import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


class Collector:
    """What came: (path, headers, request)."""

    def __init__(self, answer_s: float, status: int) -> None:
        self.answer_s, self.status = answer_s, status
        self.let_go = threading.Event()  # answers wait for it when answer_s is infinite
        self.came: list[tuple[str, dict[str, str], ExportMetricsServiceRequest]] = []
        self.answered = 0
        self.url = ""

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        whole = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        self.came.append((path, headers, ExportMetricsServiceRequest.FromString(whole)))
        if self.answer_s == float("inf"):
            self.let_go.wait(300)
        else:
            time.sleep(self.answer_s)

    @property
    def resource(self) -> dict[str, str]:
        return {a.key: a.value.string_value for a in self.came[-1][2].resource_metrics[0].resource.attributes}

    def points(self, name: str, request: int = -1) -> list[tuple[dict, object]]:
        """(attributes, point) of a metric in one of the requests; the last one's by default."""
        found = []
        for metric in self.came[request][2].resource_metrics[0].scope_metrics[0].metrics:
            if metric.name == name:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    of = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in point.attributes}
                    found.append((of, point))
        return found

    def names(self) -> set[str]:
        return {metric.name for metric in self.came[-1][2].resource_metrics[0].scope_metrics[0].metrics}


@contextlib.contextmanager
def collector(answer_s: float = 0.0, status: int = 200):
    it = Collector(answer_s, status)

    class Door(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            it.take(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            with contextlib.suppress(OSError):  # whoever sent it may have ended
                self.send_response(it.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                it.answered += 1

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    it.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield it
    finally:
        it.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
