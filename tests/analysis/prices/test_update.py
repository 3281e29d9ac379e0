"""`prices update` against the local endpoint: pages, throttling and refusals, what it shows, and what it writes and leaves."""

import datetime
import decimal
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

from analysis.__main__ import main
from analysis.prices.book_text import written
from analysis.prices.offered import Offered
from locustfiles.contract.prices.price_book import load_price_book
from scripts.emulator.config import EXAMPLE_ACCESS_KEY, EXAMPLE_SECRET_KEY
from scripts.emulator.price_offers import products
from tests.helpers.emulator_process import ROOT, running_emulator

D = decimal.Decimal
HEAD = "region: us-east-1\ncurrency: USD\nas_of: 2026-11-01\nsource: mine\n"
BOOK = (
    HEAD
    + """instances: # by the hour
  ml.p4d.24xlarge: 37.688  # checked by hand
  ml.g5.xlarge: {usd_per_hour: 1, as_of: 2026-01-01, source: AWS Price List API (prices update)}

models:
  amazon.nova-lite-v1:0:
    input: 0.00006
    output: 0.00024
  # the end
"""
)


@pytest.fixture(scope="module")
def endpoint():
    with running_emulator({"engines": {}, "pricing": {"page_size": 7}}) as e:
        yield e


@pytest.fixture
def aws(monkeypatch, endpoint):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", endpoint.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", EXAMPLE_ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", EXAMPLE_SECRET_KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def update(*options: str) -> int:
    return main(["prices", "update", *map(str, options)])


def test_it_shows_what_would_change_and_writes_nothing(aws, endpoint, tmp_path, capsys):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)
    assert update("--region", "us-east-1", "--book", book) == 0
    shown = capsys.readouterr().out
    assert book.read_text() == BOOK
    assert "+ ml.g5.12xlarge: usd_per_hour $7.09\n" in shown
    assert "~ ml.g5.xlarge: usd_per_hour $1 -> $1.408 (+40.8 %)\n" in shown
    # 25.251286 / 37.688 - 1
    assert (
        "! ml.p4d.24xlarge: yours and kept (the source of the book); AWS lists usd_per_hour $37.688 -> $25.251286 (-33 %)"
        in shown
    )
    assert "+ global.anthropic.claude-sonnet-4-5-20250929-v1:0: input $0.003, output $0.015" in shown
    assert "? model ids not known of 1: Palmyra X9\n" in shown
    assert "nothing was written" in shown


def test_every_page_is_read_and_a_throttled_one_asked_for_again(aws, capsys):
    with running_emulator(
        {"engines": {}, "pricing": {"page_size": 20, "faults": {"throttle": 0.15}, "fault_seed": 1}}
    ) as e:
        aws.setenv("AWS_ENDPOINT_URL_PRICING", e.url)
        assert update("--region", "us-east-1", "--book", "none.yaml") == 0
        told = e.stats()
    # 5 hours of instances, 20 prices of Bedrock's own offer, 5 of its second, 25 of the marketplace's: 1, 1, 1 and 2 pages; the seed's first
    # draw is 0.134
    assert told["by_status"] == {"200": 5, "400": told["by_fault"]["throttle"]} and told["by_fault"]["throttle"] >= 1
    assert (
        "13 new, 0 changed" in capsys.readouterr().out
    )  # 5 instances, Nova, Llama and Haiku; Sonnet, and its global profile; that of Sonnet 4; two that rerank


def test_search_units_and_the_second_offer_of_bedrock_are_entries_too(aws, tmp_path, capsys):
    book = tmp_path / "book.yaml"
    only = ("--only", "*rerank*", "--only", "*sonnet-4-2025*")
    assert update("--region", "us-east-1", "--book", book, "--write", *only) == 0
    models = load_price_book(book).models
    assert {key: entry.units for key, (entry,) in models.items() if entry.units} == {
        "amazon.rerank-v1:0": {"query": 0.001},
        "cohere.rerank-v3-5:0": {"query": 0.002},
    }
    (sonnet,) = models["global.anthropic.claude-sonnet-4-20250514-v1:0"]
    assert (sonnet.input, sonnet.output, sonnet.cache_write, sonnet.cache_write_1h) == (0.003, 0.015, 0.00375, 0.006)
    assert "+ amazon.rerank-v1:0: a query $0.001\n" in capsys.readouterr().out
    book.write_text(book.read_text().replace("{query: 0.001}", "{query: 0.004}"))
    assert update("--region", "us-east-1", "--book", book, *only) == 0
    assert "~ amazon.rerank-v1:0: a query $0.004 -> $0.001 (-75 %)\n" in capsys.readouterr().out


