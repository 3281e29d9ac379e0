"""For all tests: a test process that Locust leaves as it is and that loads things once, and measurements that are repeated."""

import functools
import gc
import os

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.patience import repeated

os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
import locust  # noqa: F401  (once imported, it patches no more)

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]  # the processes that tests start are patched
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine breaks them
settings.load_profile("here")
gc.set_threshold(20_000, 20, 100)  # what pandas and matplotlib hold is gone through for nothing: a seventh of the time
# Sessions of one process read botocore's files once, as the clients of one session do: half of the time of many tests was theirs.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test marked `timed` judges milliseconds in its own process: it is tried again where it fails and the machine was shared."""
    if not pyfuncitem.get_closest_marker("timed"):
        return None
    tries = []

    def test() -> None:
        tries.append(1)
        pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames})

    try:
        repeated(test)()
    finally:
        pyfuncitem.user_properties.append(("tries", len(tries)))
    return True


def pytest_terminal_summary(terminalreporter) -> None:
    """Nothing is repeated in silence."""
    passed = [report for report in terminalreporter.stats.get("passed", ()) if report.when == "call"]
    again = {r.nodeid: dict(r.user_properties)["tries"] for r in passed if dict(r.user_properties).get("tries", 1) > 1}
    for test, tries in again.items():
        terminalreporter.write_line(f"passed at try {tries}: {test}")
