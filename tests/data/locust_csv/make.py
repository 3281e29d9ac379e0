"""Makes the CSV files beside it: real Locust runs against a small local server, and what that server counted.

    python tests/data/locust_csv/make.py            # three runs of 80 s: about 4 minutes

The server holds four requests at a time for 100 ms each, so that 2 users get about 20 answers a second and 6 users
about 40; every tenth answer of /chat is a 500. Each run writes NAME_stats.csv and NAME_stats_history.csv (Locust's own,
unchanged) and NAME_truth.csv, the server's log: Unix seconds of each answer, path, status.

    local        one process, Aggregated rows only
    full         one process, --csv-full-history
    distributed  a master and two workers, --csv-full-history
"""

import csv
import http.server
import itertools
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
STEPS = [(25, 2), (50, 6), (75, 2)]  # until this second, this many users; the third visits the first's level again
LOCUSTFILE = f"""
import itertools
from locust import FastHttpUser, LoadTestShape, constant, task

class Caller(FastHttpUser):
    wait_time = constant(0)
    @task(4)
    def chat(self):
        self.client.get("/chat")
    @task(1)
    def login(self):
        self.client.get("/login")

class Steps(LoadTestShape):
    def tick(self):
        return next(((users, 100) for until, users in {STEPS} if self.get_run_time() < until), None)
"""


def start_server(log: list) -> http.server.ThreadingHTTPServer:
    slots, chats = threading.Semaphore(4), itertools.count(1)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            with slots:
                time.sleep(0.1)
            status = 500 if self.path == "/chat" and next(chats) % 10 == 0 else 200
            log.append((f"{time.time():.3f}", self.path, status))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def make(name: str, options: list[str], workers: int = 0) -> None:
    log: list = []
    server = start_server(log)
    with tempfile.TemporaryDirectory() as folder:
        locustfile = pathlib.Path(folder, "locustfile.py")
        locustfile.write_text(LOCUSTFILE)
        base = [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(locustfile),
            "--host",
            f"http://127.0.0.1:{server.server_port}",
        ]
        command = [
            *base,
            "--headless",
            "--only-summary",
            "--csv",
            str(HERE / name),
            "--exit-code-on-error",
            "0",
            *options,
        ]
        helpers = [subprocess.Popen([*base, "--worker", "--master-port", "5687"], cwd=folder) for _ in range(workers)]
        if workers:
            command += ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", "5687"]
            command += ["--expect-workers", str(workers)]
        try:
            subprocess.run(command, cwd=folder, check=True, timeout=120)
        finally:
            for helper in helpers:
                helper.terminate()
                helper.wait(timeout=10)
    server.shutdown()
    with open(HERE / f"{name}_truth.csv", "w", newline="\n") as file:
        csv.writer(file, lineterminator="\n").writerows([("answered_at", "path", "status"), *log])
    for leftover in ("failures", "exceptions"):
        (HERE / f"{name}_{leftover}.csv").unlink()


if __name__ == "__main__":
    make("local", [])
    make("full", ["--csv-full-history"])
    make("distributed", ["--csv-full-history"], workers=2)
