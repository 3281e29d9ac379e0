"""The bench: a short real one, and its arithmetic."""

import math
import shutil
import sys

import pytest

from locustfiles.contract.exit_codes import BAD_INPUT, OK
from scripts.bench import measure as bench
from scripts.bench import venvs
from scripts.bench.client import Answer, Load
from scripts.bench.clients import CLIENTS
from scripts.bench.endpoint import ROOT
from scripts.bench.load import main
from scripts.bench.table import short_table, stream_table

pytestmark = pytest.mark.timed


def rows_of(text, first_head):
    """The table whose second head is `first_head`: a dict a row."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    begin = next(i for i, line in enumerate(lines) if first_head in line)
    width = len(lines[begin])
    body = lines[begin + 2 :]
    end = next((i for i, line in enumerate(body) if len(line) != width), len(body))
    return [dict(zip(lines[begin], line, strict=True)) for line in body[:end]]


def numbers(cell):
    return [float(part.replace(",", "")) for part in cell.removesuffix(" %").split(" / ")]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(bench, "SETTLE_S", 0.5)
    monkeypatch.setattr(bench, "GRACE_S", 1.0)


def test_our_path_and_the_boto3_loop_are_measured_for_real(capsys):
    assert main(["--users", "5", "--seconds", "3", "--short-users", "0", "--peers", "ours,boto3-loop"]) == OK
    text = capsys.readouterr().out
    found = rows_of(text, "TTFT error mean / p50 / p99 (ms)")
    assert [(row["client"], row["users"]) for row in found] == [("ours", "5"), ("boto3-loop", "5")]
    for row in found:
        for name, cell in row.items():
            if name != "client":
                assert all(math.isfinite(value) for value in numbers(cell)), (name, cell)
        # 5 users, an answer takes 0.59 s: 5 / 0.59 = 8.5 requests/s at the most, 25 in 3 s (and the 5 in flight)
        assert 5 < numbers(row["requests/s"])[0] < 11
        assert 15 <= numbers(row["requests"])[0] <= 31
        assert row["lost"] == "0"
        for figure in ("TTFT", "latency"):
            mean, p50, p99 = numbers(row[f"{figure} error mean / p50 / p99 (ms)"])
            assert 0 <= p50 <= p99 and 0 < mean < 100
        assert numbers(row["CPU ms/request"])[0] > 0.3
        assert 20 < numbers(row["memory MB"])[0] < 1000
    assert "Not measured" not in text


def test_another_checkout_runs_its_own_code_beside_ours(tmp_path, capsys):
    """A checkout whose sweep.py takes no Bedrock target fails at this one, and ours does not."""
    other = tmp_path / "older"
    for folder in ("locustfiles", "configs"):
        shutil.copytree(ROOT / folder, other / folder, ignore=shutil.ignore_patterns("__pycache__"))
    sweep = other / "locustfiles/sweep.py"
    sweep.write_text(sweep.read_text().replace('SERVICES = ("bedrock", ', "SERVICES = ("))
    assert (
        main(["--users", "2", "--seconds", "1", "--short-users", "0", "--peers", "ours", "--before", str(other)]) == OK
    )
    text = capsys.readouterr().out
    assert [row["client"] for row in rows_of(text, "TTFT error mean / p50 / p99 (ms)")] == ["ours"]
    assert "- Not measured: before, 2 users, streams: ClientFailed: error: " in text


def test_the_openai_route_is_measured_with_locusts_own_client_beside_ours(capsys):
    assert (
        main(["--users", "4", "--seconds", "2", "--short-users", "0", "--peers", "ours-openai,fasthttp-openai"]) == OK
    )
    text = capsys.readouterr().out
    found = rows_of(text, "TTFT error mean / p50 / p99 (ms)")
    assert [(row["client"], row["lost"]) for row in found] == [("ours-openai", "0"), ("fasthttp-openai", "0")]
    for row in found:
        # 4 users, an answer takes 0.59 s: 6.8 requests/s at the most, 13.6 in 2 s (and the 4 in flight)
        assert 7 <= numbers(row["requests"])[0] <= 18
        for figure in ("TTFT", "latency"):  # a first event without text would be 100 ms too early
            mean, p50, p99 = numbers(row[f"{figure} error mean / p50 / p99 (ms)"])
            assert 0 <= p50 <= p99 and 0 < mean < 100
    assert "Not measured" not in text


def test_short_calls_are_measured_over_tls_too(tmp_path):
    found = bench.measure(CLIENTS["ours"], 3, False, 1.0, True, tmp_path / "short")
    assert found.ttft is None and found.endpoint_late_p99_ms is None
    assert (found.lost, found.latency.p50 > 0, found.requests > 50) == (0, True, True)
    row = rows_of(short_table([("ours", found)]), "requests/s per core")[0]
    assert numbers(row["requests/s per core"])[0] == round(1000 / found.cpu_ms)


def test_the_figures_are_client_minus_endpoint_in_the_window_alone(tmp_path):
    def row(name, at):
        return {"request_id": name, "arrival": at, "first_token": at + 0.1, "last_byte": at + 0.59, "late_ms": 0.5}

    truth = [row("before", 9.9), row("a", 10.0), row("b", 11.0), row("lost", 11.4), row("after", 12.0)]
    answers = {name: Answer(103.0, 595.0) for name in ("before", "after")} | {
        "a": Answer(101.0, 592.0),
        "b": Answer(102.0, 594.0),
    }
    before, after = bench._Sample(10.0, 1.0, 5.0, 100.0), bench._Sample(12.0, 1.3, 5.4, 101.1)
    found = bench._figures(Load(2, True, 2.0, tmp_path), truth, answers, before, after, 80.0)
    assert (found.requests, found.lost) == (3, 1)
    assert found.ttft == pytest.approx((1.5, 1.5, 1.99))  # errors 1 and 2 ms; p99: 1 + 0.99
    assert found.latency == pytest.approx((3.0, 3.0, 3.98))  # 2 and 4
    assert (
        found.requests_per_s == 2.0
    )  # ended within [10, 12): before (10.49), a (10.59), b (11.59), lost (11.99): 4 in 2 s
    assert found.cpu_ms == pytest.approx(75.0)  # 0.3 s by 4
    assert (found.client_core, found.endpoint_core) == (pytest.approx(0.15), pytest.approx(0.2))
    assert found.others == pytest.approx(0.2)  # (1.1 - 0.3 - 0.4) / 2
    assert "| 1.5 / 1.5 / 2.0 | 3.0 / 3.0 / 4.0 | 0.5 | 3 | 1 |" in stream_table([("x", found)])


def test_a_peer_that_cannot_be_installed_is_absent_with_pips_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "uv")}
    for name, value in nowhere.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(venvs.Absent, match="llmeter 0.2.0 cannot be installed: .*llmeter==0.2.0"):
        venvs.python_of("llmeter")
    assert list((tmp_path / "swarmledger-bench").iterdir()) == []  # nothing half made stays


def test_a_client_that_fails_is_named_with_what_it_said_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    broken = CLIENTS["boto3-loop"]._replace(
        command=lambda load, url: [sys.executable, "-c", "raise SystemExit('error: no luck')"]
    )
    monkeypatch.setitem(CLIENTS, "boto3-loop", broken)
    assert main(["--users", "2", "--seconds", "1", "--short-users", "0", "--peers", "boto3-loop"]) != OK
    assert "- Not measured: boto3-loop, 2 users, streams: ClientFailed: error: no luck" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ["--peers", "wrk"],
        ["--users", "x"],
        ["--seconds", "0"],
        ["--tries", "0"],
        ["--users", "5000"],
        ["--before", "tests"],
    ],
)
def test_a_usage_error_is_exit_code_1(capsys, options):
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == BAD_INPUT
    assert options[0] in capsys.readouterr().err


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == OK
    assert "python -m scripts.bench.load --users 20,100 --peers ours,boto3-loop" in capsys.readouterr().out
