"""A web UI that others reach without logging in is told of."""

import pytest

from locustfiles.common.web.guard import open_to_all


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_one_of_this_machine_alone_is_not_mentioned(host):
    assert open_to_all(host, login=False) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "10.0.0.5"])
def test_one_that_others_reach_is_unless_they_log_in(host):
    assert "can start and stop runs that are paid for" in open_to_all(host, login=False)
    assert open_to_all(host, login=False).endswith("add --web-login, or leave --web-host out")
    assert open_to_all(host, login=True) is None
