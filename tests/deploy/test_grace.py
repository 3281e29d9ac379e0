"""The grace period: what fits into it, what is cut, and the token that is read of a file."""

import time

import pytest

from locustfiles.common.deployed import grace
from locustfiles.common.swarm import run_token
from locustfiles.contract.bad_input import BadInput


def test_a_drain_that_fits_says_so_and_one_that_does_not_names_the_remedy():
    assert grace.said(22, 30) == (
        True,
        "SIGTERM drains: requests in flight end within 22 s, all is saved within 30 s; SWARMLEDGER_GRACE_S gives 30 s",
    )
    fits, words = grace.said(122, 30)  # 120 s and the 2 s that Locust waits longer; 122 + 8 = 130
    assert not fits and "still in flight 22 s after SIGTERM is cut" in words and "give 130 s there" in words
    assert "terminationGracePeriodSeconds, stopTimeout, stop_grace_period" in words and "\n" not in words


@pytest.mark.parametrize(("period", "cut"), [(30, 22), (120, 112), (16, 8), (10, 5), (4, 2)])
def test_requests_are_cut_eight_seconds_before_the_end_and_in_the_middle_of_short_periods(period, cut):
    assert grace.cut_after_s(period) == cut
    assert grace.needed_s(cut) == period  # what may be in flight so long fits exactly


@pytest.mark.parametrize("said", ["soon", "1", "nan", "inf", "-3", "1e9"])
def test_a_period_that_is_none_is_refused(monkeypatch, said):
    monkeypatch.setenv(grace.VARIABLE, said)
    with pytest.raises(BadInput, match=r"^SWARMLEDGER_GRACE_S .*: no number of seconds from 2 to 86400; give "):
        grace.given()


def test_what_is_waited_for_at_an_end_ends_with_the_period(monkeypatch):
    monkeypatch.setenv(grace.VARIABLE, " 30 ")
    monkeypatch.setattr(grace, "_until", [])
    assert (grace.given(), grace.at_most(40), grace.in_flight_s(40), grace.is_over()) == (30, 40, 40, False)
    grace.begin(30)
    grace.begin(300)  # a second signal gives no more time
    assert 28 < grace.at_most(40) <= 29 and grace.at_most(5) == 5 and not grace.is_over()
    assert 21 < grace.in_flight_s(60) <= 22 and grace.in_flight_s(10) == 10
    grace._until[0] = time.monotonic() + 2.5  # of the last 3 s
    assert grace.is_over() and grace.at_most(40) <= 1.5


def test_a_token_is_read_of_a_file_unless_there_is_one_in_the_variable(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("of the file\n")
    monkeypatch.setenv(run_token.FILE_VARIABLE, str(tmp_path / "token"))
    monkeypatch.delenv(run_token.VARIABLE, raising=False)
    assert run_token.given() == "of the file" and run_token.of_worker() == ["of the file"]
    monkeypatch.setenv(run_token.VARIABLE, "of the variable")
    assert run_token.given() == "of the variable"


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "not a text")]
)
def test_a_file_without_a_token_is_refused(monkeypatch, tmp_path, content, why):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.delenv(run_token.VARIABLE, raising=False)
    monkeypatch.setenv(run_token.FILE_VARIABLE, str(path))
    with pytest.raises(BadInput, match=rf"^SWARMLEDGER_TOKEN_FILE {path}: .*{why}.*; "):
        run_token.given()