def test_an_offer_that_aws_has_not_is_passed_over(aws, capsys):
    """Of an endpoint with hosting's prices and the two large offers alone."""
    offers = ("AmazonSageMaker", "AmazonBedrock", "AmazonBedrockFoundationModels")
    kept = [product._asdict() for product in products() if product.service in offers]
    with running_emulator({"engines": {}, "pricing": {"products": kept}}) as e:
        aws.setenv("AWS_ENDPOINT_URL_PRICING", e.url)
        assert update("--region", "us-east-1", "--book", "none.yaml", "--only", "ml.g6.xlarge") == 0
    assert "1 new, 0 changed" in capsys.readouterr().out


def test_it_writes_its_own_entries_and_keeps_every_other_line(aws, tmp_path, capsys):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)
    book.chmod(0o640)
    assert update("--region", "us-east-1", "--book", book, "--write") == 0
    text, today = book.read_text(), datetime.datetime.now(datetime.UTC).date()
    mine = [line for line in BOOK.splitlines() if "(prices update)" not in line]
    assert [line for line in text.splitlines() if "(prices update)" not in line] == mine
    assert (
        f"  ml.g5.xlarge: {{usd_per_hour: 1.408, as_of: {today}, source: AWS Price List API (prices update)}}\n" in text
    )
    assert book.stat().st_mode & 0o777 == 0o640 and list(tmp_path.iterdir()) == [book]
    haiku = load_price_book(book).models["anthropic.claude-haiku-5-5"][0]
    assert (haiku.steps[0].above, haiku.steps[0].input) == (100_000, 0.00055)
    assert update("--region", "us-east-1", "--book", book, "--write") == 0
    assert book.read_text() == text  # the second time there is nothing to do
    assert "0 new, 0 changed" in capsys.readouterr().out


def test_a_book_that_is_not_there_is_made(aws, tmp_path, capsys):
    book = tmp_path / "new.yaml"
    assert update("--region", "eu-west-1", "--book", book, "--write", "--only", "ml.g*") == 0
    made = load_price_book(book)
    assert (made.region, set(made.instances), made.models) == (
        "eu-west-1",
        {"ml.g5.xlarge", "ml.g5.12xlarge", "ml.g6.xlarge"},
        {},
    )
    assert update("--book", book, "--write") == 0  # whose region is known
    assert "ml.inf2.xlarge" in load_price_book(book).instances
    book.write_text(book.read_text().replace("ml.inf2.xlarge:", "ml.inf0.xlarge:"))
    capsys.readouterr()
    assert update("--book", book) == 0
    assert (
        "1 new, 0 changed, 12 the same, 0 yours and otherwise, 1 of before not listed now and kept"
        in capsys.readouterr().out
    )
    assert update("--book", book, "--only", "ml.g*") == 0
    assert "0 new, 0 changed, 3 the same, 0 yours and otherwise\n" in capsys.readouterr().out


