"""What speaks against a price is said by check and at a run's start, and stands in the manifest; a slip of the unit is never sent."""

import subprocess
import sys

import yaml

from tests.helpers import folders
from tests.helpers.locust_process import ROOT, environment, one_locust

MINE = (
    "us-west-9",
    "the price is of us-west-9 ({book}), and calls go to us-east-1, where it may differ; use a book of us-east-1",
)


def test_a_book_of_another_region_is_told_before_the_load_and_kept_with_the_run(endpoint, tmp_path):
    load = {"users": [1], "settle_s": 0, "measure_s": 0.5}
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.bedrock("quick-model")], load)
    book = tmp_path / "book.yaml"
    book.write_text(yaml.safe_dump(folders.BOOK | {"region": MINE[0]}))
    told = MINE[1].format(book=book)
    with one_locust(scenario, tmp_path / "run") as process:
        assert process.wait() == 0, process.text
        assert process.text.count(f"Price of target `by-quick-model`: {told}") == 1
        assert process.text.index(told) < process.text.index("Ahead: ")
    source = folders.manifest(tmp_path / "run")["price_sources"]["by-quick-model"]
    assert (source["name"], source["entry"], source["region"]) == (str(book), "quick-model", MINE[0])
    assert source["cautions"][0].startswith(told) and "days old" in source["cautions"][1]
    program = (
        "import sys\nfrom analysis.__main__ import main\n"
        f"main(['report', {str(tmp_path / 'run')!r}, '--out', {str(tmp_path / 'report')!r}])\n"
        "print('the library is loaded:', 'genai_prices' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert "the library is loaded: False" in done.stdout, done.stderr
    assert told.split(";")[0] in (tmp_path / "report" / "report.md").read_text().replace("`", "")
