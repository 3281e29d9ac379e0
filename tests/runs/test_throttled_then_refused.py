"""A server that throttles its first calls: before it refuses, because its quota is used up, or for ever."""

import contextlib
import http.server
import threading

from tests.helpers import folders
from tests.runs.test_left_out import LOAD, ran

SLOW_DOWN = (429, b'{"error": {"message": "slow down"}}')
NO_MODEL = (404, b'{"error": {"message": "no such model"}}')
USED_UP = (429, b'{"error": {"message": "see your plan", "type": "insufficient_quota", "code": "insufficient_quota"}}')
GOOD = (
    200,
    b'{"id": "c", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "length"}],'
    b' "usage": {"prompt_tokens": 9, "completion_tokens": 1}}',
)
BROKEN = (500, b'{"error": {"message": "worker died"}}')


@contextlib.contextmanager
def server(*answers: tuple[int, bytes]):
    """Its base URL; the last answer is that of all other calls, too."""
    left = list(answers)

    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def run_of(tmp_path, url: str, **target: object) -> tuple[int, str]:
    own = {
        "name": "own",
        "service": "openai",
        "base_url": f"{url}/v1",
        "model_id": "m",
        "dialect": "openai-chat",
        "price": {"input": 0.001, "output": 0.002},
    }
    return ran(folders.make_scenario(tmp_path, url, [own | target], LOAD), tmp_path / "run")


def test_a_throttle_before_refusals_does_not_tell_to_wait(tmp_path):
    with server(SLOW_DOWN, NO_MODEL) as url:
        code, text = run_of(tmp_path, url)
    assert code == 1
    assert "error: target `own`: 404: no such model; check `base_url`" in text, text


def test_a_quota_that_is_used_up_leaves_its_target_out(tmp_path):
    with server(USED_UP) as url:
        code, text = run_of(tmp_path, url)
    assert code == 1
    assert "error: target `own`: insufficient_quota: see your plan; nothing of the account's quota is left" in text


def test_what_throttled_calls_will_cost_is_not_known_for_that_reason(tmp_path):
    with server(SLOW_DOWN) as url:
        code, text = run_of(tmp_path, url)
    assert code == 1
    assert "may cost more than can be told (own: all first calls were throttled), above $10.00" in text, text
    assert "token counts" not in text


def test_a_further_first_call_that_fails_is_said_and_the_run_goes_on(tmp_path):
    with server(GOOD, BROKEN, GOOD) as url:
        code, text = run_of(tmp_path, url, parameters={"max_tokens": 5})
    assert code == 0, text
    assert "target `own`: a first call worked, another one failed: 500: worker died" in text