def test_a_book_in_dos_lines_stays_one(aws, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_bytes(BOOK.replace("\n", "\r\n").encode())
    assert update("--region", "us-east-1", "--book", book, "--write", "--only", "ml.*") == 0
    written = book.read_bytes()
    assert written.count(b"\n") == written.count(b"\r\n") == BOOK.count("\n") + 3


#: books in other hands: what of them may go is this command's own
HANDS = {
    "no line at the end": "instances:\n  ml.q: 3",
    "an end of the document": "instances:\n  ml.q: 3\n...\n",
    "no section": "guardrail: {contentPolicyUnits: 0.1}\n",
    "an empty section": "instances: {}\nmodels:\n  c.d: {input: 0.1, output: 0.2}\n",
    "quotes, blocks and a tail": 'instances:\n    "ml.q":\n        usd_per_hour: 3  # x\n\n    # tail\nmodels:\n  c.d: {input: 1, output: 2}\n# end\n',
    "a list": "instances:\n  ml.q:\n  - 3\n  - {usd_per_hour: 4, effective: 2026-01-01}\n  # why\n",
    "an anchor": "instances:\n  ml.q: &q {usd_per_hour: 3}\n  ml.r: *q\n",
    "text over lines": "instances:\n  ml.q:\n    usd_per_hour: 3\n    source: |\n      a\n      b\n\nmodels:\n  c.d: {input: 0.1, output: 0.2}\n",
}


@pytest.mark.parametrize("case", HANDS)
def test_whatever_the_hand_its_lines_stay_in_their_order(case):
    offers = Offered(
        {"ml.g5.xlarge": {"usd_per_hour": D("1.408")}}, {"a.b-v1:0": {"input": D("1E-7"), "output": D("0.5")}}, [], []
    )
    old, day = HEAD + HANDS[case], datetime.date(2026, 11, 28)
    text = written(old, offers, "us-east-1", day)
    kept = [line for line in text.splitlines() if "(prices update)" not in line]
    hand = [line for line in old.splitlines() if line != "instances: {}"]
    rest = iter(kept)
    assert all(line in rest for line in hand)  # each after the one before
    assert set(kept) - set(hand) <= {"", "instances:", "models:"}
    assert "a.b-v1:0: {input: 0.0000001, output: 0.5, as_of: 2026-11-28," in text
    assert written(text, offers, "us-east-1", day) == text


def test_braces_are_not_written_into(aws, tmp_path, capsys):
    book = tmp_path / "book.yaml"
    book.write_text(HEAD + "instances: {ml.p4d.24xlarge: 37.688}\n")
    assert update("--region", "us-east-1", "--book", book, "--write") == 1
    error = capsys.readouterr().err
    assert (
        error == f"error: {book}: `instances:` is written in braces, into which nothing is put; write an entry a line\n"
    )
    assert list(tmp_path.iterdir()) == [book]


REFUSED = {
    "a region that is none": (["--region", "eu-wst-1"], {}, "did you mean eu-west-1?"),
    "a region without prices": (["--region", "eu-north-1"], {}, "AWS lists no hosting or token price there"),
    "no region": ([], {}, "give --region"),
    "a pattern that fits nothing": (["--region", "us-east-1", "--only", "ml.x9*"], {}, "AWS lists nothing of this name"),
    "no credentials": (["--region", "us-east-1"], {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "set AWS_PROFILE"),
    "half of the credentials": (["--region", "us-east-1"], {"AWS_SECRET_ACCESS_KEY": None}, "set AWS_PROFILE"),
    "another's credentials": (["--region", "us-east-1"], {"AWS_ACCESS_KEY_ID": "AKIAOTHER"}, "AWS does not know them"),
    "a wrong secret": (["--region", "us-east-1"], {"AWS_SECRET_ACCESS_KEY": "no"}, "check the secret key and the machine's clock"),
    "no such profile": (["--region", "us-east-1"], {"AWS_PROFILE": "nobody"}, "set AWS_PROFILE"),
    "nobody listens": (["--region", "us-east-1"], {"AWS_ENDPOINT_URL_PRICING": "http://127.0.0.1:9"}, "check the network"),
    "no address": (["--region", "us-east-1"], {"AWS_ENDPOINT_URL_PRICING": "prices"}, "check AWS_ENDPOINT_URL_PRICING"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_line_with_its_remedy(case, aws, tmp_path, capsys):
    options, variables, remedy = REFUSED[case]
    aws.chdir(tmp_path)
    aws.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    aws.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    if case == "nobody listens":
        aws.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in variables.items():
        aws.setenv(name, value) if value is not None else aws.delenv(name)
    assert update(*options) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and remedy in error


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        ("access_denied", "allow the action pricing:GetProducts"),
        ("throttle", "AWS asks to wait"),
        ("garbage_body", "check "),
        ("drop", "check "),
    ],
)
def test_what_aws_refuses_is_one_line_with_its_remedy(fault, remedy, aws, capsys):
    aws.setenv("AWS_MAX_ATTEMPTS", "1")
    with running_emulator({"engines": {}, "pricing": {"faults": {fault: 1}}}) as e:
        aws.setenv("AWS_ENDPOINT_URL_PRICING", e.url)
        assert update("--region", "us-east-1") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: pricing: ") and error.count("\n") == 1 and remedy in error


def test_another_regions_book_is_refused_before_anything_is_asked(aws, endpoint, tmp_path, capsys):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)
    before = endpoint.stats()["requests"]
    assert update("--region", "us-west-2", "--book", book) == 1
    assert "the book of us-east-1, not of us-west-2" in capsys.readouterr().err
    assert endpoint.stats()["requests"] == before


def test_an_hour_of_somebody_else_is_never_lost(aws, tmp_path):
    book = tmp_path / "book.yaml"
    entries = {
        "ml.g5.xlarge": [
            {"usd_per_hour": 1.5},
            {"usd_per_hour": 1.4, "effective": datetime.date(2026, 1, 1), "source": "contract"},
        ]
    }
    book.write_text(HEAD + yaml.safe_dump({"instances": entries}))
    assert update("--region", "us-east-1", "--book", book, "--write") == 0
    after = load_price_book(book)
    assert [entry.usd_per_hour for entry in after.instances["ml.g5.xlarge"]] == [1.5, 1.4]
    assert "ml.g6.xlarge" in after.instances


def test_other_work_loads_neither_boto3_nor_the_library():
    program = (
        "import sys\nfrom analysis.__main__ import main\nmain(['prices', 'ml.g5.12xlarge'])\n"
        "print(sorted({'boto3', 'botocore', 'genai_prices', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=pathlib.Path(ROOT), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.endswith("[]\n")
