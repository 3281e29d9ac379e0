"""Files as people have them: other versions, the web UI's download, spreadsheets; read, or refused with what they are."""

import csv
import gzip

import pandas as pd
import pytest

from tests.helpers.locust_csv import run_cost
from tests.helpers.locust_files import write_files

CALL = ("POST", "/generate", 1, 900, 0)
LEVELS = [(1, 30), (5, 30)]


def rates(prefix, tmp_path, *options):
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 3.6, "--out", tmp_path / "out", *options) == 0
    return pd.read_csv(tmp_path / "out/cost.csv")["successes_per_s"].tolist()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_that_a_spreadsheet_saved_again_are_read(tmp_path, delimiter, encoding):
    prefix = write_files(tmp_path / "a", [CALL], LEVELS, delimiter=delimiter, encoding=encoding)
    assert rates(prefix, tmp_path) == [1, 5]


def test_a_comma_before_the_decimals_and_whole_numbers_as_decimals_are_read(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [CALL], LEVELS, delimiter=";")
    path = tmp_path / "a_stats_history.csv"
    lines = path.read_text().replace(".", ",").splitlines()
    path.write_text("sep=;\n" + "\n".join(lines))
    assert rates(prefix, tmp_path) == [1, 5]
    assert "| 1 | 24.0 | 24 | 0 | 0 % | 1.00 | 41 % | 0.900 s |" in capsys.readouterr().out


def test_timestamps_in_milliseconds_are_read_as_that(tmp_path):
    prefix = write_files(tmp_path / "a", [CALL], LEVELS)
    path = tmp_path / "a_stats_history.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(row.replace(",", "000,", 1) for row in rows)]) + "\n")
    assert rates(prefix, tmp_path) == [1, 5]


def test_a_packed_file_is_told_to_be_unpacked(tmp_path, capsys):
    path = tmp_path / "a_stats_history.csv"
    for data, name in ((gzip.compress(b"Timestamp"), "gzip"), (b"PK\x03\x04\x14\0", "ZIP or a spreadsheet")):
        path.write_bytes(data)
        assert run_cost("--locust-csv", tmp_path / "a", "--usd-per-hour", 3.6) == 1
        assert f"{path}: is packed ({name}); unpack it, or save it as CSV" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [[50, 90, 99], [99], []])
def test_costs_need_no_percentile(tmp_path, columns):
    assert rates(write_files(tmp_path / "a", [CALL], LEVELS, columns=columns), tmp_path) == [1, 5]


def test_the_web_uis_download_is_read_as_a_whole_run(tmp_path, capsys):
    write_files(tmp_path / "a", [CALL], LEVELS)
    path = tmp_path / "Locust_2026-11-01-10h03_locustfile.py_requests.csv"
    (tmp_path / "a_stats.csv").rename(path)
    # 30 + 150 requests in 60 s
    assert rates(path, tmp_path) == [3]
    assert "one row over the whole run, start and end included" in capsys.readouterr().out
    path.rename(tmp_path / "report.csv")
    assert rates(tmp_path / "report.csv", tmp_path) == [3]


OLD_STATS = ["Method", "Name", "# requests", "# failures", "Median response time", "Average response time"]
OLD_STATS += ["Min response time", "Max response time", "Average Content Size", "Requests/s"]


def test_the_files_of_locust_0_12_are_read_as_a_whole_run(tmp_path, capsys):
    with open(tmp_path / "old_requests.csv", "w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(OLD_STATS)
        writer.writerow(["POST", "/generate", 200, 20, 800, 900, 1, 2000, 100, "2.00"])
        writer.writerow(["None", "Total", 200, 20, 800, 900, 1, 2000, 100, "2.00"])
    # 200 / 2 a second = 100 s; 180 successes
    assert rates(tmp_path / "old", tmp_path) == [1.8]
    assert "no old_stats_history.csv" in capsys.readouterr().out


OLD_HISTORY = ["Type", "Name", "Timestamp", "# requests", "# failures", "Requests/s", "Requests Failed/s"]
OLD_HISTORY += ["Median response time", "Average response time", "50%"]


def test_the_history_of_locust_0_14_is_told_apart_by_what_it_lacks(tmp_path, capsys):
    with open(tmp_path / "old_stats_history.csv", "w", newline="") as file:
        csv.writer(file).writerows([OLD_HISTORY, ["None", "Aggregated", 1585134213, 0, 0, "0.00", "0.00", 0, 0, 0]])
    assert run_cost("--locust-csv", tmp_path / "old", "--usd-per-hour", 1) == 1
    error = capsys.readouterr().err
    assert "a history of Locust 0.13 or 0.14, which has no user count and so no steps" in error
    assert "not written by Locust" not in error
    write_files(tmp_path / "new", [CALL], LEVELS)
    (tmp_path / "new_stats.csv").rename(tmp_path / "old_stats.csv")
    assert rates(tmp_path / "old", tmp_path) == [3]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Method,Name,Error,Occurrences", "Locust's list of failures"),
        ("Count,Message,Traceback,Nodes", "Locust's list of exceptions"),
        ("Name,# requests,50%,100%", "the distribution of response times of Locust 0.12 or older"),
        (
            "record,run_id,request_id,target,latency_ms",
            "the records of a Swarmledger run; use `python -m analysis report`",
        ),
        ("timeStamp,elapsed,label,responseCode", "not written by Locust"),
        ("", "empty: Locust writes its files a few seconds late"),
    ],
)
def test_a_file_that_has_no_costs_is_called_what_it_is(tmp_path, capsys, header, told):
    (tmp_path / "x.csv").write_text(header)
    assert run_cost("--locust-csv", tmp_path / "x.csv", "--usd-per-hour", 1) == 1
    error = capsys.readouterr().err
    assert told in error and len(error.splitlines()) == 1


def test_two_runs_joined_in_one_file_are_two_stretches_of_the_history(tmp_path):
    write_files(tmp_path / "a", [CALL], [(1, 30)])
    write_files(tmp_path / "b", [CALL], [(5, 30)], start=1_700_009_000)
    joined = "".join((tmp_path / f"{name}_stats_history.csv").read_text() for name in "ab")
    (tmp_path / "ab_stats_history.csv").write_text(joined)
    assert rates(tmp_path / "ab", tmp_path) == [1, 5]


def test_a_prefix_with_a_typing_error_gets_the_one_that_is_there(tmp_path, capsys):
    write_files(tmp_path / "chat", [CALL], LEVELS)
    assert run_cost("--locust-csv", tmp_path / "caht", "--usd-per-hour", 1) == 1
    assert f"did you mean {tmp_path / 'chat'}?" in capsys.readouterr().err


def test_percentiles_of_the_whole_run_so_far_are_left_empty(tmp_path, capsys):
    prefix = write_files(tmp_path / "a", [CALL], LEVELS)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1) == 0
    assert "p50 (rounded)" in capsys.readouterr().out
    path = tmp_path / "a_stats_history.csv"
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    # as Locust 1.2 to 2.2.1: the columns are those of all since the start, as the totals beside them
    fifty, hundred = rows[0].index("50%"), rows[0].index("100%")
    median, most = rows[0].index("Total Median Response Time"), rows[0].index("Total Max Response Time")
    with open(path, "w", newline="") as file:
        for row in rows:
            if row[fifty] == "900":
                row[median], row[most] = row[fifty], row[hundred]
            csv.writer(file).writerow(row)
    assert run_cost("--locust-csv", prefix, "--usd-per-hour", 1) == 0
    assert "p50 (rounded)" not in capsys.readouterr().out
