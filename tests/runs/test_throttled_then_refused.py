"""A server that throttles before it refuses: why its target is left out is the refusal, whichever comes first."""

import http.server
import threading

from tests.helpers import folders
from tests.runs.test_left_out import LOAD, ran


class ThrottlesOnce(http.server.BaseHTTPRequestHandler):
    """429 to the first call, 404 to every other."""

    protocol_version = "HTTP/1.1"
    calls = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).calls += 1
        body = b'{"error": {"message": "slow down"}}' if self.calls == 1 else b'{"error": {"message": "no such model"}}'
        self.send_response(429 if self.calls == 1 else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_a_throttle_before_refusals_does_not_tell_to_wait(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), ThrottlesOnce) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        target = {
            "name": "own",
            "service": "openai",
            "base_url": f"{url}/v1",
            "model_id": "m",
            "dialect": "openai-chat",
            "price": {"usd_per_hour": 1.0},
        }
        code, text = ran(folders.make_scenario(tmp_path, url, [target], LOAD), tmp_path / "run")
        server.shutdown()
    assert code == 1
    assert "error: target `own`: 404: no such model; check `base_url`" in text, text
