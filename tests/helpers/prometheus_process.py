"""A real Prometheus, of the system (the package prometheus), that scrapes every second."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import urllib.parse
import urllib.request

import yaml

from tests.helpers.locust_process import free_port
from tests.helpers.patience import until


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **arguments: object) -> dict:
        with urllib.request.urlopen(
            f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}", timeout=60
        ) as answer:
            return json.load(answer)["data"]

    def now(self, query: str) -> list[tuple[dict[str, str], float]]:
        """(labels, value)"""
        return [(each["metric"], float(each["value"][1])) for each in self.get("query", query=query)["result"]]

    def seen(self, query: str, since: float, until_s: float) -> list[dict]:
        """What it was between these Unix seconds, every half second."""
        return self.get("query_range", query=query, start=since, end=until_s, step="0.5")["result"]


@contextlib.contextmanager
def prometheus(folder: pathlib.Path, target: str, **of_job: object):
    """Scrapes host:port."""
    program = shutil.which("prometheus")
    assert program, "no prometheus: install the package of that name, or run scripts/test.sh, which does"
    folder.mkdir()
    job = {"job_name": "load", "static_configs": [{"targets": [target]}], **of_job}
    settings = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))
    port = free_port()
    command = [program, f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
    try:
        it = Prometheus(f"http://127.0.0.1:{port}")

        def answers() -> bool:
            with contextlib.suppress(OSError):
                return bool(it.get("status/buildinfo"))
            return False

        until(answers, (folder / "said").read_text)
        yield it
    finally:
        process.terminate()
        process.wait()
